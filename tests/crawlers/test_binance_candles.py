"""The rule that keeps holes out of live minutes, against streams that lose whatever they like."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from crawlers.binance_candles import GRACE_MS, MINUTE_MS, Candles, Shown
from crawlers.binance_parsers import Candle
from crawlers.venue_time import WINDOW_MS, VenueTime

BASE = 29_000_000 * MINUTE_MS


def candle(minute: int, trades: int, is_closed: bool = False) -> Candle:
    start = BASE + minute * MINUTE_MS
    volume = float(trades)
    return Candle(
        start, start + MINUTE_MS, 10, 10 + trades, 10, 10, volume, volume, trades, is_closed
    )


def shown(one: Candle) -> Shown:
    return Shown(one, one.end_ms - 1, one.end_ms)


def followed(minute: int = 1) -> Candles:
    candles = Candles()
    candles.follow(["X"], BASE + minute * MINUTE_MS)
    return candles


def told(candles: Candles) -> list[Candle]:
    return [one.candle for _, one in candles.news()]


def test_a_new_symbol_lacks_the_minute_before_at_once() -> None:
    candles = followed(5)
    assert candles.behind(BASE + 5 * MINUTE_MS + GRACE_MS) == {"X": BASE + 4 * MINUTE_MS}


def test_a_minute_that_the_stream_closed_is_not_asked_for() -> None:
    candles = followed()
    candles.stream("X", shown(candle(0, 5, is_closed=True)))
    candles.stream("X", shown(candle(1, 2)))
    assert candles.behind(BASE + 2 * MINUTE_MS + GRACE_MS - 1) == {}
    assert told(candles) == [candle(0, 5, is_closed=True), candle(1, 2)]
    assert candles.behind(BASE + 2 * MINUTE_MS + GRACE_MS) == {"X": BASE + MINUTE_MS}


def test_a_later_minute_waits_for_the_one_before() -> None:
    candles = followed()
    candles.stream("X", shown(candle(1, 2)))
    assert told(candles) == []
    candles.fill("X", [candle(0, 5), candle(1, 1)], BASE + MINUTE_MS + GRACE_MS)
    assert told(candles) == [candle(0, 5, is_closed=True), candle(1, 2)]


def test_a_young_answer_closes_nothing() -> None:
    candles = followed()
    candles.fill("X", [candle(0, 5), candle(1, 1)], BASE + MINUTE_MS + GRACE_MS - 1)
    assert told(candles) == [candle(0, 5)]


def test_a_flat_minute_is_known_and_not_told() -> None:
    candles = followed()
    candles.fill("X", [candle(0, 0)], BASE + MINUTE_MS + GRACE_MS)
    candles.stream("X", shown(candle(1, 0, is_closed=True)))
    candles.stream("X", shown(candle(2, 0)))
    assert told(candles) == []
    assert candles.behind(BASE + 2 * MINUTE_MS + GRACE_MS) == {}


def test_an_answer_older_than_what_was_told_is_not_believed() -> None:
    candles = followed()
    candles.stream("X", shown(candle(0, 5)))
    assert told(candles) == [candle(0, 5)]
    late = BASE + MINUTE_MS + GRACE_MS
    for older in ([candle(0, 4)], []):
        candles.fill("X", older, late)
        assert told(candles) == []
        assert candles.behind(late) == {"X": BASE}
    candles.fill("X", [candle(0, 6)], late)
    assert told(candles) == [candle(0, 6, is_closed=True)]


def test_what_is_not_followed_is_left_out() -> None:
    candles = followed()
    candles.stream("Y", shown(candle(0, 5)))
    candles.fill("Y", [candle(0, 5)], BASE + 9 * MINUTE_MS)
    assert told(candles) == []
    candles.stream("X", shown(candle(0, 5)))
    candles.follow(["Y"], BASE + 9 * MINUTE_MS)
    assert told(candles) == []


MINUTES = 8
STEP_MS = 15_000
PER_MINUTE = MINUTE_MS // STEP_MS


@given(
    counts=st.lists(st.integers(0, 3), min_size=MINUTES, max_size=MINUTES),
    heard=st.lists(st.booleans(), min_size=2 * MINUTES * PER_MINUTE, max_size=200),
    asks=st.lists(st.integers(0, 2), min_size=MINUTES * PER_MINUTE, max_size=100),
)
def test_whatever_is_lost_every_minute_is_told_whole_once_and_in_order(
    counts: list[int], heard: list[bool], asks: list[int]
) -> None:
    """`asks`: 0 is no call, 1 a call that gets an answer, 2 one that gets none."""
    candles, found = followed(0), list[Candle]()
    for step in range(MINUTES * PER_MINUTE):
        minute, part = divmod(step, PER_MINUTE)
        now = BASE + step * STEP_MS + GRACE_MS
        if part == 0 and minute and heard[2 * step]:
            whole = candle(minute - 1, counts[minute - 1] * PER_MINUTE, is_closed=True)
            candles.stream("X", shown(whole))
        if heard[2 * step + 1]:
            candles.stream("X", shown(candle(minute, counts[minute] * part)))
        if asks[step] == 1 and candles.behind(now):
            candles.fill("X", answer(counts, step), now)
        if asks[step] and not candles.behind(now):
            found += told(candles)
            assert known_until(found, counts, minute)
    end = BASE + MINUTES * MINUTE_MS + GRACE_MS
    candles.fill("X", answer(counts, MINUTES * PER_MINUTE), end)
    found += told(candles)
    closed = [one for one in found if one.is_closed and one.start_ms >= BASE]
    assert closed == truth(counts, MINUTES)
    starts = [one.start_ms for one in found]
    assert starts == sorted(starts)


def answer(counts: list[int], step: int) -> list[Candle]:
    """Return what the venue shows at a step, which may be in the past."""
    last, part = divmod(step, PER_MINUTE)
    whole = [candle(minute, counts[minute] * PER_MINUTE) for minute in range(min(last, MINUTES))]
    is_within = 0 <= last < MINUTES
    return [*whole, candle(last, counts[last] * part)] if is_within else whole


def truth(counts: list[int], minutes: int) -> list[Candle]:
    whole = [candle(one, counts[one] * PER_MINUTE, is_closed=True) for one in range(minutes)]
    return [one for one in whole if one.has_traded]


def known_until(found: list[Candle], counts: list[int], minute: int) -> bool:
    """Tell whether a call that worked left no hole before the present minute."""
    closed = [one for one in found if one.is_closed and one.start_ms >= BASE]
    return closed == truth(counts, minute)


def test_a_clock_ahead_is_measured_by_the_shortest_way() -> None:
    time = VenueTime()
    assert time.ahead_ms == 0
    for way in (3_400, 3_050, 3_900):
        time.note(BASE, BASE + way)
    assert time.ahead_ms == 3_050


def test_a_clock_behind_is_no_matter() -> None:
    time = VenueTime()
    time.note(BASE, BASE - 500)
    assert time.ahead_ms == 0


def test_a_clock_that_was_set_right_is_believed_after_two_windows() -> None:
    time = VenueTime()
    for window in range(4):
        ahead = 40 if window < 2 else 5_000
        time.note(BASE + window * WINDOW_MS, BASE + window * WINDOW_MS + ahead)
    assert time.ahead_ms == 5_000


def test_messages_that_waited_for_us_do_not_put_the_clock_back() -> None:
    time = VenueTime()
    time.note(BASE, BASE + 40)
    time.note(BASE + 1_000, BASE + 5 * WINDOW_MS)
    assert time.ahead_ms == 40


def test_a_candle_told_as_it_was_is_no_news() -> None:
    candles = followed()
    candles.stream("X", shown(candle(0, 5)))
    assert told(candles) == [candle(0, 5)]
    candles.stream("X", replace(shown(candle(0, 5)), at_ms=1))
    candles.stream("X", shown(candle(0, 4)))
    assert told(candles) == []
