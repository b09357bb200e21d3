"""What instruments are paid in, and what a number of them is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from market.types import InstrumentId

KRW: Final = "KRW"
"""The currency of accounts, limits and profits."""

USDT: Final = "USDT"

SPOT_PURSE: Final = "spot"
FUTURES_PURSE: Final = "futures"
"""What Binance keeps apart: money for coins, and money for contracts."""


def currency_of(instrument: InstrumentId) -> str:
    """Return what an instrument is paid in: won at KRX, at Upbit what its code begins with."""
    venue, _, code = instrument.partition(":")
    if venue == "UPBIT":
        return code.partition("-")[0]
    return USDT if venue == "BINANCE" else KRW


def purse_of(instrument: InstrumentId) -> str:
    """Return the purse that pays for an instrument; "" where a broker has only one."""
    if not instrument.startswith("BINANCE:"):
        return ""
    return FUTURES_PURSE if instrument.endswith(".P") else SPOT_PURSE


def coin_of(instrument: InstrumentId) -> str:
    """Return the sign of a coin (`BTC` of `UPBIT:KRW-BTC`); "" for what is counted in shares."""
    venue, _, code = instrument.partition(":")
    if venue == "UPBIT":
        return code.partition("-")[2]
    if venue == "BINANCE":
        return code.removesuffix(".P").removesuffix(USDT)
    return ""
