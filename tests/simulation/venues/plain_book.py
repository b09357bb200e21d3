"""A plain venue's book: it trades in parts, tells late, and forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from market.errors import OrderRejected
from market.orders import Fill, OrderState, Side

if TYPE_CHECKING:
    from datetime import datetime

    from market.orders import Order
    from market.types import InstrumentId
    from tests.simulation.venue import Ground

OPEN = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})
FEE = Decimal("0.0005")
RESERVE = Decimal("1.01")
"""A market buy sets aside a little more than it is expected to cost."""


@dataclass(frozen=True, slots=True)
class Resting:
    """An order as the venue keeps it."""

    number: str
    order: Order
    state: OrderState = OrderState.ACCEPTED
    filled: Decimal = Decimal(0)
    worth: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """Return what has not traded."""
        return self.order.quantity - self.filled


@dataclass(frozen=True, slots=True)
class Told:
    """A trade, and from when on those who ask are told of it."""

    fill: Fill
    number: str
    visible_at: datetime


class PlainBook:
    """Orders by client id, trades in their order, cash and holdings."""

    def __init__(self, ground: Ground, cash: Decimal) -> None:
        self._ground = ground
        self.cash = cash
        self.held: dict[InstrumentId, Decimal] = {}
        self.orders: dict[str, Resting] = {}
        self.trades: list[Told] = []
        self.prices = ground.prices.now

    def accept(self, order: Order) -> str:
        """Take an order, or refuse it."""
        if order.client_order_id in self.orders:
            raise OrderRejected("duplicate", f"{order.client_order_id} is there already")
        if order.side is Side.BUY and order.quantity * self._reserve(order) > self.power():
            raise OrderRejected("cash", f"{self.power()} is free")
        if order.side is Side.SELL and order.quantity > self._sellable(order.instrument):
            raise OrderRejected("no_position", f"{self._sellable(order.instrument)} can be sold")
        if self._ground.random.random() < 0.03:
            raise OrderRejected("busy", "too many requests")
        resting = Resting(f"P{len(self.orders) + 1}", order)
        self.orders[order.client_order_id] = resting
        return resting.number

    def cancel(self, order: Order) -> None:
        """End what is left of an order."""
        resting = self.orders.get(order.client_order_id)
        if resting is None or resting.state not in OPEN:
            raise OrderRejected("closed", "there is nothing to cancel")
        self._keep(replace(resting, state=OrderState.CANCELED))

    def power(self) -> Decimal:
        """Return cash less what open buys have set aside."""
        reserved = (
            one.left * self._reserve(one.order)
            for one in self.orders.values()
            if one.state in OPEN and one.order.side is Side.BUY
        )
        return self.cash - sum(reserved, Decimal(0))

    def trade(self) -> None:
        """Let what rests meet the newest prices: in parts, and seldom end by itself."""
        for resting in list(self.orders.values()):
            if resting.state in OPEN:
                self._meet(resting)

    def _meet(self, resting: Resting) -> None:
        order, random = resting.order, self._ground.random
        drawn = random.random()
        if drawn < 0.02:
            ends = (OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED)
            self._keep(replace(resting, state=random.choice(ends)))
            return
        price = self._ground.prices.now[order.instrument]
        is_met = order.price is None or (
            price <= order.price if order.side is Side.BUY else price >= order.price
        )
        if is_met and drawn < 0.7:
            part = Decimal(random.randint(1, int(order.quantity)))
            self._fill(resting, min(part, resting.left), price)

    def _fill(self, resting: Resting, quantity: Decimal, price: Decimal) -> None:
        order = resting.order
        worth = quantity * price
        cost = (worth * FEE).quantize(Decimal("0.01"))
        sign = 1 if order.side is Side.BUY else -1
        if sign > 0 and worth + cost > self.power() + quantity * self._reserve(order):
            self._keep(replace(resting, state=OrderState.CANCELED))
            return
        self.cash -= sign * worth + cost
        self.held[order.instrument] = self.held.get(order.instrument, Decimal(0)) + sign * quantity
        filled = resting.filled + quantity
        state = OrderState.FILLED if filled == order.quantity else OrderState.PARTIALLY_FILLED
        self._keep(replace(resting, state=state, filled=filled, worth=resting.worth + worth))
        self._tell(resting, quantity, price, cost)

    def _tell(self, resting: Resting, quantity: Decimal, price: Decimal, cost: Decimal) -> None:
        now, order = self._ground.clock.now(), resting.order
        late = self._ground.random.choice((0, 0, 1, 15))
        newest = self.trades[-1].visible_at if self.trades else now
        fill = Fill(
            id=f"{len(self.trades) + 1:06d}",
            order_id=order.id,
            instrument=order.instrument,
            side=order.side,
            quantity=quantity,
            price=price,
            cost=cost,
            at=now,
        )
        visible_at = max(newest, now + timedelta(seconds=late))
        self.trades.append(Told(fill, resting.number, visible_at))

    def _keep(self, resting: Resting) -> None:
        self.orders[resting.order.client_order_id] = resting

    def _reserve(self, order: Order) -> Decimal:
        each = order.reference_price * RESERVE if order.price is None else order.price
        return each * (1 + FEE)

    def _sellable(self, instrument: InstrumentId) -> Decimal:
        selling = (
            one.left
            for one in self.orders.values()
            if one.state in OPEN
            and one.order.side is Side.SELL
            and one.order.instrument == instrument
        )
        return self.held.get(instrument, Decimal(0)) - sum(selling, Decimal(0))
