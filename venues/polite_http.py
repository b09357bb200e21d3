"""Asking other people's servers politely: paced, bounded, retried, with identified failures."""

from __future__ import annotations

import asyncio
import email.utils
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

import httpx
import stamina
from aiolimiter import AsyncLimiter

from market.errors import SourceChanged, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from venues.daily_budget import Budget

USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0 Safari/537.36"
)
FRAGMENT_LENGTH = 80
BURST_SHARE = 4
"""Who sets a lower pace has reason to: at once may come a quarter of a second's requests."""
LONGEST_WAIT_SECONDS = 5.0
"""A server that asks for a longer rest gets it, but nobody waits in place for it."""

_REST_TOLERANCE_SECONDS = 0.05
"""Timers may ring a little early."""
_TRANSIENT = frozenset({408, 418, 425, 429})
"""418 is how exchanges of coins ban an address for a while that went on asking after 429."""
_SECRET = re.compile(r"(?<=/)(bot)?\d{5,}:[\w-]+|(?<=/)[\w-]{40,}(?=/|$)")


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard one host may be asked; attempts are made with growing pauses between them.

    So many as `burst` may follow one another at once after a quiet moment.
    """

    requests_per_second: float
    timeout_seconds: float
    at_once: int = 4
    attempts: int = 3
    first_pause_seconds: float = 0.5
    burst: int = 1


def burst_within(allowed: float, requests_per_second: float) -> int:
    """Return how many requests may come at once at a venue that allows so many in any second.

    Somebody's tap need not wait for its turn behind a sweep's request, as long as there is room.
    """
    room = allowed - requests_per_second
    return max(1, min(int(room), ceil(requests_per_second / BURST_SHARE)))


class Refused(SourceChanged):
    """A 4xx answer: `status` and `body` are for sources that know what the server means by it."""

    def __init__(self, message: str, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class _Asked(SourceUnavailable):
    """A refusal that may be gone after `wait_seconds` (None: the server did not say)."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


@dataclass(slots=True)
class _Gate:
    """What one host is owed: the pace, the number of open requests, and a rest it asked for."""

    limiter: AsyncLimiter
    open: asyncio.Semaphore
    rest_until: float = field(default=0.0)


class PoliteHttp:
    """Reads with GET through a client that belongs to the caller.

    Every failure is SourceUnavailable (asked again a few times first) or SourceChanged. Their
    texts name host and path, never the query, user names or anything that looks like a token.
    Every attempt counts against the `budget` of its host. `watch` sees every answer; the seconds
    that it returns are a rest which the host is owed. `auth` signs every attempt anew, and `hide`
    takes what is secret out of what a host says.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        pace: Pace,
        headers: Mapping[str, str],
        budget: Budget | None = None,
        watch: Callable[[httpx.Response], float | None] | None = None,
        auth: httpx.Auth | None = None,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._client = client
        self._pace = pace
        self._budget = budget
        self._watch = watch
        self._hide = hide
        self._auth = httpx.USE_CLIENT_DEFAULT if auth is None else auth
        self._headers = {"User-Agent": USER_AGENT, **headers}
        self._gates: dict[str, _Gate] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a 200 answer.

        Raises SourceUnavailable for timeouts, broken connections, 5xx and 429; SourceChanged for
        every other status (redirects, 404, 410), because then the address is not what we know;
        it is Refused for 4xx.
        """
        address = httpx.URL(url)
        gate = self._gate(address.host)
        async for attempt in stamina.retry_context(
            on=_pause,
            attempts=self._pace.attempts,
            timeout=None,
            wait_initial=self._pace.first_pause_seconds,
            wait_max=LONGEST_WAIT_SECONDS,
            wait_jitter=self._pace.first_pause_seconds / 2,
        ):
            with attempt:
                return await self._once(gate, address, params)
        raise AssertionError("stamina ends with an answer or an error")

    async def _once(
        self, gate: _Gate, address: httpx.URL, params: Mapping[str, str] | None
    ) -> bytes:
        async with gate.open:
            _refuse_while_resting(gate, address)
            await gate.limiter.acquire()
            if self._budget is not None:
                self._budget.spend(address.host)
            answer = await self._fetch(address, params)
        rest = None if self._watch is None else self._watch(answer)
        error = _failure(answer, shown_address(address), rest, self._hide)
        if isinstance(error, _Asked):
            rest = error.wait_seconds
        if rest is not None:
            gate.rest_until = asyncio.get_running_loop().time() + rest
        if error is not None:
            raise error
        return answer.content

    async def _fetch(self, address: httpx.URL, params: Mapping[str, str] | None) -> httpx.Response:
        try:
            return await self._client.get(
                address,
                params=params,
                headers=self._headers,
                auth=self._auth,
                timeout=self._pace.timeout_seconds,
                follow_redirects=False,
            )
        except httpx.TransportError as error:
            # httpx's own text may contain the query: only the kind of failure is told
            kind = type(error).__name__
            raise _Asked(f"{shown_address(address)} did not answer ({kind})") from error
        except httpx.DecodingError as error:
            raise SourceChanged(f"{shown_address(address)} answered undecodable bytes") from error

    def _gate(self, host: str) -> _Gate:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # limiters and semaphores belong to one event loop
            self._gates, self._loop = {}, loop
        if host not in self._gates:
            pace = self._pace
            limiter = AsyncLimiter(pace.burst, pace.burst / pace.requests_per_second)
            self._gates[host] = _Gate(limiter, asyncio.Semaphore(self._pace.at_once))
        return self._gates[host]


def shown_address(url: httpx.URL | str) -> str:
    """Return host and path of an address as it may be shown: no query, no user, no token."""
    address = httpx.URL(url)
    path = _SECRET.sub("***", address.path)
    port = f":{address.port}" if address.port else ""
    return _cut(f"{address.host}{port}{path}")


def fragment(body: bytes | str) -> str:
    """Return the beginning of an odd answer on one line, for SourceChanged (80 characters)."""
    text = body if isinstance(body, str) else body[:400].decode("utf-8", errors="replace")
    return _cut(" ".join(text.split())) or "(empty)"


def retry_after_seconds(header: str | None, sent: str | None) -> float | None:
    """Return how long a `Retry-After` asks to wait, or None where it does not say.

    It is a count of seconds, or a date to be compared with the answer's own `Date` (RFC 9110).
    """
    if header is None:
        return None
    if re.fullmatch(r"\d{1,9}", header.strip()):
        return float(header)
    until, now = _date(header), _date(sent or "")
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _date(header: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= FRAGMENT_LENGTH else text[: FRAGMENT_LENGTH - 1] + "…"


def _pause(error: Exception) -> bool | float:
    """Tell stamina whether to ask again: true with growing pauses, or the seconds to wait."""
    if not isinstance(error, _Asked):
        return False
    if error.wait_seconds is None:
        return True
    return error.wait_seconds if error.wait_seconds <= LONGEST_WAIT_SECONDS else False


def _failure(
    answer: httpx.Response, place: str, rest: float | None, hide: Callable[[str], str]
) -> SourceUnavailable | SourceChanged | None:
    status, headers = answer.status_code, answer.headers
    if status == httpx.codes.OK:
        return None
    if status in _TRANSIENT or status >= 500:
        asked = retry_after_seconds(headers.get("Retry-After"), headers.get("Date"))
        return _Asked(f"{place} answered {status}", rest if asked is None else asked)
    if 300 <= status < 400:
        return SourceChanged(f"{place} answered {status}: it has moved away")
    said = hide(answer.content.decode(errors="replace"))  # whole, before it is cut
    text = f"{place} answered {status}: {fragment(said)}"
    return Refused(text, status, answer.content) if 400 <= status < 500 else SourceChanged(text)


def _refuse_while_resting(gate: _Gate, address: httpx.URL) -> None:
    left = gate.rest_until - asyncio.get_running_loop().time()
    if left > _REST_TOLERANCE_SECONDS:
        raise _Asked(f"{address.host} asked to be left alone for {left:.0f} more seconds", left)
