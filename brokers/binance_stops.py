"""Stops that rest at Binance: of spot they are orders, of futures so-called algo orders.

An algo order waits beside the book under an id of its own. Once the price reaches its trigger,
Binance makes an ordinary order of it, whose trades are the stop's. (developers.binance.com, "New
Algo Order", "Query Algo Order", "Event: Algo Order Update", and spot's "New order", 2026-09.)
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.binance_orders import VenueOrder, parameters, place_of
from brokers.binance_refusals import ABSENT, Refused
from brokers.binance_values import decimal_of, int_of, odd, plain, row_of, rows_of, text_of
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brokers.binance_api import MarketApi
    from brokers.binance_filters import Filters
    from brokers.binance_journal import Sent
    from brokers.binance_values import Row
    from market.orders import Order

ALGO = "algo-"
"""What the number of a stop begins with before Binance has made an order of it."""

CROSSED = Decimal("0.05")
"""How far beyond its trigger a stop-limit may trade, where a symbol takes no stop at the market."""

_STATES = {
    "NEW": OrderState.ACCEPTED,
    "TRIGGERING": OrderState.ACCEPTED,
    "TRIGGERED": OrderState.ACCEPTED,
    "CANCELED": OrderState.CANCELED,
    "EXPIRED": OrderState.EXPIRED,
    "REJECTED": OrderState.REJECTED,
}
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}


@dataclass(frozen=True, slots=True)
class AlgoOrder:
    """A stop of futures as Binance shows it; `actual_id` is "" until it is an order."""

    order: VenueOrder
    actual_id: str


class AlgoOrders:
    """The stops of futures that have not become orders."""

    def __init__(self, api: MarketApi) -> None:
        self._api = api

    async def send(self, order: Order, trigger: Decimal, at_ms: int) -> VenueOrder:
        """Send a stop, once; raises OrderRejected, OutcomeUnknown."""
        answer = await self._api.send("POST", "/algoOrder", algo_parameters(order, trigger), at_ms)
        placed = parse_algo(answer if isinstance(answer, dict) else {}).order
        if (placed.client_id, placed.symbol) != (
            order.client_order_id,
            place_of(order.instrument)[1],
        ):
            raise OutcomeUnknown("unanswered", f"binance answered with {placed.client_id}")
        return placed

    async def cancel(self, named: Mapping[str, str]) -> None:
        """Ask once to cancel what `clientAlgoId` or `algoId` names; raises as `send`."""
        await self._api.send("DELETE", "/algoOrder", named, self._api.signer.venue_ms())

    async def look(self, client_id: str) -> AlgoOrder | None:
        """Return a stop as the venue has it now, None where it says that it has none."""
        try:
            row = await self._api.read("/algoOrder", {"clientAlgoId": client_id})
        except Refused as error:
            if error.venue_code == ABSENT:
                return None
            raise
        found = parse_algo(row_of(row))
        if found.order.client_id != client_id:
            raise odd(row)
        return found

    async def waiting(self, venue_id: str) -> VenueOrder:
        """Return a stop that waits, whoever made it; OrderRejected("closed") where it does not."""
        found = [one for one in await self.resting() if one.venue_id == venue_id]
        if not found:
            raise OrderRejected("closed", f"{venue_id} waits at binance no more")
        return found[0]

    async def resting(self) -> list[VenueOrder]:
        """Return all stops that wait, whoever made them."""
        rows = rows_of(await self._api.read("/openAlgoOrders", {}))
        return [parse_algo(row).order for row in rows]


def is_waiting(sent: Sent | None) -> bool:
    """Tell whether something was sent as a stop of futures, and is no order as far as we know."""
    if sent is None or not sent.is_algo:
        return False
    return not sent.venue_id or sent.venue_id.startswith(ALGO)


def algo_parameters(order: Order, trigger: Decimal) -> dict[str, str]:
    """Return the parameters of a new stop of futures; it only reduces, at the market.

    `closePosition` would sell what was bought elsewhere, too.
    """
    return {
        "algoType": "CONDITIONAL",
        "symbol": place_of(order.instrument)[1],
        "side": order.side.upper(),
        "type": "STOP_MARKET",
        "quantity": plain(order.quantity),
        "triggerPrice": plain(trigger),
        "workingType": "CONTRACT_PRICE",
        "reduceOnly": "true",
        "clientAlgoId": order.client_order_id,
    }


def spot_parameters(order: Order, trigger: Decimal, filters: Filters) -> dict[str, str]:
    """Return the parameters of a new stop of spot, at the market where the symbol takes that.

    Raises OrderRejected("no_stops") for a symbol that takes none.
    """
    found = parameters(order) | {"stopPrice": plain(trigger)}
    if "STOP_LOSS" in filters.order_types:
        return found | {"type": "STOP_LOSS"}
    if "STOP_LOSS_LIMIT" not in filters.order_types:
        raise OrderRejected("no_stops", f"binance takes no stops of {filters.symbol}")
    way = -CROSSED if order.side is Side.SELL else CROSSED
    limit = to_step(trigger * (1 + way), filters.price.step, up=order.side is Side.SELL)
    return found | {"type": "STOP_LOSS_LIMIT", "price": plain(limit), "timeInForce": "GTC"}


def to_step(amount: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """Return an amount on a grid, not below it where `up`, else not above it."""
    if not step:
        return amount
    steps, rest = divmod(amount, step)
    return (steps + 1 if up and rest else steps) * step


def parse_algo(row: Row) -> AlgoOrder:
    """Return a stop of futures; raises OutcomeUnknown where it is not one.

    One that has ended in the book without an order's number is not believed.
    """
    state, side = _STATES.get(row.get("algoStatus", "")), _SIDES.get(row.get("side", ""))
    actual = row.get("actualOrderId") or ""
    actual_id = "" if str(actual) == "0" else str(actual)
    if side is None or (state is None and not (row.get("algoStatus") == "FINISHED" and actual_id)):
        raise odd(row)
    return AlgoOrder(
        VenueOrder(
            venue_id=f"{ALGO}{int_of(row, 'algoId')}",
            client_id=text_of(row, "clientAlgoId"),
            symbol=text_of(row, "symbol"),
            side=side,
            state=state or OrderState.ACCEPTED,
            quantity=decimal_of(row, "quantity"),
            price=None,
            filled=Decimal(0),
            average=Decimal(0),
            at_ms=int_of(row, "createTime"),
        ),
        actual_id,
    )
