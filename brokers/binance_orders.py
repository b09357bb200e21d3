"""An order on its way to Binance and back: its parameters, and what the venue tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.binance_values import Row, decimal_of, int_of, odd, plain, text_of
from brokers.broker import BrokerOrder, OpenOrder
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side
from market.types import from_ms
from venues.binance_markets import FUTURES, SPOT, split_id

if TYPE_CHECKING:
    from market.orders import Order
    from market.types import InstrumentId
    from venues.binance_markets import Market

_STATES = {
    "NEW": OrderState.ACCEPTED,
    "PENDING_NEW": OrderState.ACCEPTED,
    "PENDING_CANCEL": OrderState.ACCEPTED,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
}
ENDS = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED})
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as Binance shows it."""

    venue_id: str
    client_id: str
    symbol: str
    side: Side
    state: OrderState
    quantity: Decimal
    price: Decimal | None
    filled: Decimal
    average: Decimal
    at_ms: int

    def as_broker_order(self, filled: Decimal) -> BrokerOrder:
        """Return it as the desk takes it, with what its fills come to."""
        return BrokerOrder(self.venue_id, self.state, filled, self.average)

    def as_open_order(self, market: Market) -> OpenOrder:
        """Return it as one of those that rest."""
        return OpenOrder(
            broker_order_id=self.venue_id,
            client_order_id=self.client_id,
            instrument=market.instrument_id(self.symbol),
            side=self.side,
            quantity=self.quantity,
            price=self.price,
            filled_quantity=self.filled,
            at=from_ms(self.at_ms),
        )


def place_of(instrument: InstrumentId) -> tuple[str, str]:
    """Return segment and symbol; raises OrderRejected("instrument") for one of another venue."""
    place = split_id(instrument)
    if place is None:
        raise OrderRejected("instrument", f"{instrument} is not of binance")
    return place


def only_reduces(order: Order) -> bool:
    """Tell whether an order may only make a position smaller, as an exit of futures.

    So it can never turn a position round. Spot cannot be short anyway.
    """
    return not order.is_entry and place_of(order.instrument)[0] == FUTURES


def parameters(order: Order) -> dict[str, str]:
    """Return the parameters of a new order, without time and signature."""
    segment, symbol = place_of(order.instrument)
    found = {
        "symbol": symbol,
        "side": order.side.upper(),
        "type": "MARKET" if order.price is None else "LIMIT",
        "quantity": plain(order.quantity),
        "newClientOrderId": order.client_order_id,
        "newOrderRespType": "RESULT",
    }
    if order.price is not None:
        found |= {"price": plain(order.price), "timeInForce": "GTC"}
    if segment == FUTURES and only_reduces(order):
        found["reduceOnly"] = "true"
    return found


def parse_order(row: Row, segment: str) -> VenueOrder:
    """Return an order of either market; raises OutcomeUnknown where it is not one."""
    state, side = _STATES.get(row.get("status", "")), _SIDES.get(row.get("side", ""))
    if state is None or side is None:
        raise odd(row)
    filled = decimal_of(row, "executedQty")
    price = decimal_of(row, "price")
    is_market = row.get("type") == "MARKET" or not price
    return VenueOrder(
        venue_id=str(int_of(row, "orderId")),
        # a spot cancel renames the order it ends; the old name is kept beside
        client_id=str(row.get("origClientOrderId") or text_of(row, "clientOrderId")),
        symbol=text_of(row, "symbol"),
        side=side,
        state=state,
        quantity=decimal_of(row, "origQty"),
        price=None if is_market else price,
        filled=filled,
        average=_average(row, filled, segment),
        at_ms=_at_ms(row),
    )


def parse_placed(row: Row, order: Order) -> VenueOrder:
    """Return the order that a placement was answered with; it must be the very one we sent."""
    segment, symbol = place_of(order.instrument)
    placed = parse_order(row, segment)
    if (placed.client_id, placed.symbol) != (order.client_order_id, symbol):
        raise OutcomeUnknown("unanswered", f"binance answered with {placed.client_id}")
    return placed


def _average(row: Row, filled: Decimal, segment: str) -> Decimal:
    if not filled:
        return Decimal(0)
    if segment == SPOT:
        return decimal_of(row, "cummulativeQuoteQty") / filled
    return decimal_of(row, "avgPrice")


def _at_ms(row: Row) -> int:
    times = (row.get(name) for name in ("time", "transactTime", "updateTime"))
    return next((at for at in times if isinstance(at, int)), 0)
