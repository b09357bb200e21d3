"""Stops at the venue at work: one rests for what is protected, and makes way for every other sale.

An old stop is cancelled, and the venue has to say that it is, before a new one or another sale is
sent: so there is never more on sale than is held, whatever the venue would make of two. Each step
is written down before it is done, ids come from the count of stops, and none is sent twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.broker import Protective
from engine.desk_cancel import RESTING
from engine.desk_send import post
from engine.desk_stop_plan import Plan, plan_of, planned_instruments, see_to, submitted_stop
from engine.exact import venue_of
from engine.venue_stops import put_stop, read_stop, stop_id, stops_going
from market.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from engine.desk_book import DeskBook, Page
    from engine.desk_cancel import Canceller
    from engine.desk_settle import Settlement
    from engine.outcome import Outcome
    from market.orders import Order
    from market.types import InstrumentId

logger = logging.getLogger(__name__)

CANCEL_AGAIN = timedelta(seconds=5)
"""How long after a cancel that came to nothing the venue is asked for it again."""

HOLD = timedelta(seconds=10)
"""So long after a stop made way none is placed: what it made way for is being sent."""


class StopDesk:
    """Keeps stops at the venues of brokers that can; does nothing for the others."""

    def __init__(self, book: DeskBook, settlement: Settlement, canceller: Canceller) -> None:
        self._book = book
        self._settlement = settlement
        self._canceller = canceller
        self._is_looking = False
        self._held_until: dict[InstrumentId, datetime] = {}

    async def look(self) -> None:
        """Bring what rests in line with what is protected; one step an instrument and look."""
        seats = self._book.brokers.seats
        if self._is_looking or not any(isinstance(one.broker, Protective) for one in seats):
            return
        self._is_looking = True
        try:
            for plan in await self._plans():
                if plan.cancel is not None:
                    await self._cancel(plan.cancel)
                if plan.is_to_place:
                    await self._place(plan.instrument)
        finally:
            self._is_looking = False

    async def free(self, instrument: InstrumentId) -> bool:
        """Take an instrument's stops from the venue; True once it says that none is left.

        What a stop has traded meanwhile is taken into the book before this returns.
        """
        self._held_until[instrument] = self._book.now() + HOLD
        for order in await self._going(instrument):
            await self._cancel(order)
        return not await self._going(instrument)

    async def _going(self, instrument: InstrumentId) -> list[Order]:
        return await self._book.store.read(lambda tx: stops_going(tx, instrument))

    async def _plans(self) -> Sequence[Plan]:
        """Return what is to be done, and keep what has changed since the last look."""

        def plan(page: Page) -> list[Plan]:
            names = planned_instruments(page.tx)
            return [plan_of(page, name, is_taken=bool(self._taker(name))) for name in names]

        plans = await self._book.read(plan)
        if any(one.is_news for one in plans):

            def keep(page: Page) -> list[Plan]:
                found = plan(page)
                for one in found:
                    see_to(page, one)
                return found

            plans = await self._book.write(keep)
        return [one for one in plans if one.cancel is not None or self._is_free(one)]

    def _is_free(self, plan: Plan) -> bool:
        held = self._held_until.get(plan.instrument)
        return plan.is_to_place and (held is None or self._book.now() >= held)

    async def _cancel(self, order: Order) -> None:
        """Ask the venue to cancel a stop, unless that was done a moment ago; look what it says."""
        if order.state not in RESTING:
            return
        await self._book.write(lambda page: _wish_cancel(page, order.id))
        asked_at = self._canceller.asked_at(order.id)
        if asked_at is None or self._book.now() - asked_at >= CANCEL_AGAIN:
            await self._canceller.ask(order)
            return
        await self._settlement.take_fills(self._book.brokers.of(order.instrument))
        await self._settlement.ask([order])

    def _taker(self, instrument: InstrumentId) -> Protective | None:
        """Return the broker at whose venue stops of an instrument can rest, None where none can."""
        seat = self._book.brokers.at(venue_of(instrument))
        broker = None if seat is None else seat.broker
        if isinstance(broker, Protective) and broker.takes_stops(instrument):
            return broker
        return None

    async def _place(self, instrument: InstrumentId) -> None:
        """Write the next stop down as being sent, if that still holds, and send it once."""
        broker = self._taker(instrument)
        count = await self._book.store.read(lambda tx: read_stop(tx, instrument).count)
        new_id = stop_id(instrument, count + 1)
        self._book.in_flight[new_id] += 1  # before it is written, so that settling leaves it alone
        try:
            found = await self._book.write(
                lambda page: submitted_stop(page, instrument, count, is_taken=broker is not None)
            )
            if found is not None and broker is not None:
                await self._send(broker, *found)
        finally:
            self._book.in_flight[new_id] -= 1

    async def _send(self, broker: Protective, order: Order, level: Decimal) -> None:
        outcome = await post(self._book, order, _AsStop(broker, level))
        logger.info("a stop of %s at %s: %s", order.instrument, level, outcome.code)
        await self._book.write(lambda page: _note_answer(page, order, outcome))


@dataclass(frozen=True, slots=True)
class _AsStop:
    """Sends an order as a stop."""

    broker: Protective
    level: Decimal

    async def place(self, order: Order) -> str:
        """Send once; raises as a broker does."""
        return await self.broker.place_stop(order, self.level)


def _wish_cancel(page: Page, order_id: str) -> None:
    """Keep that we want a stop cancelled, so that its end is no surprise."""
    order = page.tx.orders.get(order_id)
    if order is None or order.state not in RESTING:
        return
    if not order.is_cancel_requested:
        page.put(replace(order, is_cancel_requested=True))
    stop = read_stop(page.tx, order.instrument)
    if not stop.is_freed and stop.order_id == order_id:
        put_stop(page.tx, replace(stop, is_freed=True))


def _note_answer(page: Page, order: Order, outcome: Outcome) -> None:
    if outcome.order is not None and outcome.order.state is OrderState.ACCEPTED:
        stop = read_stop(page.tx, order.instrument)
        put_stop(page.tx, replace(stop, refusals=0, not_before=None))
    elif outcome.code == "order.in_doubt":
        page.tell((order.user_id,), "notice.stop_in_doubt", instrument=order.instrument)
