"""Open orders of the broker's as the store keeps them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.broker import OpenOrder
from market.orders import Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_open_order(one: OpenOrder) -> dict[str, Any]:
    """Return an open order as a document."""
    return {
        "broker_order_id": one.broker_order_id,
        "client_order_id": one.client_order_id,
        "instrument": one.instrument,
        "side": one.side.value,
        "quantity": str(one.quantity),
        "price": None if one.price is None else str(one.price),
        "filled_quantity": str(one.filled_quantity),
        "at": to_ms(one.at),
    }


def read_open_order(value: Mapping[str, Any]) -> OpenOrder:
    """Return what a document tells."""
    price = value["price"]
    return OpenOrder(
        broker_order_id=str(value["broker_order_id"]),
        client_order_id=str(value["client_order_id"]),
        instrument=value["instrument"],
        side=Side(value["side"]),
        quantity=Decimal(value["quantity"]),
        price=None if price is None else Decimal(price),
        filled_quantity=Decimal(value["filled_quantity"]),
        at=from_ms(int(value["at"])),
    )
