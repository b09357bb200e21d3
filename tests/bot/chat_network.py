"""A pretend chat network for the outbox: it keeps what arrives and fails as it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.html_text import CAPTION_LIMIT, TEXT_LIMIT, length
from bot.messenger import TooLong

if TYPE_CHECKING:
    from bot.messenger import Buttons
    from market.signals import Signal


@dataclass(frozen=True, slots=True)
class Arrived:
    """One call that worked."""

    method: str
    chat_id: int
    html: str
    buttons: Buttons
    message_id: int


class PretendNetwork:
    """A Messenger whose next calls fail with the queued errors (None: this one works).

    An error in `after` is raised although the message arrived: the answer was lost.
    """

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.failures: deque[Exception | None] = deque()
        self.after: deque[Exception] = deque()
        self.by_chat: dict[int, deque[Exception]] = {}
        self.something = asyncio.Event()
        self._next_id = 100

    async def send_text(self, chat_id: int, html: str, buttons: Buttons, silent: bool) -> int:
        """Send a text."""
        return self._take("send_text", chat_id, html, buttons, TEXT_LIMIT)

    async def send_photo(
        self, chat_id: int, png: bytes, html: str, buttons: Buttons, silent: bool
    ) -> int:
        """Send a picture."""
        return self._take("send_photo", chat_id, html, buttons, CAPTION_LIMIT)

    async def edit_text(self, chat_id: int, message_id: int, html: str, buttons: Buttons) -> None:
        """Edit a text."""
        self._take("edit_text", chat_id, html, buttons, TEXT_LIMIT, message_id)

    async def edit_caption(
        self, chat_id: int, message_id: int, html: str, buttons: Buttons
    ) -> None:
        """Edit a caption."""
        self._take("edit_caption", chat_id, html, buttons, CAPTION_LIMIT, message_id)

    def _take(
        self,
        method: str,
        chat_id: int,
        html: str,
        buttons: Buttons,
        limit: int,
        message_id: int | None = None,
    ) -> int:
        failure = self.failures.popleft() if self.failures else None
        if failure is None and self.by_chat.get(chat_id):
            failure = self.by_chat[chat_id].popleft()
        if failure is not None:
            raise failure
        if length(html) > limit:
            raise TooLong("message is too long")
        if message_id is None:
            self._next_id += 1
            message_id = self._next_id
        self.arrived.append(Arrived(method, chat_id, html, buttons, message_id))
        self.something.set()
        if self.after:
            raise self.after.popleft()
        return message_id


class PretendCharts:
    """Draws three bytes, or fails."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def png(self, signal: Signal) -> bytes | None:
        """Return a picture."""
        if self.error is not None:
            raise self.error
        return b"png"
