"""The pretend Binance's algo orders: stops of futures that wait beside the book for their trigger.

One that is triggered becomes an ordinary order at the market; whether that can be had is only
looked at then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from market.types import to_ms
from sandbox.binance_order_types import Wish
from sandbox.binance_rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from market.clock import Clock
    from sandbox.binance_order_types import VenueOrder

FIRST_ALGO = 2_148_719
WAITING = "NEW"


@dataclass
class Algo:
    """A stop at the market that only reduces; `order` is what was made of it."""

    id: int
    client_id: str
    symbol: str
    side: str
    quantity: Decimal
    trigger: Decimal
    at_ms: int
    status: str = WAITING
    updated_ms: int = 0
    order: VenueOrder | None = None
    reason: str = ""

    def is_reached(self, price: Decimal) -> bool:
        """Tell whether a price triggers it."""
        return price <= self.trigger if self.side == "SELL" else price >= self.trigger

    @property
    def shown_status(self) -> str:
        """Return its status as it is told: finished once its order has ended."""
        is_over = self.order is not None and self.order.status not in {"NEW", "PARTIALLY_FILLED"}
        return "FINISHED" if is_over else self.status


@dataclass
class Algos:
    """The stops of one account; `listeners` hear of every change."""

    clock: Clock
    send: Callable[[Wish], VenueOrder]
    listeners: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)
    all: list[Algo] = field(default_factory=list)

    def place(self, wish: Wish, trigger: Decimal, last: Decimal | None) -> Algo:
        """Accept a stop; raises Refusal where the price has reached it already."""
        if any(one.client_id == wish.client_id for one in self.waiting()):
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        now = to_ms(self.clock.now())
        algo = Algo(
            id=FIRST_ALGO + len(self.all),
            client_id=wish.client_id,
            symbol=wish.symbol,
            side=wish.side,
            quantity=wish.quantity,
            trigger=trigger,
            at_ms=now,
            updated_ms=now,
        )
        if last is not None and algo.is_reached(last):
            raise Refusal(-2021, "Order would immediately trigger.")
        self.all.append(algo)
        self._tell(algo)
        return algo

    def named(self, algo_id: str | None, client_id: str | None) -> Algo:
        """Return the newest stop of a name; raises Refusal."""
        for one in reversed(self.all):
            if str(one.id) == algo_id or (algo_id is None and one.client_id == client_id):
                return one
        raise Refusal(-2013, "Order does not exist.")

    def cancel(self, algo_id: str | None, client_id: str | None) -> Algo:
        """Cancel a stop that waits; raises Refusal."""
        try:
            found = self.named(algo_id, client_id)
        except Refusal as refusal:
            raise Refusal(-2011, "Unknown order sent.") from refusal
        if found.status != WAITING:
            raise Refusal(-2011, "Unknown order sent.")
        self._change(found, "CANCELED")
        return found

    def waiting(self, symbol: str | None = None) -> list[Algo]:
        """Return the stops that wait, oldest first."""
        return [one for one in self.all if one.status == WAITING and symbol in {None, one.symbol}]

    def meet(self, symbol: str, price: Decimal) -> None:
        """Trigger what a trade has reached."""
        for algo in self.waiting(symbol):
            if not algo.is_reached(price):
                continue
            self._change(algo, "TRIGGERING")
            made = Wish(symbol, algo.side, algo.quantity, None, algo.client_id, is_reduce_only=True)
            try:
                algo.order = self.send(made)
            except Refusal as refusal:
                algo.reason = refusal.text
                self._change(algo, "REJECTED")
            else:
                self._change(algo, "TRIGGERED")

    def _change(self, algo: Algo, status: str) -> None:
        algo.status = status
        algo.updated_ms = to_ms(self.clock.now())
        self._tell(algo)

    def _tell(self, algo: Algo) -> None:
        for listener in self.listeners:
            listener(algo_event(algo))


def algo_row(algo: Algo) -> dict[str, Any]:
    """Return a stop as it is answered."""
    order = algo.order
    return {
        "algoId": algo.id,
        "clientAlgoId": algo.client_id,
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": algo.symbol,
        "side": algo.side,
        "positionSide": "BOTH",
        "timeInForce": "GTC",
        "quantity": f"{algo.quantity:f}",
        "algoStatus": algo.shown_status,
        "actualOrderId": "" if order is None else str(order.id),
        "actualPrice": "0.00000" if order is None else f"{order.average:f}",
        "triggerPrice": f"{algo.trigger:f}",
        "price": "0.00000",
        "workingType": "CONTRACT_PRICE",
        "reduceOnly": True,
        "closePosition": False,
        "priceProtect": False,
        "createTime": algo.at_ms,
        "updateTime": algo.updated_ms,
        "triggerTime": 0 if order is None else algo.updated_ms,
        "goodTillDate": 0,
    }


def algo_event(algo: Algo) -> dict[str, Any]:
    """Return an ALGO_UPDATE."""
    order = algo.order
    inner = {
        "caid": algo.client_id,
        "aid": algo.id,
        "at": "CONDITIONAL",
        "o": "STOP_MARKET",
        "s": algo.symbol,
        "S": algo.side,
        "ps": "BOTH",
        "f": "GTC",
        "q": f"{algo.quantity:f}",
        "X": algo.shown_status,
        "ai": "" if order is None else str(order.id),
        "ap": "0.00000" if order is None else f"{order.average:f}",
        "aq": "0.00000" if order is None else f"{order.filled:f}",
        "tp": f"{algo.trigger:f}",
        "p": "0",
        "wt": "CONTRACT_PRICE",
        "cp": False,
        "R": True,
        "rm": algo.reason,
    }
    return {"e": "ALGO_UPDATE", "T": algo.updated_ms, "E": algo.updated_ms, "o": inner}
