"""Upbit's stage: its pretend exchange, whose requests get lost, come late and break."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
from starlette.applications import Starlette

from brokers.upbit import UpbitBroker
from market.errors import SourceUnavailable
from market.money import whole_won
from market.orders import OrderState, Side
from market.sessions import AlwaysOpen
from market.types import Instrument, Kind, Venue
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from sandbox.upbit_keys import UpbitKeys
from sandbox.upbit_order_routes import UpbitExchange
from sandbox.upbit_orders import UpbitOrders
from tests.simulation.venue import Ground, Stage, Truth, VenueFill, VenueOrder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from brokers.broker import Broker, BrokerParts
    from market.orders import Order
    from sandbox.upbit_book import BookOrder
    from tests.simulation.fate import Fate, MortalStore
    from venues.live_socket import Socket

CASH = Decimal(6_000_000)
ACCESS_KEY = "pretend-access-key-0123456789abcdefghijkl"
SECRET_KEY = "pretend-secret-key-0123456789abcdefghijkl"
F = OrderFault
_ORDER = (
    *(F.LOST_REQUEST, F.LATE_REQUEST, F.BROKEN_BEFORE, F.MAINTENANCE, F.BUSY),
    *(F.LOST_ANSWER, F.LATE_ANSWER, F.BROKEN_AFTER, F.ODD_ANSWER),
)
_READ = (F.LOST_REQUEST, F.LOST_ANSWER, F.BROKEN_BEFORE, F.ODD_ANSWER, F.MAINTENANCE, F.BUSY)

_MESSAGE = (F.DUPLICATED, F.REORDERED, F.LOST_MESSAGE, F.STALLED, F.DROPPED)


class UpbitStage:
    """The venue behind its own routes; some seeds have no websocket, as polling is the truth."""

    def __init__(self, ground: Ground) -> None:
        self.cash = CASH
        self._ground = ground
        self._plan = FaultPlan(
            {
                Channel.ORDER: dict.fromkeys(_ORDER, 2 * ground.fault_chance / len(_ORDER)),
                Channel.READ: dict.fromkeys(_READ, ground.fault_chance / len(_READ)),
                Channel.MESSAGE: dict.fromkeys(_MESSAGE, ground.fault_chance / len(_MESSAGE)),
            },
            seed=ground.random.getrandbits(32),
        )
        self._orders = UpbitOrders(ground.clock, CASH)
        keys = UpbitKeys(ACCESS_KEY, SECRET_KEY)
        self._exchange = UpbitExchange(self._orders, keys, self._plan)
        self._app = Starlette(routes=self._exchange.routes())
        self._has_socket = ground.random.random() < 0.5
        self.transport: httpx.AsyncBaseTransport = httpx.ASGITransport(self._app)

    def connect(self, parts: BrokerParts, fate: Fate) -> Broker:
        """Return the broker of a new process."""
        connect = connect_in_memory(self._app) if self._has_socket else _no_socket
        return UpbitBroker(parts, connect)

    async def trade(self) -> None:
        """Let what rests meet the newest prices, a part of it now and then."""
        self._exchange.arrive()
        random = self._ground.random
        for name, price in self._ground.prices.now.items():
            volume = Decimal(random.randint(1, 5)) / 2 if random.random() < 0.5 else None
            self._orders.trade(name.partition(":")[2], price, volume)
            self._orders.most_at_once = volume

    def heal(self) -> int:
        """Let everything go well."""
        self._plan.heal()
        return sum(self._plan.counts.values())

    async def truth(self, store: MortalStore) -> Truth:
        """Read the venue's own books."""
        return read_truth(self._orders, store.look(lambda tx: tx.orders.recent(1000)))


def read_truth(venue: UpbitOrders, known: Iterable[Order]) -> Truth:
    """Return what a pretend exchange holds; `known` are our own orders."""
    orders = list(venue.orders.values())
    ours = {one.client_order_id: one for one in known}
    fills = tuple(
        VenueFill(one.uuid, trade.volume, trade.price, trade.fee)
        for one in orders
        for trade in one.trades
    )
    held = {
        f"UPBIT:KRW-{currency}": balance.free + balance.locked
        for currency, balance in venue.balances.items()
        if currency != "KRW"
    }
    won = venue.balances["KRW"]
    return Truth(
        tuple(_order(one, ours.get(one.identifier or "")) for one in orders),
        fills,
        won.free + won.locked,
        held,
    )


@asynccontextmanager
async def _no_socket(
    url: str, *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    raise SourceUnavailable(f"no websocket at {url}")
    yield  # a generator, by this line


def _order(one: BookOrder, ours: Order | None) -> VenueOrder:
    return VenueOrder(
        number=one.uuid,
        client_id=one.identifier or "",
        instrument=f"UPBIT:{one.market}",
        side=Side.BUY if one.is_buy else Side.SELL,
        quantity=_quantity(one, ours),
        price=one.price if one.kind == "limit" else None,
        state=_state(one),
        filled=one.executed,
    )


def _quantity(one: BookOrder, ours: Order | None) -> Decimal:
    """Return what was ordered; a market buy is so much money, and ours if it is what ours meant."""
    if one.volume is not None:
        return one.volume
    is_meant = ours is not None and one.price == whole_won(ours.quantity * ours.reference_price)
    return ours.quantity if ours is not None and is_meant else one.executed


def _state(one: BookOrder) -> OrderState:
    if one.state == "wait":
        return OrderState.PARTIALLY_FILLED if one.executed else OrderState.ACCEPTED
    is_whole = one.executed > 0 and one.remaining == 0  # a market buy has nothing remaining
    return OrderState.FILLED if is_whole else OrderState.CANCELED


STAGE = Stage(
    open=UpbitStage,
    instruments=(
        Instrument(Venue.UPBIT, "KRW-ZETA", "Zeta", "KRW", Kind.COIN),
        Instrument(Venue.UPBIT, "KRW-TAU", "Tau", "KRW", Kind.COIN),
    ),
    base_prices=(70_000, 200_000),
    calendars={Venue.UPBIT: AlwaysOpen()},
    start=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    sections=lambda _: {
        "upbit": {
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "rest_url": "https://upbit.example",
            "private_socket_url": "wss://upbit.example/websocket/v1/private",
        },
    },
    longest_quantity=12,
    lot=Decimal(1),
)
