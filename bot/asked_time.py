"""A moment as a person writes it on the console: `10:05`, `11-24 10:05`, `2026-11-24 10:05`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from market.errors import TicktalkError
from market.sessions import KST

if TYPE_CHECKING:
    from market.sessions import Calendar
    from market.types import Timeframe, Venue

_TIME = re.compile(
    r"(?:(?:(\d{4})-)?(\d{1,2})-(\d{1,2})[ T]+)?(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII
)


def read_moment(text: str, now: datetime) -> datetime:
    """Return a moment of the past, read as Korean time; without a day it is today's.

    Without a year it is the newest such day. Raises TicktalkError for anything else.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise TicktalkError(
            f"'{text}' is not a time: write 10:05 (today in Korea) or '2026-11-24 10:05'"
        )
    year, month, day, *clock = (int(part) if part else None for part in match.groups())
    today = now.astimezone(KST)
    hour, minute, second = (part or 0 for part in clock)
    try:
        found = datetime(
            year or today.year, month or today.month, day or today.day, hour, minute, second,
            tzinfo=KST,
        )  # fmt: skip
        if found > now and month and not year:
            found = found.replace(year=today.year - 1)
    except ValueError as error:
        raise TicktalkError(f"'{text}' is not a time: {error}") from error
    if found > now:
        raise TicktalkError(f"{found:%Y-%m-%d %H:%M} (Korea) has not come yet")
    return found.astimezone(UTC)


def check_session(at: datetime, calendar: Calendar, timeframe: Timeframe, venue: Venue) -> None:
    """Raise TicktalkError, naming the nearest session, for a moment that lies in none."""
    if calendar.slot(at, timeframe) is not None:
        return
    window = calendar.window(calendar.session_day(at))
    asked = at.astimezone(KST)
    message = f"{asked:%Y-%m-%d %H:%M} (Korea) is not in a session of {venue}"
    if window is not None:
        opening, closing = (one.astimezone(KST) for one in (window.open, window.close))
        message += f"; the nearest is {opening:%Y-%m-%d %H:%M} to {closing:%H:%M}"
    raise TicktalkError(message)
