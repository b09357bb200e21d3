"""When a job runs, declared in market time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from market.types import EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.sessions import Calendar

TAIL = timedelta(seconds=90)
"""Sweeps go on this long after the close: the closing auction prints up to 30 s late."""


class Schedule(Protocol):
    """Port. Promises the next moment in market time."""

    def after(self, at: datetime) -> datetime:
        """Return the first moment later than `at`."""
        ...


@dataclass(frozen=True, slots=True)
class InSession:
    """Every so many seconds while any of the calendars is in session.

    The grid starts at `offset_seconds` after each full minute, so that with an offset of 2 s one
    run follows the end of every minute closely. One more run meets every multiple of `bars` on the
    clock: what was counted until then is of the bar that ends, not of the next. Sources: the
    closing print of KRX comes until 15:30:30 (rules of the closing auction), hence the tail.
    """

    every_seconds: int
    offset_seconds: int
    calendars: Sequence[Calendar]
    bars: timedelta | None = None

    def after(self, at: datetime) -> datetime:
        """Return the next point of the grid that is in session or in its tail."""
        candidate = self._on_grid(at)
        if any(_is_on(calendar, candidate) for calendar in self.calendars):
            return candidate
        opening = min(calendar.next_open(candidate) for calendar in self.calendars)
        return self._on_grid(opening - timedelta(microseconds=1))

    def _on_grid(self, at: datetime) -> datetime:
        start = at.replace(second=0, microsecond=0) + timedelta(seconds=self.offset_seconds)
        if start > at:
            start -= timedelta(minutes=1)
        steps = int((at - start).total_seconds() // self.every_seconds) + 1
        following = start + timedelta(seconds=steps * self.every_seconds)
        following = min(following, start + timedelta(minutes=1))
        return following if self.bars is None else min(following, _next_multiple(at, self.bars))


@dataclass(frozen=True, slots=True)
class BeforeOpen:
    """Once before every session of any of the calendars, early enough for `lead` of work."""

    lead: timedelta
    calendars: Sequence[Calendar]

    def after(self, at: datetime) -> datetime:
        """Return the next moment that lies so much before a session opens."""
        return min(_opening(calendar, at + self.lead) for calendar in self.calendars) - self.lead


@dataclass(frozen=True, slots=True)
class EachMinute:
    """Once a minute, day and night, so long after its beginning."""

    offset_seconds: int = 0

    def after(self, at: datetime) -> datetime:
        """Return the next such moment."""
        point = at.replace(second=0, microsecond=0) + timedelta(seconds=self.offset_seconds)
        return point if point > at else point + timedelta(minutes=1)


def _opening(calendar: Calendar, at: datetime) -> datetime:
    """Return when the first session opens that has not begun by `at`."""
    day = calendar.session_day(at)
    while True:
        window = calendar.window(day)
        if window is not None and window.open > at:
            return window.open
        day += timedelta(days=1)


def _next_multiple(at: datetime, length: timedelta) -> datetime:
    """Return the first whole multiple of a length since 1970 that is later than `at`."""
    return EPOCH + ((at - EPOCH) // length + 1) * length


def _is_on(calendar: Calendar, at: datetime) -> bool:
    window = calendar.window(calendar.session_day(at))
    return window is not None and window.open <= at <= window.close + TAIL
