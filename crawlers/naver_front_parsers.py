"""Reading Naver's JSON of lists, investor flows, figures and rankings: pure functions.

Shapes: `api/stocks/marketValue/SEGMENT`, `api/stock/CODE/trend` (recorded 2026-09-29),
`api/realtime?query=SERVICE_ITEM:` (recorded 2026-09-11) and
`api/domestic/market/trend/trendForeignOrg` (as several public programs read it, 2026-09).
Whatever is not of these shapes raises SourceChanged with the first odd fragment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawlers.naver_json import (
    amount,
    day_of,
    number,
    odd,
    odd_field,
    optional,
    read_json,
    rows_in,
    text_of,
)
from market.errors import SourceUnavailable
from market.facts import Flow, Fundamentals, Listing, Ranking
from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawlers.naver_json import Row
    from market.types import InstrumentId

CODE = re.compile(r"[0-9A-Z]{6}")
_KINDS = {"etf": Kind.ETF, "etn": Kind.ETF}
"""Exchange traded notes have the ticks and the tax of funds."""
_FIGURES = ("eps", "bps", "countOfListedStock", "highPriceOf52Weeks", "lowPriceOf52Weeks")
_SIGNS = {"1": 1, "2": 1, "3": 0, "4": -1, "5": -1}
"""Direction codes: upper limit, up, unchanged, lower limit, down."""


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of a market's list, and how many lines all pages have."""

    lines: tuple[Listing, ...]
    total: int


def parse_market_value(body: bytes, segment: str) -> ListingPage:
    """Return one page of the list of a segment by market value; an empty page is SourceChanged."""
    answer = _object("list", read_json(body))
    total = answer.get("totalCount")
    if not isinstance(total, int) or isinstance(total, bool) or total <= 0:
        odd_field(answer, "totalCount", "a count above zero")
    rows = rows_in("list", answer.get("stocks"))
    if not rows:
        odd("list", "lines on every page", body)
    return ListingPage(tuple(_listing(row, segment) for row in rows), total)


def parse_trend(body: bytes, code: str) -> list[Flow]:
    """Return the days of an instrument's investor flows, newest first, as the answer has them.

    A day whose figures are not told yet (a dash) is left out; an answer that tells nothing at all
    is SourceChanged.
    """
    rows = rows_in("flows", read_json(body))
    found = [flow for flow in (_flow(row, code) for row in rows) if flow is not None]
    if not found:
        odd("flows", f"days of {code}", body)
    return found


def parse_service_items(body: bytes, asked: Mapping[str, InstrumentId]) -> list[Fundamentals]:
    """Return the figures of each asked code that the answer knows, in the order asked.

    The answer is in EUC-KR. An answer with none of the codes is SourceChanged.
    """
    answer = _object("figures", read_json(body))
    if answer.get("resultCode") != "success":
        odd("figures", "resultCode success", body)
    areas = rows_in("figures", _object("figures", answer.get("result")).get("areas"))
    datas = [row for area in areas for row in rows_in("figures", area.get("datas"))]
    rows = {text_of(row, "cd"): row for row in datas}
    known = [code for code in asked if code in rows]
    if not known:
        odd("figures", f"rows for {len(asked)} codes", body)
    for name in _FIGURES:
        if all(name not in row for row in datas):
            odd_field(datas[0], name, "there")
    return [_figures(rows[code], asked[code]) for code in known]


def parse_investor_ranking(body: bytes, side: str) -> list[Ranking]:
    """Return one side of a day's ranking of net buying (`side` buy or sell), the first first.

    Raises SourceChanged too where buying and selling are mixed up, and SourceUnavailable while the
    day's figures are an estimate (they have no amounts until the evening).
    """
    answer = _object("ranking", read_json(body))
    sections = _object("ranking", answer.get("sections"))
    rows = rows_in("ranking", sections.get(f"{side}RankList"))
    if not rows:
        odd("ranking", f"lines of {side}", body)
    if any(row.get("estimated") is True for row in rows):
        raise SourceUnavailable("naver's ranking of the day is an estimate until the evening")
    return [_ranking(row, side) for row in rows]


def _object(what: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        odd(what, "an object", value)
    return value


def _listing(row: Row, segment: str) -> Listing:
    code = text_of(row, "itemCode")
    if CODE.fullmatch(code) is None:
        odd_field(row, "itemCode", "six digits or letters")
    kind = _KINDS.get(text_of(row, "stockEndType").lower(), Kind.STOCK)
    instrument = Instrument(Venue.KRX, code, text_of(row, "stockName"), segment, kind)
    ratio = optional(row, "fluctuationsRatio")
    return Listing(
        instrument=instrument,
        price=number(row, "closePriceRaw") or None,
        market_cap=number(row, "marketValueRaw") or None,
        volume=optional(row, "accumulatedTradingVolumeRaw"),
        value=optional(row, "accumulatedTradingValueRaw"),
        change=None if ratio is None else _signed(ratio, row) / 100,
    )


def _signed(ratio: float, row: Row) -> float:
    """Return a ratio with the sign of the row's direction, where it tells one."""
    direction = row.get("compareToPreviousPrice")
    code = direction.get("code") if isinstance(direction, dict) else None
    sign = _SIGNS.get(code) if isinstance(code, str) else None
    return ratio if sign is None else sign * abs(ratio)


def _flow(row: Row, code: str) -> Flow | None:
    if row.get("itemCode") != code:
        odd_field(row, "itemCode", code)
    day = day_of(row, "bizdate")
    institutions = amount(row, "organPureBuyQuant")
    foreigners = amount(row, "foreignerPureBuyQuant")
    individuals = amount(row, "individualPureBuyQuant")
    close = amount(row, "closePrice")
    if institutions is None or foreigners is None:
        return None
    return Flow(day, institutions, foreigners, individuals, close)


def _figures(row: Row, instrument: InstrumentId) -> Fundamentals:
    high = optional(row, "adjustedHighPriceOf52Weeks") or optional(row, "highPriceOf52Weeks")
    low = optional(row, "adjustedLowPriceOf52Weeks") or optional(row, "lowPriceOf52Weeks")
    return Fundamentals(
        instrument=instrument,
        eps=optional(row, "eps"),
        bps=optional(row, "bps"),
        listed=optional(row, "countOfListedStock"),
        high_52w=high,
        low_52w=low,
    )


def _ranking(row: Row, side: str) -> Ranking:
    code = text_of(row, "itemcode")
    if CODE.fullmatch(code) is None:
        odd_field(row, "itemcode", "six digits or letters")
    shares, value = number(row, "accTradeVolume"), number(row, "accTradeAmount")
    sign = 1 if side == "buy" else -1
    if min(sign * shares, sign * value) < 0:
        odd_field(row, "accTradeVolume", f"on the side of {side}")
    name, day = text_of(row, "itemname"), day_of(row, "bizdateTo")
    return Ranking(f"{Venue.KRX}:{code}", name, day, shares, value)
