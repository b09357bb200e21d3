from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule import TAIL, BeforeOpen, EachMinute, InSession
from market.sessions import KST, AlwaysOpen, KrxCalendar

KRX = KrxCalendar({})


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


def sweeps(every: int = 10, offset: int = 2) -> InSession:
    return InSession(every, offset, [KRX])


@pytest.mark.parametrize(
    ("now", "following"),
    [
        (at(24, 10, 0, 1), at(24, 10, 0, 2)),
        (at(24, 10, 0, 2), at(24, 10, 0, 12)),
        (at(24, 10, 0, 52), at(24, 10, 1, 2)),
        (at(24, 8, 30), at(24, 9, 0, 2)),
        (at(24, 15, 31, 22), at(25, 9, 0, 2)),
        (at(27, 18), at(30, 9, 0, 2)),
    ],
)
def test_the_next_sweep(now: datetime, following: datetime) -> None:
    assert sweeps().after(now) == following


def test_the_closing_auction_is_still_swept() -> None:
    assert sweeps().after(at(24, 15, 30, 25)) == at(24, 15, 30, 32)


def test_a_pace_that_does_not_divide_a_minute_still_meets_each_minutes_end() -> None:
    schedule = sweeps(every=25)
    assert schedule.after(at(24, 10, 0, 52)) == at(24, 10, 1, 2)


def test_a_coin_is_swept_at_night_and_on_sundays() -> None:
    schedule = InSession(10, 2, [KRX, AlwaysOpen()])
    assert schedule.after(at(29, 3, 0, 2)) == at(29, 3, 0, 12)


@given(
    seconds=st.integers(0, 14 * 86400),
    every=st.integers(1, 300),
    offset=st.integers(0, 30),
)
def test_the_next_sweep_is_later_and_in_session(seconds: int, every: int, offset: int) -> None:
    now = at(16, 0) + timedelta(seconds=seconds)
    following = InSession(every, offset, [KRX]).after(now)
    assert following > now
    local = following.astimezone(KST)
    assert local.weekday() < 5
    end = datetime.combine(local.date(), time(16, 30), tzinfo=KST) + TAIL
    assert time(9, 0) <= local.time()
    assert following <= end


@pytest.mark.parametrize(
    ("now", "following"),
    [
        (at(24, 7, 59), at(24, 8)),
        (at(24, 8), at(25, 8)),
        (at(24, 8, 30), at(25, 8)),
        (at(24, 12), at(25, 8)),
        (at(27, 18), at(30, 8)),
    ],
)
def test_days_are_learnt_once_before_each_session(now: datetime, following: datetime) -> None:
    assert BeforeOpen(timedelta(hours=1), [KRX]).after(now) == following


def test_a_venue_that_never_closes_has_a_session_a_day() -> None:
    following = BeforeOpen(timedelta(hours=1), [AlwaysOpen()]).after(at(24, 12))
    assert following == at(25, 8)


def test_a_look_each_minute_is_later_and_at_its_second() -> None:
    look = EachMinute(45)
    assert look.after(at(24, 3, 7, 44)) == at(24, 3, 7, 45)
    assert look.after(at(24, 3, 7, 45)) == at(24, 3, 8, 45)


def test_one_more_sweep_meets_the_end_of_every_bar() -> None:
    schedule = InSession(10, 2, [KRX], timedelta(minutes=5))
    assert schedule.after(at(24, 10, 4, 52)) == at(24, 10, 5)
    assert schedule.after(at(24, 10, 5)) == at(24, 10, 5, 2)
    assert schedule.after(at(24, 10, 5, 52)) == at(24, 10, 6, 2)
    assert InSession(10, 0, [KRX], timedelta(minutes=5)).after(at(24, 10, 4, 50)) == at(24, 10, 5)
