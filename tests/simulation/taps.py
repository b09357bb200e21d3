"""What people know, and how they tap Confirm: once, twice, late, on what is stale or not theirs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.simulation.chat import OTHER, OWNER, STRANGER, TRADER, VIEWER
from tests.simulation.sentry import LegalTap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from engine.outcome import Outcome
    from market.clock import Clock
    from tests.simulation.chat import Chat, Seen
    from tests.simulation.guard import Guard
    from tests.simulation.life import Life
    from tests.simulation.prices import Prices
    from tests.simulation.sentry import Sentry
    from tests.simulation.venue import Stage

BYSTANDERS = (OTHER.id, VIEWER.id, OWNER.id, STRANGER)
TRADERS = frozenset({TRADER.id, OTHER.id, OWNER.id})


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the people know: the chat they look at, the market, and the clock on the wall."""

    random: Random
    clock: Clock
    stage: Stage
    prices: Prices
    chat: Chat
    sentry: Sentry
    fail: Callable[[str, str], None]
    settle: Callable[[], Awaitable[None]]
    guard: Guard | None = None


class Taps:
    """Makes taps on the cards that stand in the chat."""

    def __init__(self, crowd: Crowd, life: Callable[[], Life]) -> None:
        self._crowd = crowd
        self._life = life
        self.confirmed: dict[str, int] = {}

    def _confirm(self) -> Callable[[], Awaitable[Any]] | None:
        seen = self._card()
        return None if seen is None else self._tapping(seen, seen.version, seen.chat)

    def _confirm_twice(self) -> Callable[[], Awaitable[Any]] | None:
        seen = self._card()
        if seen is None:
            return None
        random = self._crowd.random
        taps = [self._tapping(seen, seen.version, seen.chat) for _ in range(random.randint(2, 3))]
        if random.random() < 0.4:
            taps.append(self._tapping(seen, seen.version, random.choice(BYSTANDERS)))

        async def tap() -> None:
            await asyncio.gather(*(one() for one in taps))

        return tap

    def _confirm_oddly(self) -> Callable[[], Awaitable[Any]] | None:
        """Tap a forwarded card, another version of it, or as somebody else."""
        seen = self._card()
        if seen is None:
            return None
        random = self._crowd.random
        odd = random.randint(0, 2)
        if odd == 0:
            return self._tapping(seen, max(0, seen.version + random.choice((-1, 1))), seen.chat)
        if odd == 1:
            return self._tapping(seen, seen.version, random.choice(BYSTANDERS))
        elsewhere = replace(seen, number=random.choice((1, seen.number + 1, seen.number - 1)))
        return self._tapping(elsewhere, seen.version, seen.chat)

    def _tap_late(self) -> Callable[[], Awaitable[Any]] | None:
        """Tap Confirm at about the time at which the card stops waiting for it."""
        seen = self._card()
        ticket = None if seen is None else self._crowd.sentry.tickets.get(seen.order_id)
        if seen is None or ticket is None:
            return None
        tap = self._tapping(seen, seen.version, seen.chat)
        seconds = ticket.within.total_seconds() - self._crowd.random.uniform(-4, 8)

        async def later() -> None:
            await asyncio.sleep(seconds)
            await tap()

        return later

    def _tapping(self, seen: Seen, version: int, user: int) -> Callable[[], Awaitable[Any]]:
        order = seen.order_id

        async def tap() -> None:
            self._note(seen, version, user)
            outcome = await self._life().desk.confirm(order, version, user, seen.number)
            self._answered(order, outcome)

        return tap

    def _note(self, seen: Seen, version: int, user: int) -> None:
        """Tell the sentry of a tap that may count."""
        crowd = self._crowd
        ticket = crowd.sentry.tickets.get(seen.order_id)
        if ticket is None:  # the card of a replacement, which nobody confirms
            return
        held = crowd.chat.messages.get((user, seen.number))
        is_own = held is not None and held.card == seen.card
        if user == ticket.user_id and user in TRADERS and is_own:
            crowd.sentry.taps[seen.order_id].append(LegalTap(version, crowd.clock.now()))

    def _answered(self, order: str, outcome: Outcome) -> None:
        if outcome.code == "order.confirmed":
            self.confirmed[order] = self.confirmed.get(order, 0) + 1
            if self.confirmed[order] > 1:
                self._crowd.fail("taps", f"two taps on {order} were both told that they sent it")

    def _card(self) -> Seen | None:
        """Return a copy of a card as it stands now, mostly one that waits for its person."""
        random, cards = self._crowd.random, self._crowd.chat.cards()
        waiting = [seen for seen in cards if seen.text.startswith("proposed")]
        if waiting and random.random() < 0.8:
            return replace(random.choice(waiting))
        return replace(random.choice(cards)) if cards else None
