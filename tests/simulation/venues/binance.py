"""Binance's stage: two pretend markets of one account; requests get lost, come late and break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx

from brokers.binance import BinanceBroker
from market.orders import OrderState, Side
from market.sessions import AlwaysOpen
from market.types import Instrument, Kind, Venue
from sandbox.binance_accounts import FuturesAccount, SpotAccount
from sandbox.binance_keys import BinanceKeys
from sandbox.binance_order_routes import BinanceExchange
from sandbox.binance_orders import OrderVenue
from sandbox.binance_rules import Rules
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from sandbox.site import site
from tests.brokers.binance_house import MadePrices
from tests.simulation.venue import Ground, Stage, Truth, VenueFill, VenueOrder

if TYPE_CHECKING:
    from brokers.broker import Broker, BrokerParts
    from sandbox.binance_order_types import VenueOrder as BookOrder
    from sandbox.binance_order_types import VenueTrade
    from tests.simulation.fate import Fate, MortalStore

CASH = Decimal(8_000_000)
"""USDT, half of it for each market."""
API_KEY = "pretendKeyOfTheSimulation0123456789"
API_SECRET = "pretendSecretOfTheSimulation9876543210"
SPOT_FEE = Decimal("0.001")
FUTURES_FEES = Decimal("0.0002"), Decimal("0.0005")
PERPETUAL = ".P"
PLACES = Decimal("0.00000001")
UNBOUND = 1e6
F = OrderFault
_MESSAGE = (F.DUPLICATED, F.REORDERED, F.LOST_MESSAGE, F.STALLED, F.DROPPED)
_ORDER = tuple(one for one in OrderFault if one not in _MESSAGE)
_READ = tuple(one for one in _ORDER if one is not F.LATE_REQUEST)
_STATES = {
    "NEW": OrderState.ACCEPTED,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "EXPIRED": OrderState.EXPIRED,
}


class BinanceStage:
    """Spot and USDT-M futures; some seeds have no websockets, since asking is the truth."""

    def __init__(self, ground: Ground) -> None:
        self.cash = CASH
        self._ground = ground
        chance, random = ground.fault_chance, ground.random
        self._plan = FaultPlan(
            {
                Channel.ORDER: dict.fromkeys(_ORDER, 2 * chance / len(_ORDER)),
                Channel.READ: dict.fromkeys(_READ, chance / len(_READ)),
                Channel.MESSAGE: dict.fromkeys(_MESSAGE, chance / len(_MESSAGE)),
            },
            seed=random.getrandbits(32),
            late_by=timedelta(seconds=random.choice((2, 4, 7))),
        )
        self._made = {False: MadePrices(), True: MadePrices()}
        self._wallet = FuturesAccount(CASH / 2, self._last)
        self._spot_account = SpotAccount(CASH / 2)
        self._spot = self._market(self._spot_account, (SPOT_FEE, SPOT_FEE))
        self._futures = self._market(self._wallet, FUTURES_FEES)
        keys = BinanceKeys(API_KEY, API_SECRET)
        self._exchange = BinanceExchange(self._spot, self._futures, keys, self._plan, ground.clock)
        self._app = site(self._exchange.routes())
        self._has_socket = random.random() < 0.5
        self.transport: httpx.AsyncBaseTransport = httpx.ASGITransport(self._app)

    def connect(self, parts: BrokerParts, fate: Fate) -> Broker:
        """Return the broker of a new process."""
        connect = connect_in_memory(self._app) if self._has_socket else None
        return BinanceBroker(parts, connect=connect)

    async def trade(self) -> None:
        """Let what rests meet the newest prices, a part of it now and then."""
        random, now = self._ground.random, self._ground.clock.now()
        for name, price in self._ground.prices.now.items():
            volume = random.randint(1, 5) / 2 if random.random() < 0.5 else UNBOUND
            symbol = _symbol(name)
            self._made[name.endswith(PERPETUAL)].add(symbol, now, float(price), volume)
        self._exchange.arrive()

    def heal(self) -> int:
        """Let everything go well."""
        self._plan.heal()
        return self._plan.counts.total()

    async def truth(self, store: MortalStore) -> Truth:
        """Read the books of both markets."""
        orders: list[VenueOrder] = []
        fills: list[VenueFill] = []
        for venue in (self._spot, self._futures):
            fills += [_fill(one, is_futures=venue.is_futures) for one in venue.trades]
            orders += [_order(one, fills, is_futures=venue.is_futures) for one in venue.orders]
        coins = self._spot_account.balances
        held = {f"BINANCE:{one}USDT": amount for one, amount in coins.items() if one != "USDT"}
        cash = coins["USDT"] + self._wallet.wallet
        for symbol, position in self._wallet.held.items():
            held[f"BINANCE:{symbol}{PERPETUAL}"] = position.quantity
            # a mean price of several entries has no end
            cash -= (position.quantity * position.entry).quantize(PLACES)
        return Truth(tuple(orders), tuple(fills), cash, held)

    def _market(
        self, account: SpotAccount | FuturesAccount, fees: tuple[Decimal, Decimal]
    ) -> OrderVenue:
        is_futures = isinstance(account, FuturesAccount)
        return OrderVenue(
            account=account,
            prices=self._made[is_futures],
            clock=self._ground.clock,
            rules=dict.fromkeys(SYMBOLS, Rules(step=Decimal("0.00001"))),
            is_futures=is_futures,
            maker_fee=fees[0],
            taker_fee=fees[1],
        )

    def _last(self, symbol: str) -> Decimal:
        trade = self._made[True].last(symbol, self._ground.clock.now())
        return Decimal(0) if trade is None else Decimal(str(trade.price))


def _symbol(name: str) -> str:
    return name.partition(":")[2].removesuffix(PERPETUAL)


def _number(one: BookOrder, *, is_futures: bool) -> str:
    return f"{one.id}{PERPETUAL * is_futures}"  # both markets count from the same number


def _order(one: BookOrder, fills: list[VenueFill], *, is_futures: bool) -> VenueOrder:
    """Return an order; on spot what was bought is what arrived, without the fee."""
    number = _number(one, is_futures=is_futures)
    filled = sum((fill.quantity for fill in fills if fill.number == number), Decimal(0))
    return VenueOrder(
        number=number,
        client_id=one.client_id,
        instrument=f"BINANCE:{one.symbol}{PERPETUAL * is_futures}",
        side=Side(one.side.lower()),
        quantity=one.quantity,
        price=one.price,
        state=_STATES[one.status],
        filled=filled,
    )


def _fill(trade: VenueTrade, *, is_futures: bool) -> VenueFill:
    """Return a trade; a fee in the coin is told as money."""
    is_coin = trade.asset == trade.order.base
    return VenueFill(
        number=_number(trade.order, is_futures=is_futures),
        quantity=trade.quantity - trade.commission if is_coin else trade.quantity,
        price=trade.price,
        cost=trade.commission * trade.price if is_coin else trade.commission,
    )


INSTRUMENTS = (
    Instrument(Venue.BINANCE, "BTCUSDT", "Bitcoin", "USDT", Kind.COIN),
    Instrument(Venue.BINANCE, "ETHUSDT", "Ether", "USDT", Kind.COIN),
    Instrument(Venue.BINANCE, "BTCUSDT.P", "Bitcoin perpetual", "USDT-M", Kind.COIN),
)
SYMBOLS = tuple(dict.fromkeys(_symbol(one.id) for one in INSTRUMENTS))

STAGE = Stage(
    open=BinanceStage,
    instruments=INSTRUMENTS,
    base_prices=(70_000, 200_000, 70_000),
    calendars={Venue.BINANCE: AlwaysOpen()},
    start=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    sections=lambda _: {
        "binance": {
            "spot_url": "https://binance.example",
            "futures_url": "https://binance.example",
            "spot_private_socket_url": "wss://binance.example/ws-api/v3",
            "futures_private_socket_url": "wss://binance.example/futures/private",
            "api_key": API_KEY,
            "api_secret": API_SECRET,
            "orders": "both",
            "requests_per_second": 1000,
        },
    },
    longest_quantity=12,
    has_venue_stops=True,
    lot=Decimal(1),
)
