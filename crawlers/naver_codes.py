"""Naver's codes of KRX instruments: six digits or capital letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from market.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from market.types import InstrumentId

_ID = re.compile(r"KRX:([0-9A-Z]{6})")


def code_of(instrument: InstrumentId) -> str:
    """Return the code of an instrument of KRX; one of another venue is a SourceError."""
    match = _ID.fullmatch(instrument)
    if match is None:
        raise SourceError(f"naver knows KRX instruments only, not {instrument}")
    return match[1]


def codes_of(instruments: Iterable[InstrumentId]) -> dict[str, InstrumentId]:
    """Return the instruments of KRX by their codes; those of other venues are left out."""
    return {match[1]: match[0] for match in map(_ID.fullmatch, instruments) if match}
