"""A whole run with planted secrets, at venues that echo them: nothing that is written holds one.

Permitted are two places only: the token file of KIS, which holds what KIS issued (mode 0600), and
the chat message in which a person typed a code, until Telegram deletes it.
"""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import re
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson
import pyotp
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match

from bot import logs
from bot.demo_world import VISITOR
from bot.events import EventLog
from bot.market_time import ScaledTime
from brokers.binance import BinanceBroker
from brokers.broker import BrokerParts
from brokers.upbit import UpbitBroker
from config.load import load, write_folder
from config.settings import secret_values
from market.clock import SystemClock
from market.errors import ConfigError, OrderError
from market.record_days import RecordedDay
from market.record_files import days_in
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Venue, to_ms
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
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
from tests.contracts.broker_contract import order
from tests.end_to_end.live_house import Heard, LiveHouse, live_house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from market.orders import Order

START = datetime(2026, 11, 24, 10, 30, tzinfo=KST)
SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
ACCOUNT, HTS_ID = "9182736401", "planted-hts-login"
TOTP = "PLANTEDTOTPSECRETAAAABBB"
PART = 12
"""So much of a long secret is not to be seen either, such as where a text was cut."""
KEYS = {
    "KIS_APP_KEY": "PSplantedplantedplantedplantedkey036",
    "KIS_APP_SECRET": "planted/kis+secret=" * 9,
    "KIS_ACCOUNT": f"{ACCOUNT[:8]}-{ACCOUNT[8:]}",
    "KIS_HTS_ID": HTS_ID,
    "UPBIT_ACCESS_KEY": "planted-upbit-access-key-0123456789abcdef",
    "UPBIT_SECRET_KEY": "planted-upbit-secret-key-0123456789abcdef",
    "BINANCE_API_KEY": "plantedBinanceKey0123456789",
    "BINANCE_API_SECRET": "plantedBinanceSecret9876543210",
    "ACCESS_TOTP_SECRET": TOTP,
}
"""What is set in the environment, by the names of its variables."""
TRADED = ("/uapi/domestic-stock/v1/trading/", "/v1/", "/api/v3/", "/fapi/v1/")


class Mirror(BaseRoute):
    """Goes before the venues; requests with some `methods` are refused with their own words.

    `status` is that of answers to orders; reads are refused in a way that is not tried again.
    """

    def __init__(self) -> None:
        self.methods: set[str] = set()
        self.status = 400
        self.shown = ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take every request about an account, if it is on."""
        is_ours = scope["type"] == "http" and scope["method"] in self.methods
        is_ours = is_ours and scope["path"].startswith(TRADED)
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Echo headers, address and body, in the form of whichever venue it is."""
        request = Request(scope, receive)
        body = (await request.body()).decode()
        secret = [value for name, value in request.headers.items() if name not in _USUAL]
        echo = " ".join([*secret, body, str(request.url)])
        self.shown += echo
        rows = {
            "rt_cd": "1",
            "msg_cd": "APBK0000",
            "msg1": echo,
            "error": {"name": "invalid_parameter", "message": echo},
            "code": -1102,
            "msg": echo,
            "serverTime": to_ms(SystemClock().now()),
        }
        is_time = request.url.path.endswith("/time")
        status = 200 if is_time else 400 if request.method == "GET" else self.status
        await JSONResponse(rows, status)(scope, receive, send)


_USUAL = frozenset({"host", "accept", "user-agent", "accept-encoding", "connection"})


class Told(Heard):
    """Facts that are waited for, and written as `--json-log` writes them."""

    def __init__(self, stream: io.BytesIO, secrets: list[str]) -> None:
        super().__init__()
        self._log = EventLog(SystemClock(), stream, secrets)

    def emit(self, kind: str, **facts: object) -> None:
        """Write a fact, and wake who waits for it."""
        self._log.emit(kind, **facts)
        super().emit(kind, **facts)


@dataclass
class Run:
    """A bot, what echoes its requests, and everything that it has said."""

    house: LiveHouse
    mirror: Mirror
    json: io.BytesIO
    raised: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)

    async def live(self) -> None:
        """Do everything in which a secret has a part, well and badly."""
        house = self.house
        config = load(house.folder / "settings.yaml", house.environment)
        house.heard = Told(self.json, secret_values(config.settings))
        await house.start()
        await self.prove()
        await self.order()
        self.mirror.methods = {"POST"}
        for self.mirror.status in (200, 500):
            await self.order()
        self.mirror.methods = {"GET", "POST", "DELETE"}
        for line in ("/balance", "/orders"):
            await house.type(line)
        await self.ask_others()
        self.mirror.methods = set()
        await self.crash()
        self.mistype()

    async def prove(self) -> None:
        """Claim and arm, with right and wrong codes."""
        house = self.house
        claim = await house.app.services.access.new_code(SystemClock().now())
        code = pyotp.TOTP(TOTP).now()
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        self.typed += [claim, code, wrong, "840917362518"]
        for line in (f"/claim {claim}", f"/arm {wrong}", f"/pin 840917362518 {wrong}"):
            await house.type(line)
        assert "KIS" in (await house.type(f"/arm {code}")).upper()

    async def order(self) -> None:
        """Ask for an order and confirm it, whatever comes of that."""
        card = await self.house.answer("/buy 005930 1")
        if card.buttons:
            await self.house.tap(card, "oc:")

    async def ask_others(self) -> None:
        """Let the other brokers speak to the venues that echo; what they raise is logged."""
        app = self.house.app
        parts = BrokerParts(
            app.store,
            app.http,
            app.services.config.settings,
            self.house.time,
            SystemClock(),
            app.services.calendars,
        )
        for broker, instrument in (
            (UpbitBroker(parts), "UPBIT:KRW-BTC"),
            (BinanceBroker(parts), "BINANCE:BTCUSDT"),
        ):
            await self.deal(broker, order(instrument[:3], instrument=instrument))
            await broker.close()

    async def deal(self, broker: UpbitBroker | BinanceBroker, one: Order) -> None:
        """Ask a broker for everything."""
        for asked in (
            broker.place(one),
            broker.find(one),
            broker.cancel(one),
            broker.positions(),
            broker.open_orders(),
        ):
            try:
                await asked
            except OrderError as error:
                logging.getLogger("tests").exception("a broker's error")
                self.raised += traceback.format_exception(error)

    async def crash(self) -> None:
        """Let a fault of ours end a command, with secrets in its traceback."""
        house = self.house

        async def fail(request: object) -> None:
            raise RuntimeError(f"a bug that shows {sorted(KEYS.values())} and {request!r}")

        house.app.http.event_hooks["request"].append(fail)
        await house.type("/balance")
        house.app.http.event_hooks["request"].clear()
        token = house.environment["TICKTALK_TELEGRAM_TOKEN"]
        error = RuntimeError(f"the end, with {token} and {KEYS['KIS_APP_SECRET']}")
        sys.excepthook(RuntimeError, error, None)

    def mistype(self) -> None:
        """Read settings in which every secret is written wrongly."""
        for name, value in KEYS.items():
            wrong = {**self.house.environment, f"TICKTALK_{name}": f"{value} !"}
            with pytest.raises(ConfigError) as caught:
                load(self.house.folder / "settings.yaml", wrong)
            self.raised += traceback.format_exception(caught.value)

    def written(self) -> dict[str, str]:
        """Return all that was written, by where."""
        core, folder = self.house.core, self.house.folder
        found = {"json log": self.json.getvalue().decode(), "errors": "".join(self.raised)}
        for message in core.messages(VISITOR):
            if message.sender != core.user(VISITOR):
                found[f"message {message.id}"] = repr(message)
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "kis_token.json":
                found[path.name] = path.read_bytes().decode("latin-1")
        record = folder / "record"
        events = [repr(list(RecordedDay(record, day).events())) for day in days_in(record)]
        return found | {"record": "".join(events)}


@contextmanager
def console() -> Iterator[None]:
    """Log as `ticktalk run` does, and leave no trace of it."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], sys.excepthook = handlers, hook
        root.setLevel(level)


def faces(secret: str) -> set[str]:
    """Return how a secret may look: as it is, in an address, in JSON, encoded."""
    escaped = orjson.dumps(secret).decode()[1:-1]
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
    beginning = secret[:PART] if len(secret) > 2 * PART else secret
    return {secret, beginning, quote(secret, safe=""), quote(secret), escaped, encoded}


def run_it_all(folder: Path) -> Run:
    """Live through everything, and return what was said."""
    found: list[Run] = []

    async def scenario() -> None:
        time = ScaledTime(SystemClock(), START, 1.0)
        keys = KisKeys(SystemClock(), KEYS["KIS_APP_KEY"], KEYS["KIS_APP_SECRET"])
        calendar = KrxCalendar({})
        simulator = Simulator([SAMSUNG], calendar, seed=3, halted="", illiquid="")
        (quote_now,) = simulator.snapshot(["005930"], START)
        account = KisOrders(
            [SAMSUNG],
            calendar,
            time,
            Owner(account=ACCOUNT, hts_id=HTS_ID, cash=Decimal(10_000_000)),
            bases={"005930": Decimal(str(quote_now.price))},
        )
        kis, mirror = Kis(simulator, time, keys, account=account), Mirror()
        routes = [
            mirror,
            *naver_routes(simulator, time, NaverFaults()),
            *kis_routes(kis, Faults(), requests_a_second=1000),
            *kis_order_routes(kis, KisOrderPages(account), FaultPlan()),
        ]

        def environment(url: str) -> dict[str, str]:
            socket = url.replace("http", "ws", 1)
            servers = ("POLLING", "CHART", "FRONT", "PAGES", "RANK", "SISE")
            naver = {f"TICKTALK_NAVER_{name}_URL": url for name in servers}
            return (
                naver
                | {f"TICKTALK_{name}": value for name, value in KEYS.items()}
                | {
                    "TICKTALK_BROKER_NAME": "kis",
                    "TICKTALK_CRAWL_SECOND": "kis",
                    "TICKTALK_CRAWL_EVERY_SECONDS": "1",
                    "TICKTALK_CRAWL_HISTORY_BARS": "2",
                    "TICKTALK_KIS_REST_URL": url,
                    "TICKTALK_KIS_SOCKET_URL": socket,
                    "TICKTALK_KIS_REQUESTS_PER_SECOND": "1000",
                    "TICKTALK_KIS_TOKEN_PATH": str(folder / "kis_token.json"),
                    "TICKTALK_UPBIT_REST_URL": url,
                    "TICKTALK_UPBIT_PRIVATE_SOCKET_URL": f"{socket}/nowhere",
                    "TICKTALK_BINANCE_SPOT_URL": url,
                    "TICKTALK_BINANCE_SPOT_PRIVATE_SOCKET_URL": f"{socket}/nowhere",
                    "TICKTALK_RISK_DUPLICATE_SECONDS": "0",
                    "TICKTALK_RISK_MAX_ORDERS_PER_MINUTE": "1000",
                }
            )

        write_files(folder)
        async with live_house(folder, time, routes, environment) as house:
            config = load(folder / "settings.yaml", house.environment)
            logs.set_up(secrets=secret_values(config.settings), is_plain=True)
            found.append(Run(house, mirror, io.BytesIO()))
            await found[0].live()

    with console():
        asyncio.run(scenario())
    return found[0]


def write_files(folder: Path) -> None:
    write_folder(folder)
    for path in (*(folder / "conditions").glob("*"), *(folder / "universes").glob("*")):
        path.unlink()
    condition = "name: up\nuniverse: [KRX:005930]\ntimeframe: 1m\nwhen: close > open\n"
    (folder / "conditions" / "up.yaml").write_text(condition, encoding="utf-8")


def test_nothing_that_a_run_writes_holds_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_it_all(tmp_path)
    shown = capsys.readouterr()
    written = run.written() | {"console": shown.out + shown.err}
    planted = {*KEYS.values(), ACCOUNT, ACCOUNT[:8]}
    planted.add(run.house.environment["TICKTALK_TELEGRAM_TOKEN"])
    tokens = orjson.loads((tmp_path / "kis_token.json").read_bytes()).values()
    planted |= {one[name]["value"] for one in tokens for name in ("token", "approval") if one[name]}
    leaks = [
        (where, face[:12], text[max(0, at - 60) : at + 20])
        for where, text in written.items()
        for secret in planted
        for face in faces(secret)
        if (at := text.find(face)) >= 0
    ]
    leaks += [
        (where, code, text[max(0, found.start() - 60) : found.end()])
        for where, text in written.items()
        for code in run.typed
        if (found := re.search(rf"(?<![0-9A-Za-z]){code}(?![0-9A-Za-z])", text)) is not None
    ]
    assert not leaks, "\n".join(map(repr, leaks))
    assert all(KEYS[name] in run.mirror.shown for name in _SENT)


_SENT = ("KIS_APP_KEY", "KIS_APP_SECRET", "BINANCE_API_KEY")
