"""Bars come back as they went in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.errors import StoreError
from market.store_bars import _newest, _within
from market.types import Bar, Tick, Timeframe, from_ms

if TYPE_CHECKING:
    from sqlalchemy import Select

    from market.store import Store, Transaction

START = datetime(2026, 10, 2, 0, 0, tzinfo=UTC)
SAMSUNG = "KRX:005930"
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none() | NUMBERS
TIMES = st.integers(0, 2**42).map(from_ms)
BARS = st.builds(
    Bar,
    instrument=st.sampled_from([SAMSUNG, "UPBIT:KRW-BTC"]),
    timeframe=st.sampled_from(Timeframe),
    start=TIMES,
    open=NUMBERS,
    high=NUMBERS,
    low=NUMBERS,
    close=NUMBERS,
    volume=NUMBERS,
    value=NUMBERS,
    is_complete=st.booleans(),
)
TICKS = st.builds(
    Tick,
    instrument=st.just(SAMSUNG),
    at=TIMES,
    seen_at=TIMES,
    price=NUMBERS,
    volume=st.none(),
    day_volume=NUMBERS,
    value=MAYBE,
    day_value=MAYBE,
    day_open=MAYBE,
    day_high=MAYBE,
    day_low=MAYBE,
    previous_close=MAYBE,
    halted=st.booleans(),
) | st.builds(
    Tick, instrument=st.just(SAMSUNG), at=TIMES, seen_at=TIMES, price=NUMBERS, volume=NUMBERS
)
THOROUGH = settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def bar(number: int = 0, close: float = 110.0, instrument: str = SAMSUNG) -> Bar:
    start = START + timedelta(minutes=5 * number)
    return Bar(instrument, Timeframe.M5, start, 100, 120, 90, close, 1_000, 110_000)


def put(store: Store, *bars: Bar) -> None:
    asyncio.run(store.write(lambda transaction: transaction.bars.put(bars)))


def last(store: Store, count: int, instrument: str = SAMSUNG) -> list[Bar]:
    return asyncio.run(store.read(lambda t: t.bars.last(instrument, Timeframe.M5, count)))


@THOROUGH
@given(kept=BARS)
def test_bar_comes_back_exactly(store: Store, kept: Bar) -> None:
    def write(transaction: Transaction) -> list[Bar]:
        transaction.bars.put([kept])
        end = kept.start + timedelta(milliseconds=1)
        return transaction.bars.between(kept.instrument, kept.timeframe, kept.start, end)

    assert asyncio.run(store.write(write)) == [kept]


def test_bar_of_unknown_value_comes_back_unknown(store: Store) -> None:
    put(store, replace(bar(), value=nan))
    [found] = last(store, 1)
    assert isnan(found.value)
    assert found.volume == 1_000


def test_bar_without_a_price_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="NOT NULL"):
        put(store, bar(close=nan))


def test_put_replaces_a_bar_with_the_same_start(store: Store) -> None:
    put(store, bar(close=110.0))
    put(store, bar(close=111.0))
    assert last(store, 10) == [bar(close=111.0)]


def test_put_takes_the_later_of_two_bars_in_one_call(store: Store) -> None:
    put(store, bar(close=110.0), bar(close=111.0))
    assert last(store, 10) == [bar(close=111.0)]


def test_put_takes_nothing(store: Store) -> None:
    put(store)
    assert last(store, 10) == []


def test_put_takes_more_bars_than_one_chunk(store: Store) -> None:
    put(store, *(bar(number) for number in range(5_001)))
    count = asyncio.run(store.read(lambda t: t.bars.count(Timeframe.M5)))
    assert count == 5_001


def test_put_keeps_times_of_other_zones_as_the_same_moment(store: Store) -> None:
    seoul = START.astimezone(timezone(timedelta(hours=9)))
    put(store, replace(bar(), start=seoul))
    assert last(store, 1)[0].start == START


def test_put_refuses_a_time_without_zone(store: Store) -> None:
    with pytest.raises(TypeError):
        put(store, replace(bar(), start=START.replace(tzinfo=None)))


def test_last_returns_the_newest_oldest_first(store: Store) -> None:
    put(store, *(bar(number) for number in (3, 1, 2, 0)))
    assert last(store, 2) == [bar(2), bar(3)]


def test_last_skips_what_is_not_asked_for(store: Store) -> None:
    put(
        store,
        bar(0),
        bar(1, instrument="KRX:000660"),
        replace(bar(2), timeframe=Timeframe.M1),
    )
    assert last(store, 10) == [bar(0)]


def test_between_leaves_the_end_out(store: Store) -> None:
    put(store, *(bar(number) for number in range(4)))
    found = asyncio.run(
        store.read(lambda t: t.bars.between(SAMSUNG, Timeframe.M5, bar(1).start, bar(3).start))
    )
    assert found == [bar(1), bar(2)]


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        (_newest(SAMSUNG, Timeframe.M5, 400), "timeframe=?"),
        (
            _within(SAMSUNG, Timeframe.M5, START, START + timedelta(days=1)),
            "timeframe=? AND start>? AND start<?",
        ),
    ],
    ids=["last", "between"],
)
def test_bars_of_one_instrument_are_sought_not_scanned(
    store: Store, statement: Select[Any], first: str
) -> None:
    # Scanning every bar of a timeframe would take 20 times the budget on a full database.
    def plan(transaction: Transaction) -> list[str]:
        text = statement.compile(compile_kwargs={"literal_binds": True})
        connection = transaction.bars._connection
        return [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    assert asyncio.run(store.read(plan)) == [
        f"SEARCH bar_starts USING PRIMARY KEY ({first})",
        "SEARCH bars USING PRIMARY KEY (timeframe=? AND start=? AND instrument=?)",
    ]
