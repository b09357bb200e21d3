"""What a trade at Binance cost in USDT, whichever coin its fee was taken in."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.binance_values import decimal_of, odd

if TYPE_CHECKING:
    from brokers.binance_api import MarketApi

USDT = "USDT"
_MINUTE_MS = 60_000
_PLACES = Decimal("0.00000001")


class Costs:
    """Fees in the coin that was bought (the rule on spot), in USDT, or in BNB at its price then."""

    def __init__(self, spot: MarketApi) -> None:
        self._spot = spot
        self._prices: dict[tuple[str, int], Decimal] = {}

    async def in_usdt(
        self, commission: Decimal, asset: str, symbol: str, price: Decimal, at_ms: int
    ) -> Decimal:
        """Return a fee in USDT; raises OutcomeUnknown("unavailable")."""
        if not commission or asset == USDT:
            return commission
        if f"{asset}{USDT}" == symbol:
            return (commission * price).quantize(_PLACES)
        return (commission * await self._price(asset, at_ms)).quantize(_PLACES)

    async def _price(self, asset: str, at_ms: int) -> Decimal:
        """Return what a coin was worth when a minute began: the same whenever it is asked."""
        minute = at_ms // _MINUTE_MS * _MINUTE_MS
        key = asset, minute
        if key not in self._prices:
            asked = {"symbol": f"{asset}{USDT}", "interval": "1m"}
            span = {"startTime": str(minute), "limit": "1"}
            rows: Any = await self._spot.public("/klines", {**asked, **span})
            try:
                self._prices[key] = decimal_of({"open": rows[0][1]}, "open")
            except (LookupError, TypeError) as error:
                raise odd(rows) from error
        return self._prices[key]
