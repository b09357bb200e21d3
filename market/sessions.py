"""When a venue trades, and which bar a moment belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from holidays import financial_holidays

from market.types import EPOCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.types import Timeframe

KST = ZoneInfo("Asia/Seoul")

REGULAR_HOURS = (time(9, 0), time(15, 30))
AUCTION_LENGTH = timedelta(minutes=10)
PRINT_DELAY = timedelta(seconds=30)
"""The closing auction ends at random within this time after the close, with a single print."""

_DAY = timedelta(days=1)
_LONGEST_REST_DAYS = 30


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of one session, [open, close), in UTC."""

    open: datetime
    close: datetime


class Calendar(Protocol):
    """Port. Promises the same answers for the same moment, at any time; all times are aware."""

    def window(self, day: date) -> Window | None:
        """Return the session of a day, None where there is none."""
        ...

    def session_day(self, at: datetime) -> date:
        """Return the day of the session that what is shown at this moment belongs to."""
        ...

    def slot(self, at: datetime, timeframe: Timeframe) -> datetime | None:
        """Return the start of the bar a trade belongs to, None outside sessions."""
        ...

    def slot_end(self, start: datetime, timeframe: Timeframe) -> datetime:
        """Return the moment from which the bar with this start can be closed."""
        ...

    def is_open(self, at: datetime) -> bool:
        """Tell whether the venue is in session."""
        ...

    def next_open(self, at: datetime) -> datetime:
        """Return the first moment from `at` on that is in session."""
        ...

    def slots(self, start: datetime, end: datetime, timeframe: Timeframe) -> list[datetime]:
        """Return the starts of all bars that can trade with start <= bar start < end."""
        ...


class KrxCalendar:
    """The Korea Exchange: one session a day, bars counted from the open, a closing auction.

    Nothing prints in the last ten minutes of the day's hours until the one print of the auction,
    up to 30 s after the close: it belongs to the day's last bar (15:25 for 5m, 15:29 for 1m).
    A day bar starts at the open. `special` names the KST hours of days that differ from
    09:00-15:30, None for closed ones; weekends and the closures that the `holidays` package
    knows need no entry.
    """

    def __init__(self, special: Mapping[date, tuple[time, time] | None]) -> None:
        self._special = dict(special)
        self._closures = financial_holidays("XKRX")
        self._windows: dict[date, Window | None] = {}
        self._spans: dict[Timeframe, tuple[datetime, datetime, datetime]] = {}

    def window(self, day: date) -> Window | None:
        """Return the session of a KST day, None where there is none."""
        if day not in self._windows:
            self._windows[day] = self._hours(day)
        return self._windows[day]

    def session_day(self, at: datetime) -> date:
        """Return the KST day, or the last session day before it where it has no session."""
        day = at.astimezone(KST).date()
        for _ in range(_LONGEST_REST_DAYS):
            if self.window(day) is not None:
                return day
            day -= _DAY
        raise ValueError(f"no session in the {_LONGEST_REST_DAYS} days before {at}")

    def is_open(self, at: datetime) -> bool:
        """Tell whether orders trade: from the open until just before the close."""
        window = self.window(at.astimezone(KST).date())
        return window is not None and window.open <= at < window.close

    def next_open(self, at: datetime) -> datetime:
        """Return `at` itself in session, otherwise the next open."""
        day = at.astimezone(KST).date()
        for _ in range(_LONGEST_REST_DAYS):
            window = self.window(day)
            if window is not None and at < window.close:
                return max(at.astimezone(UTC), window.open)
            day += _DAY
        raise ValueError(f"no session in the {_LONGEST_REST_DAYS} days after {at}")

    def slot(self, at: datetime, timeframe: Timeframe) -> datetime | None:
        """Return the start of the bar a trade at `at` belongs to, None outside the session."""
        span = self._spans.get(timeframe)
        if span is not None and span[0] <= at < span[1]:
            return span[2]
        span = self._span(at, timeframe)
        if span is None:
            return None
        self._spans[timeframe] = span  # a sweep asks thousands of times for the same bar
        return span[2]

    def slot_end(self, start: datetime, timeframe: Timeframe) -> datetime:
        """Return the bar's end; for the day's last bar the close plus 30 s."""
        window = self.window(start.astimezone(KST).date())
        if window is None or not window.open <= start < window.close:
            raise ValueError(f"{start} is not in a session, so no bar starts there")
        end = start.astimezone(UTC) + timeframe.length
        return window.close + PRINT_DELAY if end >= window.close else end

    def slots(self, start: datetime, end: datetime, timeframe: Timeframe) -> list[datetime]:
        """Return the starts with start <= bar start < end that can trade, oldest first."""
        found = []
        day, last_day = start.astimezone(KST).date(), end.astimezone(KST).date()
        while day <= last_day:
            window = self.window(day)
            if window is not None:
                found += [at for at in _starts(window, timeframe) if start <= at < end]
            day += _DAY
        return found

    def _hours(self, day: date) -> Window | None:
        if day in self._special:
            hours = self._special[day]
        elif day.weekday() >= 5 or day in self._closures:
            hours = None
        else:
            hours = REGULAR_HOURS
        if hours is None:
            return None
        opening, closing = (datetime.combine(day, hour, KST).astimezone(UTC) for hour in hours)
        return Window(opening, closing)

    def _span(
        self, at: datetime, timeframe: Timeframe
    ) -> tuple[datetime, datetime, datetime] | None:
        """Return the first and one-past-last trade time of the bar at `at`, and its start."""
        window = self.window(at.astimezone(KST).date())
        if window is None or not window.open <= at <= window.close + PRINT_DELAY:
            return None
        auction = window.close - AUCTION_LENGTH
        last = _last_start(window, timeframe)
        if at >= auction or at >= last:
            return min(last, auction), window.close + PRINT_DELAY + timedelta.resolution, last
        start = window.open + (at - window.open) // timeframe.length * timeframe.length
        return start, min(start + timeframe.length, auction), start


def _last_start(window: Window, timeframe: Timeframe) -> datetime:
    bars_before = (window.close - window.open - timedelta.resolution) // timeframe.length
    return window.open + bars_before * timeframe.length


def _starts(window: Window, timeframe: Timeframe) -> list[datetime]:
    last = _last_start(window, timeframe)
    auction = window.close - AUCTION_LENGTH
    starts = []
    start = window.open
    while start < min(last, auction):
        starts.append(start)
        start += timeframe.length
    return [*starts, last]


class AlwaysOpen:
    """A venue without hours: bars are aligned to UTC, and so is the day."""

    def window(self, day: date) -> Window:
        """Return the whole UTC day."""
        midnight = datetime.combine(day, time(), UTC)
        return Window(midnight, midnight + _DAY)

    def session_day(self, at: datetime) -> date:
        """Return the UTC day."""
        return at.astimezone(UTC).date()

    def is_open(self, at: datetime) -> bool:  # noqa: ARG002  the port asks for it
        """Return True, always."""
        return True

    def next_open(self, at: datetime) -> datetime:
        """Return the moment itself."""
        return at.astimezone(UTC)

    def slot(self, at: datetime, timeframe: Timeframe) -> datetime:
        """Return the start of the bar that contains the moment."""
        return EPOCH + (at - EPOCH) // timeframe.length * timeframe.length

    def slot_end(self, start: datetime, timeframe: Timeframe) -> datetime:
        """Return the bar's end."""
        return start.astimezone(UTC) + timeframe.length

    def slots(self, start: datetime, end: datetime, timeframe: Timeframe) -> list[datetime]:
        """Return the starts with start <= bar start < end, oldest first."""
        at = self.slot(start, timeframe)
        if at < start:
            at += timeframe.length
        found = []
        while at < end:
            found.append(at)
            at += timeframe.length
        return found
