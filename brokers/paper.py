"""The paper broker: a venue of its own that trades at the next ticks we see.

Its book lives in our database but in transactions of its own, so that a kill between one of its
writes and one of ours is the same as a kill while a real broker has the order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from brokers.broker import BROKERS, BrokerOrder, BrokerParts, OpenOrder, trades_at
from brokers.paper_book import PaperBook
from brokers.paper_floor import PaperFloor
from brokers.paper_match import day_end, day_limits, end_of, latency_of
from brokers.paper_order import OPEN, PaperOrder
from market.currency import COUNTED, currency_of
from market.errors import OrderRejected
from market.known import recall
from market.money import floor_to_lot, to_decimal
from market.orders import Account, PositionSide
from market.prices import is_on_tick, least_order, step_price
from market.segments import may_be_short
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from config.settings import Settings
    from market.clock import Clock
    from market.orders import Fill, Order, Position
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import Instrument, InstrumentId, Tick


class PaperBroker:
    """A pretend venue: day orders, fees on both sides, tax on sales, futures without leverage."""

    venues = frozenset(Venue)

    def __init__(
        self,
        store: Store,
        settings: Settings,
        market_clock: Clock,
        calendars: Mapping[Venue, Calendar],
    ) -> None:
        self._store = store
        self._settings = settings.broker
        self._floor = PaperFloor(settings.broker, calendars)
        self._clock = market_clock
        self._calendars = calendars
        self._newest: dict[InstrumentId, Tick] = {}
        self._may_have_open = True

    async def place(self, order: Order) -> str:
        """Accept an order durably; raise OrderRejected where a venue would refuse it."""
        try:
            accepted = await self._store.write(lambda tx: self._accept(tx, order))
        finally:  # also when our caller is cancelled: the write may well have happened
            self._may_have_open = True
        return accepted.broker_id

    async def cancel(self, order: Order) -> None:
        """Let a cancel of what is left be on its way; raise OrderRejected if nothing is left."""

        def close(tx: Transaction) -> None:
            book = self._settled(tx)
            kept = book.order(order.client_order_id)
            if kept is None:
                raise OrderRejected("unknown_order", f"paper has no order {order.id}")
            if kept.state not in OPEN:
                raise OrderRejected("closed", f"order {order.id} is {kept.state}")
            if kept.cancels_at is None:
                book.put_order(
                    replace(kept, cancels_at=self._clock.now() + latency_of(self._settings))
                )
                self._settled(tx)

        await self._store.write(close)

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return how an order stands; None means that the venue never accepted it."""
        # On the writer thread, behind a placement that its caller may have given up on.
        kept = await self._store.write(lambda tx: self._look_up(tx, order.client_order_id))
        if kept is None:
            return None
        return BrokerOrder(kept.broker_id, kept.state, kept.filled_quantity, kept.average_price)

    async def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, oldest first."""
        return await self._store.read(lambda tx: self._book(tx).fills(after))

    async def accounts(self) -> tuple[Account, ...]:
        """Return won and USDT, each with and without what cannot be spent."""

        def read(tx: Transaction) -> tuple[Account, ...]:
            book = self._settled(tx)
            return tuple(Account(book.cash(one), book.buying_power(one), one) for one in COUNTED)

        return await self._store.write(read)

    async def open_orders(self) -> list[OpenOrder]:
        """Return what may still trade, oldest first."""

        def look(tx: Transaction) -> list[OpenOrder]:
            return [_as_open(order) for order in self._settled(tx).open_orders()]

        return await self._store.write(look)

    async def positions(self) -> list[Position]:
        """Return what the venue holds for us."""
        return await self._store.read(lambda tx: self._book(tx).positions())

    async def observe(self, ticks: Sequence[Tick]) -> None:
        """Let open orders meet the newest ticks; without open orders nothing is written."""
        for tick in ticks:
            self._newest[tick.instrument] = tick
        if self._may_have_open and ticks:
            self._may_have_open = await self._store.write(lambda tx: self._match(tx, ticks))

    def _look_up(self, tx: Transaction, client_id: str) -> PaperOrder | None:
        return self._settled(tx).order(client_id)

    def _book(self, tx: Transaction) -> PaperBook:
        cash, usdt = self._settings.cash, self._settings.cash_usdt
        return PaperBook(tx, cash, usdt, price_of=self._last_price)

    def _last_price(self, instrument: InstrumentId) -> Decimal | None:
        tick = self._newest.get(instrument)
        return None if tick is None else to_decimal(tick.price)

    def _accept(self, tx: Transaction, order: Order) -> PaperOrder:
        book = self._settled(tx)
        instrument = recall(tx, order.instrument)
        if book.order(order.client_order_id) is not None:
            raise OrderRejected("duplicate", f"paper already has {order.client_order_id}")
        self._check_form(order, instrument)
        now = self._clock.now()
        accepted = PaperOrder(
            client_id=order.client_order_id,
            broker_id=book.next_broker_id(),
            order_id=order.id,
            instrument=order.instrument,
            side=order.side,
            quantity=order.quantity,
            price=order.price,
            reserve_price=self._reserve_price(order, instrument),
            accepted_at=now,
            ends_at=day_end(now, instrument.kind, self._calendars[instrument.venue]),
            position=order.position,
        )
        self._check_means(book, accepted)
        self._floor.begin(book, accepted, self._newest.get(order.instrument))
        book.put_order(accepted)
        return accepted

    def _check_form(self, order: Order, instrument: Instrument) -> None:
        currency = currency_of(instrument.id)
        if currency not in COUNTED:
            raise OrderRejected("currency", f"paper holds {', '.join(COUNTED)}, not {currency}")
        quantity = order.quantity
        if quantity <= 0 or floor_to_lot(quantity, instrument.steps) != quantity:
            raise OrderRejected("quantity", f"{quantity} is not a tradable quantity")
        least = least_order(instrument.steps)
        worth = quantity * (order.reference_price if order.price is None else order.price)
        if least and worth < least:
            raise OrderRejected("least", f"{worth} {currency} are less than an order takes")
        if order.price is None:
            return
        if order.price <= 0 or not is_on_tick(order.price, instrument.steps):
            raise OrderRejected("price", f"{order.price} is not on the venue's tick")
        newest = self._newest.get(order.instrument)
        limits = None if newest is None else day_limits(newest, instrument)
        if limits is not None and not limits[0] <= order.price <= limits[1]:
            raise OrderRejected("price", f"{order.price} is outside {limits[0]}-{limits[1]}")

    def _check_means(self, book: PaperBook, order: PaperOrder) -> None:
        if not order.is_entry:
            most = book.closable(order.instrument, order.position)
            if order.quantity > most:
                raise OrderRejected("no_position", f"{most} can be closed, not {order.quantity}")
            return
        if order.position is PositionSide.SHORT and not may_be_short(order.instrument):
            raise OrderRejected("no_position", f"{order.instrument} cannot be sold short")
        if book.is_open_otherwise(order.instrument, order.position):
            raise OrderRejected("no_position", f"the other side of {order.instrument} is open")
        power = book.buying_power(currency_of(order.instrument))
        needed = order.quantity * order.reserve_price
        if needed > power:
            raise OrderRejected("cash", f"{needed} needed, {power} free")

    def _reserve_price(self, order: Order, instrument: Instrument) -> Decimal:
        """Return an entry's price with its fee; at the market it is expected at its reference."""
        price = order.price
        if price is None:
            ticks = self._settings.slippage_ticks
            price = order.reference_price
            price = step_price(price, instrument.steps, ticks) if ticks else price
        return price * (1 + self._settings.fee_at(order.instrument))

    def _match(self, tx: Transaction, ticks: Sequence[Tick]) -> bool:
        self._floor.match(self._book(tx), ticks, lambda name: recall(tx, name))
        return bool(self._settled(tx).open_orders())

    def _settled(self, tx: Transaction) -> PaperBook:
        """Return the book after what time alone has brought about."""
        book, now = self._book(tx), self._clock.now()
        for order in book.open_orders():
            state = end_of(order, now)
            if state is not None:
                book.put_order(replace(order, state=state))
        return book


def _as_open(order: PaperOrder) -> OpenOrder:
    return OpenOrder(
        broker_order_id=order.broker_id,
        client_order_id=order.client_id,
        instrument=order.instrument,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        filled_quantity=order.filled_quantity,
        at=order.accepted_at,
    )


@BROKERS.register("paper")
@trades_at(*Venue)
def paper(parts: BrokerParts) -> PaperBroker:
    """Return the paper broker, whose book is in the store."""
    return PaperBroker(parts.store, parts.settings, parts.market_clock, parts.calendars)
