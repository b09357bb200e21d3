"""The paper venue's own book: orders, fills, cash and holdings as documents of a transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.paper_order import OPEN, read_fill, read_order, written
from brokers.paper_volume import Look
from market.currency import KRW, currency_of
from market.orders import Fill, Position, PositionSide, Side
from market.types import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from brokers.paper_order import PaperOrder
    from market.store import Transaction
    from market.types import InstrumentId

_ORDER = "paper/order/"
_OPEN = "paper/open/"
_FILL = "paper/fill/"
_HELD = "paper/held/"
_CASH = "paper/cash"
_USDT = "paper/cash/USDT"
ZERO = Decimal(0)
_LOOK = "paper/look/"


class PaperBook:
    """The book within one transaction, with the last prices (`price_of`) that shorts bind."""

    def __init__(
        self,
        tx: Transaction,
        start_cash: Decimal,
        start_usdt: Decimal = ZERO,
        *,
        price_of: Callable[[InstrumentId], Decimal | None] = lambda _: None,
    ) -> None:
        self._documents = tx.documents
        self._price_of = price_of
        self._start_cash = start_cash
        self._start_usdt = start_usdt

    def order(self, client_id: str) -> PaperOrder | None:
        """Return an order by the client's id."""
        value = self._documents.get(_ORDER + client_id)
        return None if value is None else read_order(value)

    def open_orders(self) -> list[PaperOrder]:
        """Return the orders that can still trade, oldest first."""
        names = [key.removeprefix(_OPEN) for key, _ in self._documents.items(_OPEN)]
        found = [order for name in names if (order := self.order(name)) is not None]
        return sorted(found, key=lambda order: order.broker_id)

    def put_order(self, order: PaperOrder) -> None:
        """Keep an order in its present state."""
        self._documents.put(_ORDER + order.client_id, written(order))
        if order.state in OPEN:
            self._documents.put(_OPEN + order.client_id, {})
        else:
            self._documents.delete(_OPEN + order.client_id)

    def next_broker_id(self) -> str:
        """Return a number for a new order; each is given once."""
        return f"paper-{self._count('orders'):09d}"

    def cash(self, currency: str = KRW) -> Decimal:
        """Return the money of a currency, settled at once."""
        if currency == KRW:
            return Decimal(self._purse()["amount"])
        kept = self._documents.get(_USDT)
        return self._start_usdt if kept is None else Decimal(kept["amount"])

    def buying_power(self, currency: str = KRW) -> Decimal:
        """Return cash less what open entries have set aside, and what short positions bind.

        What a short was sold for is in the cash but owed at the price now, and its worth is bound
        as margin, as at Binance with leverage 1: twice its worth cannot be spent.
        """
        opening = [one for one in self.open_orders() if one.is_entry]
        aside = [
            one.remaining * one.reserve_price
            for one in opening
            if currency_of(one.instrument) == currency
        ]
        bound = [
            -2 * one.quantity * (self._price_of(one.instrument) or one.average_price)
            for one in self.positions()
            if one.quantity < 0 and currency_of(one.instrument) == currency
        ]
        return self.cash(currency) - sum(aside, ZERO) - sum(bound, ZERO)

    def held(self, instrument: InstrumentId) -> Decimal:
        """Return the quantity held of an instrument, below 0 where it was sold short."""
        return self._holding(instrument)[0]

    def positions(self) -> list[Position]:
        """Return what is held, at the average price of what opened it."""
        found = [key.removeprefix(_HELD) for key, _ in self._documents.items(_HELD)]
        holdings = [(name, *self._holding(name)) for name in found]
        return [
            Position(name, quantity, worth / quantity)
            for name, quantity, worth in holdings
            if quantity
        ]

    def closable(self, instrument: InstrumentId, side: PositionSide) -> Decimal:
        """Return how much of a position of this side is not being closed already."""
        closing = (
            order.remaining
            for order in self.open_orders()
            if order.instrument == instrument and order.position is side and not order.is_entry
        )
        return self.held(instrument) * side.sign - sum(closing, ZERO)

    def is_open_otherwise(self, instrument: InstrumentId, side: PositionSide) -> bool:
        """Tell whether the other side is there, or being opened."""
        coming = (one for one in self.open_orders() if one.instrument == instrument)
        is_coming = any(one.is_entry and one.position is not side for one in coming)
        return is_coming or self.held(instrument) * side.sign < 0

    def trade(
        self, order: PaperOrder, quantity: Decimal, price: Decimal, cost: Decimal, at: datetime
    ) -> PaperOrder:
        """Trade a part of an order: fill, order, cash and holding together; return it after."""
        fill = Fill(
            id=f"{self._count('fills'):012d}",
            order_id=order.order_id,
            instrument=order.instrument,
            side=order.side,
            quantity=quantity,
            price=price,
            cost=cost,
            at=at,
        )
        self._hold(fill)
        self._documents.put(_FILL + fill.id, written(fill))
        after = order.with_part(quantity, price, cost)
        self.put_order(after)
        sign = 1 if order.side is Side.BUY else -1
        self._spend(sign * price * quantity + cost, currency_of(order.instrument))
        return after

    def look(self, instrument: InstrumentId) -> Look | None:
        """Return what was last seen of an instrument while it had open orders."""
        value = self._documents.get(_LOOK + instrument)
        if value is None:
            return None
        count = value["count"]
        return Look(
            from_ms(value["at"]), None if count is None else Decimal(count), Decimal(value["spare"])
        )

    def put_look(self, instrument: InstrumentId, look: Look | None) -> None:
        """Keep what was last seen of an instrument, None for nothing that counts."""
        if look is None:
            self._documents.delete(_LOOK + instrument)
        else:
            self._documents.put(_LOOK + instrument, written(look))

    def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, oldest first."""
        start = _FILL + after if after else ""
        return [read_fill(value) for _, value in self._documents.items(_FILL, start)]

    def _hold(self, fill: Fill) -> None:
        """Add a fill to what is held, or take it off at the average price of what opened it."""
        quantity, worth = self._holding(fill.instrument)
        quantity, worth = _added(quantity, worth, fill)
        kept = {"quantity": str(quantity), "worth": str(worth)}
        self._documents.put(_HELD + fill.instrument, kept)

    def _holding(self, instrument: InstrumentId) -> tuple[Decimal, Decimal]:
        """Return the quantity held of an instrument and its worth, both below 0 where short."""
        value = self._documents.get(_HELD + instrument)
        if value is None:
            return Decimal(0), Decimal(0)
        if "worth" in value:
            return Decimal(value["quantity"]), Decimal(value["worth"])
        holding = Decimal(0), Decimal(0)  # kept before the worth was: the fills tell it
        for fill in self.fills(""):
            holding = _added(*holding, fill) if fill.instrument == instrument else holding
        return holding

    def _purse(self) -> dict[str, Any]:
        kept = self._documents.get(_CASH)
        return kept or {"amount": str(self._start_cash), "orders": 0, "fills": 0}

    def _count(self, what: str) -> int:
        purse = self._purse()
        number = int(purse[what]) + 1
        self._documents.put(_CASH, {**purse, what: number})
        return number

    def _spend(self, amount: Decimal, currency: str) -> None:
        if currency != KRW:
            self._documents.put(_USDT, {"amount": str(self.cash(currency) - amount)})
            return
        purse = self._purse()
        left = Decimal(purse["amount"]) - amount
        self._documents.put(_CASH, {**purse, "amount": str(left)})


def _added(quantity: Decimal, worth: Decimal, fill: Fill) -> tuple[Decimal, Decimal]:
    """Return quantity and worth of a holding after a fill; an exit leaves its average alone."""
    signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
    left = quantity + signed
    if quantity * signed >= 0:
        return left, worth + signed * fill.price
    return left, worth / quantity * left if left * quantity > 0 else ZERO
