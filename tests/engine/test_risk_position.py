"""Positions stay on one side: every combination of what is there, what comes and what is asked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import RiskSettings
from engine.risk_case import Case
from engine.risk_money import cash, loss, of_all, of_day, of_market, of_order, of_position
from engine.risk_position import opposite, reduces, short
from market.orders import Order, PositionSide
from market.segments import may_be_short
from market.types import Instrument, Kind, Venue
from tests.engine.risk_makers import COIN, SAMSUNG, order, other, view

FUTURE = Instrument(Venue.BINANCE, "BTCUSDT.P", "Bitcoin", "USDT-M", Kind.COIN)
SPOT = Instrument(Venue.BINANCE, "BTCUSDT", "Bitcoin", "USDT", Kind.COIN)
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
WANTED = RiskSettings(shorts=True)
SIDES = st.sampled_from(PositionSide)


def entry(side: PositionSide, instrument: Instrument = FUTURE, quantity: int = 10) -> Order:
    return order(
        instrument=instrument.id, side=side.entry, position=side, quantity=Decimal(quantity)
    )


def exit_of(side: PositionSide, quantity: int = 10) -> Order:
    return order(instrument=FUTURE.id, side=side.exit, position=side, quantity=Decimal(quantity))


def codes(asked: Order, held: int = 0, others: tuple[Order, ...] = ()) -> list[str]:
    case = Case(asked, FUTURE, view(held=Decimal(held), others=others, limits=WANTED))
    return [found.code for one in (short, opposite, reduces) if (found := one(case)) is not None]


@pytest.mark.parametrize(
    ("instrument", "may_be"), [(SAMSUNG, False), (COIN, False), (SPOT, False), (FUTURE, True)]
)
def test_only_futures_are_sold_short_and_only_where_settings_say_so(
    instrument: Instrument, may_be: bool
) -> None:
    assert may_be_short(instrument.id) is may_be
    asked = entry(SHORT, instrument)
    off = short(Case(asked, instrument, view()))
    on = short(Case(asked, instrument, view(limits=WANTED)))
    assert off is not None
    assert off.code == ("risk.shorts" if may_be else "risk.short_venue")
    assert (on is None) is may_be
    assert short(Case(entry(LONG, instrument), instrument, view())) is None


def test_what_was_sold_short_is_bought_back_whatever_settings_say() -> None:
    assert short(Case(exit_of(SHORT), FUTURE, view(held=Decimal(-10)))) is None


@given(side=SIDES, held=st.integers(-20, 20))
def test_nothing_opens_the_other_side_of_what_is_there(side: PositionSide, held: int) -> None:
    is_other = held * side.sign < 0
    assert codes(entry(side), held) == (["risk.opposite"] if is_other else [])


@given(side=SIDES, coming=SIDES)
def test_nothing_opens_the_other_side_of_what_is_being_opened(
    side: PositionSide, coming: PositionSide
) -> None:
    resting = other(instrument=FUTURE.id, side=coming.entry, position=coming)
    assert codes(entry(side), 0, (resting,)) == (["risk.opposite"] if side is not coming else [])
    assert codes(entry(side), 0, (other(side=coming.entry, position=coming),)) == []


@given(
    side=SIDES,
    held=st.integers(-20, 20),
    closing=st.integers(0, 20),
    coming=st.integers(0, 20),
    quantity=st.integers(1, 20),
)
def test_an_exit_never_turns_a_position_round(
    side: PositionSide, held: int, closing: int, coming: int, quantity: int
) -> None:
    others = (
        other(instrument=FUTURE.id, side=side.exit, position=side, quantity=Decimal(closing)),
        other(instrument=FUTURE.id, side=side.entry, position=side, quantity=Decimal(coming)),
    )
    after = held * side.sign - closing - quantity
    assert (codes(exit_of(side, quantity), held, others) == []) is (after >= 0)


@given(held=st.integers(0, 20), resting=st.integers(1, 20), quantity=st.integers(1, 20))
def test_bounds_on_money_count_shorts_like_longs(held: int, resting: int, quantity: int) -> None:
    worth = Decimal(70_000)

    def found(side: PositionSide) -> list[tuple[str, str]]:
        coming = other(
            instrument=FUTURE.id, side=side.entry, position=side, quantity=Decimal(resting)
        )
        limits = RiskSettings(
            max_order=10 * worth,
            max_position=20 * worth,
            max_market=25 * worth,
            max_total=28 * worth,
            max_day=30 * worth,
        )
        around = view(
            held=Decimal(held * side.sign),
            worths={FUTURE.id: held * worth},
            others=(coming,),
            today=(coming,),
            limits=limits,
            buying_power=worth,
        )
        case = Case(entry(side, FUTURE, quantity), FUTURE, around)
        checks = (of_order, of_position, of_market, of_all, of_day, cash)
        denials = (one(case) for one in checks)
        return [(one.code, one.asked) for one in denials if one is not None]

    assert found(LONG) == found(SHORT)


def test_no_bound_on_money_holds_back_buying_back() -> None:
    poor = view(held=Decimal(-10), buying_power=Decimal(0), day_profit=Decimal(-(10**9)))
    case = Case(exit_of(SHORT), FUTURE, poor)
    assert [one(case) for one in (of_order, of_position, of_day, loss, cash)] == [None] * 5
