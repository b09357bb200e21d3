"""Files that are edited while the bot runs; looks are made by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.plugins import compile_config
from bot.reload import Reloader
from bot.texts import Texts
from config.load import load, write_folder
from market.clock import ManualClock
from market.errors import StoreFull
from market.messages import Person, Role
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from conditions.compile import Condition
    from engine.pipeline import Pipeline
    from engine.series import Members
    from market.store import Transaction

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
OWNER = Person(1, Role.OWNER, "en", "Choi")
VIEWER = Person(2, Role.VIEWER, "en", "Park")

HIGH = "name: high\nuniverse: [KRX:005930]\ntimeframe: 5m\nwhen: close > 110\n"


class NotedPipeline:
    """A pipeline that notes what it is to watch; its disk may be full."""

    def __init__(self) -> None:
        self.watched: list[dict[str, Condition]] = []
        self.error: Exception | None = None

    async def exchange(self, members: Sequence[Members]) -> None:
        if self.error is not None:
            raise self.error
        self.watched.append({condition.name: condition for condition, _ in members})


class NotedEvents:
    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, object]]] = []

    def emit(self, kind: str, **facts: object) -> None:
        self.kept.append((kind, facts))


class Desk:
    """A folder with one condition, and a reloader that has looked at it twice."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.pipeline = NotedPipeline()
        self.events = NotedEvents()
        write_folder(folder)
        for path in (folder / "conditions").iterdir():
            path.unlink()
        self.write(HIGH)
        config = load(folder / "settings.yaml", {})
        self.reloader = Reloader(
            config=config,
            conditions=compile_config(config),
            pipeline=cast("Pipeline", self.pipeline),
            store=store,
            texts=Texts.load(),
            events=self.events,
            wall_clock=ManualClock(NOW),
        )

    def write(self, text: str, name: str = "high.yaml") -> None:
        (self.folder / "conditions" / name).write_text(text, encoding="utf-8")

    async def looks(self, count: int = 3) -> None:
        for _ in range(count):
            await self.reloader.look()

    async def texts(self) -> list[str]:
        pending = await self.store.read(lambda tx: tx.outbox.pending(NOW))
        assert {one.message.chat_id for one in pending} <= {OWNER.id}
        return [one.message.text for one in pending]

    async def text(self) -> str:
        (text,) = await self.texts()
        return text


def let_in(tx: Transaction) -> None:
    for person in (OWNER, VIEWER):
        tx.people.put(person, NOW)


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., None]:
    """Return how to run a scenario at a desk."""

    def run(scenario: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            store = Store.open(tmp_path / "x.sqlite")
            try:
                await store.write(let_in)
                here = Desk(tmp_path / "config", store)
                await here.looks(2)
                await scenario(here)
            finally:
                store.close()

        asyncio.run(whole())

    return run


def test_files_as_they_were_at_the_start_are_left_alone(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        assert not await here.reloader.look()
        (here.folder / "conditions" / "high.yaml").touch()
        await here.looks()
        assert here.pipeline.watched == []
        assert await here.texts() == []

    desk(scenario)


def test_an_edit_is_used_at_the_second_look_and_told(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        here.write(HIGH.replace("110", "111"))
        here.write(HIGH.replace("high", "second"), "second.yaml")
        assert not await here.reloader.look()
        assert await here.reloader.look()
        assert not await here.reloader.look()
        (watched,) = here.pipeline.watched
        assert list(watched) == ["high", "second"]
        assert await here.text() == (
            "🔄 <b>Conditions reloaded</b>\nNow watched (1): second\n"
            "Changed in meaning, begin anew (1): high"
        )
        assert [kind for kind, _ in here.events.kept] == ["reload", "message"]

    desk(scenario)


def test_a_file_that_is_removed_is_told(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        (here.folder / "conditions" / "high.yaml").unlink()
        await here.looks()
        assert here.pipeline.watched == [{}]
        assert "No longer watched (1): high" in await here.text()

    desk(scenario)


def test_one_bad_file_keeps_all_as_it_was_and_is_told_once(
    desk: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(here: Desk) -> None:
        here.write(HIGH.replace("110", "111"))
        here.write(HIGH.replace("high", "bad").replace("close", "clse"), "bad.yaml")
        await here.looks(2)
        assert await here.texts() == [], "not before a second look has seen it"
        await here.looks(3)
        assert here.pipeline.watched == []
        assert "<code>conditions/bad.yaml:4:7</code>\nunknown" in await here.text()
        assert "conditions/bad.yaml:4:7: unknown" in caplog.text

    desk(scenario)


def test_every_other_mistake_is_told_and_mending_it_works(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        here.write(HIGH.replace("close", "clse"))
        await here.looks()
        here.write(HIGH.replace("close", "clos"))
        await here.looks()
        here.write(HIGH.replace("110", "112"))
        await here.looks()
        texts = await here.texts()
        assert ["not reloaded" in one for one in texts] == [True, True, False]
        assert len(here.pipeline.watched) == 1

    desk(scenario)


def test_going_back_to_what_is_in_force_says_so(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        here.write(HIGH.replace("close", "clse"))
        await here.looks()
        here.write(HIGH)
        await here.looks()
        assert here.pipeline.watched == []
        assert "Nothing has changed" in (await here.texts())[-1]

    desk(scenario)


def test_a_file_half_written_at_two_looks_is_no_complaint_if_the_next_is_good(
    desk: Callable[..., None],
) -> None:
    async def scenario(here: Desk) -> None:
        here.write("name: hi")
        await here.looks(2)
        here.write(HIGH.replace("110", "120"))
        await here.looks()
        assert "meaning" in await here.text()

    desk(scenario)


def test_many_problems_are_counted(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        for number in range(5):
            here.write(HIGH.replace("close", "clse"), f"bad{number}.yaml")
        await here.looks()
        assert (await here.text()).count("<code>") == 3
        assert "more" in await here.text()

    desk(scenario)


def test_a_condition_whose_own_test_fails_is_refused(desk: Callable[..., None]) -> None:
    test = 'tests:\n  - {name: high, bars: {close: "100 120"}, expect: {fires_at: [0]}}\n'

    async def scenario(here: Desk) -> None:
        here.write(HIGH + test)
        await here.looks()
        assert here.pipeline.watched == []
        assert "test 'high'" in await here.text()
        here.write(HIGH + test.replace("[0]", "[1]"))
        await here.looks()
        assert "words only" in (await here.texts())[-1]

    desk(scenario)


def test_a_condition_that_can_never_fire_is_refused(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        here.write(HIGH.replace("close > 110", "rsi(14) > 101"))
        await here.looks()
        assert here.pipeline.watched == []
        assert "not reloaded" in await here.text()

    desk(scenario)


def test_an_edited_universe_counts(desk: Callable[..., None]) -> None:
    few = "name: few\ndescribe: few\ninstruments: [KRX:005930]\n"

    async def scenario(here: Desk) -> None:
        universe = here.folder / "universes" / "few.yaml"
        universe.write_text(few, encoding="utf-8")
        here.write(HIGH.replace("[KRX:005930]", "few"))
        await here.looks()
        universe.write_text(few.replace("]", ", KRX:000660]"), encoding="utf-8")
        await here.looks()
        assert "Other instruments (1): high" in (await here.texts())[-1]

    desk(scenario)


def test_a_full_disk_is_tried_again(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        here.pipeline.error = StoreFull("full")
        here.write(HIGH.replace("110", "111"))
        await here.reloader.look()
        for _ in range(2):
            with pytest.raises(StoreFull):
                await here.reloader.look()
        here.pipeline.error = None
        assert await here.reloader.look()
        assert len(here.pipeline.watched) == 1

    desk(scenario)


def test_a_fault_of_ours_is_raised_once(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        here.pipeline.error = RuntimeError("a fault")
        here.write(HIGH.replace("110", "111"))
        await here.reloader.look()
        with pytest.raises(RuntimeError):
            await here.reloader.look()
        await here.looks()
        here.pipeline.error = None
        here.write(HIGH.replace("110", "112"))
        await here.looks()
        assert len(here.pipeline.watched) == 1

    desk(scenario)


def test_changed_settings_ask_for_a_restart_once(desk: Callable[..., None]) -> None:
    async def scenario(here: Desk) -> None:
        path = here.folder / "settings.yaml"
        before = path.read_text(encoding="utf-8")
        path.write_text(before + "# more\n", encoding="utf-8")
        await here.looks(4)
        assert (await here.text()).startswith("ℹ️ settings.yaml: read at a start only.")
        path.write_text(before, encoding="utf-8")
        await here.looks()
        assert len(await here.texts()) == 1

    desk(scenario)


def test_an_edit_between_loading_and_the_first_look_is_not_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = Store.open(tmp_path / "x.sqlite")
        here = Desk(tmp_path / "config", store)
        here.write(HIGH.replace("110", "111"))
        await here.looks()
        assert len(here.pipeline.watched) == 1
        store.close()

    asyncio.run(scenario())
