"""When a protected position is sold and how much of it: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protect import Exit, Protection, Reason, due, reached
from market.orders import Position, PositionSide
from market.protect import Protect, Rung, read_protect, write_protect
from market.types import Kind
from tests.engine.pretend_market import NOON

LADDER = (Rung(Decimal("0.03"), Decimal("0.5")), Rung(Decimal("0.06"), Decimal("0.5")))
SHARES = Position("KRX:A", Decimal(10), Decimal(1_000))


def kept(**changes: Any) -> Protection:
    wish = Protect(
        stop_loss=Decimal("0.03"),
        ladder=LADDER,
        trailing_stop=Decimal("0.05"),
        time_stop=timedelta(days=5),
    )
    made = Protection("KRX:A", wish, 7, NOON, Decimal(10), Decimal(1_000))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("price", "high", "days", "reason"),
    [
        (971, 1_000, 0, None),
        (970, 1_000, 0, Reason.STOP_LOSS),
        (1_045, 1_100, 0, Reason.TRAILING_STOP),
        (1_046, 1_100, 0, None),
        (1_000, 1_000, 5, Reason.TIME_STOP),
        (1_000, 1_000, 4, None),
        (900, 1_200, 9, Reason.STOP_LOSS),
    ],
)
def test_the_stop_that_is_reached(price: int, high: int, days: int, reason: Reason | None) -> None:
    one = kept(best=Decimal(high))
    assert reached(one, SHARES, Decimal(price), NOON + timedelta(days=days)) is reason


SHORT = replace(SHARES, quantity=Decimal(-10))


@pytest.mark.parametrize(
    ("price", "low", "reason"),
    [
        (1_029, 1_000, None),
        (1_030, 1_000, Reason.STOP_LOSS),
        (945, 900, Reason.TRAILING_STOP),
        (944, 900, None),
        (840, 900, None),  # it is the lowest itself
        (1_100, 800, Reason.STOP_LOSS),
    ],
)
def test_stops_of_a_short_position_lie_above(price: int, low: int, reason: Reason | None) -> None:
    one = kept(best=Decimal(low), side=PositionSide.SHORT)
    assert reached(one, SHORT, Decimal(price), NOON) is reason
    assert one.better(Decimal(price)) == min(price, low)


@pytest.mark.parametrize(
    ("low", "owed", "bought"),
    [(971, 10, None), (970, 10, 5), (970, 7, 2), (970, 5, None), (940, 5, 5), (940, 10, 10)],
)
def test_a_ladder_of_a_short_position_lies_below(low: int, owed: int, bought: int | None) -> None:
    position = replace(SHORT, quantity=Decimal(-owed))
    one = kept(best=Decimal(low), side=PositionSide.SHORT)
    found = due(one, position, Decimal(owed), Kind.STOCK)
    assert (None if found is None else found.quantity) == bought


def test_a_stop_stays_reached() -> None:
    one = kept(ended_by=Reason.STOP_LOSS)
    assert reached(one, SHARES, Decimal(2_000), NOON) is Reason.STOP_LOSS
    assert due(one, SHARES, Decimal(10), Kind.STOCK) == Exit(Reason.STOP_LOSS, Decimal(10))
    assert due(one, SHARES, Decimal(0), Kind.STOCK) is None


@pytest.mark.parametrize(
    ("high", "held", "sold"),
    [
        (1_029, 10, None),
        (1_030, 10, 5),
        (1_030, 7, 2),  # three of them were sold by hand
        (1_030, 5, None),
        (1_060, 5, 5),
        (1_060, 10, 10),
    ],
)
def test_a_ladder_sells_what_is_above_its_share(high: int, held: int, sold: int | None) -> None:
    position = replace(SHARES, quantity=Decimal(held))
    found = due(kept(best=Decimal(high)), position, Decimal(held), Kind.STOCK)
    assert (None if found is None else found.quantity) == sold


@given(
    high=st.integers(900, 2_000),
    held=st.integers(0, 10),
    selling=st.integers(0, 10),
    ended_by=st.sampled_from([None, *Reason]),
)
def test_never_more_than_can_be_sold(
    high: int, held: int, selling: int, ended_by: Reason | None
) -> None:
    sellable = Decimal(max(0, held - selling))
    position = replace(SHARES, quantity=Decimal(held))
    one = kept(best=Decimal(high), ended_by=ended_by)
    found = due(one, position, sellable, Kind.STOCK)
    assert found is None or 0 < found.quantity <= sellable


def test_what_is_kept_is_read_again() -> None:
    for wish in (kept().protect, Protect(), Protect(ladder=LADDER[:1])):
        assert read_protect(write_protect(wish)) == wish
