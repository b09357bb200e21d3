"""What instruments are paid in, and what a number of them is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from market.types import InstrumentId

KRW: Final = "KRW"
"""The currency of accounts, limits and profits."""

USDT: Final = "USDT"


def currency_of(instrument: InstrumentId) -> str:
    """Return what an instrument is paid in: won at KRX, at Upbit what its code begins with."""
    venue, _, code = instrument.partition(":")
    if venue == "UPBIT":
        return code.partition("-")[0]
    return USDT if venue == "BINANCE" else KRW


def coin_of(instrument: InstrumentId) -> str:
    """Return the sign of a coin (`BTC` of `UPBIT:KRW-BTC`); "" for what is counted in shares."""
    venue, _, code = instrument.partition(":")
    if venue == "UPBIT":
        return code.partition("-")[2]
    if venue == "BINANCE":
        return code.removesuffix(".P").removesuffix(USDT)
    return ""
