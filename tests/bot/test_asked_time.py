"""Moments on the console: read as Korean time, refused where nothing can be said about them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.asked_time import check_session, read_moment
from market.errors import TicktalkError
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Timeframe, Venue

NOW = datetime(2026, 1, 6, 1, 30, tzinfo=UTC)
"""A Tuesday, 10:30 in Korea."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:05", datetime(2026, 1, 6, 1, 5, tzinfo=UTC)),
        (" 9:05:30 ", datetime(2026, 1, 6, 0, 5, 30, tzinfo=UTC)),
        ("2025-12-30 10:05", datetime(2025, 12, 30, 1, 5, tzinfo=UTC)),
        ("2025-12-30T10:05", datetime(2025, 12, 30, 1, 5, tzinfo=UTC)),
        ("01-05 15:30", datetime(2026, 1, 5, 6, 30, tzinfo=UTC)),
        ("12-30 10:05", datetime(2025, 12, 30, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_korean_time(text: str, expected: datetime) -> None:
    assert read_moment(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a time"),
        ("noon", "write 10:05"),
        ("25:05", "is not a time"),
        ("10:61", "is not a time"),
        ("2026-02-30 10:05", "is not a time"),
        ("2026-1-6", "is not a time"),
        ("10:31", "has not come yet"),
        ("2026-11-24 10:05", "2026-11-24 10:05 (Korea) has not come yet"),
        ("02-29 10:05", "is not a time"),
        ("١٠:٠٥", "is not a time"),
    ],
)
def test_what_is_no_moment_of_the_past_is_refused(text: str, words: str) -> None:
    with pytest.raises(TicktalkError) as caught:
        read_moment(text, NOW)
    assert words in str(caught.value)


@pytest.mark.parametrize("hour", [(0, 0), (3, 0), (6, 30)])
def test_a_moment_in_session_is_taken(hour: tuple[int, int]) -> None:
    check_session(datetime(2026, 1, 6, *hour, tzinfo=UTC), KrxCalendar({}), Timeframe.M5, Venue.KRX)


@pytest.mark.parametrize(
    ("at", "session"),
    [
        (datetime(2026, 1, 5, 23, 59, tzinfo=UTC), "2026-01-06 09:00 to 15:30"),
        (datetime(2026, 1, 6, 7, 0, tzinfo=UTC), "2026-01-06 09:00 to 15:30"),
        (datetime(2026, 1, 4, 3, 0, tzinfo=UTC), "2026-01-02 09:00 to 15:30"),
    ],
)
def test_a_moment_outside_of_sessions_names_the_nearest(at: datetime, session: str) -> None:
    with pytest.raises(TicktalkError) as caught:
        check_session(at, KrxCalendar({}), Timeframe.M5, Venue.KRX)
    assert f"is not in a session of KRX; the nearest is {session}" in str(caught.value)


def test_a_market_without_hours_is_always_in_session() -> None:
    check_session(NOW, AlwaysOpen(), Timeframe.M5, Venue.UPBIT)
