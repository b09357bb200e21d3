"""The pace of the demo: closed hours are skipped, a waiting card slows the market down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.demo import Pace
from bot.market_time import ScaledTime
from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Venue

WALL = datetime(2026, 11, 24, 12, 0, tzinfo=KST)


@dataclass
class Page:
    status: dict[str, str] = field(default_factory=dict)

    def set_status(self, status: dict[str, str]) -> None:
        self.status = status


@dataclass
class Rounds:
    """Counts how often the jobs were planned again."""

    changes: int = 0

    def pace_changed(self) -> None:
        self.changes += 1


def one_round(
    at: datetime, cards: int = 0, minutes: int | None = None, *, is_watching: bool = True
) -> tuple[Any, ...]:
    """Return market time, page status, times the jobs were planned again, and whether it ended."""

    async def scenario() -> tuple[Any, ...]:
        wall = ManualClock(WALL)
        time = ScaledTime(wall, at, 60)
        page, stop = Page(), asyncio.Event()
        jobs = Rounds()
        calendars = {Venue.KRX: KrxCalendar({})}
        app = SimpleNamespace(
            desk=SimpleNamespace(open_cards=lambda: cards),
            services=SimpleNamespace(calendars=calendars),
        )
        options = SimpleNamespace(speed=60.0, market_minutes=minutes)
        runner = SimpleNamespace(jobs=jobs, is_watching=is_watching)
        pace = Pace(app, SimpleNamespace(page=page), time, runner, options)  # type: ignore[arg-type]
        pace.beat(stop)
        return time, page.status, jobs.changes, stop.is_set()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("at", "leads_to"),
    [
        (datetime(2026, 11, 24, 15, 33, tzinfo=KST), datetime(2026, 11, 25, 9, 0, tzinfo=KST)),
        (datetime(2026, 11, 27, 15, 33, tzinfo=KST), datetime(2026, 11, 30, 9, 0, tzinfo=KST)),
    ],
)
def test_a_night_and_a_weekend_are_skipped(at: datetime, leads_to: datetime) -> None:
    time, _, changes, _ = one_round(at)
    assert leads_to - timedelta(seconds=10) < time.now() < leads_to
    assert changes == 1


@pytest.mark.parametrize("minute", [0, 29, 31])
def test_the_session_and_its_last_bar_are_not_skipped(minute: int) -> None:
    at = datetime(2026, 11, 24, 15, minute, tzinfo=KST)
    time, _, changes, _ = one_round(at)
    assert time.now() == at
    assert changes == 0


def test_a_waiting_card_slows_the_market_to_real_time() -> None:
    time, status, changes, _ = one_round(datetime(2026, 11, 24, 10, 5, tzinfo=KST), cards=1)
    assert time.speed == 1
    assert status["speed"] == "1×"
    assert changes == 1


def test_the_market_waits_until_its_history_is_there() -> None:
    at = datetime(2026, 11, 24, 9, 54, tzinfo=KST)
    time, status, _, _ = one_round(at, is_watching=False)
    assert time.speed == 1
    assert status["note"] == ""


def test_the_demo_ends_after_the_market_minutes_that_were_asked() -> None:
    at = datetime(2026, 11, 24, 10, 5, tzinfo=KST)
    assert one_round(at, minutes=5)[3]
    assert not one_round(at, minutes=50)[3]
