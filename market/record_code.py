"""Events of the raw record to bytes and back; of a sweep only what changed since the one before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from market.record_columns import ColumnReader, ColumnWriter
from market.record_events import CALLS, Break, Candle, Candles, Failure, Sweep, Told
from market.record_rows import (
    BESIDE_PRICE,
    MOVING,
    from_us,
    read_bars,
    read_ticks,
    read_times,
    to_us,
    write_bars,
    write_ticks,
    write_times,
)
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from market.record_events import Event
    from market.types import InstrumentId, Tick

WHOLE_EVERY = timedelta(minutes=10)
"""A sweep is written whole this often, and at the beginning of every file."""

_SWEEP, _CANDLES, _TOLD, _FAILURE, _BREAK = range(5)
_KINDS: Final = (Sweep, Candles, Told, Failure, Break)
_FRAMES: Final = tuple(Timeframe)
_FACTS = attrgetter("at", "price", *MOVING, *BESIDE_PRICE, "halted")
_MIXED = -(2**63)
"""Stands for the time of a sweep whose ticks were not all seen at the same one."""


@dataclass(slots=True)
class _Known:
    """A source's newest sweep as a reader of the file would know it."""

    ticks: dict[InstrumentId, Tick] = field(default_factory=dict)
    whole_at: datetime | None = None


class Encoder:
    """Writes the events of one file, in order."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def encode(self, event: Event) -> bytes:
        """Return an event as bytes that a `Decoder` of the same file can read."""
        writer = ColumnWriter()
        if isinstance(event, Sweep):
            self._sweep(writer, event)
        else:
            _ENCODE[type(event)](writer, event)
        return writer.bytes()

    def _sweep(self, writer: ColumnWriter, sweep: Sweep) -> None:
        known = self._known.setdefault(sweep.source, _Known())
        ticks = {tick.instrument: tick for tick in sweep.ticks}
        is_whole = known.whole_at is None or sweep.at - known.whole_at >= WHOLE_EVERY
        seen = {tick.seen_at for tick in sweep.ticks}
        common = seen.pop() if len(seen) == 1 else None
        before: Mapping[InstrumentId, Tick] = {} if is_whole else known.ticks
        told = [ticks[name] for name in sorted(ticks) if not _is_same(ticks[name], before, common)]
        gone = sorted(name for name in before if name not in ticks)
        _head(writer, _SWEEP, sweep.source, sweep.at)
        writer.byte(is_whole)
        writer.number(_MIXED if common is None else to_us(common))
        writer.number(len(gone))
        writer.names(gone)
        write_ticks(writer, told, sweep.at)
        known.ticks = ticks
        if is_whole:
            known.whole_at = sweep.at


class Decoder:
    """Reads the events of one file, in order; `lose` after a place that could not be read."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._has_lost = False

    def lose(self) -> None:
        """Forget what a lost block may have changed."""
        self._known.clear()
        self._has_lost = True

    def decode(self, data: bytes) -> Event:
        """Return the event; ValueError where the bytes are none."""
        reader = ColumnReader(data)
        kind, source, at = reader.byte(), reader.text(), from_us(reader.number())
        if kind == _SWEEP:
            event: Event = self._sweep(reader, source, at)
        elif kind in _DECODE:
            event = _DECODE[kind](reader, source, at)
        else:
            raise ValueError(f"an event of the unknown kind {kind}")
        if not reader.is_done:
            raise ValueError("more bytes than the event has")
        return event

    def _sweep(self, reader: ColumnReader, source: str, at: datetime) -> Sweep:
        is_whole, seen_us = bool(reader.byte()), reader.number()
        gone = reader.names(reader.number())
        told = read_ticks(reader, at)
        known = self._known.setdefault(source, _Known())
        if is_whole:
            known.ticks, known.whole_at = {}, at
        elif known.whole_at is None and not self._has_lost:
            raise ValueError("a sweep that says what changed, and none before it")
        for name in gone:
            known.ticks.pop(name, None)
        if seen_us != _MIXED:
            seen_at = from_us(seen_us)
            known.ticks = {
                name: replace(tick, seen_at=seen_at) for name, tick in known.ticks.items()
            }
        known.ticks |= {tick.instrument: tick for tick in told}
        ticks = tuple(known.ticks[name] for name in sorted(known.ticks))
        return Sweep(source, at, ticks, known.whole_at is not None)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an encoded event, which tells what it is."""

    kind: type[Event]
    source: str
    at: datetime


def head_of(data: bytes) -> Head:
    """Return the beginning of an encoded event without reading the rest."""
    reader = ColumnReader(data)
    return Head(_KINDS[reader.byte()], reader.text(), from_us(reader.number()))


def _is_same(tick: Tick, before: Mapping[InstrumentId, Tick], common: datetime | None) -> bool:
    old = before.get(tick.instrument)
    if old is None or _FACTS(old) != _FACTS(tick):
        return False
    return common is not None or old.seen_at == tick.seen_at


def _head(writer: ColumnWriter, kind: int, source: str, at: datetime) -> None:
    writer.byte(kind)
    writer.text(source)
    writer.number(to_us(at))


def _write_candles(writer: ColumnWriter, event: Candles) -> None:
    _head(writer, _CANDLES, event.source, event.at)
    candles = event.candles
    writer.number(len(candles))
    writer.names([one.bar.instrument for one in candles])
    frames = [_FRAMES.index(one.bar.timeframe) for one in candles]
    writer.ints(np.array(frames, dtype=np.int64))
    write_times(writer, [one.at for one in candles], event.at)
    write_times(writer, [one.seen_at for one in candles], event.at)
    write_bars(writer, [one.bar for one in candles], event.at)


def _read_candles(reader: ColumnReader, source: str, at: datetime) -> Candles:
    count = reader.number()
    names = reader.names(count)
    frames = [_FRAMES[one] for one in reader.ints(count).tolist()]
    changed, seen = read_times(reader, count, at), read_times(reader, count, at)
    bars = read_bars(reader, names, frames, at)
    return Candles(source, at, tuple(map(Candle, bars, changed, seen)))


def _write_told(writer: ColumnWriter, event: Told) -> None:
    _head(writer, _TOLD, event.source, event.at)
    writer.text(event.instrument)
    writer.byte(_FRAMES.index(event.timeframe))
    writer.number(to_us(event.start))
    writer.number(to_us(event.end))
    writer.number(len(event.bars))
    write_bars(writer, event.bars, event.at)


def _read_told(reader: ColumnReader, source: str, at: datetime) -> Told:
    instrument, timeframe = reader.text(), _FRAMES[reader.byte()]
    start, end, count = from_us(reader.number()), from_us(reader.number()), reader.number()
    bars = read_bars(reader, [instrument] * count, [timeframe] * count, at)
    return Told(source, at, instrument, timeframe, start, end, tuple(bars))


def _write_failure(writer: ColumnWriter, event: Failure) -> None:
    _head(writer, _FAILURE, event.source, event.at)
    writer.byte(CALLS.index(event.call))
    writer.text(event.about)
    writer.byte(event.is_changed)
    writer.text(event.text)


def _read_failure(reader: ColumnReader, source: str, at: datetime) -> Failure:
    call, about = CALLS[reader.byte()], reader.text()
    return Failure(source, at, call, about, bool(reader.byte()), reader.text())


def _write_break(writer: ColumnWriter, event: Break) -> None:
    _head(writer, _BREAK, event.source, event.at)
    writer.number(to_us(event.since))
    writer.text(event.text)


def _read_break(reader: ColumnReader, source: str, at: datetime) -> Break:
    return Break(at, from_us(reader.number()), reader.text(), source)


_ENCODE: Final[Mapping[type, Callable[..., None]]] = {
    Candles: _write_candles,
    Told: _write_told,
    Failure: _write_failure,
    Break: _write_break,
}
_DECODE: Final[Mapping[int, Callable[[ColumnReader, str, datetime], Event]]] = {
    _CANDLES: _read_candles,
    _TOLD: _read_told,
    _FAILURE: _read_failure,
    _BREAK: _read_break,
}
