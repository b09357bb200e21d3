"""Which of the day's orders is the one that was never answered: by its fingerprint.

KIS takes no client order id. What is left is side, code, quantity, price and the time between our
sending and our doubt; numbers that belong to orders of ours are out. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.broker import OpenOrder
from brokers.kis_codes import MARKET
from brokers.kis_stops import STOP_LIMIT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from brokers.kis_book import Sent
    from brokers.kis_rows import DayOrder

SKEW = timedelta(seconds=5)
"""KIS's clock may be so much behind ours; its times are in whole seconds."""
SETTLE = timedelta(seconds=30)
"""After this long a request that nobody answered is not under way any more."""
WIDE = timedelta(minutes=5)
"""A like order so near in time is not ours by the clock, but makes us unsure of the clock."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The orders that may be the one: `near` within the time of its sending, `far` about it."""

    near: tuple[DayOrder, ...]
    far: tuple[DayOrder, ...]


def likeness(
    sent: Sent, over_at: datetime, orders: Iterable[DayOrder], claimed: Collection[str]
) -> Likeness:
    """Return the orders of no other client id with the fingerprint of this one."""
    alike = [
        order for order in orders if order.number not in claimed and has_fingerprint(order, sent)
    ]
    first, last = sent.sent_at - SKEW, over_at + SETTLE
    near = tuple(order for order in alike if first <= order.at <= last)
    around = (order for order in alike if first - WIDE <= order.at <= last + WIDE)
    return Likeness(near, tuple(order for order in around if order not in near))


def row_of(sent: Sent, orders: Iterable[DayOrder]) -> DayOrder | None:
    """Return the row of an order with a number, None where it is not listed.

    Another branch may have given the same number to an order of another sort.
    """
    return next(
        (
            order
            for order in orders
            if (order.day, order.number) == (sent.day, sent.number)
            and (order.side, order.instrument) == (sent.side, sent.instrument)
        ),
        None,
    )


def is_certain(over_at: datetime, now: datetime) -> bool:
    """Tell whether an order that is not in the list by now never will be."""
    return now >= over_at + SETTLE


def has_fingerprint(order: DayOrder, sent: Sent) -> bool:
    """Tell whether an order looks like the one that was sent.

    An order that took over another's rest is known by that one's number, and may be smaller by
    what has traded meanwhile; any other names no other order.
    """
    return (
        order.day == sent.day
        and order.parent == sent.parent
        and order.side is sent.side
        and order.instrument == sent.instrument
        and (order.quantity == sent.quantity or sent.parent != "")
        and _is_priced_like(order, sent)
    )


def _is_priced_like(order: DayOrder, sent: Sent) -> bool:
    if sent.trigger is not None:
        is_told = order.trigger == sent.trigger
        is_untold = order.trigger is None and order.division == STOP_LIMIT
        return order.price == sent.price and (is_told or is_untold)
    if order.trigger is not None or order.division == STOP_LIMIT:
        return False
    if sent.price is None:
        return order.division in {"", MARKET}
    return order.division != MARKET and order.price == sent.price


def is_rival(one: Sent, other: Sent) -> bool:
    """Tell whether two sendings could claim the same order."""
    return (
        one.client_id != other.client_id
        and (one.day, one.side, one.instrument) == (other.day, other.side, other.instrument)
        and (one.quantity, one.price, one.parent) == (other.quantity, other.price, other.parent)
        and one.trigger == other.trigger
    )


def open_order(order: DayOrder, ours: Sent | None) -> OpenOrder:
    """Return an order of the day as one that may still trade, under our id where it is ours."""
    return OpenOrder(
        broker_order_id=f"{order.branch}-{order.number}" if ours is None else ours.broker_id,
        client_order_id="" if ours is None else ours.client_id,
        instrument=order.instrument,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        filled_quantity=order.filled,
        at=order.at,
    )
