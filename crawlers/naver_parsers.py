"""Reading what Naver's JSON endpoints answer: pure functions from bytes to ticks and bars.

Shapes: batch polling `/api/realtime/domestic/stock/{codes}`, minute chart
`/chart/domestic/item/{code}/minute` and daily chart `.../day`, recorded 2026-09 (unofficial, they
may change any day).
Whatever is not of these shapes raises SourceChanged with the first odd fragment.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING

from crawlers.naver_json import (
    day_of,
    moment,
    number,
    odd,
    odd_field,
    optional,
    read_json,
    rows_in,
)
from market.sessions import KST
from market.types import Bar, Tick, Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crawlers.naver_json import Row
    from market.sessions import Calendar
    from market.types import InstrumentId

STATUSES = frozenset({"OPEN", "CLOSE", "PREOPEN"})
_SISE_NAMES = {
    "날짜": "localDate",
    "시가": "openPrice",
    "고가": "highPrice",
    "저가": "lowPrice",
    "종가": "closePrice",
    "거래량": "accumulatedTradingVolume",
}
NOON = time(12)
"""When every session is open."""


def parse_polling(body: bytes, asked: Mapping[str, InstrumentId], seen_at: datetime) -> list[Tick]:
    """Return one tick for each asked code that the batch polling shows, in the order asked.

    `asked` maps venue codes to instrument ids and is not empty. Codes that the answer leaves out
    are unknown there and have no tick; an answer with none of them is SourceChanged.
    """
    answer = read_json(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("datas"), list):
        odd("polling", "an object with a list 'datas'", body)
    rows = {_code(row): row for row in rows_in("polling", answer["datas"])}
    known = [code for code in asked if code in rows]
    if not known:
        odd("polling", f"rows for {len(asked)} codes", body)
    ticks = [_tick(rows[code], asked[code], answer.get("time"), seen_at) for code in known]
    return [tick for tick in ticks if tick is not None]


def parse_minutes(
    body: bytes, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> list[Bar]:
    """Return the 1-minute bars of a minute chart, oldest first.

    The chart's `accumulatedTradingVolume` is the volume of that minute (recorded 2026-09-28). It
    gives no value: `Bar.value` is close x volume. The auction print of 15:30 belongs to the last
    slot; rows outside the session (after-hours trades from 15:40) are dropped. A minute that was
    not over at `seen_at` is not complete.
    """
    bars: dict[datetime, Bar] = {}
    for row in rows_in("minute chart", read_json(body)):
        bar = _minute(row, instrument, calendar, seen_at)
        if bar is not None:
            bars[bar.start] = bar
    return [bars[start] for start in sorted(bars)]


def parse_days(
    body: bytes, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> list[Bar]:
    """Return the daily bars of a daily chart, oldest first.

    Days on which nothing traded stand there with zeros beside the last close and have no bar; days
    that the calendar does not know are left out. Opening, high and low may be off by a won from
    rounding split-adjusted prices: the range is widened to hold all. It gives no value:
    `Bar.value` is close x volume. A day that was not over at `seen_at` is not complete.
    """
    return daily_bars(rows_in("daily chart", read_json(body)), instrument, calendar, seen_at)


def daily_bars(
    rows: Iterable[Row], instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> list[Bar]:
    """Return the bars of rows with the fields of the daily chart, as `parse_days` does."""
    found = (_day(row, instrument, calendar, seen_at) for row in rows)
    bars = {bar.start: bar for bar in found if bar is not None}
    return [bars[start] for start in sorted(bars)]


def parse_sise_days(
    body: bytes, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> list[Bar]:
    """Return the daily bars of the older daily chart (`siseJson`), oldest first.

    It is a list in the writing of Python, not JSON, and its first row names the columns. Days
    without a trade have zeros but for the close, as in the newer chart.
    """
    text = body.decode("utf-8", errors="replace").replace("'", '"').replace("None", "null")
    rows = read_json(text.encode())
    if not isinstance(rows, list) or len(rows) < 2 or not isinstance(rows[0], list):
        odd("older daily chart", "heads and days", body)
    heads, days = rows[0], rows[1:]
    if not all(isinstance(day, list) and len(day) == len(heads) for day in days):
        odd("older daily chart", f"rows of {len(heads)}", body)
    if [*_SISE_NAMES] != heads[: len(_SISE_NAMES)]:
        odd("older daily chart", f"the heads {' '.join(_SISE_NAMES)}", heads)
    named = [dict(zip(_SISE_NAMES.values(), day, strict=False)) for day in days]
    return daily_bars(named, instrument, calendar, seen_at)


def even_parts(codes: Sequence[str], most: int) -> list[Sequence[str]]:
    """Return the codes in as few parts of at most `most` as can be, all about as long.

    A short last part could hold nothing but codes that no longer exist, and look like a change.
    """
    count = -(-len(codes) // most)
    bounds = [len(codes) * part // count for part in range(count + 1)] if count else []
    return [codes[first:last] for first, last in pairwise(bounds)]


def _tick(row: Row, instrument: InstrumentId, time: object, seen_at: datetime) -> Tick | None:
    price = number(row, "closePriceRaw")
    volume = number(row, "accumulatedTradingVolumeRaw")
    if row.get("marketStatus") not in STATUSES:
        odd_field(row, "marketStatus", "OPEN, CLOSE or PREOPEN")
    if price == 0 and volume == 0:
        return None  # nothing has ever traded: there is no price to tell
    if price <= 0 or volume < 0:
        odd_field(row, "closePriceRaw" if price <= 0 else "accumulatedTradingVolumeRaw", "> 0")
    change = optional(row, "compareToPreviousClosePriceRaw")
    return Tick(
        instrument=instrument,
        at=_traded_at(row, time),
        seen_at=seen_at,
        price=price,
        day_volume=volume,
        day_value=optional(row, "accumulatedTradingValueRaw"),
        day_open=_price(row, "openPriceRaw"),
        day_high=_price(row, "highPriceRaw"),
        day_low=_price(row, "lowPriceRaw"),
        previous_close=None if change is None else price - change,
        halted=_is_halted(row),
    )


def _minute(
    row: Row, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> Bar | None:
    at = moment(row, "localDateTime")
    close = number(row, "currentPrice")
    volume = number(row, "accumulatedTradingVolume")
    opening, high, low = (number(row, name) for name in ("openPrice", "highPrice", "lowPrice"))
    if min(close, opening, high, low) <= 0 or volume < 0:
        odd("minute chart", "prices above zero", row)
    start = calendar.slot(at, Timeframe.M1)
    if start is None or volume == 0:
        return None
    return Bar(
        instrument=instrument,
        timeframe=Timeframe.M1,
        start=start,
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
        value=close * volume,
        is_complete=calendar.slot_end(start, Timeframe.M1) <= seen_at,
    )


def _day(row: Row, instrument: InstrumentId, calendar: Calendar, seen_at: datetime) -> Bar | None:
    noon = datetime.combine(day_of(row, "localDate"), NOON, KST)
    close, volume = number(row, "closePrice"), number(row, "accumulatedTradingVolume")
    opening, high, low = (number(row, name) for name in ("openPrice", "highPrice", "lowPrice"))
    if volume == 0 and opening == high == low == 0:
        return None  # halted, or nobody came
    if min(close, opening, high, low) <= 0 or volume < 0:
        odd("daily chart", "prices above zero", row)
    start = calendar.slot(noon, Timeframe.D1)
    if start is None or volume == 0:
        return None
    return Bar(
        instrument=instrument,
        timeframe=Timeframe.D1,
        start=start,
        open=opening,
        high=max(opening, high, low, close),
        low=min(opening, high, low, close),
        close=close,
        volume=volume,
        value=close * volume,
        is_complete=calendar.slot_end(start, Timeframe.D1) <= seen_at,
    )


def _code(row: Row) -> str:
    code = row.get("itemCode")
    if not isinstance(code, str):
        odd_field(row, "itemCode", "text")
    return code


def _traded_at(row: Row, time: object) -> datetime:
    traded = row.get("localTradedAt")
    if traded is None:
        return moment({"time": time}, "time")
    try:
        at = datetime.fromisoformat(traded)
    except (TypeError, ValueError):
        odd_field(row, "localTradedAt", "a time")
    if at.tzinfo is None:
        odd_field(row, "localTradedAt", "a time with its zone")
    return at.astimezone(UTC)


def _is_halted(row: Row) -> bool:
    stop = row.get("tradeStopType")
    if stop is None:
        return False
    if not isinstance(stop, dict) or not isinstance(stop.get("name"), str):
        odd_field(row, "tradeStopType", "an object with a name")
    return bool(stop["name"] != "TRADING")


def _price(row: Row, name: str) -> float | None:
    """Return an optional price; zero stands for none before the first trade of the day."""
    return optional(row, name) or None
