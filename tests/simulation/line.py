"""An unsafe line in front of a broker that has no network of its own to lose things in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from market.errors import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random
    from typing import Any, TypeVar

    from brokers.broker import Broker, BrokerOrder
    from market.orders import Account, Fill, Order
    from tests.simulation.fate import Fate

    T = TypeVar("T")

GIVE_UP_SECONDS = 5.0
"""How long the line waits for an answer."""
LATE_SECONDS = 3.0
"""How long after that a late request still arrives, at the most."""


class Trouble:
    """Decides by the seed what goes wrong next, and counts it."""

    def __init__(self, random: Random, chance: float, *, has_late_requests: bool) -> None:
        self._random = random
        self._chance = chance
        self._words = ["lose request", "lose answer", "late answer", "broken after"]
        self._words += ["late request"] if has_late_requests else []
        self.count = 0

    def heal(self) -> int:
        """Make no more trouble; return how much there was."""
        self._chance = 0
        return self.count

    def next(self) -> str:
        """Return what becomes of the next order or cancel, "" if nothing goes wrong."""
        if self._random.random() >= self._chance:
            return ""
        self.count += 1
        return self._random.choice(self._words)

    def is_deaf(self) -> bool:
        """Tell whether the next question gets no answer."""
        drawn = self._random.random() < self._chance / 3
        self.count += drawn
        return drawn

    def delay(self) -> float:
        """Return how long a message takes, one way, in seconds."""
        drawn = self._random.random()
        return 0.0 if drawn < 0.5 else drawn * 0.4


class FaultyLine:
    """A broker of which requests and answers get lost; each request is between two points."""

    def __init__(self, inner: Broker, fate: Fate, trouble: Trouble) -> None:
        self._inner = inner
        self._fate = fate
        self._trouble = trouble

    async def place(self, order: Order) -> str:
        """Place an order, if the request gets there."""
        return await self._change("place", lambda: self._inner.place(order))

    async def cancel(self, order: Order) -> None:
        """Cancel an order, if the request gets there."""
        await self._change("cancel", lambda: self._inner.cancel(order))

    async def find(self, order: Order) -> BrokerOrder | None:
        """Ask about an order."""
        return await self._ask("find", lambda: self._inner.find(order))

    async def fills(self, after: str) -> list[Fill]:
        """Ask for fills."""
        return await self._ask("fills", lambda: self._inner.fills(after))

    async def account(self) -> Account:
        """Ask for the account."""
        return await self._ask("account", self._inner.account)

    async def _change(self, name: str, send: Callable[[], Awaitable[T]]) -> T:
        self._fate.pass_point(f"before {name}")
        word = self._trouble.next()
        await asyncio.sleep(self._trouble.delay())
        if word == "lose request":
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("timeout", "the request was lost")
        if word == "late request":
            raise await self._be_late(send)
        answer = await self._deliver(send)
        self._fate.pass_point(f"after {name}")
        await asyncio.sleep(self._trouble.delay())
        await self._spoil(word)
        return answer

    async def _deliver(self, send: Callable[[], Awaitable[T]]) -> T:
        return await send()

    async def _be_late(self, send: Callable[[], Awaitable[Any]]) -> OutcomeUnknown:
        raise NotImplementedError("this line has no late requests")

    async def _spoil(self, word: str) -> None:
        """Lose an answer, or let it be late."""
        if word == "late answer":
            await asyncio.sleep(GIVE_UP_SECONDS * 0.9)
        elif word == "lose answer":
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("timeout", "the answer was lost")
        elif word == "broken after":
            raise OutcomeUnknown("server", "502 Bad Gateway")

    async def _ask(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        self._fate.pass_point(f"before {name}")
        await asyncio.sleep(self._trouble.delay())
        if self._trouble.is_deaf():
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("unavailable", "no answer")
        answer = await ask()
        await asyncio.sleep(self._trouble.delay())
        self._fate.pass_point(f"after {name}")
        return answer
