"""What every market source promises: inherit, give `world()`, and the tests come with it.

A source's test writes `class TestMySource(SourceContract)` and implements `world()`, which opens
the source against a pretend venue of its own. The venue trades the instruments, and every fault
of `FAULTS` can be switched on in it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crawlers.source import DailySource
from market.errors import SourceChanged, SourceUnavailable
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from crawlers.source import Source
    from market.clock import Clock
    from market.types import Bar, InstrumentId, Tick

UNAVAILABLE = ("busy", "broken", "unreachable")
CHANGED = ("gone", "moved", "empty", "page", "renamed")
FAULTS = UNAVAILABLE + CHANGED


@dataclass(frozen=True)
class World:
    """A source in front of a pretend venue: `start`..`end` is a past stretch with trades."""

    source: Source
    clock: Clock
    instruments: tuple[InstrumentId, ...]
    start: datetime
    end: datetime
    fail: Callable[[str], None]


class SourceContract(ABC):
    """The tests that every source must pass."""

    @abstractmethod
    def world(self) -> AbstractAsyncContextManager[World]:
        """Open a source whose venue is in session and has traded between `start` and `end`."""

    def ticks(self, extra: tuple[InstrumentId, ...] = ()) -> tuple[list[Tick], World]:
        async def scenario() -> tuple[list[Tick], World]:
            async with self.world() as world:
                return await world.source.ticks((*world.instruments, *extra)), world

        return asyncio.run(scenario())

    def bars(self) -> tuple[list[Bar], World]:
        async def scenario() -> tuple[list[Bar], World]:
            async with self.world() as world:
                return await world.source.bars(world.instruments[0], world.start, world.end), world

        return asyncio.run(scenario())

    def test_ticks_cover_every_instrument_once(self) -> None:
        ticks, world = self.ticks()
        assert [tick.instrument for tick in ticks] == list(world.instruments)

    def test_ticks_are_aware_and_not_from_the_future(self) -> None:
        ticks, world = self.ticks()
        for tick in ticks:
            assert tick.at.tzinfo is not None
            assert tick.at <= world.clock.now()
            assert tick.seen_at <= world.clock.now()
            assert tick.price > 0

    def test_ticks_leave_out_what_the_venue_does_not_know(self) -> None:
        ticks, world = self.ticks(extra=(self.unknown(),))
        assert {tick.instrument for tick in ticks} == set(world.instruments)

    def test_ticks_of_nothing_are_nothing(self) -> None:
        async def scenario() -> list[Tick]:
            async with self.world() as world:
                return await world.source.ticks(())

        assert asyncio.run(scenario()) == []

    def test_bars_are_exact_minutes_oldest_first(self) -> None:
        bars, world = self.bars()
        starts = [bar.start for bar in bars]
        assert starts == sorted(set(starts))
        assert starts
        for bar in bars:
            assert bar.timeframe is Timeframe.M1
            assert world.start <= bar.start < world.end
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume > 0

    def test_bars_end_before_the_end(self) -> None:
        async def scenario() -> tuple[list[Bar], list[Bar]]:
            async with self.world() as world:
                middle = world.start + (world.end - world.start) / 2
                middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
                code = world.instruments[0]
                first = await world.source.bars(code, world.start, middle)
                second = await world.source.bars(code, middle, world.end)
                return first + second, await world.source.bars(code, world.start, world.end)

        halves, whole = asyncio.run(scenario())
        assert halves == whole

    @pytest.mark.parametrize("fault", UNAVAILABLE)
    def test_ticks_raise_unavailable_when_the_venue_cannot_answer(self, fault: str) -> None:
        with pytest.raises(SourceUnavailable):
            self.ticks_with(fault)

    @pytest.mark.parametrize("fault", CHANGED)
    def test_ticks_raise_changed_when_the_answer_is_of_another_shape(self, fault: str) -> None:
        with pytest.raises(SourceChanged):
            self.ticks_with(fault)

    @pytest.mark.parametrize("fault", [*UNAVAILABLE, "gone", "moved", "page", "renamed"])
    def test_bars_raise_when_they_could_not_be_read(self, fault: str) -> None:
        async def scenario() -> None:
            async with self.world() as world:
                world.fail(fault)
                await world.source.bars(world.instruments[0], world.start, world.end)

        with pytest.raises(SourceUnavailable if fault in UNAVAILABLE else SourceChanged):
            asyncio.run(scenario())

    def days(self, fault: str = "") -> tuple[list[Bar], World]:
        async def scenario() -> tuple[list[Bar], World]:
            async with self.world() as world:
                if not isinstance(world.source, DailySource):
                    pytest.skip("this source has no daily chart")
                if fault:
                    world.fail(fault)
                start = world.end - timedelta(days=30)
                return await world.source.days(world.instruments[0], start, world.end), world

        return asyncio.run(scenario())

    def test_days_are_daily_bars_oldest_first(self) -> None:
        bars, world = self.days()
        starts = [bar.start for bar in bars]
        assert starts == sorted(set(starts))
        assert len(starts) > 10
        for bar in bars:
            assert bar.timeframe is Timeframe.D1
            assert world.end - timedelta(days=30) <= bar.start < world.end
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume > 0

    def test_the_day_that_goes_on_is_not_complete(self) -> None:
        bars, _ = self.days()
        assert [bar.is_complete for bar in bars[-2:]] == [True, False]

    @pytest.mark.parametrize("fault", [*UNAVAILABLE, "gone", "moved", "page", "renamed"])
    def test_days_raise_when_they_could_not_be_read(self, fault: str) -> None:
        with pytest.raises(SourceUnavailable if fault in UNAVAILABLE else SourceChanged):
            self.days(fault)

    def ticks_with(self, fault: str) -> list[Tick]:
        async def scenario() -> list[Tick]:
            async with self.world() as world:
                world.fail(fault)
                return await world.source.ticks(world.instruments)

        return asyncio.run(scenario())

    @abstractmethod
    def unknown(self) -> InstrumentId:
        """Return an id of the venue's form that the venue does not know."""
