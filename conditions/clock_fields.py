"""`time`, `minutes_since_open`, `minutes_to_close`: what the clock shows as each bar ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import MINUTE_MS, day_ends, newest_starts, offsets
from conditions.nodes import Name
from conditions.openings import DAY_MS, KRX_OFFSET_MS
from conditions.reference import venue_of
from conditions.series import Series
from conditions.units import Unit
from market.types import to_ms

if TYPE_CHECKING:
    from conditions.view import View
    from market.sessions import Calendar

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class ClockPart:
    """What a field of the clock measures and means."""

    unit: Unit
    meaning: str


CLOCK_FIELDS = {
    "time": ClockPart(
        Unit.CLOCK, "When the bar ended, in Korean time; compared with a time: `time >= 09:30`."
    ),
    "minutes_since_open": ClockPart(
        Unit.TIME, "Minutes from the session's opening to the end of the bar."
    ),
    "minutes_to_close": ClockPart(
        Unit.TIME, "Minutes from the end of the bar to the session's close."
    ),
}
"""By name. A session's last bar ends with the session."""


@dataclass(frozen=True, slots=True)
class ClockField(Series):
    """A field of the clock; it needs no bar but its own."""

    def values(self, view: View, columns: int) -> Array:
        """Return minutes, unknown where there is no bar or, but for the time, no session."""
        return view.recall(self.key, columns, lambda: self._minutes(view, columns))

    def _minutes(self, view: View, columns: int) -> Array:
        starts = newest_starts(view, columns)
        opens, closes = _hours(view, starts)
        ends = _ends(view, starts, closes)
        if self.key == "time":
            found = (ends + KRX_OFFSET_MS) % DAY_MS
        else:
            found = ends - opens if self.key == "minutes_since_open" else closes - ends
        is_known = (starts > 0) & ((closes > 0) | (self.key == "time"))
        return np.where(is_known, found / MINUTE_MS, np.nan)


def clock_field(name: str) -> ClockField:
    """Return a field of CLOCK_FIELDS."""
    return ClockField(node=Name(name), unit=CLOCK_FIELDS[name].unit, key=name)


def bar_ends(view: View, starts: Array) -> Array:
    """Return when bars end in UTC ms, the last one of a session with it; now where one forms."""
    return _ends(view, starts, _hours(view, starts)[1])


def _ends(view: View, starts: Array, closes: Array) -> Array:
    ends = starts + int(view.timeframe.length.total_seconds() * 1000)
    return view.reference.as_seen(np.where(closes > 0, np.minimum(ends, closes), ends))


def _hours(view: View, starts: Array) -> tuple[Array, Array]:
    """Return when the sessions of these bars open and close in UTC ms, 0 where there is none."""
    opens, closes = np.zeros_like(starts), np.zeros_like(starts)
    offset = offsets(view)
    venues = np.array([venue_of(name) for name in view.instruments])
    for venue in set(venues.tolist()):
        rows = venues == venue
        calendar = view.reference.calendar(f"{venue}:")
        if calendar is not None:
            days = (day_ends(starts[rows], offset[rows]) + offset[rows]) // DAY_MS - 1
            opens[rows], closes[rows] = _windows(calendar, days)
    return opens, closes


def _windows(calendar: Calendar, days: Array) -> tuple[Array, Array]:
    known, places = np.unique(days, return_inverse=True)
    found = np.zeros((2, len(known)), dtype=np.int64)
    for place, day in enumerate(known.tolist()):
        window = calendar.window(datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date())
        if window is not None:
            found[:, place] = to_ms(window.open), to_ms(window.close)
    opens, closes = found[:, places.reshape(days.shape)]
    return opens, closes
