"""What instruments are paid in, and what a number of them is called."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from market.types import InstrumentId

KRW: Final = "KRW"
"""What is paid at KRX, and in Upbit's KRW market."""

USDT: Final = "USDT"

_EIGHTH: Final = Decimal("0.00000001")

WON: Final = Decimal(1)
"""The least amount of won."""

COUNTED: Final = (KRW, USDT)
"""Currencies with bounds of their own, in which orders can be paid."""

SPOT_PURSE: Final = "spot"
FUTURES_PURSE: Final = "futures"
"""What Binance keeps apart: money for coins, and money for contracts."""


def currency_of(instrument: InstrumentId) -> str:
    """Return what an instrument is paid in: won at KRX, at Upbit what its code begins with."""
    venue, _, code = instrument.partition(":")
    if venue == "UPBIT":
        return code.partition("-")[0]
    return USDT if venue == "BINANCE" else KRW


def cent_of(currency: str) -> Decimal:
    """Return the least amount that money of a currency is counted in."""
    return WON if currency == KRW else _EIGHTH


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
