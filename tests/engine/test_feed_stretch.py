"""Which slots of an unwatched stretch the counts cannot tell."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.engine.fed import Fed, tick
from tests.engine.traded_market import DAY, SAMSUNG, kst

NEXT = DAY + timedelta(days=1)
FRIDAY, MONDAY = DAY + timedelta(days=3), DAY + timedelta(days=6)


def wanted(before: datetime, seen_at: datetime) -> list[str]:
    """Return the first and last slot that an unwatched stretch makes wanted, in UTC."""
    slots = Fed().feed.unseen(before, seen_at)
    return [f"{at:%d %H:%M}" for at in (slots[0], slots[-1])] if slots else []


@pytest.mark.parametrize(
    ("before", "seen_at", "expected"),
    [
        (kst("10:01"), kst("10:03"), []),
        (kst("10:03:30"), kst("10:06"), ["06 01:00", "06 01:05"]),
        (kst("10:03"), kst("11:01"), ["06 01:00", "06 02:00"]),
        (kst("15:31:22"), kst("09:00:02", NEXT), []),
        (kst("15:31:22", FRIDAY), kst("09:00:02", MONDAY), []),
        (kst("15:30:12"), kst("09:00:02", NEXT), ["06 06:25", "06 06:25"]),
        (kst("15:03"), kst("09:00:02", NEXT), ["06 06:00", "06 06:25"]),
        (kst("15:31:22"), kst("09:07", NEXT), ["07 00:00", "07 00:05"]),
        (kst("15:31:22"), kst("09:04", NEXT), []),
        (kst("15:21"), kst("15:24"), []),
    ],
)
def test_unwatched_stretch_matters_where_a_slot_ended(
    before: datetime, seen_at: datetime, expected: list[str]
) -> None:
    assert wanted(before, seen_at) == expected


@pytest.mark.parametrize(("seen_at", "is_wanted"), [("10:05:25", False), ("10:05:35", True)])
def test_instrument_that_was_absent_for_a_minute_over_a_slots_end_is_wanted(
    seen_at: str, is_wanted: bool
) -> None:
    fed = Fed()
    fed.feed.add([tick("10:04:30")])
    fed.feed.add([tick(seen_at)])
    assert (SAMSUNG.id in fed.series.wants) is is_wanted


def test_start_in_a_slot_wants_the_whole_slot() -> None:
    fed = Fed()
    fed.feed.start(kst("10:02"))
    fed.feed.add([tick("10:02:10")])
    want = fed.series.wants[SAMSUNG.id]
    assert (want.judge_from, want.until) == (kst("10:00"), kst("10:00"))


@pytest.mark.parametrize("started", ["08:30", "09:00:01", "09:02"])
def test_start_before_the_first_slot_ended_wants_nothing(started: str) -> None:
    fed = Fed()
    fed.feed.start(kst(started))
    fed.feed.add([tick("09:02:10")])
    assert fed.series.wants == {}
