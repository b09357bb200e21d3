"""The paper venue's own book: orders, fills, cash and holdings as documents of a transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.paper_volume import Look
from market.currency import KRW, currency_of
from market.orders import Fill, OrderState, Position, Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from market.store import Transaction
    from market.types import InstrumentId

OPEN = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})

_ORDER = "paper/order/"
_OPEN = "paper/open/"
_FILL = "paper/fill/"
_HELD = "paper/held/"
_CASH = "paper/cash"
_USDT = "paper/cash/USDT"
ZERO = Decimal(0)
_LOOK = "paper/look/"


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order as the venue keeps it; `reserve_price` is what a buy's money is set aside at.

    `traded` and `paid` are the money and the costs of what has traded; `cancels_at` is when its
    cancel arrives, if it was asked for.
    """

    client_id: str
    broker_id: str
    order_id: str
    instrument: InstrumentId
    side: Side
    quantity: Decimal
    price: Decimal | None
    reserve_price: Decimal
    accepted_at: datetime
    ends_at: datetime | None
    state: OrderState = OrderState.ACCEPTED
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    traded: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    cancels_at: datetime | None = None

    @property
    def remaining(self) -> Decimal:
        """Return what has not traded."""
        return self.quantity - self.filled_quantity

    def with_part(self, quantity: Decimal, price: Decimal, cost: Decimal) -> PaperOrder:
        """Return it after one more part has traded."""
        filled = self.filled_quantity + quantity
        traded = self.traded + quantity * price
        is_whole = filled == self.quantity
        return replace(
            self,
            state=OrderState.FILLED if is_whole else OrderState.PARTIALLY_FILLED,
            filled_quantity=filled,
            average_price=traded / filled,
            traded=traded,
            paid=self.paid + cost,
        )


class PaperBook:
    """The book within one transaction; nothing is kept outside it."""

    def __init__(self, tx: Transaction, start_cash: Decimal, start_usdt: Decimal = ZERO) -> None:
        self._documents = tx.documents
        self._start_cash = start_cash
        self._start_usdt = start_usdt

    def order(self, client_id: str) -> PaperOrder | None:
        """Return an order by the client's id."""
        value = self._documents.get(_ORDER + client_id)
        return None if value is None else _read_order(value)

    def open_orders(self) -> list[PaperOrder]:
        """Return the orders that can still trade, oldest first."""
        names = [key.removeprefix(_OPEN) for key, _ in self._documents.items(_OPEN)]
        found = [order for name in names if (order := self.order(name)) is not None]
        return sorted(found, key=lambda order: order.broker_id)

    def put_order(self, order: PaperOrder) -> None:
        """Keep an order in its present state."""
        self._documents.put(_ORDER + order.client_id, _written(order))
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
        """Return cash less what open buys have set aside."""
        return self.cash(currency) - sum(
            (
                order.remaining * order.reserve_price
                for order in self.open_orders()
                if order.side is Side.BUY and currency_of(order.instrument) == currency
            ),
            Decimal(0),
        )

    def held(self, instrument: InstrumentId) -> Decimal:
        """Return the quantity held of an instrument."""
        return self._holding(instrument)[0]

    def positions(self) -> list[Position]:
        """Return what is held, at the average price of its purchases."""
        found = [key.removeprefix(_HELD) for key, _ in self._documents.items(_HELD)]
        holdings = [(name, *self._holding(name)) for name in found]
        return [
            Position(name, quantity, worth / quantity)
            for name, quantity, worth in holdings
            if quantity
        ]

    def sellable(self, instrument: InstrumentId) -> Decimal:
        """Return the quantity held less what open sells have set aside."""
        return self.held(instrument) - sum(
            (
                order.remaining
                for order in self.open_orders()
                if order.side is Side.SELL and order.instrument == instrument
            ),
            Decimal(0),
        )

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
        self._documents.put(_FILL + fill.id, _written(fill))
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
            self._documents.put(_LOOK + instrument, _written(look))

    def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, oldest first."""
        start = _FILL + after if after else ""
        return [_read_fill(value) for _, value in self._documents.items(_FILL, start)]

    def _hold(self, fill: Fill) -> None:
        """Add a fill to what is held, or take it off at the average price of its purchases."""
        quantity, worth = self._holding(fill.instrument)
        quantity, worth = _added(quantity, worth, fill)
        kept = {"quantity": str(quantity), "worth": str(worth)}
        self._documents.put(_HELD + fill.instrument, kept)

    def _holding(self, instrument: InstrumentId) -> tuple[Decimal, Decimal]:
        """Return the quantity held of an instrument, and what it was bought for."""
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
    """Return quantity and worth of a holding after a fill; a sale leaves its average alone."""
    if fill.side is Side.BUY:
        return quantity + fill.quantity, worth + fill.quantity * fill.price
    left = quantity - fill.quantity
    return left, worth / quantity * left if left > 0 else Decimal(0)


def _written(value: PaperOrder | Fill | Look) -> dict[str, Any]:
    return {name: _plain(item) for name, item in asdict(value).items()}


def _plain(item: Any) -> Any:
    if isinstance(item, datetime):
        return to_ms(item)
    return None if item is None else str(item)


def _read_order(value: dict[str, Any]) -> PaperOrder:
    return PaperOrder(**_read(PaperOrder, value))


def _read_fill(value: dict[str, Any]) -> Fill:
    return Fill(**_read(Fill, value))


_READERS: dict[str, Any] = {
    "side": Side,
    "state": OrderState,
    "accepted_at": from_ms,
    "ends_at": from_ms,
    "at": from_ms,
    "quantity": Decimal,
    "price": Decimal,
    "reserve_price": Decimal,
    "filled_quantity": Decimal,
    "average_price": Decimal,
    "cost": Decimal,
    "traded": Decimal,
    "paid": Decimal,
    "cancels_at": from_ms,
}


def _read(shape: type[PaperOrder | Fill], value: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for field in fields(shape):
        if field.name not in value:
            continue  # kept before there was such a field, which then says nothing
        item = value[field.name]
        found[field.name] = None if item is None else _READERS.get(field.name, str)(item)
    return found
