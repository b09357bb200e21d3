"""Reading Naver's older HTML pages: lists, investor flows, rankings, times and days of one name.

`sise_market_sum`, `frgn` (row recorded 2026-08-21), `sise_deal_rank_iframe` (recorded 2026-07-16),
`sise_time` and `sise_day` (`.naver` under `/sise` and `/item`). Pure functions; whatever is not of
these shapes raises SourceChanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, NoReturn

from crawlers.naver_front_parsers import CODE
from crawlers.naver_html import (
    amount_in,
    change_in,
    code_in,
    heads_of,
    last_page,
    odd_page,
    optional_amount_in,
    read_html,
    rows_of,
    table_with,
    text_in,
    to_amount,
)
from crawlers.naver_json import odd, read_json, rows_in, text_of
from market.errors import SourceChanged
from market.facts import Flow, Listing, Ranking
from market.types import Instrument, Kind, Venue
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from bs4 import Tag

    from crawlers.naver_json import Row

_TIME_HEADS = ("체결시각", "체결가", "전일비", "매도", "매수", "거래량", "변동량")
_DAY_HEADS = ("날짜", "종가", "전일비", "시가", "고가", "저가", "거래량")
_FLOW_HEADS = ("날짜", "종가", "전일비", "등락률", "거래량", "기관", "외국인")
_FLOW_COLUMNS = 9
_LIST_HEADS = ("N", "종목명", "현재가", "전일비", "등락률")
_RANK_HEADS = ("종목명", "수량", "금액", "당일거래량")
_FLOW_CAPTION = "외국인 기관 순매매 거래량"
_EOK, _THOUSAND, _MILLION = 100_000_000, 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One minute of `sise_time`: its last price, the day's count so far, what traded in it."""

    at: time
    price: float
    change: float
    day_volume: float
    volume: float


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of `sise_market_sum`, and the number of the last one."""

    lines: tuple[Listing, ...]
    last: int


def parse_times(body: bytes) -> list[TimeRow]:
    """Return the minutes of a `sise_time` page, newest first: none where nothing traded.

    Of its 16 rows 10 hold data; the heading is the witness that an empty page was understood.
    """
    page = read_html(body)
    table = table_with(page, "times", "table.type2", _TIME_HEADS)
    return [_time_row(cells) for cells in rows_of(table, len(_TIME_HEADS))]


def parse_day_rows(body: bytes) -> tuple[list[Row], int]:
    """Return the rows of a `sise_day` page as the daily chart names them, and the last page."""
    page = read_html(body)
    table = table_with(page, "days", "table.type2", _DAY_HEADS)
    rows = [_day_row(cells) for cells in rows_of(table, len(_DAY_HEADS))]
    if not rows:
        odd_page(page, "days", "rows")
    return rows, last_page(page)


def parse_flow_page(body: bytes) -> list[Flow]:
    """Return the days of a `frgn` page, newest first: institutions stand before foreigners.

    It does not tell of individuals. The right one of several like tables has the caption.
    """
    page = read_html(body)
    captions = [one for one in page.find_all("caption") if text_in(one) == _FLOW_CAPTION]
    tables = [one.parent for one in captions if one.parent is not None]
    if not tables:
        odd_page(page, "flows", f"a table '{_FLOW_CAPTION}'")
    if tuple(heads_of(tables[0])[: len(_FLOW_HEADS)]) != _FLOW_HEADS:
        odd_page(tables[0], "flows", f"the heads {' '.join(_FLOW_HEADS)}")
    flows = [_flow_row(cells) for cells in rows_of(tables[0], _FLOW_COLUMNS)]
    if not flows:
        odd_page(tables[0], "flows", "days")
    return flows


def parse_deal_rank(body: bytes, side: str) -> list[Ranking]:
    """Return the newest day of a ranking of net buying, the first first.

    The page shows two days, the older one first; which is which is read from their dates. Shares
    are told in thousands and won in millions; what was sold most is negative.
    """
    page = read_html(body)
    boxes = [(_box_day(box), box) for box in page.select("div.box_type_ms")]
    if not boxes:
        odd_page(page, "ranking", "two days")
    day, newest = max(boxes, key=lambda box: box[0])
    table = table_with(newest, "ranking", "table.type_1", _RANK_HEADS)
    rows = rows_of(table, len(_RANK_HEADS))
    if not rows:
        odd_page(newest, "ranking", "lines")
    return [_rank_row(cells, day, side) for cells in rows]


def parse_market_sum(body: bytes, segment: str, funds: AbstractSet[str]) -> ListPage:
    """Return one page of the list of a segment; `funds` are the codes that are ETFs.

    Market value is told in units of 100 million won, listed shares in thousands. Readers may choose
    the columns of the page, so they are found by their headings.
    """
    page = read_html(body)
    table = table_with(page, "list", "table.type_2", _LIST_HEADS)
    heads = heads_of(table)
    rows = rows_of(table, len(heads))
    if not rows or not {"시가총액", "상장주식수", "거래량"} <= set(heads):
        odd_page(page, "list", "lines with 시가총액, 상장주식수, 거래량")
    lines = [_list_row(dict(zip(heads, cells, strict=True)), segment, funds) for cells in rows]
    return ListPage(tuple(lines), last_page(page))


def parse_funds(body: bytes) -> frozenset[str]:
    """Return the codes of the list of ETFs (EUC-KR JSON)."""
    answer = read_json(body)
    result = answer.get("result") if isinstance(answer, dict) else None
    rows = rows_in("ETFs", result.get("etfItemList") if isinstance(result, dict) else None)
    codes = frozenset(text_of(row, "itemcode") for row in rows)
    if not codes or not all(map(CODE.fullmatch, codes)):
        odd("ETFs", "codes", body)
    return codes


def _time_row(cells: list[Tag]) -> TimeRow:
    match = re.fullmatch(r"([0-9]{2}):([0-9]{2})(:[0-9]{2})?", text_in(cells[0]))
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        _odd_cell("times", "HH:MM", cells[0])
    row = TimeRow(
        at=time(int(match[1]), int(match[2])),
        price=amount_in(cells[1], "times"),
        change=change_in(cells[2], "times"),
        day_volume=amount_in(cells[5], "times"),
        volume=amount_in(cells[6], "times"),
    )
    if row.price <= 0 or not 0 <= row.volume <= row.day_volume or row.change >= row.price:
        _odd_cell("times", "a price and volumes that go together", cells[1])
    return row


def _day_row(cells: list[Tag]) -> Row:
    numbers = [amount_in(cell, "days") for cell in (cells[1], *cells[3:])]
    names = ("closePrice", "openPrice", "highPrice", "lowPrice", "accumulatedTradingVolume")
    day = _day("days", cells[0])
    return {"localDate": f"{day:%Y%m%d}", **dict(zip(names, numbers, strict=True))}


def _flow_row(cells: list[Tag]) -> Flow:
    close, institutions, foreigners = (amount_in(cells[at], "flows") for at in (1, 5, 6))
    return Flow(_day("flows", cells[0]), institutions, foreigners, close=close)


def _box_day(box: Tag) -> date:
    label = box.select_one("div.sise_guide_date")
    if label is None:
        odd_page(box, "ranking", "a date")
    return _day("ranking", label)


def _rank_row(cells: list[Tag], day: date, side: str) -> Ranking:
    code, name = code_in(cells[0], "ranking")
    shares, value = (amount_in(cell, "ranking") for cell in cells[1:3])
    sign = 1 if side == "buy" else -1
    if min(sign * shares, sign * value) < 0:
        _odd_cell("ranking", f"amounts of {side}", cells[1])
    return Ranking(f"{Venue.KRX}:{code}", name, day, shares * _THOUSAND, value * _MILLION)


def _list_row(cells: dict[str, Tag], segment: str, funds: AbstractSet[str]) -> Listing:
    code, name = code_in(cells["종목명"], "list")
    kind = Kind.ETF if code in funds or re.search(r"\bETN\b", name) else Kind.STOCK
    market_cap = optional_amount_in(cells["시가총액"], "list")
    listed = optional_amount_in(cells["상장주식수"], "list")
    percent = text_in(cells["등락률"]).removesuffix("%").strip()
    return Listing(
        instrument=Instrument(Venue.KRX, code, name, segment, kind),
        price=amount_in(cells["현재가"], "list") or None,
        market_cap=None if market_cap is None else market_cap * _EOK,
        listed=None if listed is None else listed * _THOUSAND,
        volume=optional_amount_in(cells["거래량"], "list"),
        change=to_amount(percent, "list") / 100,
    )


def _day(what: str, cell: Tag) -> date:
    """Return the day of YYYY.MM.DD or YY.MM.DD."""
    match = re.fullmatch(r"([0-9]{2}|[0-9]{4})\.([0-9]{2})\.([0-9]{2})", text_in(cell))
    if match is None:
        _odd_cell(what, "a day", cell)
    try:
        year = int(match[1]) + (2000 if len(match[1]) == 2 else 0)
        return date(year, int(match[2]), int(match[3]))
    except ValueError as error:
        raise SourceChanged(f"naver {what}: no such day: {fragment(text_in(cell))}") from error


def _odd_cell(what: str, expected: str, cell: Tag) -> NoReturn:
    raise SourceChanged(f"naver {what}: expected {expected}, got {fragment(text_in(cell))}")
