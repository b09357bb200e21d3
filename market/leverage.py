"""Which funds move several times as much as what they follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from market.types import Kind

if TYPE_CHECKING:
    from market.types import Instrument

TWICE: Final = 2

_TWICE = re.compile(r"레버리지|2X|leverage", re.IGNORECASE)


def leverage_of(instrument: Instrument) -> int:
    """Return how many times a fund moves with (or against) its market; 1 for everything else.

    Funds of KRX bear it in their names (`KODEX 레버리지`, `KODEX 200선물인버스2X`), and none does
    more than twice; their price limits are as many times as wide (KRX, ETF products).
    """
    is_leveraged = instrument.kind is Kind.ETF and _TWICE.search(instrument.name) is not None
    return TWICE if is_leveraged else 1
