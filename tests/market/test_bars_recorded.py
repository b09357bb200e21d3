"""Bars built from recorded trades equal the bars that the venues published for them."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from market.bars import BarBuilder, aggregate
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.types import Bar, Tick, Timeframe, Venue, from_ms

SHARED = Path(__file__).parents[2].parent / "shared" / "fixtures"
COIN = "UPBIT:ETH-XRP"
SHARE = "KRX:079940"
KRX = KrxCalendar({})
Numbers: TypeAlias = tuple[float, float, float, float, float]


def recorded(name: str) -> str:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside the repository")
    raw = path.read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()


def numbers(bars: list[Bar]) -> dict[datetime, Numbers]:
    return {bar.start: (bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars}


def published(timeframe: Timeframe) -> dict[datetime, Numbers]:
    rows = csv.DictReader(recorded(f"market/xrp_eth_{timeframe}.csv.gz").splitlines())
    return {
        datetime.fromisoformat(row["date"]): (
            float(row["open"]),
            float(row["high"]),
            float(row["low"]),
            float(row["close"]),
            float(row["volume"]),
        )
        for row in rows
    }


def built(timeframe: Timeframe) -> list[Bar]:
    builder = BarBuilder(timeframe, {Venue.UPBIT: AlwaysOpen()})
    bars: list[Bar] = []
    for row in csv.DictReader(recorded("market/xrp_eth_trades.csv.gz").splitlines()):
        at = from_ms(int(row["at_ms"]))
        builder.add(Tick(COIN, at, at, float(row["price"]), volume=float(row["amount"])))
        bars += builder.close(at).new
    return [*bars, *builder.close(bars[-1].start + timedelta(days=1)).new]


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M5])
def test_bars_of_recorded_trades_equal_the_published_ones(timeframe: Timeframe) -> None:
    expected = published(timeframe)
    assert len(expected) > 700
    assert numbers(built(timeframe)) == expected


def test_aggregate_of_published_minutes_equals_the_published_five_minutes() -> None:
    minutes = [
        Bar(COIN, Timeframe.M1, start, first, high, low, last, volume, 0.0)
        for start, (first, high, low, last, volume) in published(Timeframe.M1).items()
    ]
    joined = aggregate(minutes, Timeframe.M5, AlwaysOpen())
    assert numbers(joined) == published(Timeframe.M5)


def krx_day() -> dict[datetime, Numbers]:
    """Return the recorded bars of a KRX day by the labels they were recorded with."""
    rows = csv.DictReader(recorded("market/krx_079940_2020-08-06_5m.csv").splitlines())
    return {
        datetime.fromisoformat(f"{row['DATE']} {row['TIME'].split()[2][:8]}").replace(tzinfo=KST): (
            float(row["OPEN"]),
            float(row["HIGH"]),
            float(row["LOW"]),
            float(row["CLOSE"]),
            float(row["VOLUME"]),
        )
        for row in rows
    }


def test_slots_equal_the_times_of_a_recorded_krx_day() -> None:
    labels = list(krx_day())
    midnight = labels[0].replace(hour=0)
    slots = [KRX.slot(at, Timeframe.M5) for at in labels]
    assert slots[-1] is None, "the after-hours trades of 15:35"
    assert slots[:-1] == KRX.slots(midnight, midnight + timedelta(days=1), Timeframe.M5)
    assert labels[-2].strftime("%H:%M") == "15:30"


def test_bars_of_polled_counts_equal_a_recorded_krx_day() -> None:
    builder = BarBuilder(Timeframe.M5, {Venue.KRX: KRX})
    expected = {}
    count = 0.0
    for at, (first, high, low, last, volume) in krx_day().items():
        seconds = [1, 2, 3, 4] if at.minute == 30 and at.hour == 15 else [1, 70, 130, 290]
        for second, price in zip(seconds, (first, high, low, last), strict=True):
            count += volume / 4
            moment = at + timedelta(seconds=second)
            builder.add(Tick(SHARE, moment, moment, price, day_volume=count))
        slot = KRX.slot(at, Timeframe.M5)
        if slot is not None:
            expected[slot] = (first, high, low, last, volume)
    bars = list(builder.close(datetime(2020, 8, 6, 12, tzinfo=UTC)).new)
    assert all(bar.is_complete for bar in bars)
    assert numbers(bars) == expected


def test_slot_of_recorded_minutes_takes_the_auction_and_leaves_after_hours() -> None:
    rows = json.loads(recorded("naver/api_stock_minute_005930_20260928_1525-1545.recorded.json"))
    times = [
        datetime.strptime(row["localDateTime"], "%Y%m%d%H%M%S").replace(tzinfo=KST) for row in rows
    ]
    assert times[0].strftime("%H:%M") == "15:30"
    slots = [KRX.slot(at, Timeframe.M1) for at in times]
    assert slots == [times[0].replace(minute=29).astimezone(UTC), *[None] * (len(times) - 1)]
