"""The pretend venues of `tap_to_order`: their prices, and an account that may trade."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from market.clock import SystemClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.coin_market import CoinMarket
from sandbox.coin_trades import Coin
from sandbox.kis import Kis
from sandbox.kis_faults import Faults as KisFaults
from sandbox.kis_keys import KisKeys
from sandbox.kis_order_pages import KisOrderPages
from sandbox.kis_order_routes import kis_order_routes
from sandbox.kis_order_rows import Owner
from sandbox.kis_orders import KisOrders
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator
from sandbox.naver import Faults as NaverFaults
from sandbox.naver import naver_routes
from sandbox.order_faults import FaultPlan
from sandbox.upbit import Upbit
from sandbox.upbit_faults import Faults as UpbitFaults
from sandbox.upbit_keys import UpbitKeys
from sandbox.upbit_order_routes import UpbitExchange
from sandbox.upbit_orders import UpbitOrders
from sandbox.upbit_routes import upbit_routes

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.routing import BaseRoute

KEY = "pretend-key-0123456789abcdefghijklmnopqrs"
ACCOUNT = "1234567801"
KRX_MORNING = datetime(2026, 11, 24, 10, 0, tzinfo=KST)
CASH = Decimal(100_000_000_000)


class Shifted:
    """The machine's time and so much more; a market's time for `Runner`."""

    def __init__(self, by: timedelta) -> None:
        self._by = by
        self._wall = SystemClock()

    def now(self) -> datetime:
        """Return the shifted present."""
        return self._wall.now() + self._by

    def real_time_of(self, at: datetime) -> datetime:
        """Return the machine's time at which this one will be `at`."""
        return at - self._by


@dataclass(frozen=True, slots=True)
class Stage:
    """A venue to trade at: `orders` is where its POSTs arrive, `trade` lets the market go on."""

    shift: timedelta
    instrument: Instrument
    orders: str
    routes: list[BaseRoute]
    environment: Callable[[str], Mapping[str, str]]
    command: Callable[[random.Random], str]
    trade: Callable[[], None]


def upbit(_folder: Path) -> Stage:
    """Return a pretend Upbit, of which the bot is told by websocket."""
    clock = Shifted(timedelta(0))
    market = CoinMarket([Coin("KRW-BTC", 140_000_000.0, 1_000.0, 120.0, name="비트코인")], seed=7)
    orders = UpbitOrders(clock, CASH)
    exchange = UpbitExchange(orders, UpbitKeys(KEY, KEY), FaultPlan())

    def trade() -> None:
        last = market.last("KRW-BTC", clock.now())
        if last is not None:
            orders.trade("KRW-BTC", Decimal(str(last.price)))

    def environment(url: str) -> dict[str, str]:
        socket = url.replace("http", "ws", 1)
        return {
            "TICKTALK_BROKER_NAME": "upbit",
            "TICKTALK_UPBIT_ACCESS_KEY": KEY,
            "TICKTALK_UPBIT_SECRET_KEY": KEY,
            "TICKTALK_UPBIT_REST_URL": url,
            "TICKTALK_UPBIT_SOCKET_URL": f"{socket}/websocket/v1",
            "TICKTALK_UPBIT_PRIVATE_SOCKET_URL": f"{socket}/websocket/v1/private",
        }

    return Stage(
        timedelta(0),
        Instrument(Venue.UPBIT, "KRW-BTC", "비트코인", "UPBIT", Kind.COIN),
        "/v1/orders",
        [*upbit_routes(Upbit(market, clock), UpbitFaults()), *exchange.routes()],
        environment,
        lambda some: f"/buy KRW-BTC 0.000{some.randint(100, 999)}",
        trade,
    )


def kis(folder: Path) -> Stage:
    """Return a pretend KIS on a trading morning, beside the pretend Naver that tells prices."""
    shift = KRX_MORNING - datetime.now(UTC)
    clock, calendar = Shifted(shift), KrxCalendar({})
    instrument = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
    simulator = Simulator([instrument], calendar, seed=7, halted="", illiquid="")

    def price_of(code: str) -> Decimal:
        (quote,) = simulator.snapshot([code], clock.now())
        return Decimal(str(quote.price))

    account = KisOrders(
        [instrument],
        calendar,
        clock,
        Owner(account=ACCOUNT, cash=CASH),
        price_of=price_of,
        bases={"005930": price_of("005930")},
    )
    venue = Kis(simulator, clock, KisKeys(clock, KEY, KEY), account=account)

    def environment(url: str) -> dict[str, str]:
        servers = ("POLLING", "CHART", "FRONT", "PAGES", "RANK", "SISE")
        return {f"TICKTALK_NAVER_{name}_URL": url for name in servers} | {
            "TICKTALK_BROKER_NAME": "kis",
            "TICKTALK_CRAWL_SECOND": "kis",
            "TICKTALK_KIS_REST_URL": url,
            "TICKTALK_KIS_SOCKET_URL": url.replace("http", "ws", 1),
            "TICKTALK_KIS_APP_KEY": KEY,
            "TICKTALK_KIS_APP_SECRET": KEY,
            "TICKTALK_KIS_ACCOUNT": f"{ACCOUNT[:8]}-{ACCOUNT[8:]}",
            "TICKTALK_KIS_HTS_ID": "pretend",
            "TICKTALK_KIS_TOKEN_PATH": str(folder / "token.json"),
        }

    return Stage(
        shift,
        instrument,
        "/uapi/domestic-stock/v1/trading/order-cash",
        [
            *naver_routes(simulator, clock, NaverFaults()),
            *kis_routes(venue, KisFaults()),
            *kis_order_routes(venue, KisOrderPages(account), FaultPlan()),
        ],
        environment,
        lambda some: f"/buy 005930 {some.randint(1, 9)}",
        account.touch,
    )


STAGES: dict[str, Callable[[Path], Stage]] = {"upbit": upbit, "kis": kis}
