"""The steps of prices at Upbit: the known table, and what the venue says of a market otherwise."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.upbit_parsers import parse_tick_size
from market.errors import OrderError
from market.prices import tick_size
from market.types import Kind

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from brokers.upbit_http import UpbitHttp
    from market.clock import Clock

logger = logging.getLogger(__name__)

KEPT = timedelta(days=1)
ASKED_AGAIN = timedelta(minutes=5)
"""Where the venue could not say, it is not asked at every order."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A market's own step, None where it goes by the table (or the venue did not say)."""

    own: Decimal | None
    until: datetime


class UpbitTicks:
    """Asks once a day and market.

    The venue tells the step at the price of now. Where that is the table's, the table is right,
    also for prices in other bands and later in the day; where not, the market is an exception, as
    some always were, and its own step is used.
    """

    def __init__(self, http: UpbitHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._told: dict[str, _Told] = {}

    async def tick_size(self, market: str, price: Decimal) -> Decimal:
        """Return the step of prices near `price`, which is taken for near the market's."""
        told = self._told.get(market)
        if told is None or self._clock.now() >= told.until:
            told = self._told[market] = await self._ask(market, price)
        return tick_size(price, Kind.COIN) if told.own is None else told.own

    async def _ask(self, market: str, price: Decimal) -> _Told:
        now = self._clock.now()
        try:
            rows = await self._http.get("/v1/orderbook/instruments", f"markets={market}")
            step = parse_tick_size(rows, market)
        except OrderError as error:
            logger.warning("upbit does not say the ticks of %s, the table does: %s", market, error)
            return _Told(None, now + ASKED_AGAIN)
        return _Told(None if step == tick_size(price, Kind.COIN) else step, now + KEPT)
