"""KRX hours on regular and special days, and venues that never close."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.sessions import KST, AlwaysOpen, KrxCalendar, Window
from market.types import Timeframe

RULES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "rules"
SPECIAL = {
    date(2026, 1, 2): (time(10, 0), time(15, 30)),
    date(2026, 11, 19): (time(10, 0), time(16, 30)),
    date(2026, 11, 23): None,
}
KRX = KrxCalendar(SPECIAL)
FRIDAY = date(2026, 11, 20)
TIMEFRAMES = st.sampled_from(list(Timeframe))


def kst(hour: int, minute: int = 0, second: float = 0, day: date = FRIDAY) -> datetime:
    whole = datetime.combine(day, time(hour, minute), KST) + timedelta(seconds=second)
    return whole.astimezone(UTC)


def krx_slot(at: datetime, timeframe: Timeframe = Timeframe.M5) -> str | None:
    start = KRX.slot(at, timeframe)
    return None if start is None else f"{start.astimezone(KST):%H:%M}"


def test_window_is_in_utc_on_a_regular_day() -> None:
    assert KRX.window(FRIDAY) == Window(
        datetime(2026, 11, 20, 0, 0, tzinfo=UTC), datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "day", [date(2026, 11, 21), date(2026, 11, 22), date(2026, 12, 25), date(2026, 11, 23)]
)
def test_window_is_none_on_weekends_holidays_and_declared_closures(day: date) -> None:
    assert KRX.window(day) is None


def test_window_is_late_on_the_first_day_of_the_year_and_on_csat_day() -> None:
    assert KRX.window(date(2026, 1, 2)) == Window(
        kst(10, day=date(2026, 1, 2)), kst(15, 30, day=date(2026, 1, 2))
    )
    csat = date(2026, 11, 19)
    assert KRX.window(csat) == Window(kst(10, day=csat), kst(16, 30, day=csat))


def test_special_hours_open_a_day_that_is_otherwise_closed() -> None:
    saturday = date(2026, 11, 21)
    calendar = KrxCalendar({saturday: (time(9, 0), time(15, 30))})
    assert calendar.window(saturday) is not None


def test_closures_of_2026_are_all_known_without_special_days() -> None:
    path = RULES / "krx_2026_closures.json"
    if not path.exists():
        pytest.skip("the shared fixtures are not beside the repository")
    rules = json.loads(path.read_text())
    closed = {
        date.fromisoformat(text)
        for text in (*rules["exchange_calendars_4.13.2"], *rules["missing_in_library"])
    }
    bare = KrxCalendar({})
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    weekdays = [day for day in days if day.weekday() < 5]
    assert {day for day in weekdays if bare.window(day) is None} == closed


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        (kst(8, 59, 59.999), None),
        (kst(9), "09:00"),
        (kst(9, 4, 59.999), "09:00"),
        (kst(9, 5), "09:05"),
        (kst(15, 19, 59.999), "15:15"),
        (kst(15, 20), "15:25"),
        (kst(15, 30), "15:25"),
        (kst(15, 30, 30), "15:25"),
        (kst(15, 30, 30.000001), None),
        (kst(16, 1), None),
        (kst(10, day=date(2026, 11, 21)), None),
    ],
)
def test_slot_of_five_minutes(at: datetime, slot: str | None) -> None:
    assert krx_slot(at) == slot


@pytest.mark.parametrize(
    ("timeframe", "last"),
    [("1m", "15:29"), ("5m", "15:25"), ("15m", "15:15"), ("30m", "15:00"), ("1h", "15:00")],
)
def test_slot_of_the_auction_print_is_the_last_of_the_day(timeframe: str, last: str) -> None:
    assert krx_slot(kst(15, 30, 12), Timeframe(timeframe)) == last


def test_slot_of_a_day_bar_is_the_open() -> None:
    assert krx_slot(kst(9), Timeframe.D1) == "09:00"
    assert krx_slot(kst(15, 30, 30), Timeframe.D1) == "09:00"


def test_slot_of_the_auction_follows_the_day_s_own_hours() -> None:
    csat = date(2026, 11, 19)
    assert krx_slot(kst(9, 30, day=csat)) is None
    assert krx_slot(kst(15, 25, day=csat)) == "15:25"
    assert krx_slot(kst(16, 20, day=csat)) == "16:25"
    assert krx_slot(kst(16, 30, 30, day=csat)) == "16:25"
    assert KRX.slot_end(kst(16, 25, day=csat), Timeframe.M5) == kst(16, 30, 30, day=csat)


def test_slot_answers_the_same_whatever_was_asked_before() -> None:
    moments = [kst(9), kst(15, 25), kst(9, 7), kst(8), kst(9, day=date(2026, 11, 18)), kst(9, 7)]
    assert [krx_slot(at) for at in moments] == ["09:00", "15:25", "09:05", None, "09:00", "09:05"]


def test_slot_takes_any_timezone() -> None:
    assert KRX.slot(kst(9, 7).astimezone(KST), Timeframe.M5) == kst(9, 5)


@pytest.mark.parametrize(
    ("start", "timeframe", "end"),
    [
        (kst(9), "5m", kst(9, 5)),
        (kst(15, 15), "5m", kst(15, 20)),
        (kst(15, 25), "5m", kst(15, 30, 30)),
        (kst(15, 29), "1m", kst(15, 30, 30)),
        (kst(15), "1h", kst(15, 30, 30)),
        (kst(9), "1d", kst(15, 30, 30)),
    ],
)
def test_slot_end(start: datetime, timeframe: str, end: datetime) -> None:
    assert KRX.slot_end(start, Timeframe(timeframe)) == end


def test_slot_end_refuses_a_start_outside_sessions() -> None:
    with pytest.raises(ValueError, match="not in a session"):
        KRX.slot_end(kst(8), Timeframe.M5)


def test_slots_leave_out_the_minutes_of_the_auction() -> None:
    five = KRX.slots(kst(0), kst(23), Timeframe.M5)
    assert (len(five), five[0], five[-2:]) == (77, kst(9), [kst(15, 15), kst(15, 25)])
    one = KRX.slots(kst(0), kst(23), Timeframe.M1)
    assert (len(one), one[0], one[-2:]) == (381, kst(9), [kst(15, 19), kst(15, 29)])


def test_slots_are_half_open_and_cross_weekends() -> None:
    calendar = KrxCalendar({})
    monday = date(2026, 11, 23)
    found = calendar.slots(kst(15, 15), kst(9, 5, day=monday), Timeframe.M5)
    assert found == [kst(15, 15), kst(15, 25), kst(9, day=monday)]


@given(
    minutes=st.integers(0, 3 * 24 * 60 * 60),
    timeframe=TIMEFRAMES,
)
def test_slot_contains_its_moment_and_is_listed(minutes: int, timeframe: Timeframe) -> None:
    at = kst(0, day=date(2026, 11, 18)) + timedelta(seconds=minutes)
    start = KRX.slot(at, timeframe)
    if start is not None:
        assert start <= at or krx_slot(at, Timeframe.M5) in {"15:25", "16:25"}
        assert at <= KRX.slot_end(start, timeframe)
        assert KRX.slots(start, start + timedelta(seconds=1), timeframe) == [start]
        assert KRX.slot(start, timeframe) == start


def test_is_open_from_open_until_just_before_the_close() -> None:
    asked = [kst(8, 59), kst(9), kst(15, 29, 59), kst(15, 30), kst(9, day=date(2026, 11, 21))]
    assert [KRX.is_open(at) for at in asked] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (kst(8), kst(9)),
        (kst(12), kst(12)),
        (kst(15, 30), kst(9, day=date(2026, 11, 24))),
        (kst(12, day=date(2026, 11, 21)), kst(9, day=date(2026, 11, 24))),
        (kst(18, day=date(2026, 11, 18)), kst(10, day=date(2026, 11, 19))),
        (kst(0, day=date(2026, 9, 24)), kst(9, day=date(2026, 9, 28))),
    ],
)
def test_next_open_over_nights_weekends_and_holidays(at: datetime, opening: datetime) -> None:
    assert KRX.next_open(at) == opening


def test_next_open_gives_up_when_no_session_is_near() -> None:
    closed = KrxCalendar({FRIDAY + timedelta(days=number): None for number in range(60)})
    with pytest.raises(ValueError, match="no session"):
        closed.next_open(kst(9))


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (kst(0, 1), FRIDAY),
        (kst(23, 59), FRIDAY),
        (kst(12, day=date(2026, 11, 21)), FRIDAY),
        (kst(12, day=date(2026, 11, 23)), FRIDAY),
        (kst(0, day=date(2026, 11, 24)), date(2026, 11, 24)),
    ],
)
def test_session_day_stays_at_the_last_session_while_closed(at: datetime, day: date) -> None:
    assert KRX.session_day(at) == day


def test_session_day_gives_up_when_no_session_is_near() -> None:
    closed = KrxCalendar({FRIDAY - timedelta(days=number): None for number in range(60)})
    with pytest.raises(ValueError, match="no session"):
        closed.session_day(kst(9))


def test_always_open_is_aligned_to_utc() -> None:
    calendar = AlwaysOpen()
    at = datetime(2026, 11, 21, 14, 37, 5, tzinfo=UTC)
    assert calendar.slot(at, Timeframe.M5) == at.replace(minute=35, second=0)
    assert calendar.slot(at, Timeframe.D1) == at.replace(hour=0, minute=0, second=0)
    assert calendar.slot_end(at.replace(minute=35, second=0), Timeframe.M5) == at.replace(
        minute=40, second=0
    )
    assert calendar.is_open(at)
    assert calendar.next_open(at) == at
    assert calendar.session_day(at) == date(2026, 11, 21)
    assert calendar.window(date(2026, 11, 21)) == Window(
        datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
    )


def test_always_open_slots_are_half_open() -> None:
    start = datetime(2026, 11, 21, 23, 52, tzinfo=UTC)
    found = AlwaysOpen().slots(start, start + timedelta(minutes=13), Timeframe.M5)
    assert [f"{at:%H:%M}" for at in found] == ["23:55", "00:00"]
