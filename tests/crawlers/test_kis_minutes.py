"""KIS's minute charts and looks: which rows are bars, and when something has traded."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import orjson
import pytest

from crawlers.kis_look import look
from crawlers.kis_minutes import minute_bars, newest_label, parse_minutes
from market.errors import SourceChanged
from market.sessions import KST, KrxCalendar
from tests.crawlers.kis_recorded import recorded

CALENDAR = KrxCalendar({})
NOW = datetime(2026, 9, 11, 15, 10, 30, tzinfo=KST)


def minute(hour: str, volume: str, total: str, **changes: Any) -> dict[str, Any]:
    prices = dict.fromkeys(("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr"), "100")
    label = {"stck_bsop_date": "20260911", "stck_cntg_hour": hour}
    return {**label, **prices, "cntg_vol": volume, "acml_tr_pbmn": total} | changes


def test_the_minute_chart_as_documented_is_read() -> None:
    answer = orjson.loads(recorded("inquire_time_itemchartprice.shape.json"))
    rows = parse_minutes(answer, date(2026, 9, 11), NOW)
    bars = minute_bars(rows[::-1], "KRX:005930", CALENDAR, NOW)
    assert [bar.start.astimezone(KST).minute for bar in bars] == [9, 10]
    assert [bar.value for bar in bars] == [259500.0 * 18331, 5221918500]
    assert [bar.is_complete for bar in bars] == [True, False]


def test_the_newest_minute_with_the_volume_of_the_one_before_is_no_bar() -> None:
    rows = [minute("151000", "7", "700"), minute("150900", "7", "700")]
    found = parse_minutes({"output2": rows}, date(2026, 9, 11), NOW)
    (bar,) = minute_bars(found[::-1], "KRX:005930", CALENDAR, NOW)
    assert bar.start.astimezone(KST).minute == 9


def test_minutes_of_other_days_and_of_the_future_are_left_out() -> None:
    rows = [
        minute("151100", "7", "700"),
        minute("151000", "7", "700"),
        minute("152900", "7", "700", stck_bsop_date="20260910"),
    ]
    found = parse_minutes({"output2": rows}, date(2026, 9, 11), NOW)
    assert [row.at.astimezone(KST).minute for row in found] == [10]


def test_a_value_that_cannot_be_is_made_of_close_and_volume() -> None:
    # 100 shares changed hands before the open, at the close before
    found = parse_minutes({"output2": [minute("090000", "7", "10700")]}, date(2026, 9, 11), NOW)
    (bar,) = minute_bars(found, "KRX:005930", CALENDAR, NOW)
    assert bar.value == 700


def test_without_the_days_value_only_minutes_that_are_over_are_bars() -> None:
    rows = [minute("151000", "7", ""), minute("150900", "7", "")]
    found = parse_minutes({"output2": rows}, date(2026, 9, 11), NOW)
    bars = minute_bars(found[::-1], "KRX:005930", CALENDAR, NOW)
    assert [(bar.start.astimezone(KST).minute, bar.value) for bar in bars] == [(9, 700)]


def test_two_rows_of_the_closing_slot_are_one_bar() -> None:
    now = NOW.replace(hour=16)
    rows = [
        minute("153000", "5", "1230", stck_prpr="110", stck_hgpr="110"),
        minute("152000", "7", "700"),
    ]
    found = parse_minutes({"output2": rows}, date(2026, 9, 11), now)
    (bar,) = minute_bars(found[::-1], "KRX:005930", CALENDAR, now)
    assert (bar.open, bar.high, bar.close, bar.volume, bar.value) == (100, 110, 110, 12, 1230)
    assert bar.is_complete


@pytest.mark.parametrize(
    "row",
    [
        minute("1510", "7", "700"),
        minute("256100", "7", "700"),
        minute("151000", "-7", "700"),
        minute("151000", "7", "700", stck_prpr="0"),
        minute("151000", "7", "700", stck_oprc=None),
    ],
)
def test_minutes_of_another_shape_are_a_change(row: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match="kis minute chart"):
        parse_minutes({"output2": [row]}, date(2026, 9, 11), NOW)


@pytest.mark.parametrize(
    ("end", "now", "expected"),
    [
        ("1030", "1600", "1029"),
        ("1600", "1600", "1530"),
        ("1530", "1600", "1530"),
        ("1529", "1600", "1528"),
        ("1100", "1030", "1030"),
    ],
)
def test_no_minute_after_the_wanted_or_the_present_one_is_asked_for(
    end: str, now: str, expected: str
) -> None:
    window = CALENDAR.window(date(2026, 9, 11))
    assert window is not None
    at = {text: datetime.strptime(f"20260911{text}+0900", "%Y%m%d%H%M%z") for text in (end, now)}
    assert f"{newest_label(window, at[end], at[now]).astimezone(KST):%H%M}" == expected


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        ("11 10:00:02", "11 09:59:52", "11 09:59:57"),
        ("11 10:00:02", None, "11 10:00:02"),
        ("11 10:00:02", "11 09:50:00", "11 10:00:02"),
        ("11 09:00:02", "11 08:59:52", "11 09:00:00"),
        ("11 08:40:00", "11 08:39:50", "10 15:30:00"),
        ("11 15:30:34", "11 15:30:24", "11 15:30:29"),
        ("11 15:30:39", "11 15:30:29", "11 15:30:30"),
        ("11 15:31:09", "11 15:30:59", "11 15:30:30.000001"),
        ("11 20:00:00", None, "11 15:30:30.000001"),
        ("13 12:00:00", None, "11 15:30:30.000001"),
    ],
)
def test_when_something_shown_has_traded(now: str, last: str | None, expected: str) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-09-{text}+09:00")

    found = look(CALENDAR, at(now), at(now), None if last is None else at(last))
    assert found.at == at(expected)


@pytest.mark.parametrize(("seconds", "expected"), [(4, 59), (8, 61), (20, 62)])
def test_a_slow_sweep_counts_from_answer_to_answer(seconds: int, expected: int) -> None:
    minute = NOW.replace(second=0)
    seen_at, last = minute + timedelta(seconds=62), minute + timedelta(seconds=52)
    found = look(CALENDAR, seen_at, seen_at + timedelta(seconds=seconds), last)
    assert (found.seen_at, found.at) == (seen_at, minute + timedelta(seconds=expected))
