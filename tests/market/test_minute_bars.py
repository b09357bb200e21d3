"""Bars made of the venue's own minute candles, as they form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.bars import aggregate
from market.minute_bars import MinuteBars
from market.sessions import AlwaysOpen
from market.types import Bar, Timeframe, Venue

if TYPE_CHECKING:
    from market.bars import Closed

BTC = "UPBIT:KRW-BTC"
CALENDAR = AlwaysOpen()
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def candle(minute: int, close: float = 100.0, volume: float = 1.0, name: str = BTC) -> Bar:
    high, low = max(100.0, close), min(100.0, close)
    prices = (100.0, high, low, close)
    return Bar(name, Timeframe.M1, at(minute), *prices, volume, close * volume, is_complete=False)


def fed(*candles: Bar) -> MinuteBars:
    builder = MinuteBars(Timeframe.M5, {Venue.UPBIT: CALENDAR})
    for one in candles:
        builder.add(one)
    return builder


def told(closed: Closed) -> list[tuple[int, float, float, bool]]:
    return [
        (int((bar.start - START) / timedelta(minutes=1)), bar.close, bar.volume, bar.is_complete)
        for bar in closed.new
    ]


def test_a_bar_closes_by_time_with_the_candles_as_they_stand_last() -> None:
    builder = fed(candle(0), candle(1, 101), candle(1, 102, 5.0), candle(4, 99, 2.0))
    assert builder.close(at(4.99)).new == ()
    closed = builder.close(at(5))
    assert told(closed) == [(0, 99.0, 8.0, True)]
    (bar,) = closed.new
    assert (bar.open, bar.high, bar.low) == (100.0, 102.0, 99.0)
    assert bar.value == 100.0 + 102.0 * 5 + 99.0 * 2


def test_a_slot_without_a_candle_makes_no_bar() -> None:
    builder = fed(candle(0), candle(11))
    assert told(builder.close(at(15))) == [(0, 100.0, 1.0, True), (10, 100.0, 1.0, True)]


def test_a_slot_that_was_not_told_from_its_start_is_incomplete() -> None:
    builder = fed(candle(2), candle(6))
    assert [one[3] for one in told(builder.close(at(10)))] == [False, True]


def test_a_minute_before_the_slot_shows_that_it_was_watched_whole() -> None:
    builder = fed(candle(-1), candle(3))
    assert told(builder.close(at(5))) == [(-5, 100.0, 1.0, False), (0, 100.0, 1.0, True)]


def test_a_candle_that_changes_after_the_close_is_a_revision() -> None:
    builder = fed(candle(-1), candle(4))
    builder.close(at(5))
    builder.add(candle(4, 105, 3.0))
    closed = builder.close(at(6))
    assert closed.new == ()
    assert [(bar.close, bar.volume) for bar in closed.revised] == [(105.0, 3.0)]
    assert builder.close(at(7)).revised == ()


def test_what_is_long_closed_is_not_opened_again() -> None:
    builder = fed(candle(0), candle(5), candle(10), candle(15))
    builder.close(at(20))
    builder.add(candle(0, 500))
    closed = builder.close(at(25))
    assert (closed.new, closed.revised) == ((), ())


def test_a_candle_of_a_quiet_slot_that_comes_late_is_left_out() -> None:
    builder = fed(candle(0), candle(10))
    builder.close(at(15))
    builder.add(candle(6))
    assert builder.close(at(20)).new == ()


def test_bars_that_have_grown_are_told_once_as_they_stand() -> None:
    builder = fed(candle(-1), candle(1, 103))
    builder.close(at(0))
    assert [(one.start, one.close, one.is_complete) for one in builder.grown()] == [
        (at(0), 103.0, True)
    ]
    assert builder.grown() == []
    builder.add(candle(1, 104))
    assert [one.close for one in builder.grown()] == [104.0]
    builder.close(at(5))
    builder.add(candle(4, 105))
    assert builder.grown() == [], "a closed bar is revised and does not form"


def test_the_bar_that_closes_next_is_told_before_the_one_that_has_begun() -> None:
    builder = fed(candle(4), candle(5, 103))
    assert [one.start for one in builder.grown()] == [at(0)]
    builder.close(at(5))
    assert [one.start for one in builder.grown()] == [at(5)], "though it did not grow since"
    assert builder.grown() == []


def test_nothing_grows_that_was_forgotten_or_began_within_its_slot() -> None:
    builder = fed(candle(2))
    assert [one.is_complete for one in builder.grown()] == [False]
    builder.add(candle(3))
    builder.forget(BTC)
    assert builder.grown() == []


def test_what_is_forgotten_begins_anew() -> None:
    builder = fed(candle(0), candle(5))
    builder.close(at(5))
    builder.forget(BTC)
    assert builder.close(at(20)).new == ()
    builder.add(candle(22))
    assert [one[3] for one in told(builder.close(at(25)))] == [False]


def test_a_venue_without_a_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="no calendar for KRX"):
        fed().add(candle(0, name="KRX:005930"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 29), st.floats(90, 110), st.floats(0.1, 9)), max_size=60),
    st.lists(st.integers(1, 10), max_size=8),
)
def test_however_candles_arrive_the_bars_are_those_of_the_last_word(
    changes: list[tuple[int, float, float]], steps: list[int]
) -> None:
    """Bars closed on the way, with their revisions, equal the aggregate of the final candles."""
    changes = sorted(changes, key=lambda one: one[0] // 5)  # nothing is late by more than a bar
    final = {minute: candle(minute, close, volume) for minute, close, volume in changes}
    builder, bars, closed_until = fed(candle(-1)), {}, 0
    for minute, close, volume in changes:
        slot = minute // 5 * 5
        if slot > closed_until:
            closed_until = slot
            for bar in [*(closed := builder.close(at(slot))).revised, *closed.new]:
                bars[bar.start] = bar
        builder.add(candle(minute, close, volume))
    closed = builder.close(at(60 + sum(steps)))
    for bar in [*closed.revised, *closed.new]:
        bars[bar.start] = bar
    wanted = aggregate([final[key] for key in sorted(final)], Timeframe.M5, CALENDAR)
    facts = [(one.start, one.open, one.high, one.low, one.close, one.volume) for one in wanted]
    made = [bars[start] for start in sorted(bars) if start >= START]
    assert [(o.start, o.open, o.high, o.low, o.close, o.volume) for o in made] == facts
