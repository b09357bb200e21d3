"""What a stop at the venue is for: levels on the right side, ids that never come twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.protect import Protection, Reason
from engine.venue_stops import SETTLED, VenueStop, Wish, stop_id, stop_order, wished_stop
from market.orders import Position, PositionSide, Side
from market.protect import Protect, read_protect, write_protect
from market.types import Kind
from tests.engine.pretend_market import NOON

COIN = "BINANCE:BTCUSDT.P"
PROTECT = Protect(stop_loss=Decimal("0.03"))


def protection(side: PositionSide = PositionSide.LONG, protect: Protect = PROTECT) -> Protection:
    return Protection(COIN, protect, 7, NOON, Decimal(2), Decimal(100), side=side)


@pytest.mark.parametrize(
    ("side", "level", "exit_side"),
    [(PositionSide.LONG, "97", Side.SELL), (PositionSide.SHORT, "103", Side.BUY)],
)
def test_the_stop_of_a_long_lies_below_and_that_of_a_short_above(
    side: PositionSide, level: str, exit_side: Side
) -> None:
    position = Position(COIN, Decimal(2) * side.sign, Decimal(100))
    wish = wished_stop(protection(side), position, Decimal(5), Kind.COIN)
    assert wish == Wish(Decimal(level), Decimal(2))  # never more than there is
    made = stop_order(VenueStop(COIN, count=4), wish, side, 7, Decimal(100), NOON)
    assert (made.side, made.position, made.is_entry) == (exit_side, side, False)
    assert made.id == stop_id(COIN, 5) != stop_id(COIN, 4)


@pytest.mark.parametrize(
    "one",
    [
        protection(protect=Protect(trailing_stop=Decimal("0.03"))),
        protection(protect=replace(PROTECT, at_venue=False)),
        replace(protection(), ended_by=Reason.TIME_STOP),
    ],
)
def test_nothing_is_wished_without_a_level_or_once_it_is_over(one: Protection) -> None:
    position = Position(COIN, Decimal(2), Decimal(100))
    assert wished_stop(one, position, Decimal(2), Kind.COIN) is None
    assert wished_stop(protection(), position, Decimal(0), Kind.COIN) is None


def test_a_wish_that_changes_has_to_settle_anew() -> None:
    first, second = Wish(Decimal(97), Decimal(2)), Wish(Decimal(97), Decimal(3))
    stop = VenueStop(COIN).wishing(first, NOON)
    assert not stop.may_be_placed(NOON)
    later = NOON + SETTLED
    assert stop.wishing(first, later).may_be_placed(later)
    assert not stop.wishing(second, later).may_be_placed(later)
    assert not replace(stop, not_before=later + SETTLED).may_be_placed(later)


def test_protection_that_was_kept_before_one_could_choose_rests_at_the_venue() -> None:
    kept = write_protect(replace(PROTECT, at_venue=False))
    assert not read_protect(kept).at_venue
    del kept["at_venue"]
    assert read_protect(kept).at_venue
