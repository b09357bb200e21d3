"""The bot's edge to Telegram in front of the pretend one, with a dispatcher that only listens."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr
from starlette.applications import Starlette

from bot.demo_visitor import Handled
from bot.telegram import TelegramBot
from config.settings import TelegramSettings
from market.clock import SystemClock
from market.errors import StoreFull
from market.store import Store
from sandbox.server import Serving, serve
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from bot.dispatch import Dispatcher
    from bot.incoming import Incoming

TOKEN = "7000000001:edge-token"
KIM = 11111111
PAUSES = (0.01,)
DEADLINE_SECONDS = 5.0


@dataclass
class Listener:
    """A dispatcher that notes what it hears, does what it is told, and says it is done."""

    store: Store
    notice: str | None = None
    heard: list[Incoming] = field(default_factory=list)
    work: Callable[[Incoming], Awaitable[None]] | None = None

    async def handle(self, incoming: Incoming) -> str | None:
        self.heard.append(incoming)
        if self.work is not None:
            await self.work(incoming)
        now = SystemClock().now()
        await self.store.write(lambda tx: tx.inbox.done(incoming.update_id, now))
        return self.notice

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.heard]


class FullOnce(Store):
    """A store whose disk is full for the first writes of an update."""

    refusals = 0

    async def write(self, function: Callable[[Any], Any]) -> Any:
        if self.refusals > 0:
            self.refusals -= 1
            raise StoreFull("the disk is full")
        return await super().write(function)


@dataclass
class Edge:
    """A pretend Telegram with its server and a store that outlives bots."""

    core: TelegramCore
    serving: Serving
    store: FullOnce
    listener: Listener
    handled: Handled = field(default_factory=Handled)

    def bot(self, token: str = TOKEN, **options: Any) -> TelegramBot:
        settings = TelegramSettings(
            base_url=self.serving.url, token=SecretStr(token), poll_timeout_seconds=20
        )
        options = {"pauses": PAUSES, **options}
        return TelegramBot(settings, self.store, SystemClock(), self.handled, **options)

    @asynccontextmanager
    async def polling(self, **options: Any) -> AsyncIterator[TelegramBot]:
        """Run a bot until the block ends."""
        bot = self.bot(**options)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await bot.connect()
                await bot.start(cast("Dispatcher", self.listener), {"en": [("start", "begin")]})
            yield bot
        finally:
            await bot.stop()

    async def waiting(self) -> list[int]:
        """Return the ids of the updates that nobody has answered."""
        rows = await self.store.read(lambda tx: tx.inbox.unprocessed())
        return [row.update_id for row in rows]


@asynccontextmanager
async def edge(folder: Path, **options: Any) -> AsyncIterator[Edge]:
    core = TelegramCore(SystemClock(), limits=None, **options)
    core.add_user(KIM, "Kim", "en")
    serving = await serve(Starlette(routes=telegram_routes(core, TOKEN)))
    store = cast("FullOnce", FullOnce.open(folder / "edge.sqlite"))
    try:
        yield Edge(core, serving, store, Listener(store))
    finally:
        core.stop()
        await serving.stop()
        store.close()


def run(folder: Path, scenario: Callable[[Edge], Awaitable[None]], **options: Any) -> None:
    async def whole() -> None:
        async with edge(folder, **options) as one:
            await scenario(one)

    asyncio.run(whole())
