"""What changed in the pretend Telegram, in order: for the chat page, long polls and tests."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

KEPT_CHANGES = 2000
"""How many changes a reader may lag behind before it must read everything again."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `kind` is message, deleted, answer, commands, action, update or status."""

    number: int
    kind: str
    chat_id: int = 0
    message_id: int = 0
    callback_id: str = ""


class Changes:
    """A numbered record of changes that coroutines of one event loop can wait on."""

    def __init__(self) -> None:
        self.newest = 0
        self._kept: deque[Change] = deque(maxlen=KEPT_CHANGES)
        self._waiters: set[asyncio.Future[None]] = set()

    def note(
        self, kind: str, *, chat_id: int = 0, message_id: int = 0, callback_id: str = ""
    ) -> None:
        """Record a change and wake whoever waits."""
        self.newest += 1
        self._kept.append(Change(self.newest, kind, chat_id, message_id, callback_id))
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def since(self, number: int) -> list[Change] | None:
        """Return the changes after `number`; None where that is no longer (or not yet) known."""
        if number > self.newest or number < self.newest - len(self._kept):
            return None
        missed = self.newest - number
        return list(self._kept)[-missed:] if missed else []

    async def wait(self, predicate: Callable[[], T], deadline_seconds: float | None) -> T:
        """Return the predicate's value as soon as it is truthy; TimeoutError at the deadline."""
        async with asyncio.timeout(deadline_seconds):
            while not (value := predicate()):
                await self._next()
            return value

    async def _next(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
