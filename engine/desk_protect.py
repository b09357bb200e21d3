"""Protection at work: every look at prices may end a position, by one exit order at a time.

What is to be done is written down before it is done, and the id of an exit comes from the count of
exits, so that a restart at any point neither loses one nor sends it twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from engine.protect import Protection, Reason, due, seen
from engine.protect_alarm import alarmed
from engine.protect_book import forget_protection, put_protection, read_protections
from engine.protect_case import NO_PRICE, Standing, exit_ticket, key_of, obstacle, standing_of
from engine.protect_watch import Guarded, PriceWatch
from engine.ticket import order_id as id_of
from engine.trading import PROTECTION
from engine.venue_stops import has_stop_sold
from market.money import to_decimal
from market.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from engine.desk_book import DeskBook, Page
    from engine.outcome import Outcome
    from engine.protect import Exit
    from engine.ticket import Ticket
    from market.orders import Order
    from market.types import InstrumentId

    Propose: TypeAlias = Callable[[Ticket], Awaitable[Order]]
    GoOn: TypeAlias = Callable[[Order, Decimal], Awaitable[Order]]
    Cancel: TypeAlias = Callable[[str, int], Awaitable[Outcome]]
    Free: TypeAlias = Callable[[InstrumentId], Awaitable[bool]]

logger = logging.getLogger(__name__)

RETRY = timedelta(seconds=30)
"""How long after an exit that came to nothing the next one is tried."""

UNSEEN = timedelta(minutes=2)
"""So long in session without a price a position counts as unprotected."""

WHATEVER = Decimal("Infinity")
"""Exits go without a tap, whatever they are worth."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one look has decided: an exit to propose, to go on with, or to cancel.

    `free` is where a stop at the venue has to make way first.
    `guarded` is what every price is to be judged by until the next look.
    """

    ticket: Ticket | None = None
    go_on: Order | None = None
    cancel: Order | None = None
    free: InstrumentId | None = None
    guarded: Guarded | None = None


class Protector:
    """Looks after the protected positions; `watch` judges prices between two looks."""

    def __init__(
        self, book: DeskBook, propose: Propose, go_on: GoOn, cancel: Cancel, free: Free
    ) -> None:
        self._book = book
        self._propose = propose
        self._go_on = go_on
        self._cancel = cancel
        self._free = free
        self._looking = asyncio.Lock()
        self.watch = PriceWatch()

    async def look(self) -> None:
        """Judge every protected position by the newest price, and do what that asks for."""
        if not self._looking.locked():
            await self.look_in_turn()

    async def look_in_turn(self) -> None:
        """Do so once nobody else is at it."""
        async with self._looking:
            if not await self._book.store.read(read_protections):
                self.watch.renew(())
                return
            steps = await self._book.write(
                lambda page: [_decide(page, one, self.watch) for one in read_protections(page.tx)]
            )
            self.watch.renew(step.guarded for step in steps if step.guarded is not None)
            for step in steps:
                await self._do(step)
            await self._go_on_freed(steps)

    async def _go_on_freed(self, steps: Sequence[Step]) -> None:
        """Let stops at the venue make way, and send the exits of what they have left."""
        wanted = [step.free for step in steps if step.free is not None]
        freed = {name for name in wanted if await self._free(name)}
        if freed:
            for step in await self._book.write(
                lambda page: [
                    _decide(page, one, self.watch)
                    for one in read_protections(page.tx)
                    if one.instrument in freed
                ]
            ):
                await self._do(step)

    async def _do(self, step: Step) -> None:
        if step.ticket is not None:
            await self._propose(step.ticket)
        if step.go_on is not None:
            await self._go_on(step.go_on, WHATEVER)
        if step.cancel is not None:
            await self._cancel(step.cancel.id, step.cancel.user_id)


def _decide(page: Page, kept: Protection, watch: PriceWatch) -> Step:
    """Bring a protection up to now and keep it; return what is to be done."""
    around = standing_of(page, kept)
    if around.position is None:
        if around.exit_order is None:
            forget_protection(page.tx, kept.instrument)
        return Step()
    if not around.phase.is_in_session:
        _keep(page, kept, replace(kept, unseen_since=None))
        return Step()
    brought = watch.brought(kept, around.position)
    one = _sold_by(page, _judged(brought, around))
    problem, step = "", Step()
    wanted = due(one, around.position, around.closable, around.instrument.steps)
    if around.exit_order is not None:
        problem, step = _while_open(page, one, around.exit_order, around)
    elif wanted is not None:
        one, problem, step = _wished(page, one, wanted, around)
    if not problem and one.unseen_since is not None:
        problem = NO_PRICE if around.now - one.unseen_since >= UNSEEN else ""
    is_trying = step.ticket is not None
    one = one if is_trying else alarmed(page, one, problem)
    _keep(page, kept, one)
    return replace(step, guarded=Guarded(one, around.position))


def _judged(kept: Protection, around: Standing) -> Protection:
    """Return a protection with the newest price taken in, if there is one."""
    if around.quote is None or around.position is None:
        return replace(kept, unseen_since=kept.unseen_since or around.now)
    price = to_decimal(around.quote.price)
    return replace(seen(kept, around.position, price, around.now), unseen_since=None)


def _sold_by(page: Page, one: Protection) -> Protection:
    """Return a protection that has ended where its stop at the venue has begun to sell."""
    if one.ended_by is None and has_stop_sold(page.tx, one):
        return replace(one, ended_by=Reason.STOP_LOSS)
    return one


def _while_open(page: Page, one: Protection, order: Order, around: Standing) -> tuple[str, Step]:
    """Return the problem with the exit that is open, and what to do about it."""
    if order.state is OrderState.IN_DOUBT:
        return "in_doubt", Step()
    if order.state is OrderState.PROPOSED:
        if page.book.settings.confirm.ask_exits:
            return "", Step()
        is_stuck = one.tried_at is not None and around.now - one.tried_at >= RETRY
        return "denied" if is_stuck else "", Step(go_on=order)
    is_rung = order.origin == f"{PROTECTION}{Reason.TAKE_PROFIT}"
    if one.ended_by is not None and is_rung and not order.is_cancel_requested:
        return "", Step(cancel=order)  # a stop sells more than the rung that still rests
    return "", Step()


def _wished(
    page: Page, one: Protection, wanted: Exit, around: Standing
) -> tuple[Protection, str, Step]:
    """Return what becomes of an exit that is due and not open: tried, tried again, or not now."""
    problem = obstacle(page, one, around)
    if problem or around.quote is None:
        return one, problem, Step()
    if around.stop_order is not None:
        problem = "stop_in_way" if _is_in_way(page, around.stop_order) else ""
        return one, problem, Step(free=one.instrument)
    lost = one.attempt > 0 and page.tx.orders.get(id_of(key_of(one))) is None
    if not lost:
        if one.tried_at is not None and around.now - one.tried_at < RETRY:
            return one, "denied" if _has_failed(page, one) else "", Step()
        one = replace(one, attempt=one.attempt + 1)
    one = replace(one, tried_at=around.now)
    ticket = exit_ticket(page, one, wanted, around)
    page.tell(
        (one.user_id,),
        f"notice.protect_{wanted.reason}",
        instrument=one.instrument,
        quantity=f"{wanted.quantity.normalize():f}",
        price=f"{to_decimal(around.quote.price).normalize():f}",
    )
    return one, "", Step(ticket=ticket)


def _is_in_way(page: Page, stop: Order) -> bool:
    """Tell whether the venue has not cancelled a stop, though that was wished for long ago."""
    *_, (_, _, changed_at, _) = page.tx.orders.events(stop.id)
    return stop.is_cancel_requested and page.book.now() - changed_at >= RETRY


def _has_failed(page: Page, one: Protection) -> bool:
    last = page.tx.orders.get(id_of(key_of(one)))
    return last is not None and last.state is not OrderState.FILLED


def _keep(page: Page, before: Protection, after: Protection) -> None:
    if after != before:
        put_protection(page.tx, after)
