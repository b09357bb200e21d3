from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.positions import average_price, equity, take_fill
from market.orders import Fill, Position, Side

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def fill(side: Side, quantity: int, price: int, cost: int = 0) -> Fill:
    return Fill("1", "one", "KRX:1", side, Decimal(quantity), Decimal(price), Decimal(cost), NOON)


def position(quantity: int, average: int, realized: int = 0) -> Position:
    return Position("KRX:1", Decimal(quantity), Decimal(average), Decimal(realized))


BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("before", "traded", "after"),
    [
        (None, fill(BUY, 10, 100, 2), position(10, 100, -2)),
        (position(10, 100), fill(BUY, 10, 200), position(20, 150)),
        (position(10, 100), fill(SELL, 4, 130, 5), position(6, 100, 115)),
        (position(10, 100), fill(SELL, 4, 90), position(6, 100, -40)),
        (position(10, 100), fill(SELL, 10, 130), position(0, 0, 300)),
        (position(0, 0, 300), fill(BUY, 1, 50), position(1, 50, 300)),
        (position(10, 100), fill(SELL, 15, 130), position(-5, 130, 300)),
        (position(-5, 130), fill(BUY, 2, 100), position(-3, 130, 60)),
        (position(-5, 130), fill(BUY, 9, 100), position(4, 100, 150)),
        (position(-5, 130), fill(SELL, 5, 150), position(-10, 140)),
    ],
)
def test_a_fill_changes_a_position(before: Position | None, traded: Fill, after: Position) -> None:
    assert take_fill(before, traded) == after


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Side), st.integers(1, 50), st.integers(1, 1000), st.integers(0, 9)
        ),
        min_size=1,
        max_size=30,
    )
)
def test_money_is_neither_made_nor_lost_by_counting(
    trades: list[tuple[Side, int, int, int]],
) -> None:
    held, cash = None, Decimal(0)
    for side, quantity, price, cost in trades:
        held = take_fill(held, fill(side, quantity, price, cost))
        cash += quantity * price * (-1 if side is BUY else 1) - cost
    assert held is not None
    worth = cash + held.quantity * held.average_price
    assert abs(worth - held.realized) < Decimal("1e-12")


def test_the_average_price_weighs_by_quantity() -> None:
    assert average_price([]) == 0
    assert average_price([fill(BUY, 1, 100), fill(BUY, 3, 200)]) == 175


def test_equity_takes_last_prices_or_what_was_paid() -> None:
    prices = {"KRX:1": Decimal(120)}
    positions = [position(10, 100), Position("KRX:2", Decimal(1), Decimal(50))]
    assert equity(Decimal(1_000), positions, prices.get) == 1_000 + 1_200 + 50
