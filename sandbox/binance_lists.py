"""What a pretend Binance tells of all its symbols: exchangeInfo and tickers of 24 hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from market.types import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.binance import PretendBinance

_DAY = timedelta(days=1)
_PERPETUAL_ENDS = 4_133_404_800_000

Shown = dict[str, Any]


def exchange_info(venue: PretendBinance, at: datetime) -> Shown:
    """Return the whole list: what trades, a pair that rests, and what is not against USDT.

    Those that do not trade here stand in the list of the real one, too.
    """
    symbols = [_symbol(venue, symbol) for symbol in venue.market.symbols]
    resting = {**symbols[0], "symbol": "RESTUSDT", "baseAsset": "REST", "status": "BREAK"}
    symbols.append(resting)
    if venue.is_futures:
        ending = {"symbol": "BTCUSDT_270326", "contractType": "CURRENT_QUARTER"}
        symbols += [{**symbols[0], **ending}, {**resting, "status": "SETTLING"}]
    else:
        symbols.append({**symbols[0], "symbol": "ETHBTC", "baseAsset": "ETH", "quoteAsset": "BTC"})
    return {
        "timezone": "UTC",
        "serverTime": to_ms(at),
        "rateLimits": _limits(venue),
        "exchangeFilters": [],
        "symbols": symbols,
    }


def ticker(venue: PretendBinance, symbol: str, at: datetime) -> Shown:
    """Return the counts of the last 24 hours, to the hour."""
    hours = venue.market.candles(symbol, at - _DAY, at, at, timedelta(hours=1))
    last = venue.market.last(symbol, at)
    price = 0.0 if last is None else last.price
    opening = hours[0].open if hours else price
    change = price - opening
    text = venue.price_text
    return {
        "symbol": symbol,
        "priceChange": text(symbol, change),
        "priceChangePercent": f"{100 * change / opening if opening else 0:.3f}",
        "weightedAvgPrice": text(symbol, price),
        "lastPrice": text(symbol, price),
        "lastQty": venue.volume_text(symbol, 0.0 if last is None else last.volume),
        "openPrice": text(symbol, opening),
        "highPrice": text(symbol, max((hour.high for hour in hours), default=price)),
        "lowPrice": text(symbol, min((hour.low for hour in hours), default=price)),
        "volume": venue.volume_text(symbol, sum(hour.volume for hour in hours)),
        "quoteVolume": f"{sum(hour.value for hour in hours):.8f}",
        "openTime": to_ms(at - _DAY),
        "closeTime": to_ms(at),
        "firstId": hours[0].first_id if hours else -1,
        "lastId": -1 if last is None else last.id,
        "count": sum(hour.count for hour in hours),
    }


def _symbol(venue: PretendBinance, symbol: str) -> Shown:
    coin = venue.market.coin(symbol)
    shown = {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": venue.price_text(symbol, coin.tick)},
            {"filterType": "LOT_SIZE", "stepSize": venue.volume_text(symbol, coin.step)},
        ],
    }
    if venue.is_futures:
        return {
            **shown,
            "pair": symbol,
            "contractType": "PERPETUAL",
            "deliveryDate": _PERPETUAL_ENDS,
            "marginAsset": "USDT",
        }
    return {**shown, "isSpotTradingAllowed": True, "isMarginTradingAllowed": False}


def _limits(venue: PretendBinance) -> list[Shown]:
    weight = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
    return [{**weight, "limit": 2400 if venue.is_futures else 6000}]
