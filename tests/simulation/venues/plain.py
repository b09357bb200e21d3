"""A venue without a protocol: everything that a venue may do to the desk, and nothing more.

It stands outside our process, trades in parts, tells of trades late and more than once, ends orders
by itself, and executes requests whose sender is dead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.broker import BrokerOrder, OpenOrder
from market.errors import OutcomeUnknown
from market.orders import Account, Position
from market.types import Venue
from tests.simulation.line import GIVE_UP_SECONDS, LATE_SECONDS, FaultyLine, Trouble
from tests.simulation.venue import Ground, Truth, VenueFill, VenueOrder
from tests.simulation.venues import paper
from tests.simulation.venues.plain_book import OPEN, PlainBook
from tests.simulation.wire import NoNetwork

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from brokers.broker import Broker, BrokerParts
    from market.clock import Clock
    from market.orders import Fill, Order
    from tests.simulation.fate import Fate, MortalStore

SETTLED = timedelta(seconds=GIVE_UP_SECONDS + LATE_SECONDS)
"""After so long no request that was sent can still be on its way."""


class PlainVenue:
    """The venue, and the requests that are on their way to it."""

    def __init__(self, ground: Ground) -> None:
        self.cash = paper.CASH
        self.transport: httpx.AsyncBaseTransport = NoNetwork()
        self._ground = ground
        self._book = PlainBook(ground, self.cash)
        self._lines: list[FaultyLine] = []
        self._trouble = Trouble(ground.random, ground.fault_chance, is_far=True)

    def connect(self, parts: BrokerParts, fate: Fate) -> Broker:
        """Return the broker of a new process."""
        broker = PlainBroker(self._book, parts.wall_clock, self._ground)
        line = FaultyLine(fate, self._trouble)
        line.lead_to(broker)
        broker.note_sending()
        self._lines.append(line)
        return broker

    async def trade(self) -> None:
        """Let orders trade."""
        self._book.trade()

    def heal(self) -> int:
        """Let the line be good."""
        return self._trouble.heal()

    async def truth(self, store: MortalStore) -> Truth:
        """Return the book."""
        orders = tuple(
            VenueOrder(
                one.number,
                one.order.client_order_id,
                one.order.instrument,
                one.order.side,
                one.order.quantity,
                one.order.price,
                one.state,
                one.filled,
            )
            for one in self._book.orders.values()
        )
        fills = tuple(
            VenueFill(told.number, told.fill.quantity, told.fill.price, told.fill.cost)
            for told in self._book.trades
        )
        return Truth(orders, fills, self._book.cash, self._book.held)


class PlainBroker:
    """Our end: what it does not know for sure it does not say."""

    venues = frozenset({Venue.KRX})

    def __init__(self, book: PlainBook, clock: Clock, ground: Ground) -> None:
        self._book = book
        self._clock = clock
        self._random = ground.random
        self._began_at = clock.now()
        self._sent_at: dict[str, datetime] = {}

    def note_sending(self) -> None:
        """Remember from now on when each order is sent, which is before it arrives."""
        place = self.place

        async def noted(order: Order) -> str:
            self._sent_at[order.id] = self._clock.now()
            return await place(order)

        vars(self)["place"] = noted

    async def place(self, order: Order) -> str:
        """Place an order."""
        return self._book.accept(order)

    async def cancel(self, order: Order) -> None:
        """Cancel an order."""
        self._book.cancel(order)

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return an order; that it is absent is sure only when nothing can be on its way."""
        found = self._book.orders.get(order.client_order_id)
        if found is not None:
            mean = found.worth / found.filled if found.filled else Decimal(0)
            return BrokerOrder(found.number, found.state, found.filled, mean)
        if self._clock.now() - self._sent_at.get(order.id, self._began_at) < SETTLED:
            raise OutcomeUnknown("unavailable", "a request may still be on its way")
        return None

    async def fills(self, after: str) -> list[Fill]:
        """Return fills, sometimes with what was told before."""
        now = self._clock.now()
        told = [one.fill for one in self._book.trades if one.visible_at <= now]
        again = self._random.random() < 0.2
        return [fill for fill in told if again or fill.id > after]

    async def accounts(self) -> tuple[Account, ...]:
        """Return the money."""
        return (Account(self._book.cash, self._book.power()),)

    async def positions(self) -> list[Position]:
        """Return what is held, at the newest price: the mean is not known here."""
        held, prices = self._book.held, self._book.prices
        return [Position(name, held[name], prices[name]) for name in held if held[name]]

    async def open_orders(self) -> list[OpenOrder]:
        """Return what rests."""
        return [
            OpenOrder(
                one.number,
                one.order.client_order_id,
                one.order.instrument,
                one.order.side,
                one.order.quantity,
                one.order.price,
                one.filled,
                one.order.reference_at,
            )
            for one in self._book.orders.values()
            if one.state in OPEN
        ]


STAGE = replace(paper.STAGE, open=PlainVenue, late_share=0.06, morning=None)
