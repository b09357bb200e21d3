"""Asking Binance: its weights, bans and error codes, told as errors that say what to do."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson

from market.errors import SourceChanged, SourceUnavailable
from venues.polite_http import Pace, PoliteHttp, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx

    from config.settings import BinanceSettings
    from crawlers.binance_markets import Market

WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"
HIGHEST_USE = 0.9
"""From this share of a minute's weight on nothing more is asked before the next minute."""
SHORTEST_BAN_SECONDS = 120.0

UNKNOWN_SYMBOL = -1121
_PASSING = frozenset({-1000, -1001, -1003, -1004, -1006, -1007, -1008, -1016})
"""Codes of trouble on the venue's side (developers.binance.com, "Error Codes", 2026-09)."""
_BANNED_UNTIL = re.compile(rb"banned until (\d{13})")


class UnknownSymbol(SourceChanged):
    """Binance knows no such symbol in this market."""


class BinanceHttp:
    """Reads from one market; a minute's weight is never used up."""

    def __init__(
        self, client: httpx.AsyncClient, market: Market, settings: BinanceSettings
    ) -> None:
        self._market = market
        pace = Pace(settings.requests_per_second, settings.timeout_seconds)
        self._http = PoliteHttp(client, pace, {"Accept": "application/json"}, watch=self._rest)

    async def get(self, path: str, params: Mapping[str, str]) -> bytes:
        """Return the body of a 200 answer.

        Raises UnknownSymbol, SourceUnavailable and SourceChanged.
        """
        try:
            return await self._http.get(f"{self._market.rest_url}{path}", params)
        except Refused as error:
            code = error_code(error.body)
            if code == UNKNOWN_SYMBOL:
                raise UnknownSymbol(f"binance does not know {params.get('symbol')}") from error
            # 403 is how its firewall tells that too much was asked
            if code in _PASSING or error.status == 403:
                raise SourceUnavailable(str(error)) from error
            raise

    def _rest(self, answer: httpx.Response) -> float | None:
        """Return for how many seconds Binance is to be left alone after an answer."""
        now = _date(answer)
        if answer.status_code == 418:
            return _ban_seconds(answer.content, now)
        used = answer.headers.get(WEIGHT_HEADER, "")
        is_full = used.isdigit() and int(used) >= HIGHEST_USE * self._market.weight_a_minute
        if answer.status_code == 429 or is_full:
            return 60.0 if now is None else 60.0 - now.second
        return None


def error_code(body: bytes) -> int | None:
    """Return the code of an error's body (`{"code": -1121, "msg": ...}`), None without one."""
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    code = answer.get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) else None


def _ban_seconds(body: bytes, now: datetime | None) -> float:
    until = _BANNED_UNTIL.search(body)
    if until is None or now is None:
        return SHORTEST_BAN_SECONDS
    return max(0.0, int(until[1]) / 1000 - now.timestamp())


def _date(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
