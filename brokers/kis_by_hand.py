"""What a person decides about orders at KIS: which one is ours, and what becomes of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from brokers.broker import Adoption
from brokers.kis_book import KisBook, Sent, Stage
from brokers.kis_doubt import absent, number, over_at
from brokers.kis_ledger import cost_of
from brokers.kis_match import has_fingerprint, is_certain, open_order
from brokers.kis_placing import original
from brokers.kis_rows import day_text
from market.errors import OrderRejected, OutcomeUnknown
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from brokers.broker import OpenOrder
    from brokers.kis_placing import Desk, KisPlacing
    from brokers.kis_reads import KisReads
    from brokers.kis_rows import DayOrder
    from market.orders import Order
    from market.store import Store, Transaction


class KisByHand:
    """Orders of one account that a person points at."""

    def __init__(self, store: Store, reads: KisReads, placing: KisPlacing, desk: Desk) -> None:
        self._store = store
        self._reads = reads
        self._placing = placing
        self._desk = desk

    async def candidates(self, sent: Sent) -> list[DayOrder]:
        """Return the orders of the day that nobody claims and that look like one in doubt."""
        orders = await self._reads.orders(sent.day, sent.day)
        claimed = await self._store.read(lambda tx: self._book(tx).owners(sent.day))
        return [one for one in orders if one.number not in claimed and has_fingerprint(one, sent)]

    async def settle(self, sent: Sent, broker_order_id: str | None, patience: timedelta) -> None:
        """Take an order for the one of this number; None: that KIS does not have it."""
        if broker_order_id is None:
            if not is_certain(over_at(sent, patience), self._desk.wall_clock.now()):
                raise OutcomeUnknown("unsettled", f"{sent.order_id} may still be under way")
            await self._store.write(lambda tx: absent(self._book(tx), sent))
            return
        orders = await self._reads.orders(sent.day, sent.day)
        chosen = [one for one in orders if open_order(one, None).broker_order_id == broker_order_id]
        if not chosen or not has_fingerprint(chosen[0], sent):
            raise OrderRejected("unknown_order", f"{broker_order_id} is not order {sent.order_id}")
        await self._store.write(lambda tx: self._take(tx, sent, chosen[0]))

    async def adopt(self, found: OpenOrder, order: Order, fee: Decimal) -> Adoption:
        """Return what makes an order that rests one of ours, from what has traded by now on."""
        row = await self._resting(found)
        return Adoption(row.filled, lambda tx: self._adopt(tx, row, order, fee))

    async def cancel(self, found: OpenOrder) -> None:
        """Ask once to cancel what is left of an order that rests."""
        row = await self._resting(found)
        await self._placing.cancel_original(
            row.division, original(row.branch, row.number, row.exchange)
        )

    async def _resting(self, found: OpenOrder) -> DayOrder:
        today = day_text(self._desk.wall_clock.now().astimezone(KST).date())
        orders = await self._reads.orders(today, today)
        rows = [one for one in orders if _is_same(one, found) and one.remaining > 0]
        if not rows:
            raise OrderRejected("closed", f"{found.broker_order_id} rests at kis no more")
        return rows[0]

    def _take(self, tx: Transaction, sent: Sent, order: DayOrder) -> None:
        book = self._book(tx)
        self._refuse_claimed(book, order)
        number(book, sent, order)

    def _adopt(self, tx: Transaction, row: DayOrder, order: Order, fee: Decimal) -> None:
        book = self._book(tx)
        self._refuse_claimed(book, row)
        sent = Sent(
            client_id=order.client_order_id,
            order_id=order.id,
            instrument=row.instrument,
            side=row.side,
            quantity=row.quantity,
            price=row.price,
            division=row.division,
            day=row.day,
            sent_at=row.at,
            stage=Stage.NUMBERED,
            branch=row.branch,
            number=row.number,
            parent=row.parent,
            told_quantity=row.filled,
            told_amount=row.amount,
            before_quantity=row.filled,
            before_amount=row.amount,
            trigger=row.trigger,
            exchange=row.exchange,
        )
        cost = cost_of(tx, sent, row.amount, row.is_told_at, fee)
        book.put(replace(sent, told_cost=cost))
        book.watch(sent.client_id)

    def _refuse_claimed(self, book: KisBook, order: DayOrder) -> None:
        if order.number in book.owners(order.day):
            raise OrderRejected("unknown_order", f"{order.number} is another order of ours")

    def _book(self, tx: Transaction) -> KisBook:
        return KisBook(tx, self._desk.server)


def _is_same(order: DayOrder, found: OpenOrder) -> bool:
    seen = open_order(order, None)
    named = (found.broker_order_id, found.instrument, found.side)
    return (seen.broker_order_id, seen.instrument, seen.side) == named
