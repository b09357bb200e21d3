"""A whole bot in a pretend world over real loopback HTTP, stepped by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.app import App, Outside, build
from bot.demo_visitor import Handled
from bot.demo_world import START, VISITOR, World, open_world, welcome
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.schedule import InSession
from config.load import PACKAGED, load
from market.clock import ManualClock, SystemClock
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from market.orders import Order
    from sandbox.telegram_types import ChatMessage

DEADLINE_SECONDS = 10.0
CONFIRM, DECLINE = "oc:", "od:"


@dataclass
class House:
    """A running bot, its world and its clocks; every method returns when the bot is done."""

    app: App
    world: World
    market: ManualClock
    wall: ManualClock
    handled: Handled
    schedule: InSession

    async def sweep(self) -> None:
        """Go to the next sweep, do what is due, deliver."""
        self.market.move_to(self.schedule.after(self.market.now()))
        await self.app.pipeline.crawl()
        await self.app.desk.lapse()
        await self.app.outbox.drain()

    async def sweep_until(self, found: Callable[[], bool], most: int = 120) -> None:
        """Sweep until something is so; fails after `most` sweeps."""
        for _ in range(most):
            if found():
                return
            await self.sweep()
        pytest.fail(f"not so after {most} sweeps")

    async def card(self) -> ChatMessage:
        """Sweep until an order card waits in the private chat, and return it."""
        await self.sweep_until(lambda: self.waiting_card() is not None)
        card = self.waiting_card()
        assert card is not None
        return card

    def waiting_card(self) -> ChatMessage | None:
        """Return the newest card with a Confirm button."""
        cards = [one for one in self.said() if any(data.startswith(CONFIRM) for data in datas(one))]
        return cards[-1] if cards else None

    def said(self, chat_id: int = VISITOR) -> list[ChatMessage]:
        """Return what the bot said in a chat."""
        visitor = self.world.core.user(VISITOR)
        return [one for one in self.world.core.messages(chat_id) if one.sender != visitor]

    async def type(
        self, text: str, user_id: int = VISITOR, reply_to: int | None = None
    ) -> list[ChatMessage]:
        """Type a line, perhaps as a reply, and return the messages that answered it."""
        before = {one.id for one in self.world.core.messages(user_id)}
        await self.handled.wait(self.world.core.user_sends(user_id, text, reply_to=reply_to))
        await self.app.outbox.drain()
        visitor = self.world.core.user(user_id)
        after = self.world.core.messages(user_id)
        return [one for one in after if one.id not in before and one.sender != visitor]

    async def tap(self, message_id: int, data: str, user_id: int = VISITOR) -> str:
        """Tap a button and return the short answer."""
        callback_id = self.world.core.user_taps(user_id, VISITOR, message_id, data)
        return await self.answer(callback_id)

    async def answer(self, callback_id: str) -> str:
        """Wait for a tap's answer, deliver, and return the answer."""
        core = self.world.core
        await core.wait(lambda: core.callback(callback_id).answer is not None, DEADLINE_SECONDS)
        await self.app.outbox.drain()
        answer = core.callback(callback_id).answer
        assert answer is not None
        return answer.text

    async def orders(self) -> list[Order]:
        """Return all orders, newest first."""
        return await self.app.store.read(lambda tx: tx.orders.recent(100))

    def text_of(self, message_id: int) -> str:
        """Return how a message of the private chat reads now."""
        message = self.world.core.message(VISITOR, message_id)
        assert message is not None
        return message.text


def datas(message: ChatMessage) -> list[str]:
    """Return what the buttons of a message send back."""
    return [button.data for row in message.buttons for button in row if button.data]


def data_of(message: ChatMessage, beginning: str) -> str:
    """Return the button data that begins so."""
    return next(data for data in datas(message) if data.startswith(beginning))


@asynccontextmanager
async def open_house(
    folder: Path,
    files: Path = PACKAGED,
    environment: Mapping[str, str] | None = None,
    market: ManualClock | None = None,
) -> AsyncIterator[House]:
    """Build and start everything in a folder; the bot is claimed and has its history.

    What `environment` sets counts but for the addresses of Telegram and Naver.
    """
    config = load(files / "settings.yaml", environment or {})
    wall = ManualClock(SystemClock().now())
    market = market or ManualClock(START)
    handled = Handled()
    world = await open_world(config, folder, market=market, wall=wall)
    try:
        app = build(world.config, Outside(wall, UnscaledTime(market), EventLog(wall)), handled)
        try:
            await welcome(app, "ko")
            await app.start_market()
            async with asyncio.timeout(DEADLINE_SECONDS):
                await app.start_chat()
            crawl = config.settings.crawl
            calendar = config.calendars[Venue.KRX]
            schedule = InSession(crawl.every_seconds, crawl.offset_seconds, [calendar])
            yield House(app, world, market, wall, handled, schedule)
        finally:
            await app.close()
    finally:
        await world.close()


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[House]]:
    """Return how to open a house in a folder of its own, by default with the packaged files."""
    return partial(open_house, tmp_path)
