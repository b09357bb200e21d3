"""An outbox over a real store, a clock that stands still and a pretend network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.html_text import to_plain
from bot.outbox import Drained, Outbox
from bot.texts import Texts
from config.settings import TelegramSettings
from market.errors import StoreFull
from market.messages import Button, Message
from market.signals import Explanation, Signal, Snapshot
from market.types import Timeframe, Verdict
from tests.bot.chat_world import NOW, NotedEvents

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.clock import ManualClock
    from market.store import Store, Transaction
    from tests.bot.chat_network import PretendCharts, PretendNetwork

BUTTONS = ((Button("ok", "c:/status"),),)


@dataclass
class Post:
    """An outbox with everything around it."""

    store: Store
    clock: ManualClock
    network: PretendNetwork
    charts: PretendCharts
    events: NotedEvents
    outbox: Outbox

    def put(self, *messages: Message, at: datetime | None = None) -> None:
        """Queue messages."""
        when = self.clock.now() if at is None else at
        for message in messages:
            asyncio.run(self.store.write(lambda tx, one=message: tx.outbox.enqueue(one, when)))  # type: ignore[misc]  # bound early

    def drain(self) -> Drained:
        """Send what may be sent now."""
        return asyncio.run(self.outbox.drain())

    def drain_all(self, limit: timedelta = timedelta(hours=1)) -> Drained:
        """Drain, moving the clock to each due time, until nothing waits."""
        end = self.clock.now() + limit
        drained = self.drain()
        while drained.next_due is not None and drained.next_due < end:
            self.clock.move_to(max(drained.next_due, self.clock.now()))
            drained = self.drain()
        return drained

    def restart(self) -> None:
        """Forget everything that is not in the store."""
        self.outbox = make_outbox(self.store, self.clock, self.network, self.charts, self.events)

    def counts(self) -> dict[str, int]:
        """Return the store's counts."""
        return asyncio.run(self.store.read(lambda tx: tx.outbox.counts()))

    @property
    def words(self) -> list[str]:
        """Return what arrived, as people read it."""
        return [to_plain(one.html) for one in self.network.arrived]


def make_outbox(
    store: Store,
    clock: ManualClock,
    network: PretendNetwork,
    charts: PretendCharts,
    events: NotedEvents,
) -> Outbox:
    """Return an outbox with the usual settings."""
    return Outbox(
        store=store,
        messenger=network,
        charts=charts,
        settings=TelegramSettings(language="en"),
        wall_clock=clock,
        events=events,
        texts=Texts.load(),
    )


def note(text: str, chat_id: int = 1, **changes: object) -> Message:
    """Return a message."""
    return Message(chat_id, text, **changes)  # type: ignore[arg-type]  # named values of a test


def make_signal() -> Signal:
    """Return a signal with a short snapshot."""
    values = (1.0, 2.0)
    snapshot = Snapshot(Timeframe.M5, (0, 300_000), values, values, values, values, values)
    return Signal(
        "c:1:KRX:005930:0",
        "c",
        "1",
        "KRX:005930",
        Timeframe.M5,
        NOW,
        NOW,
        2.0,
        Explanation(Verdict.TRUE, ()),
        snapshot,
    )


def add_signal(post: Post) -> str:
    """Keep a signal and return its id."""
    signal = make_signal()
    asyncio.run(post.store.write(lambda tx: tx.signals.add(signal)))
    return signal.id


class FullDisk:
    """A store that takes `works` more writes before its disk is full."""

    def __init__(self, store: Store, works: int) -> None:
        self._store = store
        self.works = works

    async def read(self, function: Callable[[Transaction], Any]) -> Any:
        """Read as ever."""
        return await self._store.read(function)

    async def write(self, function: Callable[[Transaction], Any]) -> Any:
        """Write as long as there is room."""
        self.works -= 1
        if self.works < 0:
            raise StoreFull("the disk is full")
        return await self._store.write(function)
