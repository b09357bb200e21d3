"""Reading what Upbit answers and streams: pure functions from bytes to candles, tickers, markets.

Shapes: `/v1/candles/minutes/1`, `/v1/candles/days`, `/v1/ticker`, `/v1/market/all` and the
websocket's `candle.1m` (docs.upbit.com, 2026-08, and recorded messages). Whatever is not of these
shapes raises SourceChanged with the first odd fragment.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from market.errors import SourceChanged, SourceUnavailable
from market.types import Bar, Tick, Timeframe, from_ms, to_ms
from venues.polite_http import fragment

if TYPE_CHECKING:
    from market.types import InstrumentId

Row = dict[str, Any]

CANDLES = "candle.1m"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_PASSING = frozenset({"Too Many Requests", "I'm a teapot"})


@dataclass(frozen=True, slots=True)
class Candle:
    """A candle of the venue: `at_ms` is when it last changed, by the venue's clock."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float
    at_ms: int

    def bar(self, instrument: InstrumentId, timeframe: Timeframe, *, is_complete: bool) -> Bar:
        """Return it as a bar of an instrument."""
        return Bar(
            instrument=instrument,
            timeframe=timeframe,
            start=from_ms(self.start_ms),
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            value=self.value,
            is_complete=is_complete,
        )


@dataclass(frozen=True, slots=True)
class Streamed:
    """A candle that the websocket told: as it stands (snapshot), or because it changed."""

    code: str
    candle: Candle
    is_snapshot: bool


@dataclass(frozen=True, slots=True)
class Ticker:
    """A market's newest trade, and its figures of the day (from midnight UTC) and of 24 hours."""

    code: str
    price: float
    traded_ms: int
    day_open: float
    day_high: float
    day_low: float
    previous_close: float
    day_volume: float
    day_value: float
    volume_24h: float
    value_24h: float
    change: float

    def tick(self, instrument: InstrumentId, seen_at: datetime) -> Tick:
        """Return it as a tick; the day's count begins at midnight UTC."""
        return Tick(
            instrument=instrument,
            at=from_ms(self.traded_ms),
            seen_at=seen_at,
            price=self.price,
            day_volume=self.day_volume,
            day_value=self.day_value,
            day_open=self.day_open,
            day_high=self.day_high,
            day_low=self.day_low,
            previous_close=self.previous_close,
        )


def parse_candles(body: bytes, code: str) -> list[Candle]:
    """Return the candles of a chart, oldest first."""
    found = [_candle(row, "market", code) for row in _rows("candles", body)]
    return [candle for _, candle in sorted((candle.start_ms, candle) for candle in found)]


def parse_tickers(body: bytes) -> list[Ticker]:
    """Return the tickers; an answer without any is SourceChanged."""
    rows = _rows("ticker", body)
    if not rows:
        _odd("ticker", "at least one market", body)
    return [_ticker(row) for row in rows]


def parse_markets(body: bytes) -> dict[str, str]:
    """Return the Korean names of all markets by code, those under a warning included."""
    rows = _rows("markets", body)
    if not rows:
        _odd("markets", "at least one market", body)
    return {_text(row, "market"): _text(row, "korean_name") for row in rows}


def parse_message(message: str | bytes) -> Streamed | None:
    """Return a candle that the websocket told, None for its heartbeat.

    Raises SourceUnavailable where the venue complains that we said too much.
    """
    row = _json("message", message)
    if not isinstance(row, dict):
        _odd("message", "an object", message)
    if "status" in row and "type" not in row:
        return None
    error = row.get("error")
    if isinstance(error, dict):
        name = fragment(str(error.get("name")))
        if name in _PASSING:
            raise SourceUnavailable(f"upbit's websocket refused: {name}")
        raise SourceChanged(f"upbit's websocket does not understand us: {name}")
    if row.get("type") != CANDLES:
        _odd_field(row, "type", CANDLES)
    code = _text(row, "code")
    stream = row.get("stream_type")
    if stream not in {"SNAPSHOT", "REALTIME"}:
        _odd_field(row, "stream_type", "SNAPSHOT or REALTIME")
    return Streamed(code, _candle(row, "code", code), stream == "SNAPSHOT")


def _candle(row: Row, name: str, code: str) -> Candle:
    if row.get(name) != code:
        _odd_field(row, name, code)
    if row.get("unit", 1) != 1:
        _odd_field(row, "unit", "1")
    opening, close = _price(row, "opening_price"), _price(row, "trade_price")
    high, low = _price(row, "high_price"), _price(row, "low_price")
    if not low <= min(opening, close) <= max(opening, close) <= high:
        _odd("candle", "low <= opening, close <= high", orjson.dumps(row))
    return Candle(
        start_ms=_start(row),
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=_count(row, "candle_acc_trade_volume"),
        value=_count(row, "candle_acc_trade_price"),
        at_ms=int(_count(row, "timestamp")),
    )


def _ticker(row: Row) -> Ticker:
    return Ticker(
        code=_text(row, "market"),
        price=_price(row, "trade_price"),
        traded_ms=int(_count(row, "trade_timestamp")),
        day_open=_price(row, "opening_price"),
        day_high=_price(row, "high_price"),
        day_low=_price(row, "low_price"),
        previous_close=_price(row, "prev_closing_price"),
        day_volume=_count(row, "acc_trade_volume"),
        day_value=_count(row, "acc_trade_price"),
        volume_24h=_count(row, "acc_trade_volume_24h"),
        value_24h=_count(row, "acc_trade_price_24h"),
        change=_number(row, "signed_change_rate"),
    )


def _start(row: Row) -> int:
    value = row.get("candle_date_time_utc")
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        _odd_field(row, "candle_date_time_utc", "YYYY-MM-DDTHH:MM:SS")
    try:
        return to_ms(datetime.fromisoformat(value).replace(tzinfo=UTC))
    except ValueError:
        _odd_field(row, "candle_date_time_utc", "a time that exists")


def _rows(what: str, body: bytes) -> list[Row]:
    rows = _json(what, body)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        _odd(what, "a list of objects", body)
    return rows


def _json(what: str, body: str | bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SourceChanged(f"upbit {what}: expected JSON, got {fragment(body)}") from error


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        _odd_field(row, name, "text")
    return value


def _price(row: Row, name: str) -> float:
    price = _number(row, name)
    if price <= 0:
        _odd_field(row, name, "above zero")
    return price


def _count(row: Row, name: str) -> float:
    count = _number(row, name)
    if count < 0:
        _odd_field(row, name, "zero or more")
    return count


def _number(row: Row, name: str) -> float:
    value = row.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(row[name]):
        _odd_field(row, name, "a number")
    return float(row[name])


def _odd_field(row: Row, name: str, expected: str) -> NoReturn:
    got = f"{name}: {orjson.dumps(row[name]).decode()}" if name in row else f"no {name}"
    code = row.get("market") or row.get("code") or ""
    raise SourceChanged(f"upbit {code}: {name} is not {expected}; got {fragment(got)}")


def _odd(what: str, expected: str, body: str | bytes) -> NoReturn:
    raise SourceChanged(f"upbit {what}: expected {expected}, got {fragment(body)}")
