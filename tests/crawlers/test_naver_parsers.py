"""Naver's answers: recorded ones, quirks, and everything that is not the shape we know."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import NaverSettings
from crawlers.naver_parsers import (
    even_parts,
    parse_days,
    parse_minutes,
    parse_polling,
)
from market.errors import SourceChanged
from market.sessions import KST, KrxCalendar
from market.types import Timeframe
from tests.crawlers.mutilated import mutilated

if TYPE_CHECKING:
    from market.types import Bar, Tick

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
SEEN_AT = datetime(2026, 9, 28, 8, 0, tzinfo=UTC)
ASKED = {"005930": "KRX:005930", "0195S0": "KRX:0195S0"}


def recorded(name: str) -> bytes:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_bytes()


def row(**changes: Any) -> dict[str, Any]:
    """Return a polling row as recorded, with changed fields; None removes a field."""
    fields = {
        "itemCode": "005930",
        "closePrice": "270,000",
        "closePriceRaw": "270000",
        "compareToPreviousClosePriceRaw": "-4500",
        "openPriceRaw": "271000",
        "highPriceRaw": "272500",
        "lowPriceRaw": "268500",
        "accumulatedTradingVolumeRaw": "13958538",
        "accumulatedTradingValueRaw": "3768805260000.000",
        "marketStatus": "OPEN",
        "localTradedAt": "2026-09-28T15:10:49.175999+09:00",
        "tradeStopType": {"code": "1", "text": "운영.Trading", "name": "TRADING"},
        "overMarketPriceInfo": {"closePriceRaw": "1", "accumulatedTradingVolumeRaw": "2"},
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def polled(*rows: object, **envelope: Any) -> list[Tick]:
    answer = {"pollingInterval": 7000, "datas": list(rows), "time": "20260928151100"} | envelope
    return parse_polling(orjson.dumps(answer), ASKED, SEEN_AT)


def chart(*rows: object, seen_at: datetime = SEEN_AT) -> list[Bar]:
    return parse_minutes(orjson.dumps(list(rows)), "KRX:005930", KrxCalendar({}), seen_at)


def minute(time: str = "20260928090000", **changes: Any) -> dict[str, Any]:
    return {
        "localDateTime": time,
        "currentPrice": 270000.0,
        "openPrice": 269500.0,
        "highPrice": 270500.0,
        "lowPrice": 269000.0,
        "accumulatedTradingVolume": 1200,
    } | changes


def kst(hour: int, minute: int, second: int = 0, day: int = 28) -> datetime:
    return datetime(2026, 9, day, hour, minute, second, tzinfo=KST)


def test_polling_reads_the_recorded_answer() -> None:
    body = recorded("polling_domestic_stock_005930_035420.recorded_trimmed.json")
    asked = {code: f"KRX:{code}" for code in ("035420", "005930")}
    first, second = parse_polling(body, asked, SEEN_AT)
    assert (first.instrument, first.price, first.day_volume) == ("KRX:035420", 210000, 592090)
    assert first.previous_close == 214500
    assert (second.instrument, second.price, second.previous_close) == (
        "KRX:005930",
        270000,
        269500,
    )
    assert second.at == kst(14, 54, 23, day=9)
    assert second.seen_at == SEEN_AT
    assert not second.halted


def test_minutes_read_the_recorded_closing_auction_and_drop_after_hours() -> None:
    body = recorded("api_stock_minute_005930_20260928_1525-1545.recorded.json")
    (bar,) = parse_minutes(body, "KRX:005930", KrxCalendar({}), SEEN_AT)
    assert bar.start == kst(15, 29)
    assert bar.volume == 2794512
    assert bar.value == 270000.0 * 2794512
    assert bar.is_complete


def test_polling_refuses_the_older_recorded_shape() -> None:
    body = recorded("polling_service_item_005930_000660.recorded.utf8.json")
    with pytest.raises(SourceChanged, match="datas"):
        parse_polling(body, ASKED, SEEN_AT)


def test_polling_reads_every_field_at_the_top_level_only() -> None:
    (tick,) = polled(row())
    assert tick.at == kst(15, 10, 49) + timedelta(microseconds=175999)
    assert tick.at.tzinfo is UTC
    assert (tick.price, tick.day_volume, tick.day_value) == (270000, 13958538, 3768805260000)
    assert (tick.day_open, tick.day_high, tick.day_low) == (271000, 272500, 268500)
    assert tick.previous_close == 274500
    assert not tick.halted


def test_polling_needs_four_fields_only() -> None:
    needed = ("itemCode", "closePriceRaw", "accumulatedTradingVolumeRaw", "marketStatus")
    (tick,) = polled({name: row()[name] for name in needed})
    assert tick.at == kst(15, 11)
    assert (tick.previous_close, tick.day_open, tick.day_value) == (None, None, None)


@pytest.mark.parametrize(
    "name", ["itemCode", "closePriceRaw", "accumulatedTradingVolumeRaw", "marketStatus"]
)
def test_polling_without_a_needed_field_is_changed(name: str) -> None:
    with pytest.raises(SourceChanged, match=name):
        polled(row(**{name: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"closePriceRaw": "270,000"},
        {"closePriceRaw": "-1"},
        {"closePriceRaw": "NaN"},
        {"closePriceRaw": "1" * 400},
        {"closePriceRaw": []},
        {"closePriceRaw": True},
        {"accumulatedTradingVolumeRaw": "-5"},
        {"accumulatedTradingVolumeRaw": {}},
        {"marketStatus": 1},
        {"marketStatus": "LUNCH"},
        {"itemCode": 5930},
        {"openPriceRaw": "n/a"},
        {"localTradedAt": "2026-09-28"},
        {"localTradedAt": "yesterday"},
        {"localTradedAt": 1789078213},
        {"tradeStopType": "TRADING"},
        {"tradeStopType": {"code": "1"}},
    ],
    ids=str,
)
def test_polling_with_a_field_of_another_type_is_changed(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match=next(iter(changes))) as caught:
        polled(row(**changes))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "body",
    [b"", b"<!doctype html><title>x</title>", b"[]", b'{"datas": {}}', b'{"result": []}', b"null"],
)
def test_polling_of_another_shape_shows_the_odd_fragment(body: bytes) -> None:
    with pytest.raises(SourceChanged, match="got "):
        parse_polling(body, ASKED, SEEN_AT)


def test_polling_with_no_row_for_what_was_asked_is_changed() -> None:
    for rows in ([], [row(itemCode="000660")]):
        with pytest.raises(SourceChanged, match="rows for 2 codes"):
            polled(*rows)


@pytest.mark.parametrize("odd", ["text", 1, None, []])
def test_polling_with_an_odd_row_is_changed(odd: object) -> None:
    with pytest.raises(SourceChanged, match="objects"):
        polled(row(), odd)


@pytest.mark.parametrize("time", [None, "15:10", 20260928151100, "20261328151100"])
def test_polling_without_any_time_is_changed(time: object) -> None:
    with pytest.raises(SourceChanged, match="time"):
        polled(row(localTradedAt=None), time=time)


def test_polling_reads_a_halt() -> None:
    (tick,) = polled(row(tradeStopType={"code": "2", "text": "중단", "name": "HALTED"}))
    assert tick.halted


def test_polling_before_the_first_trade_has_no_prices_of_the_day() -> None:
    zero = dict.fromkeys(("openPriceRaw", "highPriceRaw", "lowPriceRaw"), "0")
    (tick,) = polled(row(**zero, accumulatedTradingVolumeRaw="0", marketStatus="PREOPEN"))
    assert (tick.day_open, tick.day_high, tick.day_low) == (None, None, None)


def test_polling_leaves_out_what_never_traded() -> None:
    new = row(closePriceRaw="0", accumulatedTradingVolumeRaw="0", itemCode="0195S0")
    assert [tick.instrument for tick in polled(row(), new)] == ["KRX:005930"]


def test_polling_keeps_codes_text_and_the_order_asked() -> None:
    ticks = polled(row(itemCode="0195S0"), row(itemCode="999999"), row())
    assert [tick.instrument for tick in ticks] == ["KRX:005930", "KRX:0195S0"]


def test_minutes_are_sorted_and_the_auction_is_the_last_slot() -> None:
    bars = chart(
        minute("20260928153000"),
        minute("20260928154000"),
        minute("20260928090000"),
        minute("20260928151900"),
        minute("20260928085500"),
        minute("20260927100000"),
    )
    assert [bar.start for bar in bars] == [kst(9, 0), kst(15, 19), kst(15, 29)]


def test_minutes_read_prices_and_approximate_the_value() -> None:
    (bar,) = chart(minute())
    assert (bar.open, bar.high, bar.low, bar.close) == (269500, 270500, 269000, 270000)
    assert (bar.volume, bar.value) == (1200, 1200 * 270000)
    assert bar.timeframe is Timeframe.M1


def test_minutes_without_trades_are_none_but_a_list() -> None:
    assert chart() == []
    assert chart(minute(accumulatedTradingVolume=0)) == []


@pytest.mark.parametrize(("second", "is_complete"), [(59, False), (60, True)])
def test_minutes_tell_whether_the_minute_was_over(second: int, is_complete: bool) -> None:
    (bar,) = chart(minute(), seen_at=kst(9, 0) + timedelta(seconds=second))
    assert bar.is_complete is is_complete


@pytest.mark.parametrize(
    "changes",
    [
        {"currentPrice": None},
        {"currentPrice": 0},
        {"openPrice": "null"},
        {"accumulatedTradingVolume": -1},
        {"accumulatedTradingVolume": []},
        {"localDateTime": 20260928090000},
        {"localDateTime": "202609280900"},
        {"localDateTime": "20260931090000"},
    ],
    ids=str,
)
def test_minutes_of_another_shape_are_changed(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match=r"naver.*got"):
        chart(minute(), minute(**changes))


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"code":"x"}', b"[1]", b"[[]]"])
def test_a_chart_that_is_no_list_of_objects_is_changed(body: bytes) -> None:
    with pytest.raises(SourceChanged):
        parse_minutes(body, "KRX:005930", KrxCalendar({}), SEEN_AT)


def test_even_parts_are_few_and_about_as_long() -> None:
    assert even_parts(["a", "b", "c", "d", "e"], 2) == [["a"], ["b", "c"], ["d", "e"]]
    assert even_parts(["a", "b", "c", "d", "e"], 4) == [["a", "b"], ["c", "d", "e"]]
    assert even_parts(["a"], 100) == [["a"]]
    assert even_parts([], 2) == []


def test_a_sweep_of_the_whole_market_is_a_few_requests() -> None:
    codes = [f"{number:06}" for number in range(2900)]
    parts = even_parts(codes, NaverSettings().codes_per_request)
    assert {len(part) for part in parts} == {290}
    assert len(parts) < 50


def daily(*rows: object, seen_at: datetime = SEEN_AT) -> list[Bar]:
    return parse_days(orjson.dumps(list(rows)), "KRX:005930", KrxCalendar({}), seen_at)


def day(date: str = "20260928", **changes: Any) -> dict[str, Any]:
    """Return a row of the daily chart as it was described, numbers and texts mixed."""
    fields = {
        "localDate": date,
        "closePrice": 270000.0,
        "openPrice": "271000",
        "highPrice": 272500,
        "lowPrice": 268500.0,
        "accumulatedTradingVolume": "13958538",
        "foreignRetentionRate": 46.72,
    }
    return fields | changes


def test_days_begin_with_the_session_and_are_sorted() -> None:
    later, earlier = day(), day("20260923", closePrice=1.0, lowPrice=1.0)
    bars = daily(later, earlier)
    assert [bar.start for bar in bars] == [kst(9, 0, day=23), kst(9, 0)]
    assert bars[1].timeframe is Timeframe.D1
    assert (bars[1].open, bars[1].high, bars[1].low) == (271000.0, 272500.0, 268500.0)
    assert (bars[1].close, bars[1].volume) == (270000.0, 13958538.0)
    assert bars[1].value == 270000.0 * 13958538


def test_days_without_a_trade_have_no_bar() -> None:
    none: dict[str, Any] = dict.fromkeys(
        ("openPrice", "highPrice", "lowPrice", "accumulatedTradingVolume"), 0
    )
    assert daily(day(**none)) == []
    assert daily(day(accumulatedTradingVolume=0)) == []


def test_days_that_are_no_session_are_left_out() -> None:
    assert daily(day("20260927")) == []


def test_days_are_widened_where_rounding_left_a_price_outside() -> None:
    (bar,) = daily(day(highPrice=270999, lowPrice=270001))
    assert (bar.high, bar.low) == (271000.0, 270000.0)


@pytest.mark.parametrize(("second", "is_complete"), [(29, False), (30, True)])
def test_days_tell_whether_the_session_was_over(second: int, is_complete: bool) -> None:
    (bar,) = daily(day(), seen_at=kst(15, 30, second))
    assert bar.is_complete is is_complete


@pytest.mark.parametrize(
    "changes",
    [
        {"localDate": "2026-09-28"},
        {"localDate": "20260231"},
        {"localDate": None},
        {"closePrice": "high"},
        {"closePrice": 0},
        {"lowPrice": -1},
        {"accumulatedTradingVolume": -1},
        {"highPrice": None},
    ],
)
def test_days_of_another_shape_are_changed(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged):
        daily(day(**changes))


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"<html>", b""])
def test_a_daily_chart_that_is_no_list_of_objects_is_changed(body: bytes) -> None:
    with pytest.raises(SourceChanged):
        parse_days(body, "KRX:005930", KrxCalendar({}), SEEN_AT)


BODIES: dict[str, bytes] = {
    "polling": orjson.dumps({"datas": [row()] * 2, "time": "20260928151100"}),
    "minutes": orjson.dumps([minute(), minute("20260928090100")]),
    "days": orjson.dumps([day(), day("20260923")]),
}


@pytest.mark.parametrize("name", BODIES)
@given(data=st.data())
def test_a_mutilated_answer_is_read_or_changed(name: str, data: st.DataObject) -> None:
    calendar, body = KrxCalendar({}), data.draw(mutilated(BODIES[name]))
    with suppress(SourceChanged):
        if name == "polling":
            parse_polling(body, ASKED, SEEN_AT)
        elif name == "minutes":
            parse_minutes(body, "KRX:005930", calendar, SEEN_AT)
        else:
            parse_days(body, "KRX:005930", calendar, SEEN_AT)
