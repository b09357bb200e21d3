"""Asking Binance: its weights, bans and error codes, told as errors that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.errors import SourceChanged, SourceUnavailable
from venues.binance_answers import error_code, rest_seconds
from venues.polite_http import Pace, PoliteHttp, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from config.settings import BinanceSettings
    from venues.binance_markets import Market

UNKNOWN_SYMBOL = -1121
_PASSING = frozenset({-1000, -1001, -1003, -1004, -1006, -1007, -1008, -1016})
"""Codes of trouble on the venue's side (developers.binance.com, "Error Codes", 2026-09)."""


class UnknownSymbol(SourceChanged):
    """Binance knows no such symbol in this market."""


class BinanceHttp:
    """Reads from one market; a minute's weight is never used up."""

    def __init__(
        self, client: httpx.AsyncClient, market: Market, settings: BinanceSettings
    ) -> None:
        pace = Pace(settings.requests_per_second, settings.timeout_seconds)
        self._market = market
        self._http = PoliteHttp(
            client,
            pace,
            {"Accept": "application/json"},
            watch=lambda answer: rest_seconds(answer, market.weight_a_minute),
        )

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
