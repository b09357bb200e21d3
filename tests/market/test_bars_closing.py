"""How bars close, how late ticks revise them, and how they are joined."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from market.bars import BarBuilder, Closed, aggregate
from market.sessions import KST, AlwaysOpen, Calendar, KrxCalendar
from market.types import Bar, Tick, Timeframe, Venue

SAMSUNG = "KRX:005930"
FRIDAY = date(2026, 11, 20)
KRX = KrxCalendar({})
CALENDARS: dict[Venue, Calendar] = {Venue.KRX: KRX, Venue.UPBIT: AlwaysOpen()}


def kst(hour: int, minute: int = 0, second: float = 0, day: date = FRIDAY) -> datetime:
    whole = datetime.combine(day, time(hour, minute), KST) + timedelta(seconds=second)
    return whole.astimezone(UTC)


def poll(at: datetime, count: float, price: float = 100.0, **facts: Any) -> Tick:
    facts.setdefault("seen_at", at + timedelta(seconds=1))
    return Tick(SAMSUNG, at, price=price, day_volume=count, **facts)


def trade(at: datetime, volume: float, price: float = 100.0, **facts: Any) -> Tick:
    facts.setdefault("seen_at", at)
    return Tick("UPBIT:KRW-XRP", at, price=price, volume=volume, **facts)


def build(*ticks: Tick, until: datetime | None = None, timeframe: str = "5m") -> list[Bar]:
    builder = BarBuilder(Timeframe(timeframe), CALENDARS)
    for tick in ticks:
        builder.add(tick)
    return list(builder.close(until or ticks[-1].seen_at + timedelta(days=1)).new)


def shown(bars: tuple[Bar, ...] | list[Bar]) -> list[tuple[str, float, bool]]:
    return [(f"{bar.start.astimezone(KST):%H:%M}", bar.volume, bar.is_complete) for bar in bars]


def test_close_is_by_time_and_once() -> None:
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    builder.add(poll(kst(9, 0, 5), 10))
    assert builder.close(kst(9, 4, 59.9)) == Closed((), ())
    assert shown(builder.close(kst(9, 5)).new) == [("09:00", 10, True)]
    assert builder.close(kst(9, 10)) == Closed((), ())


def test_close_waits_for_the_print_of_the_auction() -> None:
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    builder.add(poll(kst(15, 19), 10))
    builder.add(poll(kst(15, 30, 20), 60))
    assert builder.close(kst(15, 30, 29)).new == ()
    assert shown(builder.close(kst(15, 30, 30)).new) == [("15:25", 50, True)]


def test_close_returns_the_oldest_bar_first() -> None:
    builder = BarBuilder(Timeframe.M1, CALENDARS)
    codes = ["KRX:000660", SAMSUNG]
    for minute, code in itertools.product(range(3), codes):
        at = kst(9, minute, 5)
        builder.add(Tick(code, at, at, 100.0, day_volume=10.0 * (minute + 1)))
    starts = [bar.start for bar in builder.close(kst(9, 3)).new]
    assert starts == sorted(starts)
    assert len(starts) == 6


def test_close_gives_a_late_tick_s_bar_as_revised() -> None:
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    builder.add(poll(kst(9, 4, 50), 100))
    builder.close(kst(9, 5))
    builder.add(poll(kst(9, 4, 59), 110, price=103.0, seen_at=kst(9, 5, 8)))
    closed = builder.close(kst(9, 5, 8))
    assert closed.new == ()
    assert [(bar.volume, bar.close, bar.high) for bar in closed.revised] == [(110, 103, 103)]
    assert builder.close(kst(9, 5, 9)).revised == ()


def test_close_revises_the_last_two_bars_and_none_before() -> None:
    builder = BarBuilder(Timeframe.M1, CALENDARS)
    for minute in range(4):
        builder.add(trade(kst(9, minute), 1.0))
        builder.close(kst(9, minute + 1))
    for minute in range(4):
        builder.add(trade(kst(9, minute, 30), 1.0))
    revised = builder.close(kst(9, 4, 1)).revised
    assert shown(revised) == [("09:02", 2, True), ("09:03", 2, True)]


def test_close_gives_a_late_slot_between_two_closed_bars_as_revised() -> None:
    builder = BarBuilder(Timeframe.M1, CALENDARS)
    builder.add(trade(kst(9), 1.0))
    builder.add(trade(kst(9, 2), 1.0))
    builder.close(kst(9, 3))
    builder.add(trade(kst(9, 1), 5.0))
    assert shown(builder.close(kst(9, 3, 1)).revised) == [("09:01", 5, True)]


def test_close_gives_a_late_slot_after_the_newest_bar_as_new() -> None:
    builder = BarBuilder(Timeframe.M1, CALENDARS)
    builder.add(trade(kst(9), 1.0))
    builder.close(kst(9, 5))
    builder.add(trade(kst(9, 1), 5.0))
    assert shown(builder.close(kst(9, 5, 1)).new) == [("09:01", 5, True)]


def test_close_of_a_day_bar_counts_the_whole_session() -> None:
    bars = build(
        poll(kst(9, 0, 5), 10), poll(kst(12), 400), poll(kst(15, 30, 9), 900), timeframe="1d"
    )
    assert shown(bars) == [("09:00", 900, True)]


def bar(minute: int, price: float, volume: float, **facts: Any) -> Bar:
    start = facts.pop("start", kst(9, minute))
    high, low = price + 1, price - 1
    return Bar(SAMSUNG, Timeframe.M1, start, price, high, low, price, volume, 10.0, **facts)


def test_aggregate_joins_minutes() -> None:
    first, second = aggregate(
        [bar(0, 100, 0.1), bar(1, 110, 0.2), bar(4, 105, 0.7), bar(5, 90, 1.0)],
        Timeframe.M5,
        KRX,
    )
    assert (first.open, first.high, first.low, first.close) == (100, 111, 99, 105)
    assert (first.volume, first.value, first.timeframe) == (1.0, 30, Timeframe.M5)
    assert shown([second]) == [("09:05", 1, True)]


def test_aggregate_gives_the_auction_minute_to_the_last_slot() -> None:
    minutes = [bar(0, 100, 1, start=kst(15, 19)), bar(0, 100, 1, start=kst(15, 29))]
    joined = aggregate(minutes, Timeframe.M5, KRX)
    assert [name for name, _, _ in shown(joined)] == ["15:15", "15:25"]


def test_aggregate_is_incomplete_where_a_part_is_and_skips_what_is_outside() -> None:
    minutes = [bar(0, 1, 1), bar(1, 1, 1, is_complete=False), bar(0, 1, 1, start=kst(15, 45))]
    joined = aggregate(minutes, Timeframe.M5, KRX)
    assert shown(joined) == [("09:00", 2, False)]


def test_what_is_forgotten_comes_as_if_never_seen() -> None:
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    builder.add(poll(kst(10, 1), 10))
    builder.add(poll(kst(10, 6), 20))
    builder.close(kst(10, 7))
    builder.add(poll(kst(10, 4), 15))
    builder.forget(SAMSUNG)
    assert builder.close(kst(10, 11)) == Closed((), ())
    builder.add(poll(kst(10, 12), 500))
    assert builder.close(kst(10, 16)) == Closed((), ())
