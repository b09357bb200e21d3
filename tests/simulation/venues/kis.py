"""KIS's stage: its pretend account, which keeps no id of ours, behind its wires and its socket."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
from starlette.applications import Starlette

from brokers.kis import KisBroker
from market.orders import OrderState
from market.sessions import KrxCalendar
from market.types import Instrument, Venue
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_order_pages import KisOrderPages
from sandbox.kis_order_routes import kis_order_routes
from sandbox.kis_order_rows import BRANCH, Owner
from sandbox.kis_orders import KisOrders
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from tests.simulation.venue import Ground, Stage, Truth, VenueFill, VenueOrder

if TYPE_CHECKING:
    from pathlib import Path

    from brokers.broker import Broker, BrokerParts
    from sandbox.kis_order_rows import VenueOrder as KisOrder
    from tests.simulation.fate import Fate, MortalStore

CASH = Decimal(6_000_000)
APP_KEY = "PSpretendpretendpretendpretendkey036"
APP_SECRET = "pretend/secret+" * 12
ACCOUNT = "9182736401"
HTS_ID = "pretend-login"
CALENDAR = KrxCalendar({})
INSTRUMENTS = (
    Instrument(Venue.KRX, "005930", "Samsung Electronics", "KOSPI"),
    Instrument(Venue.KRX, "000660", "SK hynix", "KOSPI"),
)
BASES = (70_000, 200_000)
F = OrderFault
_ORDER = (
    *(F.LOST_REQUEST, F.LATE_REQUEST, F.BROKEN_BEFORE, F.MAINTENANCE, F.BUSY, F.REVOKED),
    *(F.LOST_ANSWER, F.LATE_ANSWER, F.BROKEN_AFTER, F.ODD_ANSWER),
)
_READ = (F.LOST_REQUEST, F.LOST_ANSWER, F.BROKEN_BEFORE, F.ODD_ANSWER, F.BUSY, F.GHOST_ROW)
_MESSAGE = (F.DUPLICATED, F.REORDERED, F.LOST_MESSAGE, F.DROPPED)


class KisStage:
    """The pretend KIS; some seeds have no websocket, since asking is the truth."""

    def __init__(self, ground: Ground) -> None:
        self.cash = CASH
        self._ground = ground
        chance = ground.fault_chance
        self._plan = FaultPlan(
            {
                Channel.ORDER: dict.fromkeys(_ORDER, 2 * chance / len(_ORDER)),
                Channel.READ: dict.fromkeys(_READ, chance / len(_READ)),
                Channel.MESSAGE: dict.fromkeys(_MESSAGE, chance / len(_MESSAGE)),
            },
            seed=ground.random.getrandbits(32),
        )
        bases = zip(INSTRUMENTS, BASES, strict=True)
        self._account = KisOrders(
            INSTRUMENTS,
            CALENDAR,
            ground.clock,
            Owner(account=ACCOUNT, hts_id=HTS_ID, cash=CASH),
            bases={one.code: Decimal(base) for one, base in bases},
            plan=self._plan,
        )
        keys = KisKeys(ground.clock, APP_KEY, APP_SECRET)
        simulator = Simulator(INSTRUMENTS, CALENDAR, seed=3)
        kis = Kis(simulator, ground.clock, keys, account=self._account)
        pages = KisOrderPages(self._account)
        self._app = Starlette(
            routes=[
                *kis_routes(kis, Faults(), requests_a_second=100_000),
                *kis_order_routes(kis, pages, self._plan),
            ]
        )
        self.transport: httpx.AsyncBaseTransport = httpx.ASGITransport(self._app)

    def connect(self, parts: BrokerParts, fate: Fate) -> Broker:
        """Return the broker of a new process."""
        return KisBroker(parts, connect_in_memory(self._app))

    async def trade(self) -> None:
        """Let what rests meet the newest prices, a part of it now and then."""
        random = self._ground.random
        for name, price in self._ground.prices.now.items():
            most = random.randint(1, 5) if random.random() < 0.5 else None
            self._account.trade(name.removeprefix("KRX:"), price, most)

    def heal(self) -> int:
        """Let everything go well."""
        self._plan.heal()
        return self._plan.counts.total()

    async def truth(self, store: MortalStore) -> Truth:
        """Read the account's own books."""
        orders = [one for one in self._account.orders if one.kind == "0"]
        fills = tuple(
            VenueFill(_number(one), Decimal(one.filled), one.amount / one.filled, one.cost)
            for one in orders
            if one.filled
        )
        held = {
            f"KRX:{code}": Decimal(holding.quantity)
            for code, holding in self._account.holdings.items()
        }
        return Truth(tuple(_order(one) for one in orders), fills, self._account.cash, held)


def _number(one: KisOrder) -> str:
    return f"{BRANCH}-{one.number}"


def _order(one: KisOrder) -> VenueOrder:
    return VenueOrder(
        number=_number(one),
        client_id="",
        instrument=f"KRX:{one.code}",
        side=one.side,
        quantity=Decimal(one.quantity),
        price=None if one.is_market else one.price,
        state=_state(one),
        filled=Decimal(one.filled),
    )


def _state(one: KisOrder) -> OrderState:
    if one.filled == one.quantity:
        return OrderState.FILLED
    if one.taken_off:
        return OrderState.CANCELED
    return OrderState.PARTIALLY_FILLED if one.filled else OrderState.ACCEPTED


def _settings(folder: Path) -> dict[str, object]:
    return {
        "kis": {
            "rest_url": "https://kis.example:9443",
            "socket_url": "ws://kis.example:21000",
            "app_key": APP_KEY,
            "app_secret": APP_SECRET,
            "account": f"{ACCOUNT[:8]}-{ACCOUNT[8:]}",
            "token_path": str(folder / "kis_token.json"),
        }
    }


STAGE = Stage(
    open=KisStage,
    instruments=INSTRUMENTS,
    base_prices=BASES,
    calendars={Venue.KRX: CALENDAR},
    start=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    sections=_settings,
    longest_quantity=12,
    has_venue_stops=True,
    lot=Decimal(1),
)
