"""A venue outside our process that does what the test says."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.broker import BrokerOrder, OpenOrder
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import Account, Fill, Order, OrderState, Position, Side
from market.phases import REGULAR
from market.types import Venue
from tests.engine.pretend_market import NOON
from tests.engine.sudden_death import Fate, Hook, nothing

if TYPE_CHECKING:
    from market.phases import Phase
    from market.types import InstrumentId


RESTING = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})


class ScriptedVenue:
    """A venue outside our process that does what the test says: it outlives every kill.

    `script` says what happens to the next requests: `accept`, `refuse CODE`, `lose request`,
    `lose answer`; without a word it accepts. `beside` and `foreign` are what somebody else
    holds and has ordered in the same account. `phases` are those in which it takes orders, `most`
    what it would take of any.
    """

    def __init__(self) -> None:
        self.script: deque[str] = deque()
        self.posts: list[str] = []
        self.cancels: list[str] = []
        self.asked: list[str] = []
        self.orders: dict[str, BrokerOrder] = {}
        self.placed: dict[str, Order] = {}
        self.trades: list[Fill] = []
        self.cash = Decimal(10_000_000)
        self.is_silent = False
        self.beside: dict[InstrumentId, Decimal] = {}
        self.foreign: list[OpenOrder] = []
        self.phases = REGULAR
        self.most: Decimal | None = None
        self.has_stops = False
        self.triggers: dict[str, Decimal] = {}

    def post(self, order: Order) -> str:
        self.posts.append(order.client_order_id)
        word = self.script.popleft() if self.script else "accept"
        if word == "lose request":
            raise OutcomeUnknown("timeout", "no answer")
        if word.startswith("refuse"):
            raise OrderRejected(word.removeprefix("refuse "), "refused")
        number = f"V{len(self.posts)}"
        self.placed[order.id] = order
        self.orders[order.client_order_id] = BrokerOrder(
            number, OrderState.ACCEPTED, Decimal(0), Decimal(0)
        )
        if word == "lose answer":
            raise OutcomeUnknown("timeout", "no answer")
        return number

    def cancel(self, order: Order) -> None:
        self.cancels.append(order.client_order_id)
        word = self.script.popleft() if self.script else "accept"
        if word == "lose request":
            raise OutcomeUnknown("timeout", "no answer")
        held = self.orders.get(order.client_order_id)
        if held is None or held.state not in {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}:
            raise OrderRejected("closed", "nothing left to cancel")
        if word.startswith("refuse"):
            raise OrderRejected(word.removeprefix("refuse "), "refused")
        self.end(order, OrderState.CANCELED)
        if word == "lose answer":
            raise OutcomeUnknown("timeout", "no answer")

    def positions(self) -> list[Position]:
        held = dict(self.beside)
        for fill in self.trades:
            signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
            held[fill.instrument] = held.get(fill.instrument, Decimal(0)) + signed
        return [Position(name, held[name], Decimal(65_000)) for name in held if held[name]]

    def open_orders(self) -> list[OpenOrder]:
        ours = [
            OpenOrder(
                known.broker_order_id,
                order.client_order_id,
                order.instrument,
                order.side,
                order.quantity,
                order.price,
                known.filled_quantity,
                order.proposed_at,
            )
            for order in self.placed.values()
            if (known := self.orders[order.client_order_id]).state in RESTING
        ]
        return [*ours, *self.foreign]

    def end(self, order: Order, state: OrderState) -> None:
        key = order.client_order_id
        self.orders[key] = replace(self.orders[key], state=state)

    def fill(self, order: Order, quantity: int, price: int = 70_000, cost: int = 100) -> Fill:
        fill = Fill(
            id=f"{len(self.trades) + 1:06d}",
            order_id=order.id,
            instrument=order.instrument,
            side=order.side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            cost=Decimal(cost),
            at=NOON,
        )
        self.trades.append(fill)
        held = self.orders.get(order.client_order_id)
        if held is not None:
            filled = held.filled_quantity + quantity
            is_whole = filled >= order.quantity
            state = OrderState.FILLED if is_whole else OrderState.PARTIALLY_FILLED
            state = held.state if held.state is OrderState.CANCELED and not is_whole else state
            self.orders[order.client_order_id] = replace(held, state=state, filled_quantity=filled)
        return fill


class ScriptedBroker:
    """Our end of the line to the scripted venue; dies with its process around every request."""

    venues = frozenset({Venue.KRX})

    def __init__(self, venue: ScriptedVenue, fate: Fate) -> None:
        self._venue = venue
        self._fate = fate
        self.before_post: Hook = nothing
        self.after_post: Hook = nothing

    async def place(self, order: Order) -> str:
        await self.before_post()
        self._fate.pass_point()
        number = self._venue.post(order)
        self._fate.pass_point()
        await self.after_post()
        return number

    async def cancel(self, order: Order) -> None:
        self._fate.pass_point()
        self._venue.cancel(order)
        self._fate.pass_point()

    async def find(self, order: Order) -> BrokerOrder | None:
        self._fate.check()
        self._listen()
        self._venue.asked.append(order.id)
        return self._venue.orders.get(order.client_order_id)

    async def fills(self, after: str) -> list[Fill]:
        self._fate.check()
        self._listen()
        return [fill for fill in self._venue.trades if fill.id > after]

    @property
    def phases(self) -> frozenset[Phase]:
        return self._venue.phases

    async def possible(self, order: Order) -> Decimal | None:
        self._fate.check()
        self._listen()
        assert order.quantity > 0
        return self._venue.most

    async def accounts(self) -> tuple[Account, ...]:
        self._fate.check()
        self._listen()
        return (Account(self._venue.cash, self._venue.cash),)

    def _listen(self) -> None:
        if self._venue.is_silent:
            raise OutcomeUnknown("timeout", "the venue does not answer")


class StoppingBroker(ScriptedBroker):
    """One at whose venue stops can rest."""

    def takes_stops(self, instrument: InstrumentId) -> bool:
        return self._venue.has_stops

    async def place_stop(self, order: Order, trigger: Decimal) -> str:
        number = await self.place(order)
        self._venue.triggers[order.id] = trigger
        return number


class OpenBroker(StoppingBroker):
    """One that also tells what the account holds, and what rests in it."""

    before_positions: Hook = staticmethod(nothing)

    async def positions(self) -> list[Position]:
        self._fate.check()
        self._listen()
        told = self._venue.positions()
        await self.before_positions()
        return told

    async def open_orders(self) -> list[OpenOrder]:
        self._fate.check()
        self._listen()
        return self._venue.open_orders()
