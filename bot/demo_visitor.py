"""The scripted visitor of the unattended demo: reads the chat, types and taps like a person."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.demo_world import VISITOR

if TYPE_CHECKING:
    from bot.app import App
    from sandbox.telegram_core import TelegramCore
    from sandbox.telegram_types import ChatMessage

DEADLINE_SECONDS = 10.0
CONFIRM, DECLINE = "oc:", "od:"

OPENING = ("/start", "/help", "/status", "/conditions", "/buy 005930 10")
AFTER_A_FILL = ("/positions", "/orders", "/pause", "/buy 000660 1", "/resume", "/cancel")
CLOSING = ("/sell 005930 10", "/status")


class Handled:
    """Lets the visitor wait until the bot has dealt with an update."""

    def __init__(self) -> None:
        self._events: dict[int, asyncio.Event] = {}

    def __call__(self, update_id: int) -> None:
        """Note that an update was dealt with."""
        self._event(update_id).set()

    async def wait(self, update_id: int) -> None:
        """Wait for one update; TimeoutError after the deadline."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self._event(update_id).wait()

    def _event(self, update_id: int) -> asyncio.Event:
        return self._events.setdefault(update_id, asyncio.Event())


class Visitor:
    """Confirms every order card but the third, and works through a list of commands."""

    def __init__(self, core: TelegramCore, app: App, handled: Handled) -> None:
        self._core = core
        self._app = app
        self._handled = handled
        self._commands = list(OPENING)
        self._cards: set[int] = set()
        self._has_filled = False
        self.typed = 0
        self.answered = 0
        self.problems: list[str] = []

    async def act(self) -> None:
        """Do one thing: tap a waiting card, or type the next command."""
        card = self._waiting_card()
        if card is not None:
            await self._tap(card)
        elif self._commands:
            await self._type(self._commands.pop(0))
        elif not self._has_filled and await self._filled():
            self._has_filled = True
            self._commands = list(AFTER_A_FILL)

    async def close(self) -> None:
        """Type what is left and say goodbye; the fill of the last order still comes after it."""
        self._commands += CLOSING
        while self._commands or self._waiting_card() is not None:
            await self.act()

    async def _type(self, line: str) -> None:
        self.typed += 1
        before = self._state()
        await self._handled.wait(self._core.user_sends(VISITOR, line))
        await self._app.outbox.drain()
        if self._state() == before:
            self.problems.append(f"'{line}' got no answer")
        else:
            self.answered += 1

    async def _tap(self, card: ChatMessage) -> None:
        self._cards.add(card.id)
        wanted = DECLINE if len(self._cards) == 3 else CONFIRM
        data = next(one for one in _data(card) if one.startswith(wanted))
        callback_id = self._core.user_taps(VISITOR, VISITOR, card.id, data)
        await self._core.wait(
            lambda: self._core.callback(callback_id).answer is not None, DEADLINE_SECONDS
        )
        await self._app.outbox.drain()
        after = self._core.message(VISITOR, card.id)
        if after is None or data in _data(after):
            self.problems.append(f"tapping {data} did not change the card")

    def _waiting_card(self) -> ChatMessage | None:
        for message in self._core.messages(VISITOR):
            if message.id not in self._cards and any(
                data.startswith(CONFIRM) for data in _data(message)
            ):
                return message
        return None

    def _state(self) -> list[tuple[int, str]]:
        """Return what the bot has said so far, in messages and in edits."""
        messages = self._core.messages(VISITOR)
        mine = self._core.user(VISITOR)
        return [(one.id, one.text) for one in messages if one.sender != mine]

    async def _filled(self) -> bool:
        return bool(await self._app.store.read(lambda tx: tx.orders.positions()))


def _data(message: ChatMessage) -> list[str]:
    return [button.data for row in message.buttons for button in row if button.data]
