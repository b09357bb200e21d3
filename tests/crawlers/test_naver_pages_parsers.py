"""Naver's older pages: recorded ones, quirks, other layouts, and random mutilations of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.naver_pages_parsers import (
    parse_day_rows,
    parse_deal_rank,
    parse_flow_page,
    parse_funds,
    parse_market_sum,
    parse_times,
)
from market.errors import SourceChanged
from market.facts import Flow
from market.types import Kind
from tests.crawlers.mutilated import mutilated

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
ARROWS = {"상승": "bu_pup", "하락": "bu_pdn", "상한가": "bu_pup2", "하한가": "bu_pdn2"}


def recorded(name: str) -> bytes:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_bytes()


def table(css: str, heads: str, rows: list[list[str]], caption: str = "") -> str:
    head = "".join(f"<th>{text}</th>" for text in heads.split())
    spacer = f'<tr><td colspan="{len(heads.split())}" height="8"></td></tr>'
    body = spacer.join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
    shown = f"<caption>{caption}</caption>" if caption else ""
    return f'<table class="{css}">{shown}<tr>{head}</tr>{spacer}{body}{spacer}</table>'


def page(*parts: str) -> bytes:
    return f"<html><title>네이버페이 증권</title><body>{''.join(parts)}</body></html>".encode(
        "cp949"
    )


def arrow(words: str, number: str) -> str:
    sign = f'<em class="bu_p {ARROWS[words]}"><span class="blind">{words}</span></em>'
    return f'{sign}<span class="tah">\n\t{number}\n</span>'


TIMES = "체결시각 체결가 전일비 매도 매수 거래량 변동량"
FLOWS = "날짜 종가 전일비 등락률 거래량 기관 외국인 순매매량 순매매량 보유주수 보유율"
LINES = "N 종목명 현재가 전일비 등락률 액면가 시가총액 상장주식수 외국인비율 거래량 PER ROE 토론실"
RANKS = "종목명 수량 금액 당일거래량"
CAPTION = "외국인 기관 순매매 거래량"


def time_row(at: str = "15:19", change: str = "0", volumes: str = "100 10") -> list[str]:
    return [at, "270,000", change, "270,500", "270,000", *volumes.split()]


def flow_row(day: str = "2026.08.21", institutions: str = "+17,169") -> list[str]:
    rest = ["-19,294", "1,947,174", "12.93%"]
    return [day, "184,000", arrow("하락", "800"), "-0.43%", "55,426", institutions, *rest]


def line(code: str = "005930", name: str = "삼성전자", percent: str = "+0.19%") -> list[str]:
    link = f'<a href="/item/main.naver?code={code}" class="tltle">{name}</a>'
    change = [arrow("상승", "500"), percent, "100"]
    numbers = ["15,784,951", "5,846,279", "46.72", "13,958,538", "N/A", "8.57"]
    return ["1", link, "270,000", *change, *numbers, "<a>talk</a>"]


def rank_row(shares: str = "331", value: str = "714,008", code: str = "0195S0") -> list[str]:
    link = f"<p><a href='/item/main.naver?code={code}' title='x'>TIGER</a></p>"
    return [link, shares, value, "6,046,951"]


def box(day: str, *rows: list[str]) -> str:
    date_line = f'<div class="sise_guide_date">{day}</div>'
    return f'<div class="box_type_ms">{date_line}{table("type_1", RANKS, list(rows))}</div>'


def pager(last: int) -> str:
    return (
        f'<table class="Nnavi"><tr><td class="pgRR"><a href="?x=1&amp;page={last}">맨뒤</a></table>'
    )


def times(*rows: list[str]) -> bytes:
    return page(table("type2", TIMES, list(rows)))


def flow_page(*rows: list[str], heads: str = FLOWS, caption: str = CAPTION) -> bytes:
    other = table("type2", "회원사 거래량", [["미래에셋증권", "1"]], "거래원정보")
    return page(other, table("type2", heads, list(rows), caption))


def list_page(*rows: list[str], heads: str = LINES, last: int = 3) -> bytes:
    return page(table("type_2", heads, list(rows)), pager(last))


def test_times_read_ten_rows_of_the_reconstructed_page() -> None:
    rows = parse_times(recorded("sise_time_005930_page1.reconstructed.euckr.html"))
    assert len(rows) == 10
    assert [row.at for row in rows[:3]] == [time(15, 30), time(15, 19), time(15, 18)]
    assert [row.change for row in rows[:4]] == [500, 0, 0, -500]
    assert (rows[0].price, rows[0].day_volume, rows[0].volume) == (270000, 13958538, 2794512)


def test_times_of_nothing_are_none_but_the_heads_are_seen() -> None:
    assert parse_times(recorded("sise_time_empty.reconstructed.euckr.html")) == []


def test_flows_take_the_table_of_the_caption_and_institutions_first() -> None:
    flows = parse_flow_page(recorded("frgn_097950.recorded_row.euckr.html"))
    assert flows == [Flow(date(2026, 8, 21), 17169.0, -19294.0, close=184000.0)]


def test_the_ranking_takes_the_newest_day_of_the_recorded_page() -> None:
    body = recorded("sise_deal_rank_iframe_kospi_foreign_buy.recorded_trimmed.euckr.html")
    (found,) = parse_deal_rank(body, "buy")
    assert (found.instrument, found.day) == ("KRX:252670", date(2026, 7, 16))
    assert found.name == "KODEX 200선물인버스2X"
    assert (found.shares, found.value) == (1_234_000, 97_456_000_000)


def test_days_read_the_page_and_the_number_of_the_last_one() -> None:
    rows, last = parse_day_rows(recorded("sise_day_005930.shape_from_public_test.euckr.html"))
    assert [row["localDate"] for row in rows] == ["20260910", "20260908"]
    assert rows[0]["closePrice"] == 269000
    assert (rows[0]["openPrice"], rows[0]["highPrice"], rows[0]["lowPrice"]) == (
        265000,
        270500,
        264000,
    )
    assert last == 680


@pytest.mark.parametrize(
    ("words", "change"), [("상승", 500), ("하락", -500), ("상한가", 500), ("하한가", -500)]
)
def test_a_change_has_the_sign_of_its_arrow(words: str, change: float) -> None:
    (row,) = parse_times(times(time_row(change=arrow(words, "500"))))
    assert row.change == change
    (by_class,) = parse_times(times(time_row(change=f'<em class="{ARROWS[words]}"></em>500')))
    assert by_class.change == change


@pytest.mark.parametrize("change", ["500", '<em class="bu_new">위</em>500', "<em></em>500", ""])
def test_a_change_without_a_known_arrow_is_changed(change: str) -> None:
    with pytest.raises(SourceChanged, match="times"):
        parse_times(times(time_row(change=change)))


def test_times_accept_seconds_and_skip_rows_that_are_empty() -> None:
    padding = ["&nbsp;"] * 7
    rows = parse_times(times(time_row("15:19:59"), padding, time_row("09:00"), padding))
    assert [row.at for row in rows] == [time(15, 19), time(9)]


@pytest.mark.parametrize(
    "row",
    [
        time_row("24:00"),
        time_row("3 pm"),
        time_row(volumes="10 100"),
        time_row(volumes="- 10"),
        [*time_row()[:1], "0", *time_row()[2:]],
    ],
    ids=str,
)
def test_a_time_of_another_shape_is_changed(row: list[str]) -> None:
    with pytest.raises(SourceChanged, match="times"):
        parse_times(times(time_row(), row))


def test_times_under_other_heads_are_changed() -> None:
    swapped = TIMES.replace("거래량 변동량", "변동량 거래량")
    with pytest.raises(SourceChanged, match="a table with 체결시각"):
        parse_times(page(table("type2", swapped, [time_row()])))


def test_flows_with_foreigners_first_are_changed() -> None:
    swapped = FLOWS.replace("기관 외국인", "외국인 기관")
    with pytest.raises(SourceChanged, match="heads"):
        parse_flow_page(flow_page(flow_row(), heads=swapped))


def test_flows_without_the_caption_or_rows_are_changed() -> None:
    with pytest.raises(SourceChanged, match="a table"):
        parse_flow_page(flow_page(flow_row(), caption="시세"))
    with pytest.raises(SourceChanged, match="days"):
        parse_flow_page(flow_page())


@pytest.mark.parametrize(
    "row", [flow_row("26.8.21"), flow_row("2026.13.01"), flow_row("2026.08.21", "?")]
)
def test_a_flow_of_another_shape_is_changed(row: list[str]) -> None:
    with pytest.raises(SourceChanged, match="flows"):
        parse_flow_page(flow_page(row))


def test_the_list_is_read_by_its_heads() -> None:
    found = parse_market_sum(
        list_page(line(), line("0195S0", "TIGER"), line("500001", "신한 금 ETN", "-2.10%")),
        "KOSPI",
        frozenset({"0195S0"}),
    )
    assert found.last == 3
    assert [one.instrument.id for one in found.lines] == ["KRX:005930", "KRX:0195S0", "KRX:500001"]
    assert [one.instrument.kind for one in found.lines] == [Kind.STOCK, Kind.ETF, Kind.ETF]
    samsung = found.lines[0]
    assert samsung.market_cap == 1_578_495_100_000_000
    assert (samsung.listed, samsung.volume) == (5_846_279_000, 13_958_538)
    assert (samsung.price, samsung.instrument.segment) == (270_000, "KOSPI")
    assert [one.change for one in found.lines] == pytest.approx([0.0019, 0.0019, -0.021])


def test_the_list_knows_columns_that_a_reader_chose() -> None:
    heads = "N 종목명 현재가 전일비 등락률 거래량 시가총액(억) 상장주식수(천주)"
    row = [*line()[:5], "7", "8", "9"]
    (found,) = parse_market_sum(list_page(row, heads=heads), "KOSPI", frozenset()).lines
    assert (found.volume, found.market_cap, found.listed) == (7, 800_000_000, 9_000)
    with pytest.raises(SourceChanged, match="lines with"):
        parse_market_sum(list_page(line()[:5], heads=heads[:17]), "KOSPI", frozenset())


def test_a_list_of_one_page_has_no_pager() -> None:
    assert parse_market_sum(page(table("type_2", LINES, [line()])), "KOSDAQ", frozenset()).last == 1


@pytest.mark.parametrize("body", [list_page(), page(), b"", b"\x00", "서비스 점검".encode("cp949")])
def test_a_list_without_lines_is_changed(body: bytes) -> None:
    with pytest.raises(SourceChanged, match="list"):
        parse_market_sum(body, "KOSPI", frozenset())


def test_the_newest_day_of_a_ranking_is_taken_wherever_it_stands() -> None:
    older, newer = box("26.12.30", rank_row("1")), box("27.01.02", rank_row("2"))
    for body in (page(older, newer), page(newer, older)):
        (found,) = parse_deal_rank(body, "buy")
        assert (found.day, found.shares) == (date(2027, 1, 2), 2000)


def test_what_was_sold_is_negative() -> None:
    (found,) = parse_deal_rank(page(box("26.07.16", rank_row("-331", "-714,008"))), "sell")
    assert (found.shares, found.value) == (-331_000, -714_008_000_000)
    with pytest.raises(SourceChanged, match="amounts of sell"):
        parse_deal_rank(page(box("26.07.16", rank_row())), "sell")


@pytest.mark.parametrize(
    "body",
    [
        page(),
        page(box("26.07.16")),
        page(box("today", rank_row())),
        page(box("26.07.16", rank_row(code="5930"))),
        page('<div class="box_type_ms"></div>'),
    ],
)
def test_a_ranking_of_another_layout_is_changed(body: bytes) -> None:
    with pytest.raises(SourceChanged, match="ranking"):
        parse_deal_rank(body, "buy")


def test_funds_are_codes_in_korean_json() -> None:
    body = '{"result":{"etfItemList":[{"itemcode":"0195S0","itemname":"타이거"}]}}'
    assert parse_funds(body.encode("cp949")) == {"0195S0"}
    for odd in (
        b"[]",
        b"{}",
        b'{"result":{"etfItemList":[]}}',
        body.replace("0195S0", "x").encode(),
    ):
        with pytest.raises(SourceChanged):
            parse_funds(odd)


WHOLE: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "times": (times(time_row(), time_row(change=arrow("상승", "500"))), parse_times),
    "flows": (flow_page(flow_row(), flow_row("2026.08.20")), parse_flow_page),
    "list": (list_page(line()), lambda body: parse_market_sum(body, "KOSPI", frozenset())),
    "ranking": (
        page(box("26.07.15", rank_row()), box("26.07.16", rank_row())),
        lambda body: parse_deal_rank(body, "buy"),
    ),
    "days": (
        page(
            table(
                "type2",
                "날짜 종가 전일비 시가 고가 저가 거래량",
                [["2026.09.10", "269,000", "0", "1", "2", "3", "4"]],
            )
        ),
        parse_day_rows,
    ),
    "funds": (b'{"result":{"etfItemList":[{"itemcode":"0195S0"}]}}', parse_funds),
}


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_a_mutilated_page_is_read_or_changed(name: str, data: st.DataObject) -> None:
    body, read = WHOLE[name]
    read(body)
    with suppress(SourceChanged):
        read(data.draw(mutilated(body)))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_changed(body: bytes) -> None:
    for _, read in WHOLE.values():
        with pytest.raises(SourceChanged):
            read(body)
