"""The daily budget: what it counts, what it says, and when it begins again."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest
import respx

from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.sessions import KST
from venues.daily_budget import DailyBudget
from venues.polite_http import Pace, PoliteHttp

LATE = datetime(2026, 9, 9, 23, 59, tzinfo=KST)
PACE = Pace(requests_per_second=10_000, timeout_seconds=1, first_pause_seconds=0)


def test_a_budget_is_counted_for_each_host() -> None:
    budget = DailyBudget(ManualClock(LATE), 1)
    budget.spend("a.example")
    budget.spend("b.example")
    with pytest.raises(SourceUnavailable, match=r"a\.example"):
        budget.spend("a.example")


def test_a_budget_that_is_used_up_says_until_when() -> None:
    budget = DailyBudget(ManualClock(LATE), 1)
    budget.spend("a.example")
    with pytest.raises(SourceUnavailable) as caught:
        budget.spend("a.example")
    assert str(caught.value) == (
        "a.example: all 1 requests of 2026-09-09 are used up; none until 2026-09-10 00:00 KST"
    )


def test_a_budget_begins_again_at_midnight_in_korea() -> None:
    clock = ManualClock(LATE)
    budget = DailyBudget(clock, 2)
    for _ in range(2):
        budget.spend("a.example")
    clock.advance(timedelta(minutes=1))
    for _ in range(2):
        budget.spend("a.example")
    with pytest.raises(SourceUnavailable):
        budget.spend("a.example")


def test_every_attempt_costs_and_nothing_is_sent_beyond_the_budget() -> None:
    async def scenario() -> tuple[str, int]:
        async with respx.mock() as mock, httpx.AsyncClient() as client:
            route = mock.get("https://a.example/x").respond(503)
            http = PoliteHttp(client, PACE, {}, DailyBudget(ManualClock(LATE), 2))
            with pytest.raises(SourceUnavailable) as caught:
                await http.get("https://a.example/x")
            return str(caught.value), route.call_count

    text, calls = asyncio.run(scenario())
    assert "used up" in text
    assert calls == 2
