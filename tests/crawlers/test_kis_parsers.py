"""What KIS answers, as recorded and as documented: read, or refused with the odd fragment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from crawlers.kis_look import Look
from crawlers.kis_parsers import parse_days, parse_flows, parse_prices
from crawlers.kis_rows import signed
from market.errors import SourceChanged
from market.sessions import KST, KrxCalendar
from tests.crawlers.kis_recorded import recorded
from venues.kis_http import KEY_REFUSED, TOKEN_REFUSED, TOO_FAST, envelope

CALENDAR = KrxCalendar({})
NOW = datetime(2026, 9, 11, 15, 10, 30, tzinfo=KST)
LOOK = Look(NOW, NOW, NOW, is_open=True)
ASKED = {"005930": "KRX:005930"}


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


def day(**changes: Any) -> dict[str, Any]:
    prices = dict.fromkeys(("stck_clpr", "stck_oprc", "stck_hgpr", "stck_lwpr"), "100")
    return {
        "stck_bsop_date": "20260910",
        **prices,
        "acml_vol": "5",
        "acml_tr_pbmn": "499",
    } | changes


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
