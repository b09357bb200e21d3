"""Bars from polled counts and from single trades."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bars import BarBuilder
from market.errors import SourceChanged
from market.sessions import KST, AlwaysOpen, Calendar, KrxCalendar
from market.types import Bar, Tick, Timeframe, Venue

SAMSUNG = "KRX:005930"
FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 23)
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


def test_add_takes_the_first_slot_s_count_from_zero() -> None:
    bars = build(poll(kst(9, 0, 8), 10), poll(kst(9, 4), 30), poll(kst(9, 5, 1), 45))
    assert shown(bars) == [("09:00", 30, True), ("09:05", 15, True)]


def test_add_in_a_later_slot_leaves_out_what_was_before() -> None:
    bars = build(poll(kst(10, 7), 500), poll(kst(10, 8), 510), poll(kst(10, 10, 5), 540))
    assert shown(bars) == [("10:05", 10, False), ("10:10", 30, True)]


def test_add_of_a_first_tick_in_a_later_slot_makes_no_bar() -> None:
    assert build(poll(kst(10, 7), 500)) == []


def test_add_knows_zero_when_it_was_shown_an_earlier_session_s_trade() -> None:
    last_week = kst(15, 30, 9, day=date(2026, 11, 19))
    waiting = [poll(last_week, 0, seen_at=kst(9, minute, 2)) for minute in range(17)]
    bars = build(*waiting, poll(kst(9, 16, 30), 40, day_open=98.0, day_high=103.0, day_low=97.0))
    assert shown(bars) == [("09:15", 40, True)]
    assert (bars[0].open, bars[0].high, bars[0].low, bars[0].close) == (98, 103, 97, 100)


def test_add_knows_zero_when_it_was_shown_a_zero_count() -> None:
    waiting = [poll(kst(9, minute, 2), 0) for minute in range(17)]
    assert shown(build(*waiting, poll(kst(9, 16, 30), 40))) == [("09:15", 40, True)]


def test_add_ignores_ticks_outside_the_session() -> None:
    bars = build(
        poll(kst(8, 59, 58), 0, price=90.0),
        poll(kst(9, 0, 5), 10),
        poll(kst(15, 45), 900),
        poll(kst(12, day=date(2026, 11, 21)), 950),
    )
    assert shown(bars) == [("09:00", 10, True)]


def test_add_makes_no_bar_without_a_change_of_count() -> None:
    bars = build(
        poll(kst(9, 0, 5), 10), poll(kst(9, 5, 5), 10, price=105.0), poll(kst(9, 10, 5), 12)
    )
    assert shown(bars) == [("09:00", 10, True), ("09:10", 2, True)]


def test_add_ignores_halted_ticks_and_doubts_what_follows() -> None:
    halted = [poll(kst(9, minute), 15, halted=True) for minute in range(4, 30)]
    bars = build(poll(kst(9, 0, 5), 10), *halted, poll(kst(9, 30, 5), 25))
    assert shown(bars) == [("09:00", 10, False), ("09:30", 15, False)]


def test_add_gives_a_straddling_difference_to_the_newer_tick() -> None:
    bars = build(poll(kst(9, 4, 55), 100), poll(kst(9, 5, 5), 130))
    assert shown(bars) == [("09:00", 100, True), ("09:05", 30, True)]


def test_add_doubts_both_ends_of_a_gap() -> None:
    bars = build(poll(kst(9, 0, 5), 10), poll(kst(9, 1), 12), poll(kst(9, 11), 90))
    assert shown(bars) == [("09:00", 12, False), ("09:10", 78, False)]


def test_add_sees_no_gap_while_polls_show_no_change() -> None:
    quiet = [poll(kst(9, minute), 10) for minute in range(1, 31)]
    bars = build(poll(kst(9, 0, 5), 10), *quiet, poll(kst(9, 30, 30), 11))
    assert shown(bars) == [("09:00", 10, True), ("09:30", 1, True)]


def test_add_sees_no_gap_in_the_pause_before_the_auction() -> None:
    bars = build(
        poll(kst(15, 15), 10), poll(kst(15, 19, 58), 50), poll(kst(15, 30, 11), 90, price=102.0)
    )
    assert shown(bars) == [("15:15", 40, False), ("15:25", 40, True)]
    assert bars[-1].open == bars[-1].close == 102


def test_add_widens_the_bar_by_a_day_range_that_moved() -> None:
    first, second = build(
        poll(kst(9, 0, 5), 10, price=100, day_open=99, day_high=104, day_low=98),
        poll(kst(9, 5, 5), 20, price=101, day_open=99, day_high=104, day_low=98),
        poll(kst(9, 6, 5), 30, price=102, day_open=99, day_high=107, day_low=96),
        poll(kst(9, 7, 5), 40, price=103, day_open=99, day_high=107, day_low=96),
    )
    assert (first.open, first.high, first.low, first.close) == (99, 104, 98, 100)
    assert (second.open, second.high, second.low, second.close) == (101, 107, 96, 103)


def test_add_does_not_trust_a_day_range_it_sees_for_the_first_time() -> None:
    first, second = build(
        poll(kst(9, 0, 5), 10, price=100),
        poll(kst(9, 5, 5), 20, price=101, day_high=150, day_low=50),
    )
    assert (second.high, second.low) == (101, 101)
    assert (first.high, first.low) == (100, 100)


def test_add_takes_a_day_range_of_zero_as_unknown() -> None:
    (bar,) = build(poll(kst(9, 0, 5), 10, day_open=0.0, day_high=0.0, day_low=0.0))
    assert (bar.open, bar.high, bar.low) == (100, 100, 100)


def test_add_starts_each_session_anew() -> None:
    bars = build(
        poll(kst(9, 0, 5), 10, day_high=120.0, day_low=90.0),
        poll(kst(9, 0, 5, day=MONDAY), 7, day_high=110.0, day_low=95.0),
    )
    assert [(bar.volume, bar.high, bar.low) for bar in bars] == [(10, 120, 90), (7, 110, 95)]


def test_add_raises_when_the_count_falls_and_keeps_its_state() -> None:
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    builder.add(poll(kst(9, 0, 5), 100))
    with pytest.raises(SourceChanged, match="fell from 100 to 60"):
        builder.add(poll(kst(9, 6), 60))
    builder.add(poll(kst(9, 6, 10), 130))
    assert shown(builder.close(kst(10)).new) == [("09:00", 100, True), ("09:05", 30, True)]


def test_add_ignores_a_count_that_was_set_back_between_sessions() -> None:
    bars = build(
        poll(kst(9, 0, 5), 100),
        poll(kst(9, 0, 5), 0, seen_at=kst(18)),
        poll(kst(9, 0, 5), 0, seen_at=kst(9, 0, 1, day=MONDAY)),
        poll(kst(9, 2, day=MONDAY), 7),
    )
    assert shown(bars) == [("09:00", 100, True), ("09:00", 7, True)]


def test_add_ignores_an_older_answer() -> None:
    bars = build(
        poll(kst(9, 0, 5), 100),
        poll(kst(9, 1), 120),
        poll(kst(9, 0, 55), 110, seen_at=kst(9, 1, 5)),
        poll(kst(9, 2), 125),
    )
    assert shown(bars) == [("09:00", 125, True)]


def test_add_counts_value_or_estimates_it() -> None:
    counted, estimated = build(
        poll(kst(9, 0, 5), 10, day_value=1_010.0),
        poll(kst(9, 5, 5), 15, price=104.0),
    )
    assert (counted.value, estimated.value) == (1_010, 5 * 104)


def test_add_refuses_two_forms_of_volume() -> None:
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    builder.add(poll(kst(9, 0, 5), 10))
    with pytest.raises(ValueError, match="mix volume and day_volume"):
        builder.add(Tick(SAMSUNG, kst(9, 1), kst(9, 1), 100.0, volume=1.0))


def test_add_refuses_a_venue_without_a_calendar() -> None:
    with pytest.raises(ValueError, match="no calendar for BINANCE"):
        BarBuilder(Timeframe.M5, CALENDARS).add(
            Tick("BINANCE:BTCUSDT", kst(9), kst(9), 1.0, volume=1.0)
        )


def test_add_sums_trades_exactly() -> None:
    (bar,) = build(*(trade(kst(9, 0, second), 0.1, price=2.0) for second in range(10)))
    assert (bar.volume, bar.value) == (1.0, 2.0)


def test_add_of_trades_counts_the_value_that_is_given() -> None:
    (bar,) = build(trade(kst(9), 2.0, value=205.0), trade(kst(9, 1), 1.0, value=101.0))
    assert bar.value == 306


def test_add_of_a_trade_of_nothing_makes_no_bar() -> None:
    assert build(trade(kst(9), 0.0)) == []


@given(order=st.permutations(range(6)))
def test_add_of_trades_in_any_order_makes_the_same_bar(order: list[int]) -> None:
    ticks = [trade(kst(9, number), 0.1 * number + 0.1, price=100.0 + number) for number in range(6)]
    straight = build(*ticks, timeframe="15m")
    mixed = build(*(ticks[number] for number in order), until=kst(12), timeframe="15m")
    assert mixed == straight


@given(seed=st.integers(0, 10_000))
def test_polls_at_any_moments_keep_the_session_s_count(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a schedule, not a secret
    builder = BarBuilder(Timeframe.M5, CALENDARS)
    at, count = kst(9, 0, 1), 0.0
    bars: list[Bar] = []
    while at < kst(11):
        count += chance.choice([0, 0, 1, 7, 100])
        builder.add(poll(at, count))
        bars += builder.close(at + timedelta(seconds=1)).new
        at += timedelta(seconds=chance.choice([5, 10, 60, 400]))
    bars += builder.close(kst(12)).new
    assert sum(bar.volume for bar in bars) == count
    assert [bar.start for bar in bars] == sorted({bar.start for bar in bars})
