"""Asking Upbit's exchange API: reads again and again, what changes something exactly once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from aiolimiter import AsyncLimiter

from market.errors import OrderRejected, OutcomeUnknown, SourceError
from venues.polite_http import Pace, PoliteHttp, Refused, burst_within
from venues.upbit_limits import rest_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brokers.upbit_auth import UpbitAuth
    from config.settings import UpbitSettings

BURST = 4
"""So many orders may follow one another at once; with the pace after them 12 in any second."""
ALLOWED = 30
"""Requests about orders and account a second (docs.upbit.com, "Rate Limits", 2026-09)."""
LONGEST_REST_SECONDS = 1.5
"""Nobody's order waits for longer than this, and the price it was confirmed at with it."""

_CODES = {
    "insufficient_funds_bid": "cash",
    "insufficient_funds_ask": "no_position",
    "under_min_total_bid": "least",
    "under_min_total_ask": "least",
    "over_krw_funds_bid": "quantity",
    "invalid_price_bid": "price",
    "invalid_price_ask": "price",
    "duplicated_identifier": "duplicate",
    "market_offline": "closed",
    "order_not_found": "unknown_order",
}
_HEADERS = {"Accept": "application/json"}
_BUSY = frozenset({418, 429})


class UpbitHttp:
    """The exchange API with our keys.

    Errors are OrderRejected where the venue has surely not done it, OutcomeUnknown otherwise; a
    read raises OrderRejected only for an order that the venue does not know. No text holds a key.
    """

    def __init__(self, client: httpx.AsyncClient, settings: UpbitSettings, auth: UpbitAuth) -> None:
        self._client = client
        self._url = settings.rest_url
        self._timeout_seconds = settings.timeout_seconds
        self._auth = auth
        rate = settings.account_requests_per_second
        burst = burst_within(ALLOWED, rate)
        pace = Pace(rate, settings.timeout_seconds, burst=burst)
        self._reads = PoliteHttp(
            client, pace, _HEADERS, watch=rest_seconds, auth=auth, hide=auth.hide
        )
        self._limiter = AsyncLimiter(BURST, BURST / settings.orders_per_second)
        self._rest_until = 0.0

    async def get(self, path: str, query: str = "") -> Any:
        """Return the JSON of an answer; it is asked for again a few times first."""
        url = f"{self._url}{path}?{query}" if query else f"{self._url}{path}"
        try:
            body = await self._reads.get(url)
        except Refused as error:
            raise self._refused_read(path, error) from error
        except SourceError as error:
            raise OutcomeUnknown("unavailable", self._auth.hide(f"upbit: {error}")) from error
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise OutcomeUnknown("unavailable", f"upbit {path} answered no JSON") from error

    async def post(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Send once and return the fields of the answer that says it was done."""
        content = orjson.dumps(dict(fields))
        headers = {"Content-Type": "application/json"}
        return await self._send(
            httpx.Request("POST", self._url + path, content=content, headers=headers)
        )

    async def delete(self, path: str, query: str) -> dict[str, Any]:
        """Send once and return the fields of the answer that says it was done."""
        return await self._send(httpx.Request("DELETE", f"{self._url}{path}?{query}"))

    async def _send(self, request: httpx.Request) -> dict[str, Any]:
        await self._wait_for_turn()
        name = f"{request.method} {request.url.path}"
        answer = await self._answer(name, request)
        rest = rest_seconds(answer)
        if rest is not None:
            self._rest_until = asyncio.get_running_loop().time() + rest
        fields = _object(answer.content)
        if answer.is_success and fields is not None:
            return fields
        raise self._refusal(name, answer.status_code, fields)

    async def _wait_for_turn(self) -> None:
        """Wait for a moment if Upbit asks for it; for longer is a refusal, as nothing is sent."""
        left = self._rest_until - asyncio.get_running_loop().time()
        if left > LONGEST_REST_SECONDS:
            text = f"upbit asked to be left alone for {left:.0f} more seconds; nothing was sent"
            raise OrderRejected("unavailable", text)
        if left > 0:
            await asyncio.sleep(left)
        await self._limiter.acquire()

    async def _answer(self, name: str, request: httpx.Request) -> httpx.Response:
        request.headers.update(_HEADERS)
        request.extensions["timeout"] = httpx.Timeout(self._timeout_seconds).as_dict()
        try:
            return await self._client.send(request, auth=self._auth, follow_redirects=False)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # no byte of a request leaves before there is a connection
            kind = type(error).__name__
            raise OrderRejected("unavailable", f"upbit is not reachable ({kind})") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            kind = type(error).__name__
            raise OutcomeUnknown("unanswered", f"upbit {name} did not answer ({kind})") from error

    def _refusal(
        self, name: str, status: int, fields: dict[str, Any] | None
    ) -> OrderRejected | OutcomeUnknown:
        """Return what an answer proves: only a named 4xx, or one request too many, is a refusal."""
        cause, told = _error_of(fields)
        text = self._auth.hide(f"upbit {name} answered {status} {cause} {told}".strip())[:200]
        # a nonce of ours can only have been seen before if the network sent this very request twice
        is_refused = status in _BUSY or (400 <= status < 500 and cause not in {"", "nonce_used"})
        if not is_refused:
            return OutcomeUnknown("unanswered", text)
        code = "unavailable" if status in _BUSY else _CODES.get(cause, "other")
        return OrderRejected(code, text)

    def _refused_read(self, path: str, error: Refused) -> OrderRejected | OutcomeUnknown:
        cause, told = _error_of(_object(error.body))
        text = self._auth.hide(f"upbit {path} answered {error.status} {cause} {told}".strip())[:200]
        if error.status == 404 and cause == "order_not_found":
            return OrderRejected("unknown_order", text)
        return OutcomeUnknown("unavailable", text)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def _error_of(fields: dict[str, Any] | None) -> tuple[str, str]:
    """Return name and message of an error, "" where there is none in Upbit's form."""
    error = None if fields is None else fields.get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("name") or ""), str(error.get("message") or "")
