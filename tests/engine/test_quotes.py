from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from engine.quotes import Quotes
from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.types import Tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.types import Bar, InstrumentId

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
AGE = timedelta(seconds=3)


class CountingSource:
    """Answers with a price that tells how often it was asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked = 0
        self.knows = True

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        self.asked += 1
        await asyncio.sleep(0)
        now = self.clock.now()
        return [tick(one, now, float(self.asked)) for one in instruments if self.knows]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        raise SourceUnavailable(f"no bars of {instrument} from {start} to {end}")


def tick(instrument: InstrumentId, seen_at: datetime, price: float) -> Tick:
    return Tick(instrument, seen_at, seen_at, price, day_volume=1)


def made() -> tuple[ManualClock, CountingSource, Quotes]:
    clock = ManualClock(NOON)
    source = CountingSource(clock)
    return clock, source, Quotes(source, clock)


def test_the_newest_noted_tick_is_the_last() -> None:
    _, source, quotes = made()
    assert quotes.last("KRX:1") is None
    quotes.note([tick("KRX:1", NOON, 5), tick("KRX:1", NOON - AGE, 4), tick("KRX:2", NOON, 9)])
    last = quotes.last("KRX:1")
    assert last is not None
    assert last.price == 5
    assert source.asked == 0


def test_a_young_tick_is_fresh_and_an_older_one_is_asked_for() -> None:
    async def scenario() -> None:
        clock, source, quotes = made()
        quotes.note([tick("KRX:1", NOON, 5)])
        clock.advance(AGE)
        assert (await quotes.fresh("KRX:1", AGE)).price == 5
        clock.advance(timedelta(milliseconds=1))
        fresh = await quotes.fresh("KRX:1", AGE)
        assert (fresh.price, source.asked) == (1, 1)
        assert quotes.last("KRX:1") == fresh

    asyncio.run(scenario())


def test_many_who_ask_at_once_ask_once() -> None:
    async def scenario() -> None:
        _, source, quotes = made()
        found = await asyncio.gather(*(quotes.fresh("KRX:1", AGE) for _ in range(5)))
        assert len(set(found)) == 1
        assert source.asked == 1

    asyncio.run(scenario())


def test_an_instrument_that_the_source_does_not_show_has_no_price() -> None:
    async def scenario() -> None:
        clock, source, quotes = made()
        source.knows = False
        with pytest.raises(SourceUnavailable, match="KRX:1"):
            await quotes.fresh("KRX:1", AGE)
        source.knows = True
        clock.advance(AGE)
        assert (await quotes.fresh("KRX:1", AGE)).price == 2

    asyncio.run(scenario())


def test_a_source_that_hangs_is_not_waited_for_long() -> None:
    class HangingSource(CountingSource):
        async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
            await asyncio.Event().wait()
            return []

    clock = ManualClock(NOON)
    quotes = Quotes(HangingSource(clock), clock, patience_seconds=0.01)
    with pytest.raises(SourceUnavailable, match="no price of KRX:1 within"):
        asyncio.run(quotes.fresh("KRX:1", AGE))
