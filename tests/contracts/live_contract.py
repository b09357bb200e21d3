"""What every source of live candles promises: inherit, give `live_world()`, the tests come with it.

Runs in virtual time against a pretend venue in memory (see tests/virtual_time.py): an hour of
sweeps with faults takes moments. The venue has to trade every instrument now and then, and to show
every trade at most a second or two after it happened.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from crawlers.source import Closing, LiveSource, Pushing
from market.errors import SourceUnavailable
from tests.virtual_time import run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from contextlib import AbstractAsyncContextManager

    from crawlers.source import Source, Update
    from market.clock import Clock
    from market.types import Bar, InstrumentId, Tick

T = TypeVar("T")

MINUTE = timedelta(minutes=1)
SWEEP_SECONDS = 2
GRACE = timedelta(seconds=1)
"""A call that works, begun so long after the end of a minute, has told it: bars close by that."""


@dataclass(frozen=True)
class LiveWorld:
    """A source in front of a pretend venue whose clock goes with the loop's virtual time.

    `instruments` are followed from the start, `others` may be. The switches: `drop` closes every
    socket, `refuse` new ones, `stall` lets them be silent, `lose` messages about one instrument,
    `odd` sends everybody one that cannot be read, `fail` lets every request fail for a while.
    """

    source: Source
    clock: Clock
    instruments: tuple[InstrumentId, ...]
    others: tuple[InstrumentId, ...]
    drop: Callable[[], None]
    refuse: Callable[[bool], None]
    stall: Callable[[bool], None]
    lose: Callable[[InstrumentId, bool], None]
    odd: Callable[[], None]
    fail: Callable[[bool], None]
    opened: Callable[[], int]

    @property
    def live(self) -> LiveSource:
        """Return the source as one of live candles."""
        assert isinstance(self.source, LiveSource)
        return self.source


@dataclass
class Diary:
    """What was told, and when what was known."""

    updates: list[Update] = field(default_factory=list)
    complete: dict[tuple[InstrumentId, datetime], list[Bar]] = field(default_factory=dict)
    successes: list[tuple[datetime, int]] = field(default_factory=list)
    failures: int = 0

    def keep(self, asked_at: datetime, updates: Sequence[Update]) -> None:
        self.updates += updates
        self.successes.append((asked_at, len(self.updates)))
        for update in updates:
            if update.bar.is_complete:
                key = update.bar.instrument, update.bar.start
                self.complete.setdefault(key, []).append(update.bar)

    def of(self, instrument: InstrumentId) -> list[Update]:
        return [one for one in self.updates if one.bar.instrument == instrument]


async def follow(
    world: LiveWorld, instruments: Sequence[InstrumentId], length: timedelta, diary: Diary
) -> None:
    """Sweep for so long; an unavailable source is asked again at the next sweep."""
    end = world.clock.now() + length
    while world.clock.now() < end:
        asked_at = world.clock.now()
        try:
            diary.keep(asked_at, await world.live.updates(instruments))
        except SourceUnavailable:
            diary.failures += 1
        await asyncio.sleep(SWEEP_SECONDS)  # virtual


class LiveContract(ABC):
    """The tests that every source of live candles must pass."""

    @abstractmethod
    def live_world(self) -> AbstractAsyncContextManager[LiveWorld]:
        """Open a source whose venue has traded for a while; call only in virtual time."""

    def live(self, scenario: Callable[[LiveWorld], Coroutine[Any, Any, T]]) -> T:
        async def opened() -> T:
            async with self.live_world() as world:
                try:
                    return await scenario(world)
                finally:
                    assert isinstance(world.source, Closing)
                    await world.source.close()

        return run_virtual(opened())

    def test_the_first_answer_begins_with_the_minute_before(self) -> None:
        async def scenario(world: LiveWorld) -> tuple[list[Update], datetime]:
            return await world.live.updates(world.instruments), world.clock.now()

        updates, now = self.live(scenario)
        present = now.replace(second=0, microsecond=0)
        starts = {one.bar.start for one in updates}
        assert starts == {present - MINUTE, present}
        for one in updates:
            assert one.bar.is_complete == (one.bar.start < present)
            assert one.at.tzinfo is not None
            assert one.bar.start <= one.at <= now + MINUTE
            assert one.seen_at <= now

    def test_nothing_followed_is_nothing_told(self) -> None:
        async def scenario(world: LiveWorld) -> tuple[list[Update], int]:
            return list(await world.live.updates(())), world.opened()

        assert self.live(scenario) == ([], 0)

    def test_a_candle_is_told_while_it_forms_and_once_it_is_over(self) -> None:
        async def scenario(world: LiveWorld) -> tuple[list[Update], InstrumentId]:
            diary = Diary()
            await follow(world, world.instruments, 5 * MINUTE, diary)
            assert diary.failures == 0
            return diary.updates, world.instruments[0]

        updates, busiest = self.live(scenario)
        for one, other in pairwise(one for one in updates if one.bar.instrument == busiest):
            assert one.bar != other.bar
            assert one.bar.start <= other.bar.start
            if one.bar.start == other.bar.start:
                assert one.bar.volume <= other.bar.volume
                assert not one.bar.is_complete
        forming = [one for one in updates if not one.bar.is_complete]
        assert len([one for one in forming if one.bar.instrument == busiest]) > 30

    def test_prices_are_told_as_they_come(self) -> None:
        async def scenario(world: LiveWorld) -> None:
            source = world.source
            told: list[Tick] = []
            told_at: list[datetime] = []

            def hear(ticks: Sequence[Tick]) -> None:
                told.extend(ticks)
                told_at.extend(world.clock.now() for _ in ticks)

            assert isinstance(source, Pushing)
            source.listen(hear)
            assert source.live() == frozenset()
            await world.live.updates(world.instruments)
            assert source.live() == set(world.instruments)
            before = len(told)
            await asyncio.sleep(30)  # virtual: no answer is asked for meanwhile
            assert len(told) - before > 10
            assert [one.seen_at for one in told] == told_at
            for name in world.instruments:
                times = [one.at for one in told if one.instrument == name]
                assert times == sorted(times)
            shown = {one.bar.instrument: one for one in await world.live.updates(world.instruments)}
            newest = {one.instrument: one for one in told}
            for name in newest.keys() & shown.keys():
                update = shown[name]
                assert (newest[name].price, newest[name].at) == (update.bar.close, update.at)
            world.drop()
            world.refuse(True)
            await asyncio.sleep(5)  # virtual
            assert source.live() == frozenset()

        self.live(scenario)

    def test_every_answer_has_told_all_minutes_that_are_over(self) -> None:
        async def scenario(world: LiveWorld) -> None:
            diary, began = Diary(), world.clock.now()
            await follow(world, world.instruments, 10 * MINUTE, diary)
            assert diary.failures == 0
            await self.check_no_hole(world, diary, world.instruments, began)

        self.live(scenario)

    @pytest.mark.parametrize("fault", ["drop", "refuse", "stall", "lose", "odd"])
    @pytest.mark.parametrize("seconds", [1, 20, 100])
    def test_a_fault_of_the_socket_loses_nothing(self, fault: str, seconds: int) -> None:
        async def scenario(world: LiveWorld) -> None:
            diary, began = Diary(), world.clock.now()
            await follow(world, world.instruments, 1.5 * MINUTE, diary)
            switch(world, fault, is_on=True)
            await follow(world, world.instruments, timedelta(seconds=seconds), diary)
            switch(world, fault, is_on=False)
            await follow(world, world.instruments, 3 * MINUTE, diary)
            await self.check_no_hole(world, diary, world.instruments, began)
            assert diary.successes[-1][0] > world.clock.now() - timedelta(seconds=30)

        self.live(scenario)

    def test_what_cannot_be_made_up_for_is_unavailable_until_it_can(self) -> None:
        async def scenario(world: LiveWorld) -> int:
            diary, began = Diary(), world.clock.now()
            await follow(world, world.instruments, MINUTE, diary)
            world.fail(True)
            world.refuse(True)
            world.drop()
            with pytest.raises(SourceUnavailable):
                await world.live.updates(world.instruments)
            await follow(world, world.instruments, 2 * MINUTE, diary)
            world.fail(False)
            world.refuse(False)
            await follow(world, world.instruments, 3 * MINUTE, diary)
            await self.check_no_hole(world, diary, world.instruments, began)
            return diary.failures

        assert self.live(scenario) > 10

    def test_a_silent_connection_is_made_again(self) -> None:
        async def scenario(world: LiveWorld) -> tuple[int, int]:
            diary = Diary()
            await follow(world, world.instruments, MINUTE, diary)
            before = world.opened()
            world.stall(True)
            await follow(world, world.instruments, 3 * MINUTE, diary)
            world.stall(False)
            return before, world.opened()

        before, after = self.live(scenario)
        assert before == 1
        assert 2 <= after <= 8

    def test_who_joins_begins_with_the_minute_before_and_who_leaves_is_not_told(self) -> None:
        async def scenario(world: LiveWorld) -> None:
            diary, later = Diary(), Diary()
            everybody = (*world.instruments, *world.others)
            await follow(world, world.instruments, 2.4 * MINUTE, diary)
            joined = world.clock.now()
            await follow(world, everybody, 3 * MINUTE, diary)
            await self.check_no_hole(world, diary, world.others, joined)
            firsts = {one: diary.of(one)[0].bar.start for one in everybody}
            assert all(firsts[one] >= joined - 2 * MINUTE for one in world.others)
            await follow(world, world.others, 3 * MINUTE, later)
            assert {one.bar.instrument for one in later.updates} <= set(world.others)
            await self.check_no_hole(world, later, world.others, world.clock.now() - 3 * MINUTE)

        self.live(scenario)

    def test_after_a_long_pause_nothing_lacks(self) -> None:
        async def scenario(world: LiveWorld) -> None:
            diary, began = Diary(), world.clock.now()
            await follow(world, world.instruments, MINUTE, diary)
            await asyncio.sleep(1000)  # virtual: nobody asked for a quarter of an hour
            await follow(world, world.instruments, 2 * MINUTE, diary)
            await self.check_no_hole(world, diary, world.instruments, began)

        self.live(scenario)

    def test_close_may_be_called_twice_and_leaves_nothing_behind(self) -> None:
        async def scenario(world: LiveWorld) -> None:
            assert isinstance(world.source, Closing)
            await world.live.updates(world.instruments)
            await world.source.close()
            await world.source.close()
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert not {name for name in names if name.startswith("socket ")}

        self.live(scenario)

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_an_hour_of_faults_leaves_the_venues_own_bars(self, seed: int) -> None:
        async def scenario(world: LiveWorld) -> Diary:
            diary, began = Diary(), world.clock.now()
            chance = random.Random(seed)  # noqa: S311  faults, not secrets
            everybody = (*world.instruments, *world.others)
            await follow(world, everybody, 0.7 * MINUTE, diary)
            for _ in range(20):
                fault = chance.choice(["drop", "refuse", "stall", "lose", "odd", "fail"])
                switch(world, fault, is_on=True)
                await follow(world, everybody, timedelta(seconds=chance.uniform(0.5, 70)), diary)
                switch(world, fault, is_on=False)
                pause = timedelta(seconds=chance.uniform(5, 220))
                await follow(world, everybody, pause, diary)
            await follow(world, everybody, 3 * MINUTE, diary)
            await self.check_no_hole(world, diary, everybody, began)
            return diary

        diary = self.live(scenario)
        assert len(diary.complete) > 100
        assert len(diary.successes) > 5 * diary.failures

    async def check_no_hole(
        self,
        world: LiveWorld,
        diary: Diary,
        instruments: Sequence[InstrumentId],
        began: datetime,
    ) -> None:
        """Compare what was told with the venue's own bars, as of every call that worked."""
        first = began.replace(second=0, microsecond=0)
        last_call = diary.successes[-1][0]
        for instrument in instruments:
            truth = {
                bar.start: bar
                for bar in await world.source.bars(instrument, first, last_call - GRACE - MINUTE)
            }
            told = {
                start: bars
                for (name, start), bars in diary.complete.items()
                if name == instrument and start in truth
            }
            assert sorted(told) == sorted(truth), instrument
            for start, bar in truth.items():
                assert told[start][0] == bar, f"{instrument} at {start}: told as complete too early"
            assert_in_time(diary, instrument, truth)


def assert_in_time(diary: Diary, instrument: InstrumentId, truth: dict[datetime, Bar]) -> None:
    """Check that every call that worked had told by then what was over."""
    told: set[datetime] = set()
    place = 0
    for asked_at, count in diary.successes:
        for update in diary.updates[place:count]:
            if update.bar.instrument == instrument and update.bar.is_complete:
                assert update.bar.start + MINUTE <= asked_at + timedelta(seconds=30)
                told.add(update.bar.start)
        place = count
        due = {start for start in truth if start + MINUTE + GRACE <= asked_at}
        assert due <= told, f"{instrument}: a hole at {min(due - told)}, asked at {asked_at}"


def switch(world: LiveWorld, fault: str, *, is_on: bool) -> None:
    """Let something go wrong, or be well again."""
    busiest = world.instruments[0]
    match fault:
        case "drop" if is_on:
            world.drop()
        case "refuse":
            world.refuse(is_on)
            if is_on:
                world.drop()
        case "stall":
            world.stall(is_on)
        case "lose":
            world.lose(busiest, is_on)
        case "odd" if is_on:
            world.odd()
        case "fail":
            world.fail(is_on)
