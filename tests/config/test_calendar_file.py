"""krx_calendar.yaml."""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path

import pytest

from config.calendar_file import read_special_days
from config.load import PACKAGED
from config.strict_yaml import load_yaml, parse_yaml

CLOSURES = Path(__file__).parents[2].parent / "shared/fixtures/rules/krx_2026_closures.json"


def test_days_are_closed_or_have_hours() -> None:
    text = "2026-06-03: closed\n2026-01-02: 10:00-15:30\n"
    assert read_special_days(parse_yaml(text, "c.yaml")) == {
        date(2026, 6, 3): None,
        date(2026, 1, 2): (time(10), time(15, 30)),
    }


def test_packaged_calendar_equals_the_recorded_one() -> None:
    if not CLOSURES.is_file():
        pytest.skip("the recorded closures are not beside this checkout")
    recorded = json.loads(CLOSURES.read_text(encoding="utf-8"))
    closed = recorded["exchange_calendars_4.13.2"] + recorded["missing_in_library"]
    expected: dict[date, tuple[time, time] | None]
    expected = {date.fromisoformat(day): None for day in closed}
    for hours in recorded["special_hours"]:
        times = (time.fromisoformat(hours["open"]), time.fromisoformat(hours["close"]))
        expected[date.fromisoformat(hours["date"])] = times
    assert read_special_days(load_yaml(PACKAGED / "krx_calendar.yaml")) == expected
