"""Reading what KIS's quotations answer: pure functions from fields to ticks, bars and flows.

Shapes: multi-price FHKST11300006, daily chart FHKST03010100, investors FHKST01010900 (KIS
Developers and its sample repository, 2026-07). What is not of these shapes raises SourceChanged
with the first odd fragment.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from crawlers import kis_rows
from crawlers.kis_rows import calendar_day, number, optional, price, signed, text
from market.errors import SourceChanged
from market.facts import Flow
from market.sessions import KST
from market.types import Bar, Tick, Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawlers.kis_look import Look
    from market.sessions import Calendar
    from market.types import InstrumentId

Row = dict[str, Any]

PRICES = "multi-price"
DAYS = "daily chart"
INVESTORS = "investors"


def parse_prices(answer: Row, asked: Mapping[str, InstrumentId], look: Look) -> list[Tick]:
    """Return one tick for each asked code that a multi-price answer shows, in the order asked.

    Codes that are left out or have no price are unknown there and have no tick; an answer with
    none of them is SourceChanged. KIS tells no time of a trade: see `kis_look`.
    """
    found = {text(row, "inter_shrn_iscd", PRICES): row for row in _rows(answer, "output", PRICES)}
    known = [code for code in asked if code in found]
    if not known:
        raise SourceChanged(f"kis {PRICES}: expected rows for {len(asked)} codes, got none of them")
    ticks = [_tick(found[code], asked[code], look) for code in known]
    return [tick for tick in ticks if tick is not None]


def parse_days(
    answer: Row, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> list[Bar]:
    """Return the daily bars of one answer, newest first as they come; value as KIS tells it.

    Days without a trade have no bar, nor have days that the calendar does not know. Where prices
    adjusted for splits are rounded out of their range, the range is widened. A day that was not
    over at `seen_at` is not complete.
    """
    found = (_day(row, instrument, calendar, seen_at) for row in _rows(answer, "output2", DAYS))
    return [bar for bar in found if bar is not None]


def oldest_day(answer: Row) -> date | None:
    """Return the oldest day of a daily chart's answer, None where it has no rows."""
    days = [calendar_day(row, "stck_bsop_date", DAYS) for row in _rows(answer, "output2", DAYS)]
    return min(days, default=None)


def parse_flows(answer: Row, calendar: Calendar, seen_at: datetime) -> list[Flow]:
    """Return who bought net, day by day, oldest first; days that are not over are left out.

    KIS tells a day's figures after its close; until then they are blank.
    """
    found = (_flow(row, calendar, seen_at) for row in _rows(answer, "output", INVESTORS))
    return sorted((flow for flow in found if flow is not None), key=lambda flow: flow.day)


def _rows(answer: Row, name: str, what: str) -> list[Row]:
    """Return the rows that say something: KIS fills up short answers with empty ones."""
    return [row for row in kis_rows.rows(answer, name, what) if any(row.values())]


def _tick(row: Row, instrument: InstrumentId, look: Look) -> Tick | None:
    now = optional(row, "inter2_prpr", PRICES)
    if not now:
        if "inter2_prpr" not in row:
            kis_rows.odd(row, "inter2_prpr", "a price", PRICES)
        return None  # not a code there, or one that has never traded
    volume = number(row, "acml_vol", PRICES)
    if now < 0 or volume < 0:
        kis_rows.odd(row, "inter2_prpr" if now < 0 else "acml_vol", "zero or more", PRICES)
    opening = price(row, "inter2_oprc", PRICES)
    return Tick(
        instrument=instrument,
        at=look.before if opening is None else look.at,
        seen_at=look.seen_at,
        price=now,
        day_volume=volume,
        day_value=optional(row, "acml_tr_pbmn", PRICES),
        day_open=opening,
        day_high=price(row, "inter2_hgpr", PRICES),
        day_low=price(row, "inter2_lwpr", PRICES),
        previous_close=now - signed(row, "inter2_prdy_vrss", "prdy_vrss_sign", PRICES),
        halted=look.is_open and _has_no_orders(row),
    )


def _has_no_orders(row: Row) -> bool:
    """Tell whether nobody offers and nobody bids, which in session means a halt.

    The multi-price answer has no flag for it; an order book that is empty on both sides agreed
    with the flag of the single price for every instrument compared (published measurement of
    2026-07-31). At a price limit only one side is empty.
    """
    sides = [optional(row, f"total_{side}_rsqn", PRICES) for side in ("askp", "bidp")]
    return sides == [0.0, 0.0]


def _day(row: Row, instrument: InstrumentId, calendar: Calendar, seen_at: datetime) -> Bar | None:
    noon = datetime.combine(calendar_day(row, "stck_bsop_date", DAYS), time(12), KST)
    close, volume = number(row, "stck_clpr", DAYS), number(row, "acml_vol", DAYS)
    names = ("stck_oprc", "stck_hgpr", "stck_lwpr")
    opening, high, low = (number(row, name, DAYS) for name in names)
    value = optional(row, "acml_tr_pbmn", DAYS)
    if opening == high == low == 0:
        return None  # halted, or nobody came in the session
    if min(close, opening, high, low) <= 0 or volume < 0:
        kis_rows.odd(row, "stck_clpr", "above zero, as all prices of a day with trades", DAYS)
    start = calendar.slot(noon, Timeframe.D1)
    if start is None or volume == 0:
        return None
    return Bar(
        instrument=instrument,
        timeframe=Timeframe.D1,
        start=start.astimezone(UTC),
        open=opening,
        high=max(opening, high, low, close),
        low=min(opening, high, low, close),
        close=close,
        volume=volume,
        value=close * volume if value is None else value,
        is_complete=calendar.slot_end(start, Timeframe.D1) <= seen_at,
    )


def _flow(row: Row, calendar: Calendar, seen_at: datetime) -> Flow | None:
    day = calendar_day(row, "stck_bsop_date", INVESTORS)
    institutions = optional(row, "orgn_ntby_qty", INVESTORS)
    foreigners = optional(row, "frgn_ntby_qty", INVESTORS)
    individuals = optional(row, "prsn_ntby_qty", INVESTORS)
    if institutions is None or foreigners is None:
        if not row.keys() >= {"orgn_ntby_qty", "frgn_ntby_qty"}:
            kis_rows.odd(row, "orgn_ntby_qty", "there", INVESTORS)
        return None
    window = calendar.window(day)
    if window is None or seen_at < window.close:
        return None
    return Flow(day, institutions, foreigners, individuals, price(row, "stck_clpr", INVESTORS))
