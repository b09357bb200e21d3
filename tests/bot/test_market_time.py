from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.market_time import ScaledTime, UnscaledTime
from market.clock import ManualClock

WALL = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MARKET = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_market_time_runs_faster() -> None:
    wall = ManualClock(WALL)
    time = ScaledTime(wall, MARKET, 60)
    wall.advance(timedelta(seconds=1))
    assert time.now() == MARKET + MINUTE


def test_a_new_speed_goes_on_from_where_the_market_is() -> None:
    wall = ManualClock(WALL)
    time = ScaledTime(wall, MARKET, 60)
    wall.advance(timedelta(seconds=1))
    assert time.set_speed(1)
    wall.advance(timedelta(seconds=30))
    assert time.now() == MARKET + timedelta(seconds=90)
    assert time.speed == 1


def test_setting_the_same_speed_changes_nothing() -> None:
    assert not ScaledTime(ManualClock(WALL), MARKET, 60).set_speed(60)


def test_a_market_time_is_found_on_the_machines_clock() -> None:
    time = ScaledTime(ManualClock(WALL), MARKET, 60)
    assert time.real_time_of(MARKET + MINUTE) == WALL + timedelta(seconds=1)


def test_a_leap_skips_hours_and_never_goes_back() -> None:
    wall = ManualClock(WALL)
    time = ScaledTime(wall, MARKET, 60)
    time.leap_to(MARKET + timedelta(hours=17))
    assert time.now() == MARKET + timedelta(hours=17)
    time.leap_to(MARKET)
    assert time.now() == MARKET + timedelta(hours=17)


def test_unscaled_time_is_the_machines() -> None:
    time = UnscaledTime(ManualClock(WALL))
    assert time.now() == WALL
    assert time.real_time_of(MARKET) == MARKET
