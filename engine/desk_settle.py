"""What the broker tells: fills, answers to doubts, and orders that ended without us."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.brokers import orders_of, paying
from engine.desk_fills import last_fill_id, record_fill
from engine.exact import venue_of
from market.errors import OrderError
from market.orders import AT_BROKER, GOING, OrderState, advance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from brokers.broker import BrokerOrder
    from engine.brokers import Brokers, Seat
    from engine.desk_book import DeskBook, Page
    from market.orders import Account, Fill, Order
    from market.types import InstrumentId

logger = logging.getLogger(__name__)

ASKED_AT_ONCE = 5
"""How many orders a broker is asked about in one settling."""

ASK_AGAIN = timedelta(seconds=20)
"""How long after an order was asked about it is asked about again, if it is not in doubt."""

ASK_SOON = timedelta(seconds=2)
"""The same for an order that somebody waits to see cancelled."""

AMBIGUOUS = "ambiguous"
"""What a broker says of an order that only a person can tell apart from others."""

_ENDS = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})


class Settlement:
    """Brings our orders in line with the brokers'; the one way for start, sweep and doubt."""

    def __init__(self, book: DeskBook) -> None:
        self._book = book
        self._asked_at: dict[str, datetime] = {}
        self.ambiguous: set[str] = set()
        """The orders of which the broker has last said that a person must tell them apart."""

    @property
    def _brokers(self) -> Brokers:
        return self._book.brokers

    async def accounts(self, seat: Seat) -> tuple[Account, ...] | None:
        """Ask a broker for its accounts; None if it cannot say now."""
        try:
            accounts = await seat.broker.accounts()
        except OrderError as error:
            logger.warning("the accounts at %s could not be read: %s", seat.name, error)
            return None
        self._book.accounts[seat.name] = accounts
        return accounts

    async def account(self, instrument: InstrumentId) -> Account | None:
        """Ask for the account that pays for an instrument; None if its broker cannot say now."""
        seat = self._brokers.at(venue_of(instrument))
        accounts = None if seat is None else await self.accounts(seat)
        return None if accounts is None else paying(accounts, instrument)

    async def take_fills(self, seat: Seat) -> int:
        """Take a broker's new fills, each in a transaction of its own; return how many were new."""
        after = await self._book.store.read(lambda tx: last_fill_id(tx, seat.name))
        try:
            fills = await seat.broker.fills(after)
        except OrderError as error:
            logger.warning("the fills of %s could not be read: %s", seat.name, error)
            return 0
        if fills:
            await self.accounts(seat)
        count = 0
        for fill in fills:
            count += await self._book.write(_recording(fill, seat.name))
        return count

    async def resolve(self) -> None:
        """Settle what a failed sending left behind, then ask about doubts and open orders."""
        orders = await self._book.store.read(lambda tx: tx.orders.in_states(GOING))
        if not orders:
            self._asked_at.clear()
            return
        await self.clear_leftovers(orders)
        due = self._due(await self._at_broker())
        await self._brokers.each("ask", lambda seat: self.ask(orders_of(seat, due)[:ASKED_AT_ONCE]))

    async def clear_leftovers(self, orders: Sequence[Order]) -> None:
        """Confirmed orders that nobody is sending lapse; submitted ones are in doubt."""
        for order in orders:
            if order.state in _LEFTOVERS and not self._book.in_flight[order.id]:
                await self._book.write(_leaving(order.id))

    async def ask_all(self) -> None:
        """Ask the brokers about every order that they may hold."""
        orders = await self._at_broker()
        await self._brokers.each("ask", lambda seat: self.ask(orders_of(seat, orders)))

    async def ask(self, orders: Sequence[Order]) -> None:
        """Ask about orders, one by one, and learn from the answers; no answer changes nothing."""
        for order in orders:
            self._asked_at[order.id] = self._book.now()
            try:
                found = await self._brokers.of(order.instrument).broker.find(order)
            except OrderError as error:
                logger.warning("the broker could not be asked about order %s: %s", order.id, error)
                if error.code == AMBIGUOUS:
                    self.ambiguous.add(order.id)
                continue
            self.ambiguous.discard(order.id)
            await self._book.write(_learning(order.id, found))

    async def _at_broker(self) -> list[Order]:
        orders = await self._book.store.read(lambda tx: tx.orders.in_states(AT_BROKER))
        return [order for order in orders if order.state is not OrderState.SUBMITTED]

    def _due(self, orders: Sequence[Order]) -> list[Order]:
        """Return those to ask about now: doubts first, then those not asked for longest."""
        kept = {order.id for order in orders}
        self._asked_at = {one: at for one, at in self._asked_at.items() if one in kept}
        now = self._book.now()
        due = [order for order in orders if self._is_due(order, now)]
        due.sort(key=self._urgency)
        return due

    def _is_due(self, order: Order, now: datetime) -> bool:
        asked_at = self._asked_at.get(order.id)
        if asked_at is None or order.state is OrderState.IN_DOUBT:
            return True
        return now - asked_at >= (ASK_SOON if order.is_cancel_requested else ASK_AGAIN)

    def _urgency(self, order: Order) -> tuple[bool, float]:
        asked_at = self._asked_at.get(order.id)
        is_certain = order.state is not OrderState.IN_DOUBT
        return is_certain, 0.0 if asked_at is None else asked_at.timestamp()


def _recording(fill: Fill, broker: str) -> Callable[[Page], bool]:
    return lambda page: record_fill(page, fill, broker)


def _leaving(order_id: str) -> Callable[[Page], None]:
    return lambda page: _leave(page, order_id)


def _learning(order_id: str, found: BrokerOrder | None) -> Callable[[Page], None]:
    return lambda page: learn(page, order_id, found)


_LEFTOVERS = {
    OrderState.CONFIRMED: (OrderState.LAPSED, "order.interrupted"),
    OrderState.SUBMITTED: (OrderState.IN_DOUBT, "order.in_doubt"),
}


def _leave(page: Page, order_id: str) -> None:
    order = page.tx.orders.get(order_id)
    if order is not None and order.state in _LEFTOVERS:
        state, code = _LEFTOVERS[order.state]
        page.put(advance(order, state, code=code))


def learn(page: Page, order_id: str, found: BrokerOrder | None) -> None:
    """Take the broker's view of an order; what traded is believed only when its fills come."""
    order = page.tx.orders.get(order_id)
    if order is None or order.state not in AT_BROKER or order.state is OrderState.SUBMITTED:
        return
    if found is None:
        _miss(page, order)
    elif found.state in _ENDS and found.filled_quantity <= order.filled_quantity:
        _end(page, order, found)
    elif _is_done(order, found):  # less than was asked for, but all there is: a rest was no lot
        page.put(advance(order, OrderState.FILLED, broker_order_id=found.broker_order_id, code=""))
    elif order.state is OrderState.IN_DOUBT:
        is_part = order.filled_quantity > 0
        state = OrderState.PARTIALLY_FILLED if is_part else OrderState.ACCEPTED
        page.put(advance(order, state, broker_order_id=found.broker_order_id, code=""))


def _is_done(order: Order, found: BrokerOrder) -> bool:
    """Tell whether the broker calls an order filled, and all of its trades were taken."""
    is_told = 0 < found.filled_quantity <= order.filled_quantity
    return found.state is OrderState.FILLED and is_told


def _end(page: Page, order: Order, found: BrokerOrder) -> None:
    state = found.state
    if state is OrderState.REJECTED and order.filled_quantity > 0:
        state = OrderState.CANCELED  # the rest was refused after a part had traded
    code = "rejected.other" if state is OrderState.REJECTED else ""
    page.put(advance(order, state, broker_order_id=found.broker_order_id, code=code))


def _miss(page: Page, order: Order) -> None:
    """Settle an order that the broker does not have: never sent, or lost after it was accepted."""
    was_there = order.broker_order_id is not None or order.filled_quantity > 0
    if not was_there and order.state is OrderState.IN_DOUBT:
        page.put(advance(order, OrderState.NOT_SENT, code="order.not_sent"))
    elif order.state is not OrderState.IN_DOUBT:
        page.put(advance(order, OrderState.IN_DOUBT, code="order.in_doubt"))
        facts = {"order": order.id, "instrument": order.instrument}
        page.tell_owner("notice.vanished", **facts)
        page.fail("notice.vanished", **facts)
