"""Bars built from sweeps of the pretend market, beside those of its own minute chart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from market.bars import BarBuilder, aggregate
from market.types import Bar, Tick, Timeframe, Venue
from tests.sandbox.market_makers import CALENDAR, CODES, DAY, kst, minute_bars, simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.market import Quote

MARKET = simulator()


def tick(quote: Quote, seen_at: datetime) -> Tick:
    return Tick(
        instrument=quote.instrument.id,
        at=quote.traded_at,
        seen_at=seen_at,
        price=quote.price,
        day_volume=quote.volume,
        day_value=quote.value,
        day_open=quote.open or None,
        day_high=quote.high or None,
        day_low=quote.low or None,
        previous_close=quote.previous_close,
        halted=quote.is_halted,
    )


def sweeps(start: datetime, end: datetime) -> list[datetime]:
    return [
        start + timedelta(seconds=10) * step
        for step in range((end - start) // timedelta(seconds=10))
    ]


def polled_bars(codes: list[str], times: list[datetime]) -> dict[tuple[str, datetime], Bar]:
    """Return the 5-minute bars that sweeps at these times see, by instrument and start."""
    builder = BarBuilder(Timeframe.M5, {Venue.KRX: CALENDAR})
    bars = {}
    for at in times:
        for quote in MARKET.snapshot(codes, at):
            builder.add(tick(quote, at))
        closed = builder.close(at)
        for bar in (*closed.new, *closed.revised):
            bars[bar.instrument, bar.start] = bar
    return bars


def exact_bars(codes: list[str], start: datetime, end: datetime) -> dict[tuple[str, datetime], Bar]:
    return {
        (bar.instrument, bar.start): bar
        for code in codes
        for bar in aggregate(minute_bars(MARKET, code, start, end), Timeframe.M5, CALENDAR)
    }


def share_equal(offset: timedelta, same: Callable[[Bar, Bar], bool]) -> float:
    """Return the share of slots whose polled bar is the same as the exact one."""
    codes = [*CODES[:8], MARKET.illiquid, MARKET.halted]
    polled = polled_bars(codes, sweeps(kst(8, 59) + offset, kst(15, 31)))
    exact = exact_bars(codes, kst(9), kst(16))
    assert set(polled) == set(exact)
    return sum(same(polled[key], exact[key]) for key in exact) / len(exact)


def is_same(polled: Bar, exact: Bar) -> bool:
    return (polled.close, polled.volume) == (exact.close, exact.volume)


def test_bars_from_sweeps_on_the_boundary_equal_the_chart() -> None:
    assert share_equal(timedelta(0), is_same) == 1.0


def test_bars_from_sweeps_two_seconds_late_nearly_all_equal_the_chart() -> None:
    # the rest are slots in whose last seconds and in the two seconds after them something traded
    assert share_equal(timedelta(seconds=2), is_same) > 0.9


def test_polled_extremes_are_never_beyond_the_charts() -> None:
    def is_inside(polled: Bar, exact: Bar) -> bool:
        return exact.low <= polled.low and polled.high <= exact.high

    assert share_equal(timedelta(0), is_inside) == 1.0


def test_sweeps_over_a_night_make_whole_days_of_every_instrument() -> None:
    codes = [*CODES[:4], MARKET.illiquid, MARKET.halted]
    next_day = DAY + timedelta(days=1)
    times = [
        *sweeps(kst(14), kst(15, 45)),
        *sweeps(kst(7, 0, day=next_day), kst(7, 1, day=next_day)),
        *sweeps(kst(8, 30, day=next_day), kst(9, 40, day=next_day)),
    ]
    polled = polled_bars(codes, times)
    exact = exact_bars(codes, kst(14, 5), kst(9, 40, day=next_day))
    watched = {key: bar for key, bar in polled.items() if key[1] >= kst(14, 5)}
    # the bar that the last sweep did not see to its end is still open
    closed = {key: bar for key, bar in exact.items() if key[1] < kst(9, 35, day=next_day)}
    assert watched.keys() == closed.keys()
    assert all(is_same(watched[key], closed[key]) for key in closed)
