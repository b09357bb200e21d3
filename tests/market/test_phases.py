"""The phases of a day at KRX and what is sent in each: the table, cell by cell."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from brokers.kis_codes import phases
from config.settings import KisSettings
from market.phases import REGULAR, TAKES, Form, Phase, is_taken, next_taken, phase_at
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Kind, Venue

LATE_DAY = date(2026, 11, 19)
CALENDAR = KrxCalendar({LATE_DAY: (time(10, 0), time(16, 30))})
ALL = frozenset(Phase)
BOTH, LIMITS, NONE = "limit market", "limit", ""


def kst(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}+09:00")


@pytest.mark.parametrize(
    ("clock", "phase"),
    [
        ("08:29:59", Phase.CLOSED),
        ("08:30:00", Phase.OPENING),
        ("08:59:59", Phase.OPENING),
        ("09:00:00", Phase.CONTINUOUS),
        ("15:19:59", Phase.CONTINUOUS),
        ("15:20:00", Phase.CLOSING),
        ("15:29:59", Phase.CLOSING),
        ("15:30:00", Phase.CLOSED),
        ("15:39:59", Phase.CLOSED),
        ("15:40:00", Phase.AFTER_CLOSE),
        ("15:59:59", Phase.AFTER_CLOSE),
        ("16:00:00", Phase.AFTER_MARKET),
        ("19:59:59", Phase.AFTER_MARKET),
        ("20:00:00", Phase.CLOSED),
    ],
)
def test_phases_of_a_day_at_krx(clock: str, phase: Phase) -> None:
    assert phase_at(Venue.KRX, CALENDAR, kst(f"24T{clock}")) is phase
    assert phase_at(Venue.KRX, CALENDAR, kst(f"22T{clock}")) is Phase.CLOSED  # a Sunday


@pytest.mark.parametrize(
    ("phase", "shares", "funds"),
    [
        (Phase.CLOSED, NONE, NONE),
        (Phase.OPENING, LIMITS, LIMITS),
        (Phase.CONTINUOUS, BOTH, BOTH),
        (Phase.CLOSING, LIMITS, LIMITS),
        (Phase.AFTER_CLOSE, NONE, NONE),
        (Phase.AFTER_MARKET, LIMITS, NONE),
    ],
)
def test_what_is_sent_in_each_phase(phase: Phase, shares: str, funds: str) -> None:
    assert set(TAKES) == ALL
    for kind, words in ((Kind.STOCK, shares), (Kind.ETF, funds)):
        assert [one.value for one in Form if is_taken(phase, one, kind)] == words.split()


def test_kis_takes_part_in_the_after_market_only_if_it_is_said() -> None:
    assert phases(KisSettings()) == REGULAR
    assert phases(KisSettings(after_market=True)) == REGULAR | {Phase.AFTER_MARKET}


@pytest.mark.parametrize(
    ("at", "form", "regular", "every"),
    [
        ("24T07:00", Form.LIMIT, "24T08:30", "24T08:30"),
        ("24T07:00", Form.MARKET, "24T09:00", "24T09:00"),
        ("24T15:25", Form.MARKET, "25T09:00", "25T09:00"),
        ("24T15:45", Form.LIMIT, "25T08:30", "24T16:00"),
        ("24T17:00", Form.LIMIT, "25T08:30", "24T17:00"),
        ("27T20:00", Form.LIMIT, "30T08:30", "30T08:30"),  # a Friday
    ],
)
def test_when_an_order_can_be_sent_next(at: str, form: Form, regular: str, every: str) -> None:
    for taken, told in ((REGULAR, regular), (ALL, every)):
        found = next_taken(Venue.KRX, CALENDAR, kst(at), taken, form, Kind.STOCK)
        assert found == kst(told)
    fund = next_taken(Venue.KRX, CALENDAR, kst(at), ALL, form, Kind.ETF)
    assert fund == kst(regular)


def test_what_follows_a_later_close_or_came_before_the_change_is_not_known() -> None:
    assert phase_at(Venue.KRX, CALENDAR, kst("19T16:25")) is Phase.CLOSING
    assert phase_at(Venue.KRX, CALENDAR, kst("19T17:30")) is Phase.CLOSED
    before = datetime.fromisoformat("2026-09-11T16:30+09:00")
    assert phase_at(Venue.KRX, CALENDAR, before) is Phase.CLOSED


def test_coins_have_one_phase() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    assert phase_at(Venue.UPBIT, AlwaysOpen(), midnight) is Phase.CONTINUOUS
    found = next_taken(Venue.UPBIT, AlwaysOpen(), midnight, REGULAR, Form.MARKET, Kind.COIN)
    assert found == midnight


def test_without_a_session_for_a_month_nobody_knows() -> None:
    days = (date(2026, 11, 1) + timedelta(days=number) for number in range(40))
    closed = KrxCalendar(dict.fromkeys(days))
    assert next_taken(Venue.KRX, closed, kst("01T09:00"), ALL, Form.LIMIT, Kind.STOCK) is None
