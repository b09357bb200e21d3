"""The markets within venues, and how the codes of each are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from market.types import Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.types import InstrumentId

SEGMENTS: Final[Mapping[str, Venue]] = {
    "KOSPI": Venue.KRX,
    "KOSDAQ": Venue.KRX,
    "KRW": Venue.UPBIT,
    "USDT": Venue.BINANCE,
    "USDT-M": Venue.BINANCE,
}
"""The venue of each market that has a list: at Upbit what is paid in won, at Binance what is paid
in USDT, and the perpetual futures that are margined in it."""

KINDS: Final[Mapping[Venue, tuple[Kind, ...]]] = {
    Venue.KRX: (Kind.STOCK, Kind.ETF),
    Venue.UPBIT: (Kind.COIN,),
    Venue.BINANCE: (Kind.COIN,),
}
"""What is traded where, the usual kind first."""

_CODES = {
    Venue.KRX: re.compile(r"[0-9A-Z]{6}", re.ASCII),
    Venue.UPBIT: re.compile(r"[A-Z]{3,5}-[0-9A-Z]{1,20}", re.ASCII),
    Venue.BINANCE: re.compile(r"[0-9A-Z]{5,24}(\.P)?", re.ASCII),
}
_FORMS = {
    Venue.KRX: "6 digits or capital letters",
    Venue.UPBIT: "Upbit, which are written KRW-BTC",
    Venue.BINANCE: "Binance, which are written BTCUSDT, or BTCUSDT.P for futures",
}


def read_code(venue: Venue, text: str) -> str:
    """Return a venue's code as it is written; raises ValueError fit for a person."""
    if _CODES[venue].fullmatch(text) is not None:
        return text
    whole = text.upper()
    if venue is Venue.KRX and text.isascii() and text.isdigit():
        whole = text.zfill(6)
    hint = f"; did you mean '{whole}'?" if _CODES[venue].fullmatch(whole) else ""
    raise ValueError(f"'{text}' is not a code of {_FORMS[venue]}{hint}")


def may_be_short(instrument: InstrumentId) -> bool:
    """Tell whether an instrument can be sold short at its venue: only futures at Binance."""
    return instrument.startswith(f"{Venue.BINANCE}:") and instrument.endswith(".P")


def segment_of_coin(venue: Venue, code: str) -> str:
    """Return the market in which a coin trades: what it is paid in, USDT-M for futures."""
    if venue is Venue.UPBIT:
        return code.partition("-")[0]
    return "USDT-M" if code.endswith(".P") else "USDT"
