"""Naver's JSON of lists, flows, figures and rankings: recorded answers, quirks, other shapes."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.naver_front_parsers import (
    parse_investor_ranking,
    parse_market_value,
    parse_service_items,
    parse_trend,
)
from market.errors import SourceChanged, SourceUnavailable
from market.facts import Flow, Fundamentals
from market.types import Kind
from tests.crawlers.mutilated import mutilated

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
ASKED = {"000660": "KRX:000660", "005930": "KRX:005930"}


def recorded(name: str) -> bytes:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_bytes()


def without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def line(**changes: Any) -> dict[str, Any]:
    fields = {
        "itemCode": "005930",
        "stockName": "삼성전자",
        "stockEndType": "stock",
        "closePriceRaw": "270000",
        "marketValueRaw": "1598000000000000",
        "accumulatedTradingVolumeRaw": "13958538",
        "accumulatedTradingValueRaw": "3768805260000",
        "fluctuationsRatio": "-2.10",
        "compareToPreviousPrice": {"code": "5", "text": "하락", "name": "FALLING"},
    }
    return without_none(fields | changes)


def listed(*lines: object, total: object = 1) -> Any:
    return parse_market_value(orjson.dumps({"stocks": list(lines), "totalCount": total}), "KOSPI")


def trend_row(**changes: Any) -> dict[str, Any]:
    fields = {
        "itemCode": "005930",
        "bizdate": "20260929",
        "foreignerPureBuyQuant": "+14,870",
        "organPureBuyQuant": "-31,806",
        "individualPureBuyQuant": "0",
        "closePrice": "254,500",
    }
    return without_none(fields | changes)


def flows(*rows: object) -> list[Flow]:
    return parse_trend(orjson.dumps(list(rows)), "005930")


def figures_row(**changes: Any) -> dict[str, Any]:
    fields = {
        "cd": "005930",
        "nm": "삼성전자",
        "eps": 22292,
        "bps": 86051.82511,
        "countOfListedStock": 5846278608,
        "highPriceOf52Weeks": 374500,
        "lowPriceOf52Weeks": 74200,
        "adjustedHighPriceOf52Weeks": None,
    }
    return fields | changes


def figures(*rows: object) -> list[Fundamentals]:
    areas = [{"name": "SERVICE_ITEM", "datas": list(rows)}]
    answer = {"resultCode": "success", "result": {"areas": areas}}
    return parse_service_items(orjson.dumps(answer), ASKED)


def rank_row(**changes: Any) -> dict[str, Any]:
    fields = {
        "itemcode": "0195S0",
        "itemname": "TIGER",
        "bizdateFrom": "20260923",
        "bizdateTo": "20260923",
        "accTradeVolume": "4513767",
        "accTradeAmount": "1283305594000",
        "estimated": False,
    }
    return without_none(fields | changes)


def ranked(*rows: object, side: str = "buy") -> Any:
    sections = {"buyRankList": [], "sellRankList": [], f"{side}RankList": list(rows)}
    return parse_investor_ranking(orjson.dumps({"sections": sections}), side)


def test_flows_read_the_recorded_answer() -> None:
    found = parse_trend(recorded("m_stock_trend_196170.recorded.json"), "196170")
    assert [flow.day for flow in found] == [date(2026, 9, day) for day in (29, 28, 18)]
    assert found[0] == Flow(date(2026, 9, 29), 31806.0, 14870.0, -47055.0, 254500.0)


@pytest.mark.parametrize("encoding", ["euckr", "utf8"])
def test_figures_read_the_recorded_answer_in_either_encoding(encoding: str) -> None:
    body = recorded(f"polling_service_item_005930_000660.recorded.{encoding}.json")
    first, second = parse_service_items(body, ASKED)
    assert first.instrument == "KRX:000660"
    assert second == Fundamentals(
        "KRX:005930", 22292.0, 86051.82511, 5846278608.0, 374500.0, 74200.0
    )


def test_figures_read_decimal_literals() -> None:
    body = recorded("polling_service_item_005930_000660.recorded.euckr.json")
    assert b'"aa":3129038205000.000' in body
    assert len(parse_service_items(body, ASKED)) == 2


def test_the_list_is_read_with_kinds_and_signed_changes() -> None:
    page = listed(
        line(),
        line(itemCode="0195S0", stockEndType="etf", fluctuationsRatio="2.10"),
        line(itemCode="500001", stockEndType="etn", compareToPreviousPrice=None),
        total=4321,
    )
    assert page.total == 4321
    assert [one.instrument.id for one in page.lines] == ["KRX:005930", "KRX:0195S0", "KRX:500001"]
    assert [one.instrument.kind for one in page.lines] == [Kind.STOCK, Kind.ETF, Kind.ETF]
    assert [one.change for one in page.lines] == pytest.approx([-0.021, -0.021, -0.021])
    samsung = page.lines[0]
    assert (samsung.price, samsung.market_cap) == (270000, 1598000000000000)
    assert (samsung.volume, samsung.value) == (13958538, 3768805260000)
    assert (samsung.instrument.name, samsung.instrument.segment) == ("삼성전자", "KOSPI")


@pytest.mark.parametrize("total", [0, -1, None, "17", True, 1.5])
def test_a_list_without_a_count_is_changed(total: object) -> None:
    with pytest.raises(SourceChanged, match="totalCount"):
        listed(line(), total=total)


def test_an_empty_page_of_a_list_is_changed() -> None:
    with pytest.raises(SourceChanged, match="lines on every page"):
        listed(total=10)


@pytest.mark.parametrize(
    "changes",
    [
        {"itemCode": None},
        {"itemCode": "5930"},
        {"stockName": ""},
        {"stockEndType": None},
        {"closePriceRaw": "270,000"},
        {"marketValueRaw": None},
        {"fluctuationsRatio": "up"},
    ],
    ids=str,
)
def test_a_line_of_another_shape_is_changed(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match=next(iter(changes))):
        listed(line(**changes))


def test_flows_leave_out_a_day_that_is_not_told_yet() -> None:
    assert [flow.day.day for flow in flows(trend_row(organPureBuyQuant="-"), trend_row())] == [29]
    assert flows(trend_row(individualPureBuyQuant="-"))[0].individuals is None


@pytest.mark.parametrize(
    "changes",
    [
        {"itemCode": "000660"},
        {"bizdate": "2026-09-29"},
        {"bizdate": "20260931"},
        {"organPureBuyQuant": None},
        {"organPureBuyQuant": 31806},
        {"foreignerPureBuyQuant": "1,48,70"},
        {"closePrice": "n/a"},
    ],
    ids=str,
)
def test_flows_of_another_shape_are_changed(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged, match=next(iter(changes))):
        flows(trend_row(**changes))


def test_flows_of_nothing_are_changed() -> None:
    with pytest.raises(SourceChanged, match="days of 005930"):
        flows()
    with pytest.raises(SourceChanged, match="days of 005930"):
        flows(trend_row(organPureBuyQuant="-"))


def test_figures_that_are_null_are_none_and_adjusted_ones_go_first() -> None:
    (found,) = figures(figures_row(eps=None, adjustedHighPriceOf52Weeks=37450))
    assert (found.eps, found.high_52w, found.low_52w) == (None, 37450, 74200)


def test_figures_without_a_field_in_any_row_are_changed() -> None:
    row = figures_row()
    del row["eps"]
    assert figures(row, figures_row(cd="000660"))[1].eps is None
    with pytest.raises(SourceChanged, match="eps"):
        figures(row)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"\xff\xff",
        b'{"resultCode":"fail"}',
        b'{"resultCode":"success","result":[]}',
        b'{"resultCode":"success","result":{"areas":[{}]}}',
        b'{"resultCode":"success","result":{"areas":[]}}',
    ],
)
def test_figures_of_another_shape_are_changed(body: bytes) -> None:
    with pytest.raises(SourceChanged):
        parse_service_items(body, ASKED)


def test_the_ranking_is_read_with_alphanumeric_codes_and_its_day() -> None:
    (found,) = ranked(rank_row())
    assert (found.instrument, found.name, found.day) == ("KRX:0195S0", "TIGER", date(2026, 9, 23))
    assert (found.shares, found.value) == (4513767, 1283305594000)


def test_what_was_sold_is_negative() -> None:
    sold = rank_row(accTradeVolume="-5", accTradeAmount="-50")
    assert ranked(sold, side="sell")[0].shares == -5
    for side, row in (("buy", sold), ("sell", rank_row())):
        with pytest.raises(SourceChanged, match=f"on the side of {side}"):
            ranked(row, side=side)


def test_an_estimate_of_a_day_that_goes_on_is_not_a_ranking() -> None:
    with pytest.raises(SourceUnavailable, match="estimate"):
        ranked(rank_row(), rank_row(accTradeAmount="0", estimated=True))


@pytest.mark.parametrize("body", [b"{}", b'{"sections":[]}', b'{"sections":{"buyRankList":null}}'])
def test_a_ranking_of_another_shape_is_changed(body: bytes) -> None:
    with pytest.raises(SourceChanged):
        parse_investor_ranking(body, "buy")


def test_a_ranking_without_lines_is_changed() -> None:
    with pytest.raises(SourceChanged, match="lines of buy"):
        ranked()


ODD: st.SearchStrategy[object] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.just([])
)
WHOLE: dict[str, tuple[Any, dict[str, Any]]] = {
    "list": (listed, line()),
    "flows": (flows, trend_row()),
    "figures": (figures, figures_row()),
    "ranking": (ranked, rank_row()),
}


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_a_field_of_any_other_value_is_read_or_changed(name: str, data: st.DataObject) -> None:
    read, row = WHOLE[name]
    field = data.draw(st.sampled_from(sorted(row)))
    with suppress(SourceChanged, SourceUnavailable):
        read(row | {field: data.draw(ODD)})


BODIES: dict[str, tuple[Any, Any]] = {
    "list": ({"stocks": [line()] * 2, "totalCount": 2}, lambda body: parse_market_value(body, "X")),
    "flows": ([trend_row()] * 2, lambda body: parse_trend(body, "005930")),
    "figures": (
        {"resultCode": "success", "result": {"areas": [{"datas": [figures_row()] * 2}]}},
        lambda body: parse_service_items(body, ASKED),
    ),
    "ranking": (
        {"sections": {"buyRankList": [rank_row()] * 2, "sellRankList": []}},
        lambda body: parse_investor_ranking(body, "buy"),
    ),
}


@pytest.mark.parametrize("name", BODIES)
@given(data=st.data())
def test_a_mutilated_answer_is_read_or_changed(name: str, data: st.DataObject) -> None:
    answer, read = BODIES[name]
    body = data.draw(mutilated(orjson.dumps(answer)))
    with suppress(SourceChanged, SourceUnavailable):
        assert read(body)
