"""Bars that are not closed yet, as they stand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from market.bars import BarBuilder
from market.sessions import KST, KrxCalendar
from market.types import Tick, Timeframe, Venue

SAMSUNG, HYNIX = "KRX:005930", "KRX:000660"
DAY = date(2026, 11, 20)


def kst(text: str) -> datetime:
    return datetime.combine(DAY, time.fromisoformat(text), KST).astimezone(UTC)


def poll(text: str, count: float, price: float = 100.0, name: str = SAMSUNG) -> Tick:
    return Tick(name, kst(text), kst(text) + timedelta(seconds=1), price, day_volume=count)


@pytest.fixture
def builder() -> BarBuilder:
    return BarBuilder(Timeframe.M5, {Venue.KRX: KrxCalendar({})})


def grown(builder: BarBuilder) -> list[tuple[str, str, float, float]]:
    return [
        (one.instrument, f"{one.start.astimezone(KST):%H:%M}", one.close, one.volume)
        for one in builder.grown()
    ]


def test_a_bar_is_told_when_it_has_grown_and_only_then(builder: BarBuilder) -> None:
    builder.add(poll("09:00:05", 10))
    builder.add(poll("09:00:05", 5, name=HYNIX))
    assert grown(builder) == [(HYNIX, "09:00", 100.0, 5.0), (SAMSUNG, "09:00", 100.0, 10.0)]
    builder.add(poll("09:00:15", 10))
    assert grown(builder) == [], "a count that stands still is no trade"
    builder.add(poll("09:00:25", 17, 101.0))
    assert grown(builder) == [(SAMSUNG, "09:00", 101.0, 17.0)]


def test_a_closed_bar_does_not_grow(builder: BarBuilder) -> None:
    builder.add(poll("09:04:55", 10))
    builder.close(kst("09:05:01"))
    assert grown(builder) == []
    builder.add(poll("09:05:05", 12))
    assert grown(builder) == [(SAMSUNG, "09:05", 100.0, 2.0)]


def test_the_bar_that_closes_next_comes_first(builder: BarBuilder) -> None:
    builder.add(poll("09:04:55", 10))
    builder.add(poll("09:05:02", 12))
    assert grown(builder) == [(SAMSUNG, "09:00", 100.0, 10.0)]
    builder.close(kst("09:05:03"))
    assert grown(builder) == [(SAMSUNG, "09:05", 100.0, 2.0)]
    assert grown(builder) == []


def test_a_bar_that_was_not_watched_from_its_start_says_so(builder: BarBuilder) -> None:
    builder.add(poll("10:02:00", 500))
    builder.add(poll("10:03:00", 510))
    assert [one.is_complete for one in builder.grown()] == [False]


def test_what_is_forgotten_does_not_grow(builder: BarBuilder) -> None:
    builder.add(poll("09:00:05", 10))
    builder.forget(SAMSUNG)
    assert grown(builder) == []
