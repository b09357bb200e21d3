"""Tests of what the clock shows as bars end."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pytest

from conditions.reference import Reference
from market.panel import Panel
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.types import Bar, Timeframe, Venue
from tests.conditions.walked_market import condition_of, values_of

EXAM = date(2026, 11, 19)
"""A day on which the exchange opens and closes an hour later."""
REFERENCE = Reference(
    {Venue.KRX: KrxCalendar({EXAM: (time(10), time(16, 30))}), Venue.UPBIT: AlwaysOpen()}
)


def fields(at: datetime, timeframe: Timeframe, name: str = "KRX:005930") -> list[float]:
    """Return time, minutes since the open and to the close of the bar that starts then."""
    panel = Panel(timeframe, [name], 10)
    panel.append([Bar(name, timeframe, at, 100.0, 100.0, 100.0, 100.0, 1.0, 100.0)])
    words = ("time", "minutes_since_open", "minutes_to_close")
    return [float(values_of(word, panel, reference=REFERENCE)[0, -1]) for word in words]


@pytest.mark.parametrize(
    ("at", "timeframe", "clock", "since", "until"),
    [
        ("2026-11-18T09:00", Timeframe.M5, "09:05", 5, 385),
        ("2026-11-18T15:25", Timeframe.M5, "15:30", 390, 0),
        ("2026-11-18T15:29", Timeframe.M1, "15:30", 390, 0),
        ("2026-11-18T15:00", Timeframe.H1, "15:30", 390, 0),
        ("2026-11-18T09:00", Timeframe.D1, "15:30", 390, 0),
        ("2026-11-19T10:00", Timeframe.M5, "10:05", 5, 385),
        ("2026-11-19T16:25", Timeframe.M5, "16:30", 390, 0),
        ("2026-11-20T09:30", Timeframe.M30, "10:00", 60, 330),
    ],
)
def test_a_bar_shows_the_clock_of_its_end(
    at: str, timeframe: Timeframe, clock: str, since: int, until: int
) -> None:
    minutes = timedelta(hours=int(clock[:2]), minutes=int(clock[3:])).seconds // 60
    start = datetime.fromisoformat(at).replace(tzinfo=KST)
    assert fields(start, timeframe) == [minutes, since, until]


def test_a_day_without_session_has_a_time_but_no_hours() -> None:
    sunday = datetime(2026, 11, 22, 9, tzinfo=KST)
    clock, *hours = fields(sunday, Timeframe.M5)
    assert clock == 9 * 60 + 5
    assert np.isnan(hours).all()


def test_a_coin_trades_all_day_by_utc() -> None:
    start = datetime(2026, 11, 18, 9, 5, tzinfo=KST)
    assert fields(start, Timeframe.M5, "UPBIT:KRW-BTC") == [9 * 60 + 10, 10, 24 * 60 - 10]


@pytest.mark.parametrize(
    ("when", "is_true"),
    [
        ("time >= 9:05", True),
        ("time > 09:05", False),
        ("09:00 < time <= 15:20", True),
        ("minutes_since_open <= 5", True),
        ("minutes_since_open <= 5 minutes", True),
        ("minutes_since_open < 300 s", False),
        ("minutes_to_close > 6 h", True),
        ("minutes_to_close - minutes_since_open == 380 m", True),
    ],
)
def test_times_compare_with_how_people_write_them(when: str, is_true: bool) -> None:
    start = datetime(2026, 11, 18, 9, tzinfo=KST)
    panel = Panel(Timeframe.M5, ["KRX:000000"], 10)
    panel.append([Bar("KRX:000000", Timeframe.M5, start, 9.0, 9.0, 9.0, 9.0, 1.0, 9.0)])
    condition = condition_of(f"'{when}'", Timeframe.M5)
    verdict = condition.when.verdicts(condition.view(panel, None), 1)[0, -1]
    assert verdict == (1 if is_true else -1)
