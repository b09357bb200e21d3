"""Cancelling: a wish is a flag on the order, kept before the broker is asked."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.desk_send import reason_of
from engine.desk_tap import may_trade
from engine.outcome import Outcome
from engine.replacing import forget_replacement, newest_of
from market.errors import OrderRejected, OutcomeUnknown
from market.messages import Role
from market.orders import AT_BROKER, OrderState, advance

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import DeskBook, Page
    from engine.desk_settle import Settlement
    from market.messages import Person
    from market.orders import Order

logger = logging.getLogger(__name__)

RESTING = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})


class Canceller:
    """Cancels what is left of orders; one wish of a person is at most one request to the broker."""

    def __init__(self, book: DeskBook, settlement: Settlement) -> None:
        self._book = book
        self._settlement = settlement
        self._asking: set[str] = set()
        self._asked_at: dict[str, datetime] = {}

    async def cancel(self, order_id: str, user_id: int) -> Outcome:
        """Decline, withdraw or cancel an order, whichever its state asks for."""
        outcome = await self._book.write(lambda page: _request(page, order_id, user_id))
        order = outcome.order
        if outcome.code != "order.cancel_requested" or order is None or order.state not in RESTING:
            return outcome
        return await self.ask(order)

    def asked_at(self, order_id: str) -> datetime | None:
        """Return when this process has last asked the broker to cancel an order."""
        return self._asked_at.get(order_id)

    async def follow_up(self) -> None:
        """Ask for the cancels that were wished before the order was known to be at the broker."""
        for order in await self._book.store.read(lambda tx: tx.orders.in_states(RESTING)):
            if order.is_cancel_requested and order.id not in self._asked_at:
                await self.ask(order)

    async def ask(self, order: Order) -> Outcome:
        """Ask the broker to cancel what is left of an order, whose wish for it is kept."""
        if order.id in self._asking:
            return Outcome(order, "order.cancel_requested")
        self._asking.add(order.id)
        try:
            return await self._ask_broker(order.id)
        finally:
            self._asking.discard(order.id)

    async def _ask_broker(self, order_id: str) -> Outcome:
        order = await self._book.order(order_id)
        if order is None or order.state not in RESTING:
            return _outcome(order, "")
        self._asked_at[order_id] = self._book.now()
        reason, seat = "", self._book.brokers.of(order.instrument)
        try:
            await seat.broker.cancel(order)
        except OrderRejected as error:
            reason = reason_of(error)
        except OutcomeUnknown as error:
            logger.warning("the broker did not answer the cancel of %s: %s", order_id, error)
        await self._settlement.take_fills(seat)
        await self._settlement.ask([order])
        return _outcome(await self._book.order(order_id), reason)


def _outcome(order: Order | None, reason: str) -> Outcome:
    state = None if order is None else order.state
    if state is OrderState.FILLED:
        return Outcome(order, "order.filled")
    if state is OrderState.CANCELED:
        return Outcome(order, "order.canceled")
    if state not in AT_BROKER and state is not None:
        return Outcome(order, "order.already", {"state": state.value})
    if reason:
        return Outcome(order, "order.cancel_refused", {"reason": reason})
    return Outcome(order, "order.cancel_requested")


def _request(page: Page, order_id: str, user_id: int) -> Outcome:
    order = page.tx.orders.get(order_id)
    person = page.tx.people.get(user_id)
    if order is None:
        return Outcome(None, "order.unknown")
    order = newest_of(page.tx, order)  # what replaced it is what can still trade
    if not may_trade(person):
        return Outcome(None, "order.not_allowed")
    if order.user_id != user_id and not _is_owner(person):
        return Outcome(None, "order.not_yours")
    return _wish(page, order)


def _wish(page: Page, order: Order) -> Outcome:
    """Do to an order what a wish to cancel means in its state; nothing is to follow it."""
    forget_replacement(page.tx, order.id)
    if order.state is OrderState.PROPOSED:
        return Outcome(page.put(advance(order, OrderState.DECLINED)), "order.declined")
    if order.state is OrderState.CONFIRMED:
        withdrawn = page.put(advance(order, OrderState.LAPSED, code="order.withdrawn"))
        return Outcome(withdrawn, "order.withdrawn")
    if order.state not in AT_BROKER:
        return _outcome(order, "")
    if not order.is_cancel_requested:
        order = page.put(replace(order, is_cancel_requested=True))
    return Outcome(order, "order.cancel_requested")


def _is_owner(person: Person | None) -> bool:
    return person is not None and person.role is Role.OWNER
