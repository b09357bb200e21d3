"""The pretend KIS's wires: tokens and quotations over HTTP, trades over a websocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState

from sandbox.kis import Refusal
from sandbox.kis_faults import Fault, Faults, refused
from sandbox.kis_pace import Pace
from sandbox.kis_rows import renamed
from sandbox.kis_socket import KisSession

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from sandbox.kis import Kis

Row = dict[str, Any]

PUSH_SECONDS = 0.1
"""New trades are told so often."""


def kis_routes(venue: Kis, faults: Faults, requests_a_second: int | None = None) -> list[BaseRoute]:
    """Return the routes of both servers, REST and websocket, for one address.

    `requests_a_second` takes the place of the venue's own pace, of orders too.
    """
    if requests_a_second is not None:
        venue.pace = Pace(venue.clock, requests_a_second)
    pages = _Pages(venue, faults)
    return [
        Route("/oauth2/tokenP", pages.token, methods=["POST"]),
        Route("/oauth2/Approval", pages.approval, methods=["POST"]),
        Route("/uapi/domestic-stock/v1/quotations/{name}", pages.quotation),
        WebSocketRoute("/tryitout", _Line(venue, faults).talk),
    ]


class _Pages:
    def __init__(self, venue: Kis, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults

    async def token(self, request: Request) -> Response:
        """Issue an access token."""
        self._faults.asked.append("tokenP")
        status, row = self._venue.keys.issue(await _fields(request))
        return JSONResponse(row, status)

    async def approval(self, request: Request) -> Response:
        """Issue a websocket key."""
        self._faults.asked.append("Approval")
        status, row = self._venue.keys.approve(await _fields(request))
        return JSONResponse(row, status)

    async def quotation(self, request: Request) -> Response:
        """Answer one quotation service."""
        name = request.path_params["name"]
        self._faults.asked.append(name)
        fault = self._faults.next()
        if fault is Fault.ECHO:
            return refused(500, "EGW00999", f"odd headers: {dict(request.headers)}")
        if self._venue.pace.is_too_fast():
            fault = Fault.BUSY
        if fault is not None and fault.response is not None:
            return fault.response
        try:
            # years of pretend days take a while to make up, and the bot may live on the same loop
            outputs = await asyncio.to_thread(
                self._venue.quotation, name, request.headers, request.query_params
            )
        except Refusal as error:
            status = 500 if error.code.startswith("EGW") else 200
            return refused(status, error.code, error.text)
        head = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다."}
        return Response(orjson.dumps(_changed(outputs, fault) | head), 200, {"tr_cont": ""}, _JSON)


_JSON = "application/json; charset=utf-8"


def _changed(outputs: Row, fault: Fault | None) -> Row:
    """Return the outputs as a redesign or a fault leaves them."""
    if fault is Fault.EMPTY:
        return {name: [] if isinstance(one, list) else one for name, one in outputs.items()}
    if fault is Fault.RENAMED:
        return {
            name: [renamed(row) for row in one] if isinstance(one, list) else one
            for name, one in outputs.items()
        }
    return outputs


async def _fields(request: Request) -> Row:
    try:
        fields = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


class _Line:
    """Websocket sessions, one for the app key at a time."""

    def __init__(self, venue: Kis, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults
        self._open = 0

    async def talk(self, websocket: WebSocket) -> None:
        """Hold one session until one side has enough."""
        self._faults.opened += 1
        if self._faults.is_refusing:
            await websocket.close(1013)
            return
        await websocket.accept()
        self._open += 1
        session = KisSession(self._venue, self._faults)
        hearing = asyncio.create_task(_hear(websocket, session))
        try:
            with suppress(WebSocketDisconnect, OSError):
                for text in session.begin(is_alone=self._open == 1):
                    await websocket.send_text(text)
                await self._push(websocket, session, hearing)
        finally:
            self._open -= 1
            hearing.cancel()
            await asyncio.wait({hearing})

    async def _push(
        self, websocket: WebSocket, session: KisSession, hearing: asyncio.Task[None]
    ) -> None:
        dropped = self._faults.dropped
        while not hearing.done() and not dropped.is_set() and not session.is_over:
            for frame in session.frames():
                await websocket.send_text(frame)
            with suppress(TimeoutError):
                async with asyncio.timeout(PUSH_SECONDS):
                    await dropped.wait()
        if websocket.client_state is WebSocketState.CONNECTED and not hearing.done():
            await websocket.close(1001)


async def _hear(websocket: WebSocket, session: KisSession) -> None:
    with suppress(WebSocketDisconnect, OSError):
        while True:
            for answer in session.hear(await websocket.receive_text()):
                await websocket.send_text(answer)
