"""Reading what Naver's JSON endpoints answer: pure functions from bytes to ticks and bars.

Shapes: batch polling `/api/realtime/domestic/stock/{codes}`, minute chart
`/chart/domestic/item/{code}/minute` and daily chart `.../day`, recorded 2026-09 (unofficial, they
may change any day).
Whatever is not of these shapes raises SourceChanged with the first odd fragment.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from crawlers.polite_http import fragment
from market.errors import SourceChanged
from market.types import Bar, Tick, Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from market.sessions import Calendar
    from market.types import InstrumentId

Row = dict[str, Any]

STATUSES = frozenset({"OPEN", "CLOSE", "PREOPEN"})
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def parse_polling(body: bytes, asked: Mapping[str, InstrumentId], seen_at: datetime) -> list[Tick]:
    """Return one tick for each asked code that the batch polling shows, in the order asked.

    `asked` maps venue codes to instrument ids and is not empty. Codes that the answer leaves out
    are unknown there and have no tick; an answer with none of them is SourceChanged.
    """
    answer = _json(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("datas"), list):
        _odd("polling", "an object with a list 'datas'", body)
    rows = {_code(row): row for row in answer["datas"]}
    known = [code for code in asked if code in rows]
    if not known:
        _odd("polling", f"rows for {len(asked)} codes", body)
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
    rows = _json(body)
    if not isinstance(rows, list):
        _odd("minute chart", "a list", body)
    bars: dict[datetime, Bar] = {}
    for row in rows:
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
    rows = _json(body)
    if not isinstance(rows, list):
        _odd("daily chart", "a list", body)
    found = (_day(row, instrument, calendar, seen_at) for row in rows)
    bars = {bar.start: bar for bar in found if bar is not None}
    return [bars[start] for start in sorted(bars)]


def even_parts(codes: Sequence[str], most: int) -> list[Sequence[str]]:
    """Return the codes in as few parts of at most `most` as can be, all about as long.

    A short last part could hold nothing but codes that no longer exist, and look like a change.
    """
    count = -(-len(codes) // most)
    bounds = [len(codes) * part // count for part in range(count + 1)] if count else []
    return [codes[first:last] for first, last in pairwise(bounds)]


def _tick(row: Row, instrument: InstrumentId, time: object, seen_at: datetime) -> Tick | None:
    price = _number(row, "closePriceRaw")
    volume = _number(row, "accumulatedTradingVolumeRaw")
    if row.get("marketStatus") not in STATUSES:
        _odd_field(row, "marketStatus", "OPEN, CLOSE or PREOPEN")
    if price == 0 and volume == 0:
        return None  # nothing has ever traded: there is no price to tell
    if price <= 0 or volume < 0:
        _odd_field(row, "closePriceRaw" if price <= 0 else "accumulatedTradingVolumeRaw", "> 0")
    change = _optional(row, "compareToPreviousClosePriceRaw")
    return Tick(
        instrument=instrument,
        at=_traded_at(row, time),
        seen_at=seen_at,
        price=price,
        day_volume=volume,
        day_value=_optional(row, "accumulatedTradingValueRaw"),
        day_open=_price(row, "openPriceRaw"),
        day_high=_price(row, "highPriceRaw"),
        day_low=_price(row, "lowPriceRaw"),
        previous_close=None if change is None else price - change,
        halted=_is_halted(row),
    )


def _minute(
    row: object, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> Bar | None:
    if not isinstance(row, dict):
        _odd("minute chart", "objects", orjson.dumps(row))
    at = _kst(row, row.get("localDateTime"), "localDateTime")
    close = _number(row, "currentPrice")
    volume = _number(row, "accumulatedTradingVolume")
    opening, high, low = (_number(row, name) for name in ("openPrice", "highPrice", "lowPrice"))
    if min(close, opening, high, low) <= 0 or volume < 0:
        _odd("minute chart", "prices above zero", orjson.dumps(row))
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


def _day(
    row: object, instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> Bar | None:
    if not isinstance(row, dict):
        _odd("daily chart", "objects", orjson.dumps(row))
    noon = _noon(row)
    close, volume = _number(row, "closePrice"), _number(row, "accumulatedTradingVolume")
    opening, high, low = (_number(row, name) for name in ("openPrice", "highPrice", "lowPrice"))
    if volume == 0 and opening == high == low == 0:
        return None  # halted, or nobody came
    if min(close, opening, high, low) <= 0 or volume < 0:
        _odd("daily chart", "prices above zero", orjson.dumps(row))
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


def _noon(row: Row) -> datetime:
    """Return the noon of a row's day, when every session is open."""
    value = row.get("localDate")
    if not isinstance(value, str) or re.fullmatch(r"\d{8}", value) is None:
        _odd_field(row, "localDate", "YYYYMMDD")
    return _kst(row, f"{value}120000", "localDate")


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SourceChanged(f"naver: expected JSON, got {fragment(body)}") from error


def _code(row: object) -> str:
    if not isinstance(row, dict):
        _odd("polling", "objects in 'datas'", orjson.dumps(row))
    code = row.get("itemCode")
    if not isinstance(code, str):
        _odd_field(row, "itemCode", "text")
    return code


def _traded_at(row: Row, time: object) -> datetime:
    traded = row.get("localTradedAt")
    if traded is None:
        return _kst({"time": time}, time, "time")
    try:
        at = datetime.fromisoformat(traded)
    except (TypeError, ValueError):
        _odd_field(row, "localTradedAt", "a time")
    if at.tzinfo is None:
        _odd_field(row, "localTradedAt", "a time with its zone")
    return at.astimezone(UTC)


def _kst(row: Row, value: object, name: str) -> datetime:
    if not isinstance(value, str) or re.fullmatch(r"\d{14}", value) is None:
        _odd_field(row, name, "YYYYMMDDHHMMSS")
    try:
        # Korea keeps no summer time; strptime takes ten times as long, for 2,000 rows of a chart
        return datetime.fromisoformat(f"{value[:8]}T{value[8:]}+09:00").astimezone(UTC)
    except ValueError:
        _odd_field(row, name, "a time that exists")


def _is_halted(row: Row) -> bool:
    stop = row.get("tradeStopType")
    if stop is None:
        return False
    if not isinstance(stop, dict) or not isinstance(stop.get("name"), str):
        _odd_field(row, "tradeStopType", "an object with a name")
    return bool(stop["name"] != "TRADING")


def _price(row: Row, name: str) -> float | None:
    """Return an optional price; zero stands for none before the first trade of the day."""
    return _optional(row, name) or None


def _optional(row: Row, name: str) -> float | None:
    return None if row.get(name) in (None, "") else _number(row, name)


def _number(row: Row, name: str) -> float:
    value = row.get(name)
    is_text = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = float(row[name]) if is_text or is_number else math.nan
    if not math.isfinite(number):
        _odd_field(row, name, "a number")
    return number


def _odd_field(row: Row, name: str, expected: str) -> NoReturn:
    got = f"{name}: {orjson.dumps(row[name]).decode()}" if name in row else f"no {name}"
    code = row.get("itemCode", "")
    raise SourceChanged(f"naver {code}: {name} is not {expected}; got {fragment(got)}")


def _odd(what: str, expected: str, body: bytes) -> NoReturn:
    raise SourceChanged(f"naver {what}: expected {expected}, got {fragment(body)}")
