"""The daily job: what is due, what the pipeline hears of it, and what the owner does."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.plugins import compile_config
from bot.reload import Reloader
from bot.texts import Texts
from bot.universe_job import RETRY, UniverseJob
from bot.universe_members import KnownMembers, tasks, with_stored_universes
from config.load import load, members, write_folder
from market.clock import ManualClock
from market.fact_groups import FactGroup
from market.sessions import KST
from market.store import Store
from market.types import Venue
from tests.engine.pipeline_world import OWNER, NotedEvents
from tests.engine.told_market import ToldMarket, share, universes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conditions.compile import Condition
    from engine.health import Notice
    from engine.pipeline import Pipeline
    from market.types import InstrumentId

MONDAY_NIGHT = datetime(2026, 11, 23, 20, 31, tzinfo=KST)
DAY = timedelta(days=1)
UNIVERSE = """\
name: few
ranking: {of: KOSPI, by: facts.foreigners_5, top: 3}
"""
CONDITION = "name: a\nuniverse: few\ntimeframe: 5m\nwhen: rank(close) <= 2\n"
IDLE = "name: idle\nmarket: KOSDAQ\n"


class NotedPipeline:
    """A pipeline that notes what it is to watch."""

    def __init__(self) -> None:
        self.watched: list[list[tuple[Condition, tuple[InstrumentId, ...]]]] = []

    async def exchange(self, members: Sequence[Any]) -> None:
        self.watched.append(list(members))

    @property
    def names(self) -> list[tuple[InstrumentId, ...]]:
        return [names for exchanged in self.watched for _, names in exchanged]


class Night:
    """Everything around a job, in a folder with one condition on a ranked universe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "config"
        if not self.folder.exists():
            write_folder(self.folder)
            for path in (self.folder / "conditions").iterdir():
                path.unlink()
            self.write("universes/few.yaml", UNIVERSE)
            self.write("universes/idle.yaml", IDLE)
            self.write("conditions/a.yaml", CONDITION)
        environ = {"TICKTALK_STORE_PATH": str(folder / "ticktalk.sqlite")}
        self.config = with_stored_universes(load(self.folder / "settings.yaml", environ))
        self.store = Store.open(folder / "ticktalk.sqlite")
        self.clock = ManualClock(MONDAY_NIGHT)
        self.market = ToldMarket(count=10)
        self.pipeline, self.notices = NotedPipeline(), list[str]()
        self.facts_heard = 0
        known = KnownMembers()
        self.reloader = Reloader(
            config=self.config,
            conditions=compile_config(self.config),
            pipeline=cast("Pipeline", self.pipeline),
            store=self.store,
            texts=Texts.load(),
            events=NotedEvents(),
            wall_clock=self.clock,
            resolve=known.resolve,
        )
        self.job = UniverseJob(
            store=self.store,
            universes=universes(self.store, self.market),
            known=known,
            reloader=self.reloader,
            clock=self.clock,
            tell=self.tell,
            on_facts=self.hear,
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    async def tell(self, notice: Notice | None) -> None:
        if notice is not None:
            self.notices.append(Texts.load().plain(notice.code, "en", **notice.facts))

    async def hear(self) -> None:
        self.facts_heard += 1

    async def reload(self) -> None:
        for _ in range(3):
            await self.reloader.look()


def ids(*numbers: int) -> tuple[InstrumentId, ...]:
    return tuple(share(number).id for number in numbers)


@pytest.fixture
def night(tmp_path: Path) -> Callable[[Any], None]:
    """Return how to run a scenario in the evening of a Monday; each is a process of its own."""

    def run(scenario: Any) -> None:
        here = Night(tmp_path)
        try:
            asyncio.run(scenario(here))
        finally:
            here.store.close()

    return run


def test_the_first_start_computes_what_is_named_and_watches_it(night: Any) -> None:
    async def scenario(here: Night) -> None:
        assert members(here.config, here.config.conditions[0]) == ()
        await here.job.start()
        assert here.pipeline.names == [ids(6, 5, 4)]
        ranked = here.reloader.conditions[0].reference.universes["few"]
        assert ranked == ids(6, 5, 4)  # the condition ranks among them
        assert here.market.questions("listing") == ["KOSPI"]  # nobody named the idle one
        [told] = here.notices
        assert told == "🧭 Universe few: 3 instruments are watched from now on."
        assert here.facts_heard == 1

    night(scenario)


def test_nothing_is_due_until_the_next_day_is_over(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        assert not await here.job.step()
        here.clock.advance(DAY - timedelta(minutes=5))
        assert not await here.job.step()
        here.clock.advance(timedelta(minutes=5))
        here.market.day += DAY
        here.market.bought = lambda number: -abs(number - 8)
        assert await here.job.step()
        assert here.pipeline.names[-1] == ids(8, 7, 9)
        assert "3 joined, 3 left" in here.notices[-1]

    night(scenario)


def test_a_universe_into_which_nothing_fits_is_told_once(night: Any) -> None:
    async def scenario(here: Night) -> None:
        here.market.count = 0
        await here.job.start()
        (told,) = here.notices
        assert told.startswith("⚠️ Universe few: nothing fits")
        here.clock.advance(DAY)
        here.market.day += DAY
        assert await here.job.step()
        assert len(here.notices) == 1

    night(scenario)


def test_a_restart_watches_what_is_stored_and_asks_nothing(night: Any) -> None:
    async def first(here: Night) -> None:
        await here.job.start()

    async def second(here: Night) -> None:
        assert members(here.config, here.config.conditions[0]) == ids(6, 5, 4)
        await here.job.start()
        await here.job.step()
        assert (here.market.asked, here.pipeline.watched, here.notices) == ([], [], [])

    night(first)
    night(second)


def test_a_source_that_fails_is_told_once_and_asked_again(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        here.clock.advance(DAY)
        here.market.is_down = True
        assert await here.job.step()
        assert not await here.job.step()
        here.clock.advance(RETRY)
        assert await here.job.step()
        assert [one for one in here.notices if "could not be computed" in one] == here.notices[1:]
        assert len(here.notices) == 2
        assert here.pipeline.names == [ids(6, 5, 4)]
        here.market.is_down, here.market.day = False, here.market.day + DAY
        here.market.bought = float
        here.clock.advance(RETRY)
        await here.job.step()
        assert here.pipeline.names[-1] == ids(10, 9, 8)

    night(scenario)


def test_a_first_start_without_a_source_goes_on(night: Any) -> None:
    async def scenario(here: Night) -> None:
        here.market.is_down = True
        await here.job.start()
        here.market.is_down = False
        here.clock.advance(RETRY)
        await here.job.step()
        assert here.pipeline.names == [ids(6, 5, 4)]

    night(scenario)


def test_an_edited_universe_is_computed_from_what_is_stored(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        await here.reload()
        asked = len(here.market.asked)
        here.write("universes/few.yaml", UNIVERSE.replace("top: 3", "top: 4, order: least"))
        await here.reload()
        assert await here.job.step()
        assert here.pipeline.names[-1] == ids(7, 1, 8, 2)
        assert len(here.market.asked) == asked

    night(scenario)


def test_exceptions_of_an_edited_universe_count_at_once(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        await here.reload()
        here.write("universes/few.yaml", UNIVERSE + "never: [000006]\nalways: [000001]\n")
        await here.reload()
        assert here.pipeline.names[-1] == ids(5, 4, 1)
        await here.job.step()
        assert here.pipeline.names[-1] == ids(5, 4, 3, 1)

    night(scenario)


def test_a_condition_that_is_edited_keeps_the_members_in_force(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        await here.reload()
        here.write("conditions/a.yaml", CONDITION.replace("<= 2", "<= 3"))
        await here.reload()
        assert here.pipeline.names[-1] == ids(6, 5, 4)
        assert here.reloader.conditions[0].reference.universes["few"] == ids(6, 5, 4)

    night(scenario)


def test_a_universe_that_is_named_later_is_computed_then(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        await here.reload()
        here.write("conditions/a.yaml", CONDITION.replace("few", "kospi"))
        await here.reload()
        assert await here.job.step()
        assert len(here.pipeline.names[-1]) == 10
        assert here.market.questions("listing") == ["KOSPI"]

    night(scenario)


def test_what_a_market_lists_is_found_by_name(night: Any) -> None:
    async def scenario(here: Night) -> None:
        assert here.config.directory.find("share 7") is None
        await here.job.start()
        found = here.config.directory.find("share 7")
        assert found is not None
        assert found.id == share(7).id

    night(scenario)


def test_facts_are_learnt_for_conditions_that_ask_for_them(night: Any) -> None:
    async def scenario(here: Night) -> None:
        text = "name: b\nuniverse: [005930]\ntimeframe: 5m\nwhen: facts.per < 10\n"
        here.write("conditions/a.yaml", text)
        await here.reload()
        await here.reload()
        [task] = tasks(here.reloader.config, here.reloader.conditions)
        assert (task.venue, task.wishes, task.segments) == (Venue.KRX, (), ("KOSPI",))
        assert task.wanted == {"KRX:005930": FactGroup.FIGURES}
        await here.job.step()
        assert here.market.asked == [("listing", "KOSPI"), ("figures", "KRX:005930")]
        assert here.facts_heard == 1

    night(scenario)


def test_a_ranking_that_does_not_compile_is_told_with_its_place(night: Any) -> None:
    async def scenario(here: Night) -> None:
        await here.job.start()
        await here.reload()
        await here.store.write(lambda tx: tx.people.put(OWNER, MONDAY_NIGHT))
        here.write("universes/few.yaml", UNIVERSE.replace("foreigners_5", "forigners_5"))
        await here.reload()
        [told] = await here.store.read(lambda tx: tx.outbox.pending(here.clock.now()))
        assert "few.yaml:2:26</code>\n'facts' has no part 'forigners_5'" in told.message.text
        assert here.pipeline.names == [ids(6, 5, 4)]

    night(scenario)
