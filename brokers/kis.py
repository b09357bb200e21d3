"""Korea Investment & Securities: shares of KRX, in a real or a virtual account.

KIS takes no client order id. Every order is therefore written down before it is posted and its
number after; one that was never answered is looked for by its fingerprint (`kis_doubt`).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.broker import BROKERS, BrokerOrder, trades_at
from brokers.kis_book import KisBook, Sent
from brokers.kis_by_hand import KisByHand
from brokers.kis_doubt import Evidence, recognise
from brokers.kis_ledger import Told, take_in, unlisted
from brokers.kis_listener import KisListener
from brokers.kis_match import SETTLE, open_order, row_of
from brokers.kis_placing import KisPlacing, code_of, desk_of
from brokers.kis_reads import KisReads
from brokers.kis_rows import average, day_text
from brokers.kis_sending import KisSending
from brokers.kis_standing import is_day_over, unlisted_state
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import Side
from market.sessions import KST
from market.types import Venue
from venues.kis_http import KisHttp
from venues.kis_session import connect_without_pings, session_of
from venues.kis_token import KisAccess

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from decimal import Decimal

    from brokers.broker import Adoption, BrokerParts, OpenOrder
    from brokers.kis_rows import DayOrder
    from market.orders import Account, Fill, Order, Position
    from market.store import Transaction
    from market.types import InstrumentId
    from venues.live_socket import Connect


class KisBroker:
    """One account at KIS. Cash is told as it will be after settlement, in two days.

    Fills are made out of the counts of the day's orders; fee and tax are worked out from the
    settings and the law, because KIS tells them for whole days only. Where the virtual server's
    list leaves an order out, the holdings tell what has traded (`kis_estimate`).
    """

    venues = frozenset({Venue.KRX})

    def __init__(
        self,
        parts: BrokerParts,
        connect: Connect = connect_without_pings,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        settings = parts.settings.kis
        self._store = parts.store
        self._fee = parts.settings.broker.fee
        self._patience = timedelta(seconds=settings.timeout_seconds)
        self._is_virtual = settings.is_virtual
        self._desk = desk_of(parts)
        self.phases = self._desk.phases
        access = KisAccess(parts.http, settings, parts.wall_clock, pause)
        self._reads = KisReads(
            KisHttp(parts.http, settings, access),
            self._desk.services,
            self._desk.account,
            exchange="KRX" if settings.is_virtual else "ALL",
        )
        sending = KisSending(parts.http, settings, access)
        self._placing = KisPlacing(parts.store, sending, self._reads, self._desk)
        self._by_hand = KisByHand(parts.store, self._reads, self._placing, self._desk)
        session = session_of(parts.http, settings, access, parts.wall_clock, connect)
        self._listener = KisListener(
            session, settings, access, parts.wall_clock, self._desk.services.fills
        )
        self._turn = asyncio.Lock()

    async def place(self, order: Order) -> str:
        """Send once; return branch and number, which are unique for the day."""
        try:
            return await self._placing.place(order)
        finally:
            self._listener.wake()

    def takes_stops(self, instrument: InstrumentId) -> bool:
        """Tell whether stops can rest: not in a virtual account, whose list leaves orders out."""
        return not self._is_virtual and instrument.startswith(f"{Venue.KRX}:")

    async def place_stop(self, order: Order, trigger: Decimal) -> str:
        """Send a stop of the day once; return branch and number."""
        try:
            return await self._placing.place_stop(order, trigger)
        finally:
            self._listener.wake()

    async def revise(self, order: Order, by: Order) -> str:
        """Ask once that `by` takes over what is left of an order; return the new number."""
        try:
            return await self._placing.revise(order, by)
        finally:
            self._listener.wake()

    async def cancel(self, order: Order) -> None:
        """Ask once to cancel what is left; whether it was, `find` tells."""
        try:
            await self._placing.cancel(order)
        finally:
            self._listener.wake()

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return how an order stands; OutcomeUnknown("ambiguous") where a person has to say."""
        sent = await self._sent(order)
        if sent is None or sent.is_settled:
            return None
        self._refuse_in_flight(sent)
        orders = await self._reads.orders(sent.day, sent.day)
        if not sent.number:
            sent = await self._recognise(sent, orders)
        return None if sent.is_settled else self._view(sent, orders)

    async def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, oldest first."""
        self._listener.ensure()
        async with self._turn:
            if not self._listener.is_quiet():
                self._listener.asked()
                try:
                    await self._ask_for_fills()
                except BaseException:  # whatever it was: it has not been asked
                    self._listener.wake()
                    raise
        return await self._store.read(lambda tx: self._book(tx).fills(after))

    async def accounts(self) -> tuple[Account, ...]:
        """Return the cash after settlement and what can be bought without credit."""
        return (await self._reads.account(),)

    async def possible(self, order: Order) -> Decimal | None:
        """Return how many shares of an order KIS would take now; None where money alone bounds it.

        A limit to buy is counted at its price, as we do; one at the market at the upper limit.
        """
        if order.side is Side.BUY and order.price is not None:
            return None
        return await self._reads.possible(code_of(order), order.side)

    async def positions(self) -> list[Position]:
        """Return what is held."""
        return await self._reads.positions()

    async def open_orders(self) -> list[OpenOrder]:
        """Return what may still trade today, whoever sent it."""
        today = self._today()
        orders = await self._reads.orders(today, today)
        ours = await self._store.read(
            lambda tx: {sent.number: sent for sent in self._book(tx).of_day(today)}
        )
        return [
            open_order(order, ours.get(order.number))
            for order in orders
            if order.remaining > 0 and not self._is_over(today)
        ]

    async def candidates(self, order: Order) -> list[OpenOrder]:
        """Return the orders of the day that nobody claims and that look like one in doubt."""
        sent = await self._sent(order)
        if sent is None or sent.number:
            return []
        return [open_order(one, None) for one in await self._by_hand.candidates(sent)]

    async def settle(self, order: Order, broker_order_id: str | None) -> None:
        """Let a person say which of the candidates an order is, or None: that it is none.

        OrderRejected("unknown_order") where it is not one of them, OutcomeUnknown for None while
        its request may still be under way.
        """
        sent = await self._sent(order)
        if sent is None or sent.number:
            raise OrderRejected("unknown_order", f"order {order.id} is not in doubt")
        self._refuse_in_flight(sent)
        await self._by_hand.settle(sent, broker_order_id, self._patience)
        self._listener.wake()

    async def adopt(self, found: OpenOrder, order: Order) -> Adoption:
        """Return what makes an order made elsewhere ours; OrderRejected("closed") if it is over."""
        return await self._by_hand.adopt(found, order, self._fee)

    async def cancel_foreign(self, found: OpenOrder) -> None:
        """Ask once to cancel what is left of an order made elsewhere."""
        await self._by_hand.cancel(found)

    async def news(self) -> None:
        """Return as soon as the socket has told that something happened to an order."""
        await self._listener.news()

    async def close(self) -> None:
        """End the socket's session; may be called twice."""
        await self._listener.close()

    async def _ask_for_fills(self) -> None:
        watched = await self._store.read(lambda tx: self._book(tx).watched())
        if not watched:
            return
        today = self._today()
        orders = await self._reads.orders(min(sent.day for sent in watched), today)
        for sent in watched:
            if not sent.number and sent.client_id not in self._placing.in_flight:
                await self._recognise_quietly(sent, orders)
        missing = unlisted(watched, orders, today) if self._is_virtual else []
        holdings = await self._reads.holdings() if missing else None
        told = Told(orders, holdings, today, self._desk.wall_clock.now(), self._fee)
        await self._store.write(lambda tx: take_in(tx, self._book(tx), told))

    async def _recognise_quietly(self, sent: Sent, orders: Sequence[DayOrder]) -> None:
        try:
            await self._recognise(sent, orders)
        except OutcomeUnknown:  # `find` says so to whoever asks about this order
            return

    async def _recognise(self, sent: Sent, orders: Sequence[DayOrder]) -> Sent:
        of_day = [order for order in orders if order.day == sent.day]
        seen = Evidence(
            orders=of_day,
            now=self._desk.wall_clock.now(),
            patience=self._patience,
            is_trusted=bool(of_day) or not self._is_virtual,
        )

        def settle(tx: Transaction) -> Sent:
            book = self._book(tx)
            newest = book.get(sent.client_id) or sent
            is_known = bool(newest.number) or newest.is_settled
            return newest if is_known else recognise(book, newest, seen)

        return await self._store.write(settle)

    def _view(self, sent: Sent, orders: Sequence[DayOrder]) -> BrokerOrder | None:
        row = row_of(sent, orders)
        if row is not None:
            state = row.state(is_over=self._is_over(row.day, sent))
            filled = row.filled - sent.before_quantity
            price = average(row.amount - sent.before_amount, filled)
            return BrokerOrder(sent.broker_id, state, filled, price)
        is_young = self._desk.wall_clock.now() < sent.sent_at + SETTLE
        if not self._is_virtual and not is_young:
            return None
        filled = sent.told_quantity - sent.before_quantity
        price = average(sent.told_amount - sent.before_amount, filled)
        state = unlisted_state(sent, is_over=self._is_over(sent.day, sent))
        return BrokerOrder(sent.broker_id, state, filled, price)

    def _is_over(self, day: str, sent: Sent | None = None) -> bool:
        return is_day_over(day, self._desk.wall_clock.now(), self._desk.calendar, sent)

    def _refuse_in_flight(self, sent: Sent) -> None:
        if sent.client_id in self._placing.in_flight:
            raise OutcomeUnknown("unsettled", f"order {sent.order_id} is being sent")

    async def _sent(self, order: Order) -> Sent | None:
        return await self._store.read(lambda tx: self._book(tx).get(order.client_order_id))

    def _today(self) -> str:
        return day_text(self._desk.wall_clock.now().astimezone(KST).date())

    def _book(self, tx: Transaction) -> KisBook:
        return KisBook(tx, self._desk.server)


@BROKERS.register("kis")
@trades_at(Venue.KRX)
def kis(parts: BrokerParts) -> KisBroker:
    """Return the account that the settings name."""
    return KisBroker(parts)
