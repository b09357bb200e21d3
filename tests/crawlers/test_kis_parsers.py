"""What KIS answers, as recorded and as documented: read, or refused with the odd fragment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from crawlers.kis_frames import IN_USE, PING, Notice, parse_notice, parse_trades, request
from crawlers.kis_http import KEY_REFUSED, TOKEN_REFUSED, TOO_FAST, envelope
from crawlers.kis_look import Look, look
from crawlers.kis_minutes import minute_bars, newest_label, parse_minutes
from crawlers.kis_parsers import parse_days, parse_flows, parse_prices
from crawlers.kis_rows import signed
from market.errors import SourceChanged
from market.sessions import KST, KrxCalendar

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "kis"
CALENDAR = KrxCalendar({})
NOW = datetime(2026, 9, 11, 15, 10, 30, tzinfo=KST)
LOOK = Look(NOW, NOW, NOW, is_open=True)
ASKED = {"005930": "KRX:005930"}


def recorded(name: str) -> bytes:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_bytes()


def price_row(**changes: Any) -> dict[str, Any]:
    row = {
        "inter_shrn_iscd": "005930",
        "inter2_prpr": "259500",
        "inter2_prdy_vrss": "-9500",
        "prdy_vrss_sign": "5",
        "acml_vol": "12104357",
        "acml_tr_pbmn": "3129038205000",
        "inter2_oprc": "258000",
        "inter2_hgpr": "261500",
        "inter2_lwpr": "256500",
        "total_askp_rsqn": "10",
        "total_bidp_rsqn": "10",
    }
    return row | changes


def minute(hour: str, volume: str, total: str, **changes: Any) -> dict[str, Any]:
    prices = dict.fromkeys(("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr"), "100")
    label = {"stck_bsop_date": "20260911", "stck_cntg_hour": hour}
    return {**label, **prices, "cntg_vol": volume, "acml_tr_pbmn": total} | changes


def day(**changes: Any) -> dict[str, Any]:
    prices = dict.fromkeys(("stck_clpr", "stck_oprc", "stck_hgpr", "stck_lwpr"), "100")
    return {
        "stck_bsop_date": "20260910",
        **prices,
        "acml_vol": "5",
        "acml_tr_pbmn": "499",
    } | changes


def test_the_recorded_frame_is_three_trades() -> None:
    frame = recorded("ws_H0STCNT0_3records.recorded.txt").decode().strip()
    ticks = parse_trades(frame, NOW)
    assert [tick.price for tick in ticks] == [71950, 71900, 72000]
    assert [tick.day_volume for tick in ticks] == [8305216, 8305218, 8305293]
    assert ticks[0].at == datetime(2025, 7, 30, 0, 47, 51, tzinfo=UTC)
    assert ticks[0].day_value == 595403999350
    assert (ticks[0].day_open, ticks[0].day_high, ticks[0].day_low) == (71000, 72300, 70600)
    assert {tick.previous_close for tick in ticks} == {70600}
    assert {tick.instrument for tick in ticks} == {"KRX:005930"}
    assert not any(tick.halted for tick in ticks)


def test_the_recorded_notices_are_read() -> None:
    assert parse_notice(recorded("ws_PINGPONG.json").decode()) == Notice(PING, "", "")
    in_use = parse_notice(recorded("ws_error_OPSP8996.recorded.json").decode())
    assert in_use == Notice(IN_USE, "", "ALREADY IN USE appkey")
    subscribed = parse_notice(recorded("ws_H0STCNI0_subscribe_ack.json").decode())
    assert subscribed.code == "OPSP0000"


def test_a_request_is_as_documented() -> None:
    documented = orjson.loads(recorded("ws_subscribe_request.json"))
    assert orjson.loads(request("a2585daf-...", "005930", "1")) == documented


def test_the_minute_chart_as_documented_is_read() -> None:
    answer = orjson.loads(recorded("inquire_time_itemchartprice.shape.json"))
    rows = parse_minutes(answer, date(2026, 9, 11), NOW)
    bars = minute_bars(rows[::-1], "KRX:005930", CALENDAR, NOW)
    assert [bar.start.astimezone(KST).minute for bar in bars] == [9, 10]
    assert [bar.value for bar in bars] == [259500.0 * 18331, 5221918500]
    assert [bar.is_complete for bar in bars] == [True, False]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("error_EGW00201.json", TOO_FAST),
        ("error_EGW00215.json", TOO_FAST),
        ("error_EGW00123.json", TOKEN_REFUSED),
        ("error_EGW02004.json", KEY_REFUSED),
    ],
)
def test_recorded_errors_are_known(name: str, codes: frozenset[str]) -> None:
    fields = envelope(recorded(name))
    assert fields is not None
    assert fields["msg_cd"] in codes


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b'{"output": []}'])
def test_what_is_in_no_envelope_is_none(body: bytes) -> None:
    assert envelope(body) is None


@pytest.mark.parametrize(
    ("code", "change", "expected"),
    [
        ("1", "950", 950),
        ("2", "950", 950),
        ("3", "0", 0),
        ("4", "950", -950),
        ("5", "950", -950),
        ("5", "-950", -950),
        ("2", "+950", 950),
        ("5", "-00000000000464000", -464000),
    ],
)
def test_a_change_has_the_sign_of_its_code(code: str, change: str, expected: float) -> None:
    assert signed({"vrss": change, "sign": code}, "vrss", "sign", "test") == expected


def test_a_price_is_read_with_the_close_before() -> None:
    (tick,) = parse_prices({"output": [price_row()]}, ASKED, LOOK)
    assert (tick.price, tick.previous_close, tick.day_volume) == (259500, 269000, 12104357)
    (single,) = parse_prices({"output": price_row()}, ASKED, LOOK)
    assert single == tick


def test_rows_that_say_nothing_are_passed_over() -> None:
    blank = dict.fromkeys(price_row(), "")
    none = price_row(inter_shrn_iscd="000660", inter2_prpr="0", acml_vol="0")
    ticks = parse_prices({"output": [blank, price_row(), none]}, ASKED | {"000660": "x"}, LOOK)
    assert [tick.instrument for tick in ticks] == ["KRX:005930"]


def test_what_has_not_traded_in_this_session_is_of_the_one_before() -> None:
    before = NOW.replace(day=10, hour=15, minute=30)
    row = price_row(inter2_oprc="0", inter2_hgpr="0", inter2_lwpr="0", acml_vol="0")
    (tick,) = parse_prices({"output": [row]}, ASKED, Look(NOW, NOW, before, is_open=True))
    assert tick.at == before
    assert (tick.day_open, tick.day_volume) == (None, 0)


@pytest.mark.parametrize(
    ("asks", "bids", "halted"), [("0", "0", True), ("0", "9", False), ("", "", False)]
)
def test_only_an_order_book_empty_on_both_sides_is_a_halt(
    asks: str, bids: str, halted: bool
) -> None:
    row = price_row(total_askp_rsqn=asks, total_bidp_rsqn=bids)
    (tick,) = parse_prices({"output": [row]}, ASKED, LOOK)
    assert tick.halted is halted


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"output": None},
        {"output": []},
        {"output": ["text"]},
        {"output": [price_row(inter_shrn_iscd="999999")]},
        {"output": [price_row(inter_shrn_iscd=5)]},
        {"output": [price_row(inter2_prpr="many")]},
        {"output": [price_row(inter2_prpr="-5")]},
        {"output": [price_row(acml_vol=None)]},
        {"output": [price_row(acml_vol=5)]},
        {"output": [price_row(prdy_vrss_sign="9")]},
        {"output": [{"inter_shrn_iscd": "005930", "price": "5"}]},
    ],
)
def test_prices_of_another_shape_are_a_change(answer: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match="kis multi-price"):
        parse_prices(answer, ASKED, LOOK)


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


def test_days_without_a_trade_and_on_no_day_are_left_out() -> None:
    rows = [
        day(),
        {},
        day(stck_bsop_date="20260909", stck_oprc="0", stck_hgpr="0", stck_lwpr="0", acml_vol="0"),
        day(stck_bsop_date="20260906"),
    ]
    (bar,) = parse_days({"output2": rows}, "KRX:005930", CALENDAR, NOW)
    assert (bar.start.astimezone(KST).day, bar.volume, bar.value) == (10, 5, 499)
    assert bar.is_complete


def test_a_day_rounded_out_of_its_range_is_widened() -> None:
    (bar,) = parse_days({"output2": [day(stck_clpr="101")]}, "KRX:005930", CALENDAR, NOW)
    assert (bar.low, bar.high, bar.close) == (100, 101, 101)


@pytest.mark.parametrize(
    "row", [day(stck_bsop_date="today"), day(stck_bsop_date="20261301"), day(stck_clpr="0")]
)
def test_days_of_another_shape_are_a_change(row: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match="kis daily chart"):
        parse_days({"output2": [row]}, "KRX:005930", CALENDAR, NOW)


def investors(on: str, shares: str) -> dict[str, str]:
    names = ("prsn_ntby_qty", "frgn_ntby_qty", "orgn_ntby_qty")
    return {"stck_bsop_date": on, "stck_clpr": "100", **dict.fromkeys(names, shares)}


def test_flows_that_are_blank_or_of_a_day_that_goes_on_are_left_out() -> None:
    rows = [investors("20260911", "5"), investors("20260910", ""), investors("20260909", "-7")]
    (flow,) = parse_flows({"output": rows}, CALENDAR, NOW)
    assert (flow.day.day, flow.foreigners, flow.individuals, flow.close) == (9, -7, -7, 100)


def test_flows_under_other_names_are_a_change() -> None:
    with pytest.raises(SourceChanged, match="kis investors"):
        parse_flows({"output": [{"stck_bsop_date": "20260909", "x": "1"}]}, CALENDAR, NOW)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "0|H0STCNT0|001",
        "1|H0STCNT0|001|secret",
        "0|H0STASP0|001|" + "^" * 45,
        "0|H0STCNT0|two|" + "^" * 45,
        "0|H0STCNT0|002|" + "^" * 45,
        "0|H0STCNT0|000|",
        "0|H0STCNT0|001|" + "^" * 45,
    ],
)
def test_frames_of_another_shape_are_a_change(message: str) -> None:
    with pytest.raises(SourceChanged, match="kis socket"):
        parse_trades(message, NOW)


@pytest.mark.parametrize("message", ["{", "{}", '{"header": 5}', '{"header": {"tr_id": "x"}}'])
def test_notices_of_another_shape_are_a_change(message: str) -> None:
    with pytest.raises(SourceChanged, match="expected a notice"):
        parse_notice(message)


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

    assert look(CALENDAR, at(now), None if last is None else at(last)).at == at(expected)
