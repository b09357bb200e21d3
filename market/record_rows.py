"""Ticks, bars and times as columns of the raw record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from market.types import EPOCH, Bar, Tick

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.record_columns import ColumnReader, ColumnWriter, Floats, Ints
    from market.types import InstrumentId, Timeframe

MOVING = ("volume", "day_volume", "value", "day_value")
BESIDE_PRICE = ("day_open", "day_high", "day_low", "previous_close")
"""Facts of a tick that are near its price."""

_MICROSECOND = timedelta(microseconds=1)


def write_ticks(writer: ColumnWriter, ticks: Sequence[Tick], at: datetime) -> None:
    """Write a column for every fact of ticks; times are kept as distances from `at`."""
    writer.number(len(ticks))
    writer.names([tick.instrument for tick in ticks])
    write_times(writer, [tick.at for tick in ticks], at)
    write_times(writer, [tick.seen_at for tick in ticks], at)
    price = _column(ticks, "price")
    writer.floats(price)
    for name in MOVING:
        writer.floats(_column(ticks, name))
    for name in BESIDE_PRICE:
        writer.floats(_column(ticks, name), price)
    writer.ints(np.array([tick.halted for tick in ticks], dtype=np.int64))


def read_ticks(reader: ColumnReader, at: datetime) -> list[Tick]:
    """Read what `write_ticks` wrote."""
    count = reader.number()
    names = reader.names(count)
    traded, seen = read_times(reader, count, at), read_times(reader, count, at)
    price = reader.floats(count)
    moving = [_optional(reader.floats(count)) for _ in MOVING]
    beside = [_optional(reader.floats(count, price)) for _ in BESIDE_PRICE]
    halted = [bool(one) for one in reader.ints(count).tolist()]
    columns = zip(names, traded, seen, price.tolist(), *moving, *beside, halted, strict=True)
    return [Tick(*facts) for facts in columns]


def write_bars(writer: ColumnWriter, bars: Sequence[Bar], at: datetime) -> None:
    """Write what bars tell beside their instruments and timeframes."""
    write_times(writer, [bar.start for bar in bars], at, is_series=True)
    opening = _column(bars, "open")
    writer.floats(opening, is_series=True)
    for name in ("high", "low", "close"):
        writer.floats(_column(bars, name), opening)
    for name in ("volume", "value"):
        writer.floats(_column(bars, name))
    writer.ints(np.array([bar.is_complete for bar in bars], dtype=np.int64))


def read_bars(
    reader: ColumnReader, names: Sequence[InstrumentId], frames: Sequence[Timeframe], at: datetime
) -> list[Bar]:
    """Read what `write_bars` wrote."""
    count = len(names)
    starts = read_times(reader, count, at, is_series=True)
    opening = reader.floats(count, is_series=True)
    beside = [reader.floats(count, opening).tolist() for _ in range(3)]
    counted = [reader.floats(count).tolist() for _ in range(2)]
    whole = [bool(one) for one in reader.ints(count).tolist()]
    columns = zip(names, frames, starts, opening.tolist(), *beside, *counted, whole, strict=True)
    return [Bar(*facts) for facts in columns]


def write_times(
    writer: ColumnWriter, times: Sequence[datetime], at: datetime, *, is_series: bool = False
) -> None:
    """Write times as distances from `at`, in the coarsest unit that tells them exactly."""
    passed = np.array([to_us(one) for one in times], dtype=np.int64)
    unit = next(one for one in (1_000_000, 1000, 1) if not (passed % one).any())
    writer.number(unit)
    writer.ints(passed // unit - to_us(at) // unit, is_series=is_series)


def read_times(
    reader: ColumnReader, count: int, at: datetime, *, is_series: bool = False
) -> list[datetime]:
    """Read what `write_times` wrote."""
    unit = reader.number()
    passed: Ints = reader.ints(count, is_series=is_series) + to_us(at) // unit
    return [from_us(one) for one in (passed * unit).tolist()]


def _column(rows: Sequence[Tick] | Sequence[Bar], name: str) -> Floats:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def _optional(values: Floats) -> list[float | None]:
    return [None if one != one else one for one in values.tolist()]  # noqa: PLR0124  # NaN alone differs from itself


def to_us(at: datetime) -> int:
    """Return an aware time as whole UTC microseconds."""
    return (at - EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC time of whole UTC microseconds."""
    return EPOCH + microseconds * _MICROSECOND
