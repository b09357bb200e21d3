"""The pretend Binance's wires: REST of spot and futures, and the sockets of both."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState

from market.types import to_ms
from sandbox.binance import INTERVALS, PretendBinance
from sandbox.binance_faults import Fault, Faults, changed, error
from sandbox.binance_lists import exchange_info, ticker
from sandbox.binance_socket import MOST_STREAMS, BinanceSession
from sandbox.binance_weights import Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from market.clock import Clock

PUSH_SECONDS = 0.25
SPOT_SOCKETS = "/spot"
FUTURES_SOCKETS = "/futures/market"
_LEGACY_SOCKETS = "/futures"
_OLD_MINUTES = timedelta(minutes=2)


@dataclass
class BinanceWires:
    """What stands between the venue and its clients: faults, weights, and the beat of sockets.

    Sockets tell what is new every `push_seconds`, or at once when `push` is called.
    """

    clock: Clock
    faults: Faults = field(default_factory=Faults)
    push_seconds: float = PUSH_SECONDS
    weights: dict[bool, Weights] = field(
        default_factory=lambda: {False: Weights(6000), True: Weights(2400)}
    )
    _beat: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self) -> None:
        """Let all sockets tell now what is new."""
        self._beat.set()
        self._beat = asyncio.Event()

    def drop(self) -> None:
        """Close at once all sockets that are open."""
        self.faults.drop()
        self.push()

    async def beat(self) -> None:
        """Wait until it is time to tell what is new."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.push_seconds):
                await self._beat.wait()


def binance_routes(
    spot: PretendBinance, futures: PretendBinance, wires: BinanceWires
) -> list[BaseRoute]:
    """Return the routes of all four servers for one address.

    In earnest each has a host of its own; here the sockets are told apart by `SPOT_SOCKETS` and
    `FUTURES_SOCKETS`. The paths of futures from before 2026-04-23 still connect, and stay silent.
    """
    routes: list[BaseRoute] = []
    for venue, base in ((spot, "/api/v3"), (futures, "/fapi/v1")):
        pages = _Pages(venue, wires)
        routes += [
            Route(f"{base}/klines", pages.klines),
            Route(f"{base}/ticker/24hr", pages.tickers),
            Route(f"{base}/exchangeInfo", pages.info),
        ]
    for venue, base, is_silent in (
        (spot, SPOT_SOCKETS, False),
        (futures, FUTURES_SOCKETS, False),
        (futures, _LEGACY_SOCKETS, True),
    ):
        line = _Line(venue, wires, is_silent=is_silent)
        routes += [WebSocketRoute(f"{base}/stream", line.talk)]
    routes.append(
        WebSocketRoute(f"{_LEGACY_SOCKETS}/ws", _Line(futures, wires, is_silent=True).talk)
    )
    return routes


class _Pages:
    def __init__(self, venue: PretendBinance, wires: BinanceWires) -> None:
        self._venue = venue
        self._wires = wires
        self._weights = wires.weights[venue.is_futures]

    async def klines(self, request: Request) -> Response:
        """Answer klines, oldest first; without a start the newest ones."""
        query = request.query_params
        limit = query.get("limit", "500")
        weight = _kline_weight(int(limit)) if self._venue.is_futures and limit.isdigit() else 2

        def found() -> Any:
            interval, most = query.get("interval", ""), min(int(limit), self._venue.most_rows)
            if interval not in INTERVALS:
                return error(400, -1120, "Invalid interval.")
            now = self._wires.clock.now()
            end = min(int(query.get("endTime", to_ms(now))), to_ms(now))
            start = int(query.get("startTime", end - (most - 1) * INTERVALS[interval]))
            if self._wires.faults.fault is Fault.BEHIND:
                now -= _OLD_MINUTES
            return self._venue.klines(query["symbol"], interval, start, end, most, now)

        return self._answer(request, weight, found)

    async def tickers(self, request: Request) -> Response:
        """Answer the ticker of a symbol, or those of all."""
        symbol = request.query_params.get("symbol")
        weights = (1, 40) if self._venue.is_futures else (2, 80)

        def found() -> Any:
            now = self._wires.clock.now()
            if symbol is not None:
                return ticker(self._venue, symbol, now)
            return [ticker(self._venue, one, now) for one in self._venue.market.symbols]

        is_known = symbol is None or symbol in self._venue.market.symbols
        return self._answer(request, weights[symbol is None], found, is_known=is_known)

    async def info(self, request: Request) -> Response:
        """Answer the list of all symbols, or of those of a status."""
        status = request.query_params.get("symbolStatus")

        def found() -> Any:
            whole = exchange_info(self._venue, self._wires.clock.now())
            shown = [one for one in whole["symbols"] if status in {None, one["status"]}]
            return {**whole, "symbols": shown}

        weight = 1 if self._venue.is_futures else 20
        return self._answer(request, weight, found, is_known=True)

    def _answer(
        self,
        request: Request,
        weight: int,
        found: Callable[[], Any],
        *,
        is_known: bool | None = None,
    ) -> Response:
        faults = self._wires.faults
        faults.asked.append(f"{request.url.path}?{request.url.query}")
        refusal = self._weights.spend(weight, self._wires.clock.now())
        if refusal is not None:
            headers = {"Retry-After": str(refusal.retry_after)}
            return error(refusal.status, -1003, refusal.text, headers)
        if faults.fault is not None and faults.fault.response is not None:
            return faults.fault.response
        symbol = request.query_params.get("symbol")
        if is_known is None and not symbol:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            return error(400, -1102, text)
        if is_known is False or (is_known is None and symbol not in self._venue.market.symbols):
            return error(400, -1121, "Invalid symbol.")
        content = found()
        if isinstance(content, Response):
            return content
        body = orjson.dumps(changed(content, faults.fault))
        used = {"X-MBX-USED-WEIGHT-1M": str(self._weights.used)}
        return Response(body, 200, used, "application/json;charset=UTF-8")


def _kline_weight(limit: int) -> int:
    """Return what a futures request for so many klines costs."""
    bounds = ((100, 1), (500, 2), (1001, 5))
    return next((weight for bound, weight in bounds if limit < bound), 10)


class _Line:
    """Public websockets: what is new goes out on a beat, what the client says is heard at once."""

    def __init__(self, venue: PretendBinance, wires: BinanceWires, *, is_silent: bool) -> None:
        self._venue = venue
        self._wires = wires
        self._is_silent = is_silent

    async def talk(self, websocket: WebSocket) -> None:
        """Hold one connection until one side has enough."""
        faults, names = self._wires.faults, _names(websocket)
        faults.opened.append(websocket.url.path)
        if faults.is_refusing or len(names) > MOST_STREAMS:
            await websocket.close(1008)
            return
        await websocket.accept()
        session = BinanceSession(self._venue, faults, names, self._wires.clock.now())
        hearing = asyncio.create_task(self._hear(websocket, session))
        try:
            with suppress(WebSocketDisconnect, OSError):
                await self._push(websocket, session, hearing)
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})

    async def _push(
        self, websocket: WebSocket, session: BinanceSession, hearing: asyncio.Task[None]
    ) -> None:
        dropped = self._wires.faults.dropped
        while not hearing.done() and not dropped.is_set() and not session.is_over:
            for frame in session.frames(self._wires.clock.now()):
                if not self._is_silent:
                    await websocket.send_text(frame)
            await self._wires.beat()
        if websocket.client_state is WebSocketState.CONNECTED and not hearing.done():
            await websocket.close(1008 if session.is_over else 1001)

    async def _hear(self, websocket: WebSocket, session: BinanceSession) -> None:
        loop = asyncio.get_running_loop()
        with suppress(WebSocketDisconnect):
            while True:
                session.hear(await websocket.receive_text(), self._wires.clock.now(), loop.time())
                self._wires.push()


def _names(websocket: WebSocket) -> list[str]:
    return [name for name in websocket.query_params.get("streams", "").split("/") if name]
