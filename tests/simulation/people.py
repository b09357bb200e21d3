"""What people do to the bot: type, tap twice, tap what is stale, cancel, pause, try again."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.desk_adjust import Change
from engine.ticket import Ticket, order_id
from market.orders import AT_BROKER, OrderState
from tests.simulation.chat import OWNER
from tests.simulation.taps import BYSTANDERS, Taps
from tests.simulation.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from market.types import InstrumentId
    from tests.simulation.chat import Seen
    from tests.simulation.life import Life
    from tests.simulation.taps import Crowd


class People(Taps):
    """Decides by the seed what somebody does next, and does it to the life that runs."""

    def __init__(self, crowd: Crowd, life: Callable[[], Life]) -> None:
        super().__init__(crowd, life)
        self.tickets: list[Ticket] = []
        is_guarded = crowd.guard is not None
        self._wishes = Wishes(crowd.random, crowd.stage, crowd.prices, is_guarded=is_guarded)
        self._actions: tuple[tuple[str, int], ...] = (
            ("propose", 12),
            ("repeat", 1),
            ("confirm", 20),
            ("confirm_twice", 6),
            ("confirm_oddly", 4),
            ("confirm_and_regret", 3),
            ("adjust", 3),
            ("decline", 1),
            ("cancel", 8),
            ("pause", 1),
            ("resume", 1),
            ("panic", 1 if is_guarded else 0),
            ("tap_late", 1 if is_guarded else 0),
            ("same", 2 if is_guarded else 0),
            ("alike", 2 if is_guarded else 0),
        )

    async def act(self, name: str | None = None) -> None:
        """Do something, and wait for the answer or not; who gets none may try again."""
        random = self._crowd.random
        if name is None:
            names, weights = zip(*self._actions, strict=True)
            is_paused = self._crowd.sentry.paused_since is not None and random.random() < 0.25
            name = "resume" if is_paused else random.choices(names, weights)[0]
        does: Callable[[], Awaitable[Any]] | None = getattr(self, f"_{name}")()
        if does is None:
            return
        task = self._life().spawn(name, does)
        if random.random() < 0.6:
            await asyncio.wait([task], timeout=random.choice((0.01, 5, 60)))
        if self._life().fate.is_dead and random.random() < 0.7:
            await asyncio.sleep(random.uniform(4, 15))
            self._life().spawn(f"{name} again", does)

    async def cancel_all(self, orders: list[str]) -> None:
        """Cancel what somebody wished to be cancelled, once more."""
        for one in orders:
            await self._life().desk.cancel(one, OWNER.id)

    async def buy_one(self) -> None:
        """Buy the least there is once all is well again: what is tapped now is sent."""
        crowd, desk = self._crowd, self._life().desk
        crowd.sentry.paused_since = None
        await desk.resume(OWNER.id)
        ticket = self._wishes.least()
        self.tickets.append(ticket)
        name = order_id(ticket.key)
        crowd.sentry.tickets[name] = ticket
        order = await desk.propose(ticket)
        while await self._life().pump():
            pass
        seen = next((one for one in reversed(crowd.chat.cards()) if one.order_id == name), None)
        if seen is None or order.state is not OrderState.PROPOSED:
            return
        self._note(seen, seen.version, seen.chat)
        outcome = await desk.confirm(name, seen.version, seen.chat, seen.number)
        if not outcome.code.startswith(("order.confirmed", "order.rejected", "risk.")):
            crowd.fail("deaf", f"a tap on {name} led to '{outcome.code}' when all was well")
        await crowd.settle()

    def _propose(self) -> Callable[[], Awaitable[Any]]:
        instrument = self._wishes.instrument()
        return self._new(self._wishes.next(instrument, self._held(instrument.id)))

    def _same(self) -> Callable[[], Awaitable[Any]] | None:
        last = self.tickets[-1] if self.tickets else None
        return None if last is None else self._new(self._wishes.alike(last, is_same=True))

    def _alike(self) -> Callable[[], Awaitable[Any]] | None:
        last = self.tickets[-1] if self.tickets else None
        return None if last is None else self._new(self._wishes.alike(last, is_same=False))

    def _new(self, ticket: Ticket) -> Callable[[], Awaitable[Any]]:
        self.tickets.append(ticket)
        self._crowd.sentry.tickets[order_id(ticket.key)] = ticket
        return self._wish(ticket)

    def _repeat(self) -> Callable[[], Awaitable[Any]] | None:
        return self._wish(self._crowd.random.choice(self.tickets)) if self.tickets else None

    def _wish(self, ticket: Ticket) -> Callable[[], Awaitable[Any]]:
        return lambda: self._life().desk.propose(ticket)

    def _held(self, instrument: InstrumentId) -> Decimal:
        """Return what somebody would see in their list of positions."""
        found = self._life().store.look(lambda tx: tx.orders.position(instrument))
        return Decimal(0) if found is None else found.quantity

    def _adjust(self) -> Callable[[], Awaitable[Any]] | None:
        seen = self._card()
        if seen is None:
            return None
        order, version, user, number = seen.order_id, seen.version, seen.chat, seen.number
        change = self._crowd.random.choice(list(Change))
        return lambda: self._life().desk.adjust(change, order, version, user, number)

    def _decline(self) -> Callable[[], Awaitable[Any]] | None:
        seen = self._card()
        if seen is None:
            return None
        order, version, user, number = seen.order_id, seen.version, seen.chat, seen.number
        return lambda: self._life().desk.decline(order, version, user, number)

    def _confirm_and_regret(self) -> Callable[[], Awaitable[Any]] | None:
        """Tap Confirm, and cancel or pause while the order may be on its way."""
        seen = self._card()
        if seen is None:
            return None
        random = self._crowd.random
        tap = self._tapping(seen, seen.version, seen.chat)
        regret = self._pause() if random.random() < 0.3 else self._cancelling(seen)
        seconds = random.choice((0, 0.001, 0.01, 0.1, 1, 4))

        async def later() -> None:
            await asyncio.sleep(seconds)
            await regret()

        async def both() -> None:
            await asyncio.gather(tap(), later())

        return both

    def _cancelling(self, seen: Seen) -> Callable[[], Awaitable[Any]]:
        return lambda: self._cancelled(seen.order_id, seen.chat)

    def _cancel(self) -> Callable[[], Awaitable[Any]] | None:
        working = [
            seen
            for seen in self._crowd.chat.cards()
            if seen.text.startswith(("submitted", "accepted", "partially", "in_doubt"))
        ]
        if not working and self._crowd.random.random() < 0.7:
            return self._confirm()
        seen = self._crowd.random.choice(working) if working else self._card()
        if seen is None:
            return None
        order = seen.order_id
        user = (
            seen.chat
            if self._crowd.random.random() < 0.7
            else self._crowd.random.choice(BYSTANDERS)
        )
        return lambda: self._cancelled(order, user)

    async def _cancelled(self, order: str, user: int) -> None:
        """Cancel; what somebody was told to be wished is kept, or over."""
        outcome = await self._life().desk.cancel(order, user)
        if outcome.code != "order.cancel_requested" or outcome.order is None:
            return
        wished = outcome.order.id  # what replaced the order, perhaps
        kept = self._life().store.look(lambda tx: tx.orders.get(wished))
        if kept is not None and kept.state in AT_BROKER and not kept.is_cancel_requested:
            self._crowd.fail("cancel", f"nobody keeps that {kept.id} is to be cancelled")

    def _pause(self) -> Callable[[], Awaitable[Any]]:
        sentry = self._crowd.sentry

        async def pause() -> None:
            await self._life().desk.pause(OWNER.id)
            sentry.paused_since = self._crowd.clock.now()

        return pause

    def _resume(self) -> Callable[[], Awaitable[Any]]:
        sentry = self._crowd.sentry

        async def resume() -> None:
            sentry.paused_since = None  # from now on a purchase may leave, also if we die here
            await self._life().desk.resume(OWNER.id)

        return resume

    def _panic(self) -> Callable[[], Awaitable[Any]]:
        crowd, guard = self._crowd, self._crowd.guard

        async def panic() -> None:
            if guard is not None and await self._life().desk.panic(OWNER.id):
                guard.panicked_at = crowd.sentry.paused_since = crowd.clock.now()

        return panic
