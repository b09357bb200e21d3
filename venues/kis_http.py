"""Reading from KIS: paced, and judged by the code in the answer, whatever its HTTP status."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import httpx
import orjson
import stamina
from aiolimiter import AsyncLimiter

from market.errors import SourceChanged, SourceError, SourceUnavailable
from venues.polite_http import burst_within, fragment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import KisSettings
    from venues.kis_token import KisAccess

Row = dict[str, Any]

QUOTATIONS = "/uapi/domestic-stock/v1/quotations/"
TRADING = "/uapi/domestic-stock/v1/trading/"
MOST_PAGES = 100
"""An answer that never ends is not understood."""
AT_ONCE = 4
ALLOWED, ALLOWED_VIRTUAL = 19, 2
"""Requests in any second: 20 are promised for real accounts. A tap at once needs four."""
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 3.0

TOO_FAST = frozenset({"EGW00201", "EGW00215", "EGW00300"})
"""Requests a second by key, by the whole company, and a passing fault of the gateway."""
TOKEN_REFUSED = frozenset({"EGW00121", "EGW00123"})
"""Not a token, and one that has lapsed."""
KEY_REFUSED = frozenset({"EGW00102", "EGW00103", "EGW00104", "EGW00105", "EGW02004"})
"""App key or secret that is missing or wrong, or one of the virtual accounts at the real server."""
NOT_THERE = frozenset({"OPSQ0002"})
"""A service that this server does not have: the virtual one lacks some."""
MORE = frozenset({"F", "M"})
"""What the header tr_cont says where there are further pages; D and E end a list."""
_TRANSIENT = frozenset({408, 425, 429})
_CTX = "CTX_AREA"

_PACES: WeakKeyDictionary[httpx.AsyncClient, dict[str, AsyncLimiter]] = WeakKeyDictionary()


class _AskAgain(SourceUnavailable):
    """Something that a pause may mend."""


class _TokenRefused(SourceUnavailable):
    """The token is not, or no longer, known."""


class KisHttp:
    """Reads with GET through a client that belongs to the caller.

    Errors are SourceUnavailable (after a few attempts with growing pauses), SourceChanged, or a
    SourceError that says what the operator has to mend. Their texts hold no key, secret or token.
    """

    def __init__(self, http: httpx.AsyncClient, settings: KisSettings, access: KisAccess) -> None:
        self._http = http
        self._settings = settings
        self._access = access
        self._limiter = pace_of(http, settings)
        self._open = asyncio.Semaphore(AT_ONCE)

    async def turn(self) -> None:
        """Wait until the pace allows another request; for those that are not made here."""
        await self._limiter.acquire()

    async def get(self, name: str, tr_id: str, params: Mapping[str, str]) -> Row:
        """Return the fields of a quotation whose code says that all is well.

        A refused token is asked for anew, once.
        """
        fields, _ = await self._read(QUOTATIONS + name, tr_id, params)
        return fields

    async def pages(self, path: str, tr_id: str, params: Mapping[str, str]) -> list[Row]:
        """Return the fields of every page of an answer, in order; `params` have CTX_AREA_* keys.

        All of it or an error: a list that may be short is no list.
        """
        found: list[Row] = []
        asked, more = dict(params), ""
        while len(found) < MOST_PAGES:
            fields, told = await self._read(path, tr_id, asked, more)
            found.append(fields)
            if told not in MORE:
                return found
            # the marks go back as they came, with the spaces that pad them
            asked |= {name: str(fields.get(name.lower(), "")) for name in asked if _CTX in name}
            more = "N"
        raise SourceChanged(f"kis {_last(path)}: more than {MOST_PAGES} pages")

    async def _read(
        self, path: str, tr_id: str, params: Mapping[str, str], more: str = ""
    ) -> tuple[Row, str]:
        token = await self._access.token()
        try:
            return await self._ask(path, params, self._headers(tr_id, token, more))
        except _TokenRefused:
            token = await self._access.renew(token)
        return await self._ask(path, params, self._headers(tr_id, token, more))

    def _headers(self, tr_id: str, token: str, more: str) -> dict[str, str]:
        headers = headers_of(self._access, tr_id, token)
        return {**headers, "tr_cont": more} if more else headers

    async def _ask(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[Row, str]:
        async for attempt in stamina.retry_context(
            on=_AskAgain,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_PAUSE_SECONDS,
            wait_max=LONGEST_PAUSE_SECONDS,
            wait_jitter=FIRST_PAUSE_SECONDS / 2,
        ):
            with attempt:
                async with self._open:
                    await self._limiter.acquire()
                    answer = await self._fetch(path, params, headers)
                    return self._judged(_last(path), answer), answer.headers.get("tr_cont", "")
        raise AssertionError("stamina ends with an answer or an error")

    async def _fetch(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx.Response:
        name = _last(path)
        try:
            return await self._http.get(
                self._settings.rest_url + path,
                params=params,
                headers=headers,
                timeout=self._settings.timeout_seconds,
                follow_redirects=False,
            )
        except httpx.TransportError as error:
            # httpx's own text may contain the query: only the kind of failure is told
            raise _AskAgain(f"kis {name} did not answer ({type(error).__name__})") from error
        except httpx.DecodingError as error:
            raise SourceChanged(f"kis {name} answered undecodable bytes") from error

    def _judged(self, name: str, answer: httpx.Response) -> Row:
        fields = envelope(answer.content)
        if fields is None:
            raise self._odd(name, answer)
        if fields.get("rt_cd") == "0":
            return fields
        code = str(fields.get("msg_cd") or fields.get("error_code") or "")
        told = str(fields.get("msg1") or fields.get("error_description") or "").strip()
        text = self._access.hide(f"kis {name} refused: {code} {told}")[:200]
        if code in TOO_FAST or (not code and answer.status_code >= 500):
            raise _AskAgain(text)
        if code in TOKEN_REFUSED:
            raise _TokenRefused(text)
        if code in KEY_REFUSED:
            raise SourceError(
                f"{text}; check TICKTALK_KIS_APP_KEY, TICKTALK_KIS_APP_SECRET and kis.rest_url"
            )
        if code in NOT_THERE:
            raise SourceError(f"{text}; the server of virtual accounts does not have it")
        raise SourceUnavailable(text)

    def _odd(self, name: str, answer: httpx.Response) -> SourceError:
        """Return the error of an answer that is not in KIS's envelope: its status decides."""
        status = answer.status_code
        if status in _TRANSIENT or status >= 500:
            return _AskAgain(f"kis {name} answered {status}")
        if 300 <= status < 400:
            return SourceChanged(f"kis {name} answered {status}: it has moved away")
        shown = fragment(self._access.hide(answer.content.decode("utf-8", errors="replace")))
        return SourceChanged(f"kis {name} answered {status}: expected JSON with rt_cd, got {shown}")


def pace_of(http: httpx.AsyncClient, settings: KisSettings) -> AsyncLimiter:
    """Return the pace that all share who ask KIS with the same client and app key.

    KIS counts the requests of a key, whoever makes them: prices and orders.
    """
    key = "" if settings.app_key is None else settings.app_key.get_secret_value()
    limiters = _PACES.setdefault(http, {})
    if key not in limiters:
        rate = settings.requests_per_second
        burst = burst_within(ALLOWED_VIRTUAL if settings.is_virtual else ALLOWED, rate)
        limiters[key] = AsyncLimiter(burst, burst / rate)
    return limiters[key]


def headers_of(access: KisAccess, tr_id: str, token: str) -> dict[str, str]:
    """Return the headers that every request carries."""
    key, secret = access.keys()
    return {
        "content-type": "application/json; charset=utf-8",
        "authorization": f"Bearer {token}",
        "appkey": key,
        "appsecret": secret,
        "tr_id": tr_id,
        "custtype": "P",
    }


def envelope(body: bytes) -> Row | None:
    """Return the fields of an answer with a result code, None where it has none."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or not fields.keys() & {"rt_cd", "error_code"}:
        return None
    return fields


def _last(path: str) -> str:
    return path.rpartition("/")[2]
