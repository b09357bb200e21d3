"""What the sentinel makes of what a source shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from engine.chain import Named
from engine.sentinel import STALL, Findings, Sentinel
from engine.sources import Sweep
from market.sessions import AlwaysOpen
from market.types import Tick, Venue
from tests.engine.pipeline_world import moments
from tests.engine.traded_market import CALENDAR, kst

NAMES = tuple(f"KRX:{number:06}" for number in range(8))
SOURCE = Named("naver", cast("object", None))  # type: ignore[arg-type]  # nobody asks it here


def sweep(
    at: datetime, *, count: float = 100.0, lag: float = 1.0, names: tuple[str, ...] = NAMES
) -> Sweep:
    """Return a sweep that shows these instruments with a count, traded `lag` seconds ago."""
    traded = at - timedelta(seconds=lag)
    ticks = tuple(Tick(name, traded, at, 100.0, day_volume=count) for name in names)
    return Sweep(Venue.KRX, SOURCE, NAMES, at, ticks)


def watched(
    sentinel: Sentinel, start: str, end: str, *, moving: bool, lag: float = 1.0
) -> Findings:
    """Sweep every ten seconds; what moves does so in every sweep. Return the last findings."""
    found = Findings(None, {})
    for number, at in enumerate(moments(kst(start), kst(end))):
        found = sentinel.look(sweep(at, count=100.0 + number * moving, lag=lag))
    return found


def test_prices_that_move_are_believed() -> None:
    found = watched(Sentinel(CALENDAR), "10:00", "10:10", moving=True)
    assert found.refused is None
    assert set(found.troubles.values()) == {None}


def test_prices_that_stand_still_are_not_believed() -> None:
    sentinel = Sentinel(CALENDAR)
    watched(sentinel, "10:00", "10:01", moving=True)
    found = watched(sentinel, "10:01:10", "10:02:50", moving=False)
    assert found.refused is None
    found = sentinel.look(sweep(kst("10:03:10")))
    assert found.refused is not None
    assert "naver has shown nothing new of 8 instruments for 120 s" in str(found.refused)
    assert found.troubles["stalled"] is not None
    found = sentinel.look(sweep(kst("10:03:20"), count=9999.0))
    assert (found.refused, found.troubles["stalled"]) == (None, None)


@pytest.mark.parametrize(
    ("start", "end"), [("15:20", "15:29"), ("08:30", "08:50"), ("15:31", "15:45")]
)
def test_the_auction_and_the_night_are_quiet_by_right(start: str, end: str) -> None:
    assert watched(Sentinel(CALENDAR), start, end, moving=False).refused is None


def test_few_instruments_may_be_quiet_together() -> None:
    sentinel = Sentinel(CALENDAR)
    for at in moments(kst("10:00"), kst("10:20")):
        assert sentinel.look(sweep(at, names=NAMES[:4])).refused is None


def test_a_quiet_market_is_given_more_time() -> None:
    sentinel = Sentinel(CALENDAR)
    count = 100.0
    for number, at in enumerate(moments(kst("10:00"), kst("10:30"))):
        count += number % 6 == 0  # something trades once a minute
        assert sentinel.look(sweep(at, count=count)).refused is None
    quiet = [
        sentinel.look(sweep(at, count=count)).refused
        for at in moments(kst("10:30:10"), kst("10:36"))
    ]
    assert quiet[int(STALL.total_seconds() / 10)] is None
    assert quiet[-1] is not None


def test_a_night_between_two_sweeps_is_no_stall() -> None:
    sentinel = Sentinel(CALENDAR)
    watched(sentinel, "15:00", "15:10", moving=True)
    tomorrow = kst("09:05") + timedelta(days=1)
    assert sentinel.look(sweep(tomorrow)).refused is None


def test_trades_of_the_future_show_a_slow_clock() -> None:
    found = watched(Sentinel(CALENDAR), "10:00", "10:01", moving=True, lag=-40.0)
    assert found.troubles["skewed"] == {"seconds": "40"}
    found = watched(Sentinel(CALENDAR), "10:00", "10:01", moving=True, lag=-3.0)
    assert found.troubles["skewed"] is None


def test_news_that_is_old_is_late() -> None:
    found = watched(Sentinel(CALENDAR), "10:05", "10:06", moving=True, lag=95.0)
    assert found.troubles["delayed"] == {"seconds": "85"}


def test_an_instrument_that_is_left_out_twice_is_named() -> None:
    sentinel = Sentinel(CALENDAR)
    shown = NAMES[2:]
    assert sentinel.look(sweep(kst("10:00"), names=shown)).troubles["partial"] is None
    found = sentinel.look(sweep(kst("10:00:10"), names=shown))
    assert found.troubles["partial"] == {"count": "2", "names": "KRX:000000, KRX:000001"}
    assert sentinel.look(sweep(kst("10:00:20"))).troubles["partial"] is None


def test_many_that_are_left_out_are_counted_and_a_few_named() -> None:
    sentinel = Sentinel(CALENDAR)
    sentinel.look(sweep(kst("10:00"), names=NAMES[:1]))
    found = sentinel.look(sweep(kst("10:00:10"), names=NAMES[:1])).troubles["partial"]
    assert found is not None
    assert found["count"] == "7"
    assert found["names"].endswith(", …")


def test_two_sources_are_not_compared_with_each_other() -> None:
    sentinel = Sentinel(CALENDAR)
    watched(sentinel, "10:00", "10:05", moving=True)
    other = replace(sweep(kst("10:05:10")), by=replace(SOURCE, name="kis"))
    assert sentinel.look(other).refused is None


def test_what_comes_live_is_watched_by_its_source() -> None:
    sentinel = Sentinel(AlwaysOpen())
    for at in moments(kst("10:00"), kst("10:10")):
        live = replace(sweep(at), is_live=True)
        assert sentinel.look(live) == Findings(None, {})
