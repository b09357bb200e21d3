"""One market of Binance asked in our name: reads retried, writes sent once, its time kept."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from brokers.binance_refusals import ABSENT, ARCHIVED, CLOCK, NO_SYMBOL, Refused, complaint, failure
from brokers.binance_signature import SignedReads, Signer
from market.errors import OrderRejected, OutcomeUnknown, SourceError
from venues import polite_http
from venues.binance_answers import rest_seconds
from venues.polite_http import Pace, PoliteHttp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import BinanceSettings
    from venues.binance_markets import Market

_AGENT = {"Accept": "application/json", "User-Agent": "ticktalk"}
CLOCK_KEPT_MS = 30 * 60_000
"""How long a measured difference of the clocks is believed."""


class MarketApi:
    """Requests to one market; its signer's clock is measured before the first signature."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        market: Market,
        settings: BinanceSettings,
        signer: Signer,
    ) -> None:
        self._client = client
        self._timeout_seconds = settings.timeout_seconds
        self._rest_until = 0.0
        self._measured_ms: int | None = None
        self.market = market
        self.signer = signer
        pace = Pace(settings.requests_per_second, settings.timeout_seconds)
        self._public = PoliteHttp(client, pace, _AGENT, watch=self._watch)
        auth = SignedReads(signer)
        self._signed = PoliteHttp(
            client, pace, _AGENT, watch=self._watch, auth=auth, hide=signer.hide
        )

    async def public(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return what anybody may know.

        Raises Refused("instrument") for a symbol that is not there, OutcomeUnknown("unavailable").
        """
        try:
            return parsed(await self._public.get(self._url(path), params))
        except polite_http.Refused as error:
            code, text = complaint(error.body)
            if code == NO_SYMBOL:
                raise Refused("instrument", f"binance: {text[:80]}", code) from error
            raise OutcomeUnknown("unavailable", str(error)) from error
        except SourceError as error:
            raise OutcomeUnknown("unavailable", str(error)) from error

    async def read(self, path: str, params: Mapping[str, str], version: int = 0) -> Any:
        """Return what only we may know.

        Raises Refused where there is no such order, OutcomeUnknown("unavailable") for all else.
        A refusal because of the clocks is answered by measuring them anew, once.
        """
        await self.know_clock()
        try:
            return await self._read(path, params, version)
        except Refused as error:
            if error.venue_code != CLOCK:
                raise
        await self.measure_clock()
        try:
            return await self._read(path, params, version)
        except Refused as error:
            if error.venue_code != CLOCK:
                raise
            raise OutcomeUnknown("unavailable", str(error)) from error

    async def send(self, method: str, path: str, params: Mapping[str, str], at_ms: int) -> Any:
        """Send once what changes something, signed for `at_ms` of the venue's time.

        Raises Refused where it was surely not executed, OutcomeUnknown where nobody can say. Also
        a refusal because of the clocks (-1021) is one: it was not executed, and is not resent.
        """
        self.refuse_while_resting()
        what = f"{method} {path}"
        payload = self.signer.signed(params, at_ms)
        answer = await self._once(method, self._url(path), payload, what)
        if answer.status_code != httpx.codes.OK:
            error = failure(what, answer, self.signer.hide)
            if isinstance(error, Refused) and error.venue_code == CLOCK:
                self.doubt_clock()
            raise error
        try:
            return parsed(answer.content)
        except OutcomeUnknown as error:
            raise OutcomeUnknown("unanswered", f"{what}: {error}") from error

    async def keyed(self, method: str, path: str) -> Any:
        """Send what is not signed and harmless to repeat (listen keys); raises OrderError."""
        what = f"{method} {path}"
        answer = await self._once(method, self._url(path), "", what)
        if answer.status_code != httpx.codes.OK:
            raise failure(what, answer, self.signer.hide)
        return parsed(answer.content)

    async def know_clock(self) -> None:
        """Measure the venue's clock where that is long ago; raises OutcomeUnknown."""
        measured, now = self._measured_ms, self.signer.machine_ms()
        if measured is None or now - measured > CLOCK_KEPT_MS:
            await self.measure_clock()

    async def measure_clock(self) -> None:
        """Ask for the venue's time; the answer is as old as half of its way."""
        sent = self.signer.machine_ms()
        answer = await self.public("/time")
        seen = self.signer.machine_ms()
        told = answer.get("serverTime") if isinstance(answer, dict) else None
        if not isinstance(told, int):
            raise OutcomeUnknown("unavailable", "binance did not tell its time")
        self.signer.offset_ms = told - (sent + seen) // 2
        self._measured_ms = seen

    def doubt_clock(self) -> None:
        """Measure the venue's clock before the next signature."""
        self._measured_ms = None

    def refuse_while_resting(self) -> None:
        """Raise OrderRejected("busy") while the venue wants to be left alone."""
        left = self._rest_until - asyncio.get_running_loop().time()
        if left > 0:
            raise OrderRejected("busy", f"binance asked to be left alone for {left:.0f} s")

    async def _read(self, path: str, params: Mapping[str, str], version: int) -> Any:
        try:
            return parsed(await self._signed.get(self._url(path, version), params))
        except polite_http.Refused as error:
            code, text = complaint(error.body)
            if code in {ABSENT, ARCHIVED, CLOCK}:
                raise Refused(
                    "other", f"binance: {code} {self.signer.hide(text)[:80]}", code
                ) from error
            raise OutcomeUnknown("unavailable", str(error)) from error
        except SourceError as error:
            raise OutcomeUnknown("unavailable", str(error)) from error

    async def _once(self, method: str, url: str, payload: str, what: str) -> httpx.Response:
        is_body = method == "POST"
        try:
            answer = await self._client.request(
                method,
                url if is_body or not payload else f"{url}?{payload}",
                content=payload if is_body else None,
                headers={**self._headers(is_body=is_body), **self.signer.headers},
                timeout=self._timeout_seconds,
                follow_redirects=False,
            )
        except (httpx.TransportError, httpx.DecodingError) as error:
            # httpx's own text may contain the query: only the kind of failure is told
            kind = type(error).__name__
            raise OutcomeUnknown("unanswered", f"binance: {what}: no answer ({kind})") from error
        self._watch(answer)
        return answer

    def _headers(self, *, is_body: bool) -> dict[str, str]:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return {**_AGENT, **form} if is_body else _AGENT

    def _watch(self, answer: httpx.Response) -> float | None:
        rest = rest_seconds(answer, self.market.weight_a_minute)
        if rest is not None and answer.status_code != httpx.codes.OK:
            # what a minute of reads has left is kept for orders
            self._rest_until = asyncio.get_running_loop().time() + rest
        return rest

    def _url(self, path: str, version: int = 0) -> str:
        base = self.market.rest_url
        return f"{re.sub(r'[0-9]+$', str(version), base) if version else base}{path}"


def parsed(body: bytes) -> Any:
    """Return what an answer says; raises OutcomeUnknown("unavailable") where it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        shown = polite_http.fragment(body)
        raise OutcomeUnknown("unavailable", f"binance answered oddly: {shown}") from error
