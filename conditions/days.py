"""Which day a bar belongs to, by its venue's own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.openings import DAY_MS, KRX_OFFSET_MS
from conditions.series import widened
from market.types import Timeframe, Venue

if TYPE_CHECKING:
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

MINUTE_MS = 60_000
_SESSION_MINUTES = 390
_SESSION_BARS = 381
"""Bars of a KRX session in minutes: nothing prints between 15:20 and the auction's end."""


def length_ms(timeframe: Timeframe) -> int:
    """Return the nominal length of a bar in ms."""
    return int(timeframe.length.total_seconds() * 1000)


def offsets(view: View) -> Array:
    """Return int64[rows, 1]: by how many ms the clock of each row's sessions is before UTC."""
    is_korean = [name.startswith(f"{Venue.KRX}:") for name in view.instruments]
    return np.where(is_korean, KRX_OFFSET_MS, 0)[:, None]


def day_ends(starts: Array, offset: Array) -> Array:
    """Return when the days of these bars end, in UTC ms."""
    return ((starts + offset) // DAY_MS + 1) * DAY_MS - offset


def newest_starts(view: View, columns: int) -> Array:
    """Return the starts of the newest bars in UTC ms, 0 where there is none."""
    return widened(view.field("starts"), columns, 0)[:, -columns:]


def session_bars(timeframe: Timeframe | None) -> int:
    """Return how many bars the longest session has, of the shortest ones where that is open."""
    minutes = 1 if timeframe is None else int(timeframe.length.total_seconds()) // 60
    return min(_SESSION_BARS, -(-_SESSION_MINUTES // minutes))
