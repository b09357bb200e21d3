"""One life of the bot: a process on what the last one left, until it is killed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from brokers.broker import BrokerParts, Closing, Live, MarketFed
from engine.brokers import only
from engine.desk import Desk
from engine.quotes import Quotes
from tests.simulation.chat import PlainCards
from tests.simulation.fate import Fate, Killed, MortalStore
from tests.simulation.wire import MortalTransport, watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from datetime import datetime
    from pathlib import Path
    from random import Random

    from config.settings import Settings
    from market.clock import Clock
    from market.store import Transaction
    from market.store_chat import Outgoing
    from tests.simulation.chat import Chat
    from tests.simulation.prices import Prices
    from tests.simulation.sentry import Sentry
    from tests.simulation.venue import SimulatedVenue, Stage


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outlives the bot: its file, its settings, the venue, the chat, the market."""

    path: Path
    stage: Stage
    settings: Settings
    random: Random
    clock: Clock
    prices: Prices
    venue: SimulatedVenue
    chat: Chat
    sentry: Sentry
    fail: Callable[[str, str], None]
    travelling: set[asyncio.Task[Any]] = field(default_factory=set)
    """Requests on their way to the venue: they get there, whoever dies meanwhile."""


class NoEvents:
    """The port `Events`, for nobody."""

    def emit(self, kind: str, **facts: object) -> None:
        """Forget it."""


class Life:
    """A desk with its store, broker and jobs; `fate` may end it at any write and any request.

    `leisure` makes its jobs come round so many times less often.
    """

    def __init__(self, around: Surroundings, kill_at: int | None) -> None:
        self._around = around
        self._tasks: list[asyncio.Task[Any]] = []
        self.ended = asyncio.Event()
        self.is_ready = asyncio.Event()
        self.is_hunted = False
        self.leisure = 1
        self._has_news = asyncio.Event()
        self.fate = Fate(kill_at, self.ended.set)
        store = MortalStore.open(around.path, around.clock)
        assert isinstance(store, MortalStore)
        store.fate, store.pace = self.fate, around.random
        store.share_statements()
        self.store = store
        self.quotes = Quotes(around.prices, around.clock)
        transport = MortalTransport(around.venue.transport, self.fate, self._outside)
        self._http = httpx.AsyncClient(transport=transport)
        stage = around.stage
        self.broker = around.venue.connect(
            BrokerParts(
                store, self._http, around.settings, around.clock, around.clock, stage.calendars
            ),
            self.fate,
        )
        watch(
            self.broker,
            lambda order: around.sentry.leaving(order, store),
            lambda order: around.sentry.answered(order, store),
            self._hunt,
        )
        self.desk = Desk(
            store=store,
            brokers=only(self.broker),
            quotes=self.quotes,
            calendars=stage.calendars,
            settings=around.settings,
            market_clock=around.clock,
            wall_clock=around.clock,
            cards=PlainCards(),
            events=NoEvents(),
        )

    def start(self) -> None:
        """Recover, and let the jobs run."""
        self.spawn("start", self._start)

    def spawn(self, name: str, does: Callable[[], Awaitable[Any]]) -> asyncio.Task[Any]:
        """Let something happen in this life; an error of it is a fault of the program."""
        task = asyncio.create_task(self._guard(name, does), name=name)
        self._tasks.append(task)
        return task

    async def bury(self) -> None:
        """End whatever runs and let go of the file; what is on its way to the venue gets there."""
        self.fate.die("from outside")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(self.broker, Closing):
            await self.broker.close()
        await self._http.aclose()
        self.store.close()

    async def sweep(self) -> None:
        """Do what the pipeline does with new ticks."""
        around = self._around
        ticks = [around.prices.tick(one.id) for one in around.stage.instruments]
        self.quotes.note(ticks)
        if isinstance(self.broker, MarketFed):
            await self.broker.observe(ticks)
        await self.desk.settle()

    async def pump(self) -> int:
        """Deliver the oldest message of each chat: claim, send, note that it was sent."""
        chat, now = self._around.chat, self._around.clock.now
        claimed = await self.store.write(lambda tx: _claim(tx, now()))
        for outgoing, place in claimed:
            message = outgoing.message
            self.fate.pass_point("before message")
            number = None if place is not None else chat.send(message)
            if place is not None:
                chat.edit(message, place)
            self.fate.pass_point("after message")
            await self.store.write(_sent(outgoing, number, now))
        return len(claimed)

    def _hunt(self) -> None:
        """Let a hunted life end soon: something has just been sent on its way."""
        if self.is_hunted and self._around.random.random() < 0.5:
            self.fate.kill_at = self.fate.points + self._around.random.randint(1, 8)

    async def _start(self) -> None:
        await self.desk.recover()
        await self.store.write(lambda tx: tx.outbox.recover(self._around.clock.now()))
        self.is_ready.set()
        self.spawn("sweeps", lambda: self._every(self.sweep, 2, 12))
        self.spawn("lapses", lambda: self._every(self.desk.lapse, 1, 9))
        self.spawn("reconciling", lambda: self._every(self.desk.reconcile, 50, 70))
        self.spawn("outbox", self._deliver)
        broker = self.broker
        if isinstance(broker, Live):
            self.spawn("news", lambda: self._hear(broker))

    async def _every(self, job: Callable[[], Awaitable[Any]], least: float, most: float) -> None:
        while True:
            await job()
            self._has_news.set()
            await asyncio.sleep(self.leisure * self._around.random.uniform(least, most))

    async def _deliver(self) -> None:
        """Empty the outbox whenever something may have been put there."""
        while True:
            self._has_news.clear()
            while await self.pump():
                pass
            await self._has_news.wait()
            await asyncio.sleep(self._around.random.uniform(0, 2))

    async def _hear(self, broker: Live) -> None:
        """Settle at once when the broker has heard something."""
        while True:
            await broker.news()
            await self.desk.settle()
            self._has_news.set()

    async def _guard(self, name: str, does: Callable[[], Awaitable[Any]]) -> Any:
        try:
            self.fate.check()
            answer = await does()
        except Killed:
            return None
        except Exception as error:  # noqa: BLE001  whatever it is, it must not happen
            self._around.fail("crash", f"{name}: {error!r}")
            return None
        self._has_news.set()
        return answer

    def _outside(self, work: Coroutine[Any, Any, httpx.Response]) -> asyncio.Task[httpx.Response]:
        """Send a request on its way: it arrives also if we die."""
        task = asyncio.create_task(work)
        self._around.travelling.add(task)
        task.add_done_callback(self._around.travelling.discard)
        return task


def _claim(tx: Transaction, now: datetime) -> list[tuple[Outgoing, int | None]]:
    """Claim the oldest message of each chat; tell in which message its card lives, if anywhere."""
    oldest: dict[int, Outgoing] = {}
    for outgoing in tx.outbox.pending(now):
        oldest.setdefault(outgoing.message.chat_id, outgoing)
    claimed = []
    for outgoing in oldest.values():
        message = outgoing.message
        tx.outbox.claim(outgoing.id, now)
        place = None if message.card is None else tx.outbox.card(message.chat_id, message.card)
        claimed.append((outgoing, None if place is None else place.message_id))
    return claimed


def _sent(
    outgoing: Outgoing, number: int | None, now: Callable[[], datetime]
) -> Callable[[Transaction], None]:
    return lambda tx: tx.outbox.sent(outgoing.id, number, is_photo=False, at=now())
