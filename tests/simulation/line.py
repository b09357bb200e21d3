"""An unsafe line in front of a broker that has no network of its own to lose things in."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from market.errors import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from brokers.broker import Broker
    from market.orders import Order
    from tests.simulation.fate import Fate

    Send: TypeAlias = Callable[..., Awaitable[Any]]

CHANGES = ("place", "cancel")
QUESTIONS = ("find", "fills", "accounts", "positions", "open_orders")
GIVE_UP_SECONDS = 5.0
"""How long the line waits for an answer."""
LATE_SECONDS = 3.0
"""How long after that a late request still arrives, at the most."""


class Trouble:
    """Decides by the seed what goes wrong next, and counts it.

    A venue that `is_far` is not in our process: requests may get there when we have given up.
    """

    def __init__(self, random: Random, chance: float, *, is_far: bool) -> None:
        self._random = random
        self._chance = chance
        self._words = ["lose request", "lose answer", "late answer", "broken after"]
        self._words += ["late request"] if is_far else []
        self.is_far = is_far
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
        drawn = self._random.random() < self._chance / 2
        self.count += drawn
        return drawn

    def delay(self) -> float:
        """Return how long a message takes, one way, in seconds."""
        drawn = self._random.random()
        return 0.0 if drawn < 0.5 else drawn * 0.4


class FaultyLine:
    """The way to a broker on which requests and answers get lost; each is between two points."""

    def __init__(self, fate: Fate, trouble: Trouble) -> None:
        self._fate = fate
        self._trouble = trouble
        self._late: set[asyncio.Task[Any]] = set()

    def lead_to(self, broker: Broker) -> None:
        """Let all requests to a broker go this way; whatever else it offers stays its own."""
        for name in CHANGES:
            vars(broker)[name] = partial(self._change, name, getattr(broker, name))
        for name in QUESTIONS:
            if hasattr(broker, name):
                vars(broker)[name] = partial(self._ask, name, getattr(broker, name))

    async def _change(self, name: str, send: Send, order: Order) -> Any:
        self._fate.pass_point(f"before {name}")
        word = self._trouble.next()
        if word == "lose request":
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("timeout", "the request was lost")
        if word == "late request":
            late = GIVE_UP_SECONDS + self._trouble.delay() * LATE_SECONDS
            self._on_its_way(late, send, order)
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("timeout", "no answer in time")
        answer = await self._deliver(send, order)
        self._fate.pass_point(f"after {name}")
        await asyncio.sleep(self._trouble.delay())
        await self._spoil(word)
        return answer

    async def _deliver(self, send: Send, order: Order) -> Any:
        """Hand a request over; to a venue outside our process it gets also if we die meanwhile."""
        if not self._trouble.is_far:
            await asyncio.sleep(self._trouble.delay())
            return await send(order)
        return await asyncio.shield(self._on_its_way(self._trouble.delay(), send, order))

    async def _spoil(self, word: str) -> None:
        """Lose an answer, or let it be late."""
        if word == "late answer":
            await asyncio.sleep(GIVE_UP_SECONDS * 0.9)
        elif word == "lose answer":
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("timeout", "the answer was lost")
        elif word == "broken after":
            raise OutcomeUnknown("server", "502 Bad Gateway")

    async def _ask(self, name: str, ask: Send, *about: Any) -> Any:
        self._fate.pass_point(f"before {name}")
        await asyncio.sleep(self._trouble.delay())
        if self._trouble.is_deaf():
            await asyncio.sleep(GIVE_UP_SECONDS)
            raise OutcomeUnknown("unavailable", "no answer")
        answer = await ask(*about)
        await asyncio.sleep(self._trouble.delay())
        self._fate.pass_point(f"after {name}")
        return answer

    def _on_its_way(self, seconds: float, send: Send, order: Order) -> asyncio.Task[Any]:
        task = asyncio.create_task(_after(seconds, send, order))
        self._late.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        task.exception()  # whoever waited for it has heard of it


async def _after(seconds: float, send: Send, order: Order) -> Any:
    await asyncio.sleep(seconds)
    return await send(order)
