"""Sending a confirmed order: written down, posted once, and the answer written down."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from engine.desk_confirm import submit
from engine.outcome import Outcome
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import Order, OrderState, advance

if TYPE_CHECKING:
    from engine.desk_book import DeskBook, Page

logger = logging.getLogger(__name__)

REASONS = frozenset(
    {
        "busy",
        "cash",
        "client_id",
        "clock",
        "closed",
        "currency",
        "duplicate",
        "halted",
        "hedge_mode",
        "instrument",
        "keys",
        "least",
        "leverage",
        "market",
        "no_position",
        "no_stops",
        "price",
        "quantity",
        "unavailable",
        "unknown_instrument",
        "unknown_order",
        "untradable",
    }
)
"""The refusals of brokers; each has a text of its own, which says how to mend it."""

TOLD = "told"
"""The fact of a refused order that holds the broker's own words."""
MOST_TOLD = 200


class Sender(Protocol):
    """Port. What sends an order: a broker, or what sends it there as a stop."""

    async def place(self, order: Order) -> str:
        """Send once; return the broker's order id; raise OrderRejected or OutcomeUnknown."""
        ...


def reason_of(error: OrderRejected) -> str:
    """Return the text key of a broker's refusal."""
    return f"rejected.{error.code}" if error.code in REASONS else "rejected.other"


def words_of(error: OrderRejected) -> tuple[tuple[str, str], ...]:
    """Return the broker's own words as an order keeps them; brokers leave secrets out of them."""
    return ((TOLD, str(error)[:MOST_TOLD]),)


async def send(book: DeskBook, order_id: str) -> Outcome:
    """Send a confirmed order: SUBMITTED is kept before the one POST, the answer after it."""
    return await post(book, await book.write(lambda page: submit(page, order_id)))


async def post(book: DeskBook, order: Order, by: Sender | None = None) -> Outcome:
    """Send an order that was kept as SUBMITTED a moment ago, and by nobody else, once.

    Its broker sends it, unless another way is given.
    """
    order_id = order.id
    if order.state is not OrderState.SUBMITTED:
        return Outcome(order, order.code)
    try:
        sender = by or book.brokers.of(order.instrument).broker
        broker_order_id = await sender.place(order)
    except OrderRejected as error:
        logger.warning("the broker refused order %s: %s", order_id, error)
        if error.code == "duplicate":  # it has our id already: not refused, but to be asked for
            return await book.write(lambda page: _doubt(page, order_id))
        reason, told = reason_of(error), words_of(error)
        return await book.write(lambda page: _refuse(page, order_id, reason, told))
    except OutcomeUnknown as error:
        logger.warning("the broker did not answer for order %s: %s", order_id, error)
        return await book.write(lambda page: _doubt(page, order_id))
    return await book.write(lambda page: _accept(page, order_id, broker_order_id))


def _accept(page: Page, order_id: str, broker_order_id: str) -> Outcome:
    order = _stored(page, order_id)
    if order.state is OrderState.SUBMITTED:
        order = page.put(
            advance(order, OrderState.ACCEPTED, broker_order_id=broker_order_id, code="")
        )
    else:  # its fill was faster than this answer
        order = page.put(replace(order, broker_order_id=broker_order_id))
    return Outcome(order, "order.confirmed")


def _refuse(page: Page, order_id: str, reason: str, told: tuple[tuple[str, str], ...]) -> Outcome:
    order = _stored(page, order_id)
    if order.state is not OrderState.SUBMITTED:
        page.fail("order.contradiction", order=order.id, state=order.state.value, reason=reason)
        return Outcome(order, "order.already", {"state": order.state.value})
    order = page.put(advance(order, OrderState.REJECTED, code=reason, facts=told))
    return Outcome(order, "order.rejected", {"reason": reason})


def _doubt(page: Page, order_id: str) -> Outcome:
    order = _stored(page, order_id)
    if order.state is not OrderState.SUBMITTED:  # a fill has told already
        return Outcome(order, "order.confirmed")
    order = page.put(advance(order, OrderState.IN_DOUBT, code="order.in_doubt"))
    return Outcome(order, "order.in_doubt")


def _stored(page: Page, order_id: str) -> Order:
    order = page.tx.orders.get(order_id)
    if order is None:
        raise LookupError(f"order {order_id} is not in the store")
    return order
