"""Where sessions begin: what indicators that start anew with every session are anchored to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.indicators.registry import OPENINGS
from conditions.indicators.sessions import session_openings
from conditions.nodes import Name
from conditions.series import Series
from conditions.units import Unit
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
KRX_OFFSET_MS, KRX_OPEN_MS = 9 * HOUR_MS, 9 * HOUR_MS
"""A KRX session is a Korean day (UTC+9, without summer time) and usually opens at nine."""


@dataclass(frozen=True, slots=True)
class Openings(Series):
    """1 on the first bar of a session, 0 on its other bars, unknown where there is no bar."""

    def values(self, view: View, columns: int) -> Array:
        """Return the openings of all bars, unknown beyond what the panel holds."""
        known = view.recall(OPENINGS, view.columns, lambda: _openings(view))
        lacking = max(0, columns - known.shape[1])
        return np.pad(known, ((0, 0), (lacking, 0)), constant_values=np.nan) if lacking else known


SESSION_OPENINGS = Openings(node=Name(OPENINGS), unit=Unit.NUMBER, key=OPENINGS)


def _openings(view: View) -> Array:
    starts = view.field("starts")
    is_korean = np.array([one.startswith(f"{Venue.KRX}:") for one in view.instruments])
    return find_openings(starts, is_korean)


def find_openings(starts: Array, is_korean: Array | Sequence[bool]) -> Array:
    """Return float64[rows, columns]: 1 where a session begins, 0 where it goes on, NaN for no bar.

    A session begins on another day than that of the bar before: the Korean day for KRX, the UTC
    day elsewhere. Of a row's first bar that is known only at the usual hour; else it counts as
    going on, so that nothing is summed from the middle of a session.
    """
    korean = np.asarray(is_korean)
    offsets = np.where(korean, KRX_OFFSET_MS, 0)
    found: Array = session_openings(starts, offsets, np.where(korean, KRX_OPEN_MS, 0), DAY_MS)
    return found
