"""The wires of the pretend Upbit's exchange API: orders and accounts, and its private websocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState

from sandbox.order_faults import Belated, Channel, OrderFault, misbehave
from sandbox.upbit_faults import error, shut_out, too_many
from sandbox.upbit_keys import RequestRefused
from sandbox.upbit_private import UpbitPrivateSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from sandbox.order_faults import FaultPlan
    from sandbox.upbit import Allowance
    from sandbox.upbit_keys import UpbitKeys
    from sandbox.upbit_orders import UpbitOrders

BEAT_SECONDS = 0.5
"""How often the private websocket looks whether a heartbeat is due."""
_OFFLINE = "시스템 점검 중입니다. 점검이 완료된 후에 다시 시도해주세요."


class UpbitExchange:
    """The exchange API as an application's routes: signed requests, limits and faults.

    `asked` are method and path of all requests, those included of which nothing came; `posted` the
    identifiers of those for a new order.
    `allowances` are what groups of requests may still ask in this second, none where it is empty.
    """

    def __init__(
        self,
        venue: UpbitOrders,
        keys: UpbitKeys,
        plan: FaultPlan,
        allowances: dict[str, Allowance] | None = None,
    ) -> None:
        self.venue = venue
        self.asked: list[str] = []
        self.posted: list[str] = []
        self._keys = keys
        self._plan = plan
        self._allowances = allowances or {}
        self._belated = Belated()
        self._sessions: list[UpbitPrivateSession] = []
        self._said = asyncio.Event()

    async def subscribed(self) -> None:
        """Return once some connection is told what happens."""
        while not any(session.is_subscribed for session in self._sessions):
            self._said.clear()
            await self._said.wait()

    def routes(self) -> list[BaseRoute]:
        """Return the routes, to stand beside those of the quotation API."""
        return [
            Route("/v1/orders", self.create, methods=["POST"]),
            Route("/v1/order", self.order, methods=["GET"]),
            Route("/v1/order", self.cancel, methods=["DELETE"]),
            Route("/v1/orders/open", self.open_orders),
            Route("/v1/accounts", self.accounts),
            Route("/v1/orderbook/instruments", self.instruments),
            WebSocketRoute("/websocket/v1/private", self.talk),
        ]

    def arrive(self) -> None:
        """Let requests that were under way arrive, if it is their time."""
        self._belated.arrive(self.venue.clock.now())

    async def create(self, request: Request) -> Response:
        """Take an order."""
        body = await request.body()
        try:
            fields = orjson.loads(body)
        except orjson.JSONDecodeError:
            fields = None
        if not isinstance(fields, dict):
            return error(400, "invalid_parameter", "잘못된 파라미터")
        self.posted.append(str(fields.get("identifier")))
        asked = "&".join(f"{name}={value}" for name, value in fields.items())
        return self._act(request, "order", asked, lambda: self.venue.create(fields), 201)

    async def cancel(self, request: Request) -> Response:
        """Begin to cancel an order."""
        query = request.query_params
        return self._act(
            request,
            "default",
            _asked(request),
            lambda: self.venue.cancel(query.get("uuid"), query.get("identifier")),
        )

    async def order(self, request: Request) -> Response:
        """Answer an order with its trades."""
        query = request.query_params
        return self._show(
            request, lambda: self.venue.order(query.get("uuid"), query.get("identifier"))
        )

    async def open_orders(self, request: Request) -> Response:
        """Answer a page of open orders."""
        query = request.query_params
        page, limit = int(query.get("page", "1")), min(int(query.get("limit", "100")), 100)
        is_ascending = query.get("order_by") == "asc"
        return self._show(
            request, lambda: self.venue.open_orders(page, limit, is_ascending=is_ascending)
        )

    async def accounts(self, request: Request) -> Response:
        """Answer the balances."""
        return self._show(request, self.venue.accounts)

    async def instruments(self, request: Request) -> Response:
        """Answer the steps of prices; everybody may ask."""
        self.asked.append(f"GET {request.url.path}")
        markets = request.query_params.get("markets", "").split(",")
        fault = self._plan.next(Channel.READ)
        return misbehave(
            fault,
            lambda: _answer(lambda: self.venue.instruments(markets)),
            self._belated,
            self.venue.clock.now() + self._plan.late_by,
        )

    async def talk(self, websocket: WebSocket) -> None:
        """Hold one private connection until one side has enough."""
        try:
            self._keys.verify(websocket.headers.get("authorization"), "")
        except RequestRefused:
            await websocket.close(1008)
            return
        await websocket.accept()
        awake = asyncio.Event()
        session = UpbitPrivateSession(self.venue, self._plan, awake.set)
        self._sessions.append(session)
        hearing = asyncio.create_task(_hear(websocket, session, self._said))
        hearing.add_done_callback(lambda _: awake.set())
        try:
            with suppress(WebSocketDisconnect):
                await _push(websocket, session, awake, hearing)
        finally:
            session.end()
            self._sessions.remove(session)
            hearing.cancel()
            await asyncio.wait({hearing})

    def _show(self, request: Request, found: Callable[[], Any]) -> Response:
        return self._do(request, Channel.READ, "default", lambda: self._signed(request, found))

    def _act(
        self,
        request: Request,
        group: str,
        asked: str,
        act: Callable[[], Any],
        status: int = 200,
    ) -> Response:
        header = request.headers.get("authorization")

        def execute() -> Response:
            return _answer(lambda: self._verified(header, asked, act), status)

        return self._do(request, Channel.ORDER, group, execute)

    def _signed(self, request: Request, found: Callable[[], Any]) -> Response:
        header = request.headers.get("authorization")
        return _answer(lambda: self._verified(header, _asked(request), found))

    def _verified(self, header: str | None, asked: str, then: Callable[[], Any]) -> Any:
        self._keys.verify(header, asked)
        return then()

    def _do(
        self, request: Request, channel: Channel, group: str, execute: Callable[[], Response]
    ) -> Response:
        self.arrive()
        self.asked.append(f"{request.method} {request.url.path}")
        now = self.venue.clock.now()
        allowance = self._allowances.get(group)
        left = None if allowance is None else allowance.spend(group, now)
        if left is not None and left < 0:
            return too_many() if left == -1 else shut_out(10)
        fault = self._plan.next(channel)
        turned_away = _TURNED_AWAY.get(fault) if fault is not None else None
        if turned_away is not None:
            return turned_away()
        answer = misbehave(fault, execute, self._belated, now + self._plan.late_by)
        if left is not None:
            answer.headers["Remaining-Req"] = f"group={group}; min={60 * left}; sec={left}"
        return answer


async def _push(
    websocket: WebSocket,
    session: UpbitPrivateSession,
    awake: asyncio.Event,
    hearing: asyncio.Task[None],
) -> None:
    while not hearing.done():
        awake.clear()
        for frame in session.frames():
            await websocket.send_bytes(frame)
        if session.is_over:
            break
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await awake.wait()
    if websocket.client_state is WebSocketState.CONNECTED and not hearing.done():
        await websocket.close(1001)


async def _hear(websocket: WebSocket, session: UpbitPrivateSession, said: asyncio.Event) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            body = message.get("text")
            session.hear(message["bytes"].decode() if body is None else body)
            said.set()


def _answer(act: Callable[[], Any], status: int = 200) -> Response:
    try:
        found = act()
    except RequestRefused as refused:
        name: str | int = int(refused.name) if refused.name.isdigit() else refused.name
        return error(refused.status, name, refused.message)
    return Response(orjson.dumps(found), status, media_type="application/json;charset=utf-8")


def _asked(request: Request) -> str:
    """Return the query as it came, but for its percent signs: that is what is signed."""
    return unquote(request.url.query)


_TURNED_AWAY: dict[OrderFault, Callable[[], Response]] = {
    OrderFault.BUSY: too_many,
    OrderFault.MAINTENANCE: lambda: error(403, "market_offline", _OFFLINE),
    OrderFault.REVOKED: lambda: error(401, "expired_access_key", "만료된 API 키입니다."),
}
