"""The wires of the pretend Binance's accounts: signed requests of both markets, and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from market.types import to_ms
from sandbox.binance_faults import error
from sandbox.binance_order_pages import FuturesPages, SpotPages
from sandbox.binance_order_rows import info_row
from sandbox.binance_rules import Refusal
from sandbox.binance_user_feed import UserFeed
from sandbox.binance_user_lines import UserLines
from sandbox.binance_weights import Weights
from sandbox.order_faults import Belated, Channel, OrderFault, misbehave

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from market.clock import Clock
    from sandbox.binance_keys import BinanceKeys
    from sandbox.binance_orders import OrderVenue
    from sandbox.order_faults import FaultPlan

_WEIGHTS = {
    "/openOrders": (80, 40),
    "/openAlgoOrders": (80, 40),
    "/account": (20, 5),
    "/v3/account": (20, 5),
    "/myTrades": (5, 5),
    "/userTrades": (5, 5),
    "/exchangeInfo": (20, 1),
}
"""What a request costs on spot and on futures, where it is not 4 or 1."""


class BinanceExchange:
    """Both markets of one account; `asked` are method, path and parameters of all requests.

    The venue's clock may run apart from its clients'.
    """

    def __init__(
        self,
        spot: OrderVenue,
        futures: OrderVenue,
        keys: BinanceKeys,
        plan: FaultPlan,
        clock: Clock,
    ) -> None:
        self.spot = spot
        self.futures = futures
        self.keys = keys
        self.plan = plan
        self.clock = clock
        self.asked: list[str] = []
        self.weights = {False: Weights(6000), True: Weights(2400)}
        self.feeds = {False: UserFeed(spot, plan), True: UserFeed(futures, plan)}
        self._belated = Belated()
        futures.algos.listeners.append(self.feeds[True].tell)

    def routes(self) -> list[BaseRoute]:
        """Return the routes; they go before those of market data, whose lists have no filters."""
        spot, futures = SpotPages(self.spot), FuturesPages(self.futures)
        routes: list[BaseRoute] = []
        for venue, base, pages in (
            (self.spot, "/api/v3", spot.pages()),
            (self.futures, "/fapi/v1", futures.pages()),
        ):
            routes += [
                _Signed(self, venue, base, method, path, page).route
                for (method, path), page in pages.items()
            ]
            open_pages = _Open(self, venue)
            routes += [
                Route(f"{base}/time", open_pages.time),
                Route(f"{base}/exchangeInfo", open_pages.info),
            ]
        listen_key = Route("/fapi/v1/listenKey", self.listen_key, methods=["POST", "PUT"])
        return [*routes, listen_key, *UserLines(self.keys, self.feeds, self.clock).routes()]

    async def listen_key(self, request: Request) -> Response:
        """Make the listen key of futures, or keep it alive; only the key is asked for."""
        keys = self.keys
        self.asked.append(f"{request.method} {request.url.path}?")
        self.arrive()

        def find() -> Any:
            keys.know(request.headers.get("X-MBX-APIKEY"))
            if request.method == "POST":
                return {"listenKey": keys.listen(self.clock.now())}
            keys.keep(self.clock.now())
            return {"listenKey": keys.listen_key}

        fault = self.plan.next(Channel.READ)
        return self.answer(self.futures, 1, fault, find)

    def arrive(self) -> None:
        """Let time do its work: requests under way arrive, orders trade, listen keys end."""
        self._belated.arrive(self.clock.now())
        self.spot.catch_up()
        self.futures.catch_up()
        if not self.keys.is_listening(self.clock.now()):
            self.end_listening()

    def end_listening(self) -> None:
        """Let the listen key end, and tell those who listen."""
        feed = self.feeds[True]
        self.keys.expire()
        ended = {"e": "listenKeyExpired", "E": to_ms(self.clock.now())}
        for session in list(feed.sessions):
            session.put(orjson.dumps({**ended, "listenKey": self.keys.listen_key}).decode())
        feed.sessions.clear()

    def answer(
        self, venue: OrderVenue, weight: int, fault: OrderFault | None, find: Callable[[], Any]
    ) -> Response:
        """Answer a request as far as the fault lets it come."""
        refused = self.weights[venue.is_futures].spend(weight, self.clock.now())
        if refused is not None:
            wait = {"Retry-After": str(refused.retry_after)}
            return error(refused.status, -1003, refused.text, wait)
        own = _OWN_FAULTS.get(fault) if fault is not None else None
        if own is not None:
            return own()
        due = self.clock.now() + self.plan.late_by
        return misbehave(fault, lambda: self._found(venue, find), self._belated, due)

    def _found(self, venue: OrderVenue, find: Callable[[], Any]) -> Response:
        try:
            content = find()
        except Refusal as refusal:
            return error(refusal.status, refusal.code, refusal.text)
        used = {"X-MBX-USED-WEIGHT-1M": str(self.weights[venue.is_futures].used)}
        return Response(orjson.dumps(content), 200, used, "application/json;charset=UTF-8")


class _Signed:
    """One signed page."""

    def __init__(
        self,
        exchange: BinanceExchange,
        venue: OrderVenue,
        base: str,
        method: str,
        path: str,
        page: Callable[[dict[str, str], bool], Any],
    ) -> None:
        root = base.removesuffix("/v1") if path.startswith("/v3") else base
        self._exchange = exchange
        self._venue = venue
        self._path = path
        self._page = page
        self._is_order = path in {"/order", "/algoOrder"} and method != "GET"
        self.route = Route(f"{root}{path}", self.respond, methods=[method])

    async def respond(self, request: Request) -> Response:
        """Verify, execute and answer, or fail as planned."""
        exchange = self._exchange
        parts = (request.url.query, (await request.body()).decode("utf-8", "replace"))
        payload = "&".join(part for part in parts if part)
        exchange.asked.append(f"{request.method} {request.url.path}?{payload}")
        exchange.arrive()
        fault = exchange.plan.next(Channel.ORDER if self._is_order else Channel.READ)
        key = request.headers.get("X-MBX-APIKEY")
        has_ghosts = fault is OrderFault.GHOST_ROW

        def find() -> Any:
            # when it arrives, which may be later than it was sent
            params = exchange.keys.verify(key, payload, exchange.clock.now())
            return self._page(params, has_ghosts)

        default = (1, 1) if self._is_order else (4, 1)
        weight = _WEIGHTS.get(self._path, default)[self._venue.is_futures]
        return exchange.answer(self._venue, weight, fault, find)


class _Open:
    """The pages of one market that need no key."""

    def __init__(self, exchange: BinanceExchange, venue: OrderVenue) -> None:
        self._exchange = exchange
        self._venue = venue

    async def time(self, request: Request) -> Response:
        """Answer the venue's time."""
        return self._answer(request, {"serverTime": to_ms(self._exchange.clock.now())})

    async def info(self, request: Request) -> Response:
        """Answer the symbols with their filters; spot tells those that are asked for."""
        wanted = request.query_params.get("symbol")
        names = list(self._venue.rules) if wanted is None else [wanted]
        if not set(names) <= set(self._venue.rules):
            return error(400, -1121, "Invalid symbol.")
        rows = [info_row(self._venue, name) for name in names]
        now = to_ms(self._exchange.clock.now())
        return self._answer(request, {"timezone": "UTC", "serverTime": now, "symbols": rows})

    def _answer(self, request: Request, content: Mapping[str, Any]) -> Response:
        exchange, path = self._exchange, request.url.path
        exchange.asked.append(f"GET {path}?{request.url.query}")
        weight = _WEIGHTS.get(path[path.rindex("/") :], (1, 1))[self._venue.is_futures]
        fault = exchange.plan.next(Channel.READ)
        return exchange.answer(self._venue, weight, fault, lambda: content)


def _maintenance() -> Response:
    return HTMLResponse("<!doctype html><title>System Maintenance</title>", 503)


_OWN_FAULTS: dict[OrderFault, Callable[[], Response]] = {
    OrderFault.BUSY: lambda: JSONResponse(
        {
            "code": -1008,
            "msg": "Server is currently overloaded with other requests. Please try again in a few"
            " minutes.",
        },
        503,
    ),
    OrderFault.MAINTENANCE: _maintenance,
    OrderFault.REVOKED: lambda: error(
        401, -2015, "Invalid API-key, IP, or permissions for action."
    ),
}
