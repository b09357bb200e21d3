"""What is known of a minute: never more than the stream and the answers can prove."""

from __future__ import annotations

import pytest

from crawlers.upbit_minutes import MINUTE_MS, Minutes, over_at
from crawlers.upbit_parsers import Candle, Streamed, Ticker

CODE = "KRW-BTC"
START = 1_795_151_040_000  # 2026-11-20 05:04
SECOND = 1_000


def candle(minute: int = 0, volume: float = 1, second: float = 30, price: float = 100) -> Candle:
    start = START + minute * MINUTE_MS
    at = start + round(second * SECOND)
    return Candle(start, price, price, price, price, volume, price * volume, at)


def ticker(minute: int = 0, second: float = 30, price: float = 100) -> Ticker:
    at = START + minute * MINUTE_MS + round(second * SECOND)
    return Ticker(CODE, price, at, price, price, price, price, 0, 0, 0, 0, 0)


def doubt(minutes: Minutes, shown: Ticker, now_ms: int) -> int | None:
    return minutes.in_doubt(CODE, shown, over_at(now_ms), now_ms)


def at(minute: int, second: float = 0) -> int:
    return START + minute * MINUTE_MS + round(second * SECOND)


def hear(minutes: Minutes, one: Candle, *, is_snapshot: bool = False) -> None:
    minutes.hear(Streamed(CODE, one, is_snapshot), one.at_ms)


def whole() -> Minutes:
    """Return minutes whose stream has told everything since before START."""
    minutes = Minutes()
    minutes.follow([CODE], at(0, 1))
    minutes.know(CODE, at(0), at(-1))
    return minutes


def told(minutes: Minutes) -> list[tuple[int, float, bool]]:
    return [
        ((shown.candle.start_ms - START) // MINUTE_MS, shown.candle.volume, is_known)
        for _, shown, is_known in minutes.news()
    ]


def test_a_minute_is_over_a_moment_after_its_end() -> None:
    assert over_at(at(1)) == at(0)
    assert over_at(at(1, 1.999)) == at(0)
    assert over_at(at(1, 2)) == at(1)


def test_a_new_market_has_to_wait_and_begins_with_the_minute_before() -> None:
    minutes = Minutes()
    minutes.follow([CODE], at(0, 20))
    hear(minutes, candle(0))
    assert minutes.has_new
    assert told(minutes) == []
    assert doubt(minutes, ticker(0), at(0, 31)) == at(-1)
    assert minutes.fill(CODE, [candle(-1, 5), candle(0, 1)], at(0), at(0, 31), at(0, 31))
    minutes.know(CODE, at(0), at(0, 34))
    assert told(minutes) == [(-1, 5, True), (0, 1, False)]
    assert not minutes.has_new


def test_what_changed_is_told_once_as_it_is_now() -> None:
    minutes = whole()
    hear(minutes, candle(volume=1))
    hear(minutes, candle(volume=2))
    assert told(minutes) == [(0, 2, False)]
    assert told(minutes) == []
    hear(minutes, candle(volume=2))
    hear(minutes, candle(volume=1))
    assert told(minutes) == []


def test_a_minute_that_is_over_is_told_as_complete_once_more() -> None:
    minutes = whole()
    hear(minutes, candle(volume=1))
    told(minutes)
    assert minutes.is_due(at(1))
    minutes.know(CODE, at(1), at(0))
    assert told(minutes) == [(0, 1, True)]
    assert not minutes.is_due(at(1))


def test_a_later_minute_waits_until_the_one_before_is_known() -> None:
    minutes = whole()
    hear(minutes, candle(0))
    hear(minutes, candle(1))
    assert told(minutes) == [(0, 1, False)]
    minutes.know(CODE, at(1), at(0))
    assert told(minutes) == [(0, 1, True), (1, 1, False)]


def test_a_late_change_of_a_known_minute_is_told_as_complete() -> None:
    minutes = whole()
    minutes.know(CODE, at(1), at(0))
    hear(minutes, candle(0, volume=3))
    assert told(minutes) == [(0, 3, True)]
    hear(minutes, candle(-5, volume=3))
    assert told(minutes) == []


def test_a_snapshot_of_long_ago_tells_nothing() -> None:
    minutes = whole()
    hear(minutes, candle(-1), is_snapshot=True)
    assert told(minutes) == []
    hear(minutes, candle(0), is_snapshot=True)
    assert told(minutes) == [(0, 1, False)]


@pytest.mark.parametrize(
    ("newest", "shown", "now"),
    [
        (None, ticker(-1), at(1, 2)),  # nothing traded since
        (candle(0, second=40), ticker(0, 40), at(1, 2)),
        (candle(0, second=41), ticker(0, 40, price=99), at(1, 2)),  # told later than the ticker
        (candle(0, second=40), ticker(0, 40.9), at(1, 2)),  # the stream knows whole seconds
        (candle(0, second=59), ticker(0, 59), at(1, 2)),
    ],
)
def test_a_whole_stream_that_agrees_is_believed(
    newest: Candle | None, shown: Ticker, now: int
) -> None:
    minutes = whole()
    if newest is not None:
        hear(minutes, newest)
    assert doubt(minutes, shown, now) is None


@pytest.mark.parametrize(
    ("newest", "shown", "now"),
    [
        (None, ticker(0, 10), at(1, 2)),
        (candle(0, second=40), ticker(0, 50), at(1, 2)),
        (candle(0, second=40), ticker(0, 40, price=99), at(1, 2)),
        (candle(0, second=40), ticker(1, 1), at(1, 2)),  # a minute of which nothing came
        (candle(1, second=1), ticker(1, 20), at(1, 40)),  # should have come long ago
        (candle(1, second=1), ticker(1, 2), at(1, 3)),  # of the minute before nothing came
    ],
)
def test_a_stream_that_lacks_something_is_in_doubt(
    newest: Candle | None, shown: Ticker, now: int
) -> None:
    minutes = whole()
    if newest is not None:
        hear(minutes, newest)
    assert doubt(minutes, shown, now) == at(0)


@pytest.mark.parametrize(("second", "is_sure"), [(30, False), (56.9, False), (57, True)])
def test_a_minute_that_a_later_one_hides_must_have_been_told_to_its_end(
    second: float, is_sure: bool
) -> None:
    minutes = whole()
    hear(minutes, candle(0, second=second))
    hear(minutes, candle(1, second=1))
    for shown in (ticker(0, second), ticker(1, 1), ticker(1, 1.8)):  # the last is under way
        assert (doubt(minutes, shown, at(1, 2)) is None) == is_sure


def test_what_traded_is_in_doubt_until_the_stream_was_whole_for_a_minute() -> None:
    minutes = whole()
    hear(minutes, candle(0, second=40))
    minutes.paused(at(0, 20))
    assert doubt(minutes, ticker(0, 40), at(1, 2)) == at(0)
    minutes.know(CODE, at(1), None)
    hear(minutes, candle(1, second=40))
    assert doubt(minutes, ticker(1, 40), at(2, 2)) is None
    minutes.interrupted()
    assert doubt(minutes, ticker(1, 40), at(2, 2)) == at(1)
    assert doubt(minutes, ticker(0, 59), at(2, 2)) is None  # but nothing has traded


def test_an_answer_of_a_time_when_the_stream_was_whole_makes_up_for_what_was_before() -> None:
    for asked_ms, is_believed in ((at(0, 21.9), False), (at(0, 22), True)):
        minutes = whole()
        minutes.paused(at(0, 20))
        assert minutes.fill(CODE, [candle(0, second=15)], at(0), asked_ms, asked_ms)
        hear(minutes, candle(0, volume=2, second=40))
        assert (doubt(minutes, ticker(0, 40), at(1, 2)) is None) == is_believed


def test_an_answer_older_than_the_stream_proves_nothing() -> None:
    minutes = whole()
    hear(minutes, candle(0, volume=5))
    assert not minutes.fill(CODE, [candle(0, volume=4)], at(1), at(1, 2), at(1, 2))
    assert not minutes.fill(CODE, [], at(1), at(1, 2), at(1, 2))
    assert minutes.fill(CODE, [candle(0, volume=5)], at(1), at(1, 2), at(1, 2))


def test_a_minute_that_was_over_for_long_is_as_the_chart_shows_it() -> None:
    minutes = whole()
    hear(minutes, candle(0, volume=5))
    assert minutes.fill(CODE, [candle(0, volume=4)], at(2), at(2, 2), at(2, 2))
    minutes.know(CODE, at(2), at(0))
    assert told(minutes) == [(0, 4, True)]


def test_a_running_minute_keeps_what_the_stream_knows_better() -> None:
    minutes = whole()
    hear(minutes, candle(1, volume=5))
    assert minutes.fill(CODE, [candle(0, volume=2), candle(1, volume=4)], at(1), at(1, 2), at(1, 2))
    minutes.know(CODE, at(1), at(0))
    assert told(minutes) == [(0, 2, True), (1, 5, False)]


def test_a_stream_has_missed_what_it_did_not_tell_for_long() -> None:
    minutes = whole()
    hear(minutes, candle(0, second=30))
    assert not minutes.has_missed(CODE, ticker(0, 30), at(0, 50))
    assert not minutes.has_missed(CODE, ticker(0, 35), at(0, 44))
    assert minutes.has_missed(CODE, ticker(0, 35), at(0, 45))
    minutes.interrupted()
    assert not minutes.has_missed(CODE, ticker(0, 35), at(0, 45))


def test_who_is_not_followed_is_not_told() -> None:
    minutes = whole()
    hear(minutes, candle(0))
    minutes.follow(["KRW-ETH"], at(0, 31))
    hear(minutes, candle(0, volume=9))
    assert minutes.fill(CODE, [candle(0)], at(0), at(0, 31), at(0, 31))
    minutes.know(CODE, at(1), None)
    assert told(minutes) == []
