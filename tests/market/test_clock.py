"""Clocks: aware, in UTC, never back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from market.clock import ManualClock, SystemClock
from market.sessions import KST

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=KST)


def test_manual_clock_stands_still_until_moved() -> None:
    clock = ManualClock(NINE)
    assert clock.now() == clock.now() == NINE
    assert clock.now().tzinfo is UTC


def test_manual_clock_moves_by_and_to() -> None:
    clock = ManualClock(NINE)
    clock.advance(timedelta(minutes=5))
    assert clock.now() == NINE + timedelta(minutes=5)
    clock.move_to(NINE + timedelta(hours=1))
    clock.move_to(NINE + timedelta(hours=1))
    assert clock.now() == NINE + timedelta(hours=1)
    assert clock.now().tzinfo is UTC


def test_manual_clock_does_not_go_back() -> None:
    clock = ManualClock(NINE)
    with pytest.raises(ValueError, match="does not go back"):
        clock.move_to(NINE - timedelta(seconds=1))
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == NINE


def test_system_clock_is_aware_and_does_not_go_back() -> None:
    clock = SystemClock()
    first = clock.now()
    assert first.tzinfo is UTC
    assert clock.now() >= first
