"""When what a price page shows has traded: KIS's multi-price answers do not say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from market.sessions import PRINT_DELAY

if TYPE_CHECKING:
    from datetime import datetime

    from market.sessions import Calendar, Window

CLOSE_TOGETHER = timedelta(minutes=1)
"""Two looks that are further apart tell nothing about the time between them."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the market, as it was at least at `seen_at`.

    What counts more than at the look before is taken to have traded at `at`; what has not traded
    in this session, or is shown before it, at `before`, the close of the session before.
    """

    seen_at: datetime
    at: datetime
    before: datetime
    is_open: bool


def look(
    calendar: Calendar, seen_at: datetime, shown_at: datetime, last_shown_at: datetime | None
) -> Look:
    """Return what may be concluded from an answer that came at `shown_at`.

    `seen_at` is when its sweep began, `last_shown_at` when these instruments were shown before.
    Trades since then lie half-way between on average, never before the open; those of the closing
    auction (up to 30 s after the close) may be seen a little later still.
    """
    window = _window(calendar, seen_at)
    before = _window(calendar, window.open - timedelta(days=1)).close
    if seen_at < window.open:
        return Look(seen_at, before, before, is_open=False)
    at, is_print, end = seen_at, False, window.close + PRINT_DELAY
    if last_shown_at is not None and shown_at - last_shown_at <= CLOSE_TOGETHER:
        at = min(seen_at, max(window.open, shown_at - (shown_at - last_shown_at) / 2))
        is_print = last_shown_at <= end
    if at > end:
        at = end if is_print else end + timedelta.resolution
    return Look(seen_at, at, before, is_open=seen_at < window.close)


def _window(calendar: Calendar, at: datetime) -> Window:
    day = calendar.session_day(at)
    window = calendar.window(day)
    if window is None:
        raise ValueError(f"{day} is called a session day and has no session")
    return window
