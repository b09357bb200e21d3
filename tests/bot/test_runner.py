from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.market_time import UnscaledTime
from bot.messenger import NetworkTrouble
from bot.runner import TELL_AGAIN, Runner
from bot.texts import LANGUAGES, Texts
from engine.brokers import Brokers, Seat
from market.clock import ManualClock, SystemClock
from market.errors import StoreFull, TicktalkError
from market.messages import Person, Role
from market.store import Store
from market.types import Venue
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from bot.app import App
    from brokers.broker import Broker

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
OWNER = Person(5, Role.OWNER, "en", "Kim")
DEADLINE_SECONDS = 5.0


async def forever() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    return


async def no_sweep(_venue: Venue) -> int:
    return 0


@dataclass
class PretendOutbox:
    """Ends when it is told to, or never; notes what is sent past it."""

    is_deaf: bool = False
    error: NetworkTrouble | None = None
    sent: list[tuple[int, str]] = field(default_factory=list)
    ended: bool = False
    pokes: int = 0

    @property
    def messenger(self) -> PretendOutbox:
        return self

    async def run(self, stop: asyncio.Event) -> None:
        await (forever() if self.is_deaf else stop.wait())
        self.ended = True

    def poke(self) -> None:
        self.pokes += 1

    async def send_text(self, chat_id: int, html: str, _buttons: Any, _silent: bool) -> int:
        self.sent.append((chat_id, html))
        if self.error is not None:
            raise self.error
        return 1


class PretendApp:
    """The parts that a runner touches; each does what a test says."""

    def __init__(self, store: Store) -> None:
        config = packaged_config()
        self.store = store
        self.clock = ManualClock(NOW)
        self.outbox = PretendOutbox()
        self.crawled = asyncio.Event()
        self.start_market: Callable[[], Awaitable[None]] = at_once
        self.start_chat: Callable[[], Awaitable[None]] = at_once
        self.telegram = SimpleNamespace(serve=forever)
        self.dispatcher = SimpleNamespace(bot_name="a_bot")
        guard = SimpleNamespace(touched=forever, look_at_once=at_once)
        self.desk = SimpleNamespace(
            lapse=at_once, reconcile=at_once, guard=guard, brokers=Brokers(()), settle=at_once
        )
        self.reloader = SimpleNamespace(look=at_once)
        self.repairs = SimpleNamespace(step=at_once)
        self.universes = SimpleNamespace(start=at_once, step=at_once)
        self.pipeline = SimpleNamespace(series=[], venues=list, crawl=no_sweep, prepare=at_once)
        self.services = SimpleNamespace(
            config=config,
            pipeline=SimpleNamespace(conditions=[]),
            calendars=config.calendars,
            directory=config.directory,
            wall_clock=self.clock,
            texts=Texts.load(),
        )

    def runner(self) -> Runner:
        return Runner(cast("App", self), UnscaledTime(SystemClock()))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[PretendApp]:
    store = Store.open(tmp_path / "x.sqlite")
    yield PretendApp(store)
    store.close()


async def settle(app: PretendApp) -> None:
    await app.store.write(lambda tx: tx.people.put(OWNER, NOW))


def ended(app: PretendApp, stop: asyncio.Event | None = None) -> None:
    """Run until it ends by itself or by the event; no task may be left."""

    async def scenario() -> None:
        begun = asyncio.all_tasks()
        async with asyncio.timeout(DEADLINE_SECONDS):
            try:
                await app.runner().run(stop or asyncio.Event())
            finally:
                assert asyncio.all_tasks() == begun

    asyncio.run(scenario())


def already() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def test_a_price_that_touches_a_level_is_looked_at_at_once(app: PretendApp) -> None:
    stop, come = asyncio.Event(), iter([None])

    async def touched() -> None:
        if next(come, forever) is not None:
            await forever()

    async def look() -> None:
        stop.set()

    app.desk.guard = SimpleNamespace(touched=touched, look_at_once=look)
    ended(app, stop)
    assert stop.is_set()
    assert app.outbox.pokes == 1


def test_news_of_a_broker_is_settled_at_once(app: PretendApp) -> None:
    stop, told = asyncio.Event(), iter([None])

    async def news() -> None:
        if next(told, stop) is not None:
            await forever()

    broker = cast("Broker", SimpleNamespace(news=news))
    app.desk.brokers = Brokers((Seat("kis", broker, frozenset({Venue.KRX}), is_live=True),))

    async def settle_all() -> None:
        stop.set()

    app.desk.settle = settle_all
    ended(app, stop)
    assert stop.is_set()
    assert app.outbox.pokes == 1


def test_a_run_ends_when_it_is_told_to(app: PretendApp) -> None:
    ended(app, already())
    assert app.outbox.ended


def test_a_run_ends_while_both_sides_are_still_trying(app: PretendApp) -> None:
    app.start_market = app.start_chat = forever
    ended(app, already())


def test_an_outbox_that_hangs_is_broken_off(app: PretendApp) -> None:
    app.outbox.is_deaf = True
    ended(app, already())
    assert not app.outbox.ended


@pytest.mark.parametrize("part", ["start_market", "start_chat", "serve"])
@pytest.mark.parametrize("error", [TicktalkError("refused"), RuntimeError("a fault of ours")])
def test_a_part_that_fails_ends_the_run_with_its_error(
    app: PretendApp, part: str, error: Exception
) -> None:
    async def fail() -> None:
        raise error

    setattr(app.telegram if part == "serve" else app, part, fail)
    with pytest.raises(type(error), match=str(error)):
        ended(app)


def test_the_first_failure_is_raised_and_another_at_the_end_is_logged(
    app: PretendApp, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise TicktalkError("the first")

    async def fail_at_the_end() -> None:
        try:
            await forever()
        finally:
            raise RuntimeError("the second")

    app.start_chat, app.start_market = fail, fail_at_the_end
    with pytest.raises(TicktalkError, match="the first"):
        ended(app)
    assert "'market' failed at the end: the second" in caplog.text


def test_the_market_runs_while_the_chat_cannot_be_reached(app: PretendApp) -> None:
    async def scenario() -> None:
        lapsed, stop = asyncio.Event(), asyncio.Event()

        async def lapse() -> None:
            lapsed.set()

        app.start_chat = forever
        app.desk.lapse = app.desk.reconcile = lapse
        running = asyncio.create_task(app.runner().run(stop))
        async with asyncio.timeout(DEADLINE_SECONDS):
            await lapsed.wait()
            stop.set()
            await running

    asyncio.run(scenario())


def test_a_bot_without_conditions_still_sweeps_in_session(
    app: PretendApp, caplog: pytest.LogCaptureFixture
) -> None:
    assert app.runner()._watched_venues() == [Venue.KRX]
    with caplog.at_level(logging.INFO):
        ended(app, already())


def test_conditions_of_another_venue_add_its_sweeps(app: PretendApp) -> None:
    looks = iter((False, True))

    async def look() -> bool:
        return next(looks)

    async def scenario() -> None:
        runner = app.runner()
        runner._plan_crawl()
        await runner._reload()
        assert app.outbox.pokes == 0
        assert runner.jobs.planned == {"crawl KRX", "days"}
        app.pipeline.venues = lambda: [Venue.UPBIT]
        await runner._reload()
        assert app.outbox.pokes == 1
        assert runner.jobs.planned == {"crawl KRX", "crawl UPBIT", "days"}

    app.reloader = SimpleNamespace(look=look)
    asyncio.run(scenario())


def test_a_full_disk_is_told_to_the_owner_once(app: PretendApp) -> None:
    async def scenario() -> None:
        await settle(app)
        runner = app.runner()
        for _ in range(3):
            await runner._store_failed(StoreFull("the disk is full"))
        app.clock.advance(TELL_AGAIN)
        await runner._store_failed(StoreFull("the disk is full"))

    asyncio.run(scenario())
    assert [chat for chat, _ in app.outbox.sent] == [OWNER.id, OWNER.id]
    assert "the disk is full" in app.outbox.sent[0][1]


def test_a_full_disk_while_universes_are_computed_does_not_end_the_run(app: PretendApp) -> None:
    stop = asyncio.Event()

    async def fail() -> None:
        raise StoreFull("the disk is full")

    async def scenario() -> None:
        await settle(app)
        runner = app.runner()

        async def look() -> None:
            if "universes" in runner.jobs.planned:
                stop.set()

        app.reloader = SimpleNamespace(look=look)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await runner.run(stop)

    app.universes = SimpleNamespace(start=fail, step=at_once)
    asyncio.run(scenario())
    assert [chat for chat, _ in app.outbox.sent] == [OWNER.id]


def test_an_owner_who_could_not_be_told_is_told_at_the_next_failure(
    app: PretendApp, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        await settle(app)
        runner = app.runner()
        app.outbox.error = NetworkTrouble("down", is_ambiguous=False)
        await runner._store_failed(StoreFull("full"))
        app.outbox.error = None
        await runner._store_failed(StoreFull("full"))
        await runner._store_failed(StoreFull("full"))

    asyncio.run(scenario())
    assert len(app.outbox.sent) == 2
    assert "the owner could not be told: down" in caplog.text


def test_a_full_disk_without_an_owner_is_only_logged(app: PretendApp) -> None:
    asyncio.run(app.runner()._store_failed(StoreFull("full")))
    assert app.outbox.sent == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_can_tell_that_the_store_failed(language: str) -> None:
    assert "&lt;full&gt;" in Texts.load().get("store.failed", language, error="<full>")
