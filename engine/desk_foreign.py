"""Orders made elsewhere: taken for ours, or cancelled, where the owner wishes it.

To adopt one sends nothing: the broker's note and our order are kept in one transaction, so a kill
leaves both or neither. A cancel is one request, written down before it is sent.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.broker import ForeignOrders
from engine.desk_send import reason_of
from engine.difference import differs
from engine.exact import venue_of
from engine.outcome import Outcome
from engine.reconcile import read_foreign, write_foreign
from engine.ticket import order_id as id_of
from market.errors import OrderError, OrderRejected
from market.messages import Role
from market.orders import GOING, Order, OrderState, Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from decimal import Decimal

    from brokers.broker import Adoption, OpenOrder
    from engine.brokers import Seat
    from engine.desk_book import DeskBook, Page
    from market.orders import Position
    from market.store import Transaction

logger = logging.getLogger(__name__)

ORIGIN = "foreign"
"""The origin of orders that were made elsewhere."""
ASK_AGAIN = timedelta(seconds=60)
"""So long after a cancel was asked for it is not asked for again."""

_ASKED = "foreign/cancel/"
_ADOPTED = "foreign/adopted/"
_UNCLEAR = frozenset({OrderState.CONFIRMED, OrderState.SUBMITTED, OrderState.IN_DOUBT})


def foreign_id(one: OpenOrder) -> str:
    """Return the name of an order made elsewhere: the id that it has once it is ours."""
    return id_of(f"foreign:{one.instrument}:{one.broker_order_id}:{to_ms(one.at)}")


class ForeignDesk:
    """Does to orders made elsewhere what the owner wishes; `look` reads the broker's list anew."""

    def __init__(self, book: DeskBook, look: Callable[[Seat], Awaitable[bool]]) -> None:
        self._book = book
        self._look = look

    async def adopt(self, key: str, user_id: int) -> Outcome:
        """Take an order for ours from what has traded by now on."""
        seat = await self._seat_of(key)
        broker = None if seat is None else seat.broker
        if seat is None or not isinstance(broker, ForeignOrders):
            return Outcome(None, "foreign.unable")
        if not await self._look(seat):
            return Outcome(None, "adopt.untold")
        found = await self._book.write(lambda page: _adoptable(page, key, user_id))
        if isinstance(found, Outcome):
            return found
        order = _made(found, key, user_id, self._book.now())
        try:
            adoption = await broker.adopt(found, order)
            return await self._book.write(lambda page: _keep(page, order, found, adoption))
        except OrderRejected as error:
            return Outcome(None, "foreign.refused", {"reason": reason_of(error)})
        except OrderError as error:
            logger.warning("order %s could not be asked about: %s", found.broker_order_id, error)
            return Outcome(None, "adopt.untold")

    async def cancel(self, key: str, user_id: int) -> Outcome:
        """Ask the broker once to cancel what is left of an order."""
        seat = await self._seat_of(key)
        broker = None if seat is None else seat.broker
        if seat is None or not isinstance(broker, ForeignOrders):
            return Outcome(None, "foreign.unable")
        found = await self._book.write(lambda page: _wish(page, key, user_id))
        if isinstance(found, Outcome):
            return found
        try:
            await broker.cancel_foreign(found)
        except OrderRejected as error:
            return Outcome(None, "order.cancel_refused", {"reason": reason_of(error)})
        except OrderError as error:
            logger.warning("no answer to the cancel of %s: %s", found.broker_order_id, error)
            return Outcome(None, "foreign.unanswered")
        await self._look(seat)
        return Outcome(None, "foreign.cancelled")

    async def _seat_of(self, key: str) -> Seat | None:
        """Return whose list an order is in; of one in none, somebody who can do without it."""
        listed = await self._book.store.read(read_foreign)
        found = next((one for one in listed if foreign_id(one) == key), None)
        if found is not None:
            return self._book.brokers.of(found.instrument)
        able = (one for one in self._book.brokers.seats if isinstance(one.broker, ForeignOrders))
        return next(able, None)


def _adoptable(page: Page, key: str, user_id: int) -> Outcome | OpenOrder:
    """Return the order of this name if it can become ours; else why not."""
    found = _listed(page, key, user_id)
    code = "" if isinstance(found, Outcome) else _objection(page, found)
    return Outcome(None, code) if code else found


def _listed(page: Page, key: str, user_id: int) -> Outcome | OpenOrder:
    """Return the order of this name if its owner may do this to it now; else why not."""
    person = page.tx.people.get(user_id)
    if person is None or person.role is not Role.OWNER:
        return Outcome(None, "foreign.owner")
    ours = page.tx.orders.get(key)
    if ours is not None:
        return Outcome(ours, "order.already", {"state": ours.state.value})
    found = next((one for one in read_foreign(page.tx) if foreign_id(one) == key), None)
    if found is None:
        return Outcome(None, "foreign.gone")
    unclear = page.tx.orders.in_states(_UNCLEAR)
    if any(order.instrument == found.instrument for order in unclear):
        return Outcome(None, "foreign.in_doubt")  # it may be the very one
    return found


def _objection(page: Page, found: OpenOrder) -> str:
    """Return why an order cannot become ours: our book would not follow from its fills."""
    if found.price is None:
        return "foreign.market"
    if differs(page.tx, found.instrument):
        return "foreign.differs"
    held = page.tx.orders.position(found.instrument)
    return "" if _is_covered(page.tx, found, held) else "foreign.uncovered"


def _is_covered(tx: Transaction, found: OpenOrder, held: Position | None) -> bool:
    """Tell whether an order opens or closes a long position; what goes short is not ours."""
    quantity = 0 if held is None else held.quantity
    if found.side is Side.BUY:
        return quantity >= 0
    selling = [one for one in tx.orders.in_states(GOING) if one.instrument == found.instrument]
    taken = sum(one.remaining for one in selling if one.side is Side.SELL)
    return quantity - taken >= found.quantity - found.filled_quantity


def _made(found: OpenOrder, key: str, user_id: int, now: datetime) -> Order:
    return Order(
        id=key,
        version=1,
        instrument=found.instrument,
        side=found.side,
        quantity=found.quantity - found.filled_quantity,
        price=found.price,
        state=OrderState.ACCEPTED,
        user_id=user_id,
        origin=ORIGIN,
        proposed_at=now,
        expires_at=now,
        reference_price=_price(found),
        reference_at=now,
        max_drift=_price(found) * 0,
        broker_order_id=found.broker_order_id,
    )


def _price(found: OpenOrder) -> Decimal:
    if found.price is None:
        raise OrderRejected("price", f"{found.broker_order_id} has no limit")
    return found.price


def _keep(page: Page, order: Order, found: OpenOrder, adoption: Adoption) -> Outcome:
    """Keep the order and the broker's note of it together; raises OrderRejected for neither."""
    again = _adoptable(page, order.id, order.user_id)
    if isinstance(again, Outcome):
        return again
    left = found.quantity - adoption.traded
    if left <= 0:
        raise OrderRejected("closed", f"{found.broker_order_id} has traded")
    adoption.keep(page.tx)
    seat = page.book.brokers.of(order.instrument)
    listed = [one for one in read_foreign(page.tx) if venue_of(one.instrument) in seat.venues]
    write_foreign(page.tx, seat.name, [one for one in listed if foreign_id(one) != order.id])
    page.tx.documents.put(
        _ADOPTED + order.id,
        {"user_id": order.user_id, "at": to_ms(page.book.now()), "traded": str(adoption.traded)},
    )
    kept = page.put(replace(order, quantity=left))
    return Outcome(kept, "foreign.adopted", {"id": kept.id})


def _wish(page: Page, key: str, user_id: int) -> Outcome | OpenOrder:
    """Write a cancel down before it is sent, unless it was asked for a moment ago."""
    found = _listed(page, key, user_id)
    if isinstance(found, Outcome):
        return found
    documents, now = page.tx.documents, page.book.now()
    asked = documents.get(_ASKED + key)
    if asked is not None and now - from_ms(int(asked["at"])) < ASK_AGAIN:
        return Outcome(None, "foreign.asked")
    documents.put(_ASKED + key, {"user_id": user_id, "at": to_ms(now)})
    return found
