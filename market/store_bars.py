"""Bars in the store."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.dialects.sqlite import insert as upsert

from market.tables import table
from market.types import Bar, Timeframe, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from market.types import InstrumentId

_BARS = table("bars")
_STARTS = table("bar_starts")
_CHUNK = 5_000


class BarTable:
    """Bars by timeframe, start and instrument."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, bars: Iterable[Bar]) -> None:
        """Insert bars; one that is known (timeframe, start, instrument) is replaced."""
        rows = [_bar_row(bar) for bar in bars]
        starts = [
            {"timeframe": frame, "start": start} for frame, start in {row[:2] for row in rows}
        ]
        if starts:
            self._connection.execute(upsert(_STARTS).on_conflict_do_nothing(), starts)
        for first in range(0, len(rows), _CHUNK):
            self._connection.exec_driver_sql(_PUT_BARS, rows[first : first + _CHUNK])

    def last(self, instrument: InstrumentId, timeframe: Timeframe, count: int) -> list[Bar]:
        """Return an instrument's newest bars, oldest first."""
        newest = self._connection.execute(_newest(instrument, timeframe, count))
        return [_bar(row) for row in newest][::-1]

    def before(
        self, instrument: InstrumentId, timeframe: Timeframe, end: datetime, count: int
    ) -> list[Bar]:
        """Return an instrument's newest bars that start before a moment, oldest first."""
        statement = _newest(instrument, timeframe, count).where(_STARTS.c.start < to_ms(end))
        return [_bar(row) for row in self._connection.execute(statement)][::-1]

    def between(
        self, instrument: InstrumentId, timeframe: Timeframe, start: datetime, end: datetime
    ) -> list[Bar]:
        """Return an instrument's bars that start in [start, end), oldest first."""
        found = self._connection.execute(_within(instrument, timeframe, start, end))
        return [_bar(row) for row in found]

    def count(self, timeframe: Timeframe) -> int:
        """Return how many bars of a timeframe are kept."""
        statement = select(func.count()).where(_BARS.c.timeframe == timeframe.value)
        return int(self._connection.execute(statement).scalar_one())


def _of(instrument: InstrumentId, timeframe: Timeframe) -> Select[Any]:
    # Bars lie by time, then by instrument: from start to start the way to one instrument's 400
    # bars is a millisecond, a second index would make every close of a bar several times slower.
    is_same = (_BARS.c.timeframe == _STARTS.c.timeframe) & (_BARS.c.start == _STARTS.c.start)
    return (
        select(_BARS)
        .select_from(_STARTS.join(_BARS, is_same))
        .where(_STARTS.c.timeframe == timeframe.value, _BARS.c.instrument == instrument)
    )


def _newest(instrument: InstrumentId, timeframe: Timeframe, count: int) -> Select[Any]:
    return _of(instrument, timeframe).order_by(_STARTS.c.start.desc()).limit(count)


def _within(
    instrument: InstrumentId, timeframe: Timeframe, start: datetime, end: datetime
) -> Select[Any]:
    return (
        _of(instrument, timeframe)
        .where(_STARTS.c.start >= to_ms(start), _STARTS.c.start < to_ms(end))
        .order_by(_STARTS.c.start)
    )


def _bar_row(bar: Bar) -> tuple[Any, ...]:
    return (
        bar.timeframe.value,
        to_ms(bar.start),
        bar.instrument,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        None if isnan(bar.volume) else bar.volume,
        None if isnan(bar.value) else bar.value,
        bar.is_complete,
    )


def _bar(row: Row[Any]) -> Bar:
    timeframe, start, instrument, open_, high, low, close, volume, value, is_complete = tuple(row)
    return Bar(
        instrument=instrument,
        timeframe=Timeframe(timeframe),
        start=from_ms(start),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=nan if volume is None else volume,
        value=nan if value is None else value,
        is_complete=is_complete,
    )


def _put_bars_sql() -> str:
    # Compiled once and given plain tuples: bars come by the thousand, and what SQLAlchemy does to
    # every row of parameters would take as long as SQLite itself.
    statement = upsert(_BARS)
    key = [column.name for column in _BARS.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in _BARS.c}
    for name in key:
        del rest[name]
    statement = statement.on_conflict_do_update(index_elements=key, set_=rest)
    return str(statement.compile(dialect=sqlite_dialect()))


_PUT_BARS = _put_bars_sql()
