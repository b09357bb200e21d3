"""An order as the paper venue keeps it, and how its documents are written and read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.orders import Fill, OrderState, PositionSide, Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from brokers.paper_volume import Look
    from market.types import InstrumentId

OPEN = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order as the venue keeps it; `reserve_price` is what an entry's money is set aside at.

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
    position: PositionSide = PositionSide.LONG

    @property
    def is_entry(self) -> bool:
        """Tell whether it opens a position or adds to one."""
        return self.side is self.position.entry

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


def written(value: PaperOrder | Fill | Look) -> dict[str, Any]:
    """Return the document of an order, a fill or a look."""
    return {name: _plain(item) for name, item in asdict(value).items()}


def _plain(item: Any) -> Any:
    if isinstance(item, datetime):
        return to_ms(item)
    return None if item is None else str(item)


def read_order(value: dict[str, Any]) -> PaperOrder:
    """Return an order from its document."""
    return PaperOrder(**_read(PaperOrder, value))


def read_fill(value: dict[str, Any]) -> Fill:
    """Return a fill from its document."""
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
    "position": PositionSide,
}


def _read(shape: type[PaperOrder | Fill], value: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for field in fields(shape):
        if field.name not in value:
            continue  # kept before there was such a field, which then says nothing
        item = value[field.name]
        found[field.name] = None if item is None else _READERS.get(field.name, str)(item)
    return found
