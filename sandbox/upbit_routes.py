"""The pretend Upbit's wires: its quotation API over HTTP and its public websocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState

from sandbox.upbit import (
    MOST_CANDLES,
    UNITS,
    Allowance,
    UnknownMarket,
    read_to,
)
from sandbox.upbit_faults import Fault, Faults, error, shut_out, too_many
from sandbox.upbit_rows import Row, renamed
from sandbox.upbit_socket import UpbitSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from sandbox.upbit import Upbit

PUSH_SECONDS = 0.5
"""Changed candles are told so often."""


def upbit_routes(
    venue: Upbit,
    faults: Faults,
    allowance: Allowance | None = None,
    push_seconds: float = PUSH_SECONDS,
) -> list[BaseRoute]:
    """Return the routes of both servers, REST and websocket, for one address.

    Where the venue's clock is faster than the machine's, `push_seconds` are to be fewer.
    """
    pages = _Pages(venue, faults, allowance or Allowance())
    return [
        Route("/v1/market/all", pages.markets),
        Route("/v1/ticker", pages.tickers),
        Route("/v1/ticker/all", pages.all_tickers),
        Route("/v1/candles/minutes/{unit:int}", pages.minutes),
        Route("/v1/candles/days", pages.days),
        WebSocketRoute("/websocket/v1", _Line(venue, faults, push_seconds).talk),
    ]


class _Pages:
    def __init__(self, venue: Upbit, faults: Faults, allowance: Allowance) -> None:
        self._venue = venue
        self._faults = faults
        self._allowance = allowance

    async def markets(self, request: Request) -> Response:
        """Answer all markets."""
        return self._answer(request, "market", self._venue.markets)

    async def tickers(self, request: Request) -> Response:
        """Answer the tickers of a comma list of markets; one unknown and none is answered."""
        codes = [code for code in request.query_params.get("markets", "").split(",") if code]
        if not codes:
            return error(400, 400, "Missing request parameter: markets")
        return self._answer(request, "ticker", lambda: self._venue.tickers(codes))

    async def all_tickers(self, request: Request) -> Response:
        """Answer the tickers of all markets in some currencies."""
        quotes = request.query_params.get("quote_currencies", "").split(",")
        return self._answer(request, "ticker", lambda: self._venue.tickers_of(quotes))

    async def minutes(self, request: Request) -> Response:
        """Answer minute candles, newest first."""
        unit = request.path_params["unit"]
        if unit not in UNITS:
            return error(400, 400, "Unsupported unit")
        return self._candles(
            request, lambda code, to, count: self._venue.candles(code, unit, to, count)
        )

    async def days(self, request: Request) -> Response:
        """Answer daily candles, newest first."""
        return self._candles(request, self._venue.days)

    def _candles(self, request: Request, found: Callable[..., list[Row]]) -> Response:
        query = request.query_params
        code, count, to = query.get("market", ""), query.get("count", "1"), query.get("to")
        at = None if to is None else read_to(to)
        if not code or not count.isdigit() or (to is not None and at is None):
            return error(400, 400, "Invalid parameter")
        # more than that is cut off without a word
        most = min(int(count), MOST_CANDLES)
        return self._answer(request, "candles", lambda: found(code, at, most))

    def _answer(self, request: Request, group: str, found: Callable[[], list[Row]]) -> Response:
        self._faults.asked.append(request.url.path)
        left = self._allowance.spend(group, self._venue.clock.now())
        if left < 0:
            return too_many() if left == -1 else shut_out(self._blocked_seconds())
        fault = self._faults.fault
        if fault is not None and fault.response is not None:
            return fault.response
        try:
            rows = [] if fault is Fault.EMPTY else found()
        except UnknownMarket:
            return error(404, 404, "Code not found")
        body = orjson.dumps([renamed(row) if fault is Fault.RENAMED else row for row in rows])
        headers = {"Remaining-Req": f"group={group}; min={60 * left}; sec={left}"}
        return Response(body, 200, headers, "application/json;charset=utf-8")

    def _blocked_seconds(self) -> int:
        until = self._allowance.blocked_until
        return 0 if until is None else round((until - self._venue.clock.now()).total_seconds())


class _Line:
    """Public websockets: frames go out on a beat, what the client says is heard at once."""

    def __init__(self, venue: Upbit, faults: Faults, push_seconds: float) -> None:
        self._venue = venue
        self._faults = faults
        self._push_seconds = push_seconds

    async def talk(self, websocket: WebSocket) -> None:
        """Hold one connection until one side has enough."""
        self._faults.opened += 1
        if self._faults.is_refusing:
            await websocket.close(1013)
            return
        await websocket.accept()
        session = UpbitSession(self._venue, self._faults)
        hearing = asyncio.create_task(_hear(websocket, session))
        try:
            with suppress(WebSocketDisconnect):
                await self._push(websocket, session, hearing)
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})

    async def _push(
        self, websocket: WebSocket, session: UpbitSession, hearing: asyncio.Task[None]
    ) -> None:
        dropped = self._faults.dropped
        while not hearing.done() and not dropped.is_set():
            for frame in session.frames():
                await websocket.send_bytes(frame)
            if session.is_over:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(self._push_seconds):
                    await dropped.wait()
        if websocket.client_state is WebSocketState.CONNECTED and not hearing.done():
            await websocket.close(1001)


async def _hear(websocket: WebSocket, session: UpbitSession) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            body = message.get("text")
            session.hear(message["bytes"].decode() if body is None else body)
