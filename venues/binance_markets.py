"""Binance's two markets: where each is asked, how its instruments are called, what it bears."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.types import Venue

if TYPE_CHECKING:
    from config.settings import BinanceSettings
    from market.types import InstrumentId

SPOT = "USDT"
FUTURES = "USDT-M"

_ID = re.compile(r"BINANCE:(\w+)(\.P)?")


@dataclass(frozen=True, slots=True)
class Market:
    """One market of Binance; `code_end` follows the venue's symbol in our codes.

    `candles_a_page` is the longest answer that costs a request little: 2 of `weight_a_minute`
    (developers.binance.com, "Kline/Candlestick Data", 2026-09). `info` asks for less of a list
    that has grown to many megabytes.
    """

    segment: str
    code_end: str
    rest_url: str
    socket_url: str
    candles_a_page: int
    weight_a_minute: int
    info: tuple[tuple[str, str], ...] = ()

    def instrument_id(self, symbol: str) -> InstrumentId:
        """Return our id of a symbol of this market."""
        return f"{Venue.BINANCE}:{symbol}{self.code_end}"


def binance_markets(settings: BinanceSettings) -> dict[str, Market]:
    """Return the markets by segment, at the addresses of the settings."""
    spot = Market(
        segment=SPOT,
        code_end="",
        rest_url=f"{settings.spot_url}/api/v3",
        socket_url=settings.spot_socket_url,
        candles_a_page=1000,
        weight_a_minute=6000,
        info=(("symbolStatus", "TRADING"), ("showPermissionSets", "false")),
    )
    futures = Market(
        segment=FUTURES,
        code_end=".P",
        rest_url=f"{settings.futures_url}/fapi/v1",
        socket_url=settings.futures_socket_url,
        candles_a_page=499,
        weight_a_minute=2400,
    )
    return {SPOT: spot, FUTURES: futures}


def split_id(instrument: InstrumentId) -> tuple[str, str] | None:
    """Return segment and symbol of an instrument, None for one of another venue."""
    match = _ID.fullmatch(instrument)
    return None if match is None else (FUTURES if match[2] else SPOT, match[1])
