"""Files of bars as a source: a bar is told when the given clock has reached its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from crawlers.bar_files import bar_files, read_bar_file
from crawlers.source import Update
from market.bars import aggregate
from market.errors import SourceChanged, SourceUnavailable
from market.sessions import KST
from market.types import Bar, Tick, Timeframe, Venue, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from crawlers.bar_files import BarColumns
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import InstrumentId

_DAY = timedelta(days=1)


class BarFolder:
    """Every file of a folder, read when it is asked for the first time.

    Bars of more than a minute are told as they are, under the minute of their start: conditions on
    their timeframe and on longer ones come out right.
    """

    def __init__(self, folder: Path, clock: Clock, calendars: Mapping[Venue, Calendar]) -> None:
        self._folder = folder
        self._clock = clock
        self._calendars = calendars
        self._reading = asyncio.Lock()
        self._minutes: dict[InstrumentId, BarColumns] | None = None
        self._days: dict[InstrumentId, BarColumns] = {}
        self._told: dict[InstrumentId, int] = {}

    @staticmethod
    def has_files(folder: Path) -> bool:
        """Tell whether a folder holds files of bars."""
        return bool(bar_files(folder))

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the close of each instrument's newest bar that is over."""
        minutes, now = await self._read(), self._clock.now()
        found = []
        for name in instruments:
            held = minutes.get(name)
            over = 0 if held is None else _over(held, now)
            if held is not None and over:
                end = from_ms(int(held.starts[over - 1])) + held.timeframe.length
                found.append(Tick(name, end, now, float(held.close[over - 1]), volume=0.0))
        return found

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the bars with start <= bar.start < end that are over, oldest first."""
        minutes = await self._read()
        return self._between(minutes.get(instrument), start, end)

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily bars with start <= bar.start < end: of files, else made of minutes."""
        minutes = await self._read()
        calendar = self._calendars[Venue(instrument.partition(":")[0])]
        held = self._days.get(instrument)
        now = self._clock.now()
        if held is None:
            parts = self._between(minutes.get(instrument), start, end + _DAY)
            made = aggregate(parts, Timeframe.D1, calendar)
        else:
            made = list(self._whole_days(held, calendar, start - _DAY, end, now))
        return [
            _ended(bar, is_over=calendar.slot_end(bar.start, Timeframe.D1) <= now)
            for bar in made
            if start <= bar.start < end
        ]

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        """Return the bars that have ended since the last call, the newest one at the first."""
        minutes, now = await self._read(), self._clock.now()
        found = []
        for name in instruments:
            held = minutes.get(name)
            if held is None:
                continue
            over = _over(held, now)
            since = self._told.get(name, max(over - 1, 0))
            self._told[name] = over
            length = held.timeframe.length
            found += [
                Update(bar, min(bar.start + length, now), now) for bar in _bars(held, since, over)
            ]
        return found

    async def instruments(self) -> list[InstrumentId]:
        """Return the instruments that have bars shorter than a day."""
        return list(await self._read())

    async def first_start(self) -> datetime:
        """Return the start of the oldest bar that is shorter than a day."""
        return from_ms(min(int(one.starts[0]) for one in (await self._read()).values()))

    async def last_end(self) -> datetime:
        """Return the end of the newest bar that is shorter than a day."""
        held = (await self._read()).values()
        return max(from_ms(int(one.starts[-1])) + one.timeframe.length for one in held)

    async def _read(self) -> dict[InstrumentId, BarColumns]:
        async with self._reading:
            if self._minutes is None:
                self._minutes = await asyncio.to_thread(self._load)
            return self._minutes

    def _load(self) -> dict[InstrumentId, BarColumns]:
        if not self._folder.is_dir():
            raise SourceUnavailable(f"no folder {self._folder}; name one with CSV or Parquet files")
        minutes: dict[InstrumentId, BarColumns] = {}
        places: dict[tuple[InstrumentId, bool], Path] = {}
        for path in bar_files(self._folder):
            for held in read_bar_file(path):
                is_daily = held.timeframe is Timeframe.D1
                before = places.setdefault((held.instrument, is_daily), path)
                if before != path:
                    raise SourceChanged(
                        f"{path} and {before} both hold {held.instrument}; keep one of them"
                    )
                (self._days if is_daily else minutes)[held.instrument] = held
        if not minutes:
            raise SourceChanged(f"{self._folder} holds no bars shorter than a day; add some")
        return minutes

    def _between(self, held: BarColumns | None, start: datetime, end: datetime) -> list[Bar]:
        if held is None:
            return []
        first, last = np.searchsorted(held.starts, [to_ms(start), to_ms(end)], side="left")
        return list(_bars(held, int(first), min(int(last), _over(held, self._clock.now()))))

    def _whole_days(
        self, held: BarColumns, calendar: Calendar, start: datetime, end: datetime, now: datetime
    ) -> Iterator[Bar]:
        """Yield days under the start that the calendar gives them; one that goes on is left out."""
        first, last = np.searchsorted(held.starts, [to_ms(start), to_ms(end)], side="left")
        zone = KST if held.instrument.startswith(f"{Venue.KRX}:") else None
        for bar in _bars(held, int(first), int(last)):
            window = calendar.window(
                bar.start.astimezone(zone).date() if zone else bar.start.date()
            )
            if window is not None and window.close <= now:
                yield replace(bar, start=window.open)


def _ended(bar: Bar, *, is_over: bool) -> Bar:
    return replace(bar, is_complete=bar.is_complete and is_over)


def _over(held: BarColumns, now: datetime) -> int:
    """Return how many bars have ended by now."""
    return int(np.searchsorted(held.starts, to_ms(now - held.timeframe.length), side="right"))


def _bars(held: BarColumns, first: int, last: int) -> Iterator[Bar]:
    timeframe = Timeframe.D1 if held.timeframe is Timeframe.D1 else Timeframe.M1
    for row in range(first, last):
        if held.volume[row] > 0:  # files may hold minutes without a trade, sources tell none
            yield Bar(
                instrument=held.instrument,
                timeframe=timeframe,
                start=from_ms(int(held.starts[row])),
                open=float(held.open[row]),
                high=float(held.high[row]),
                low=float(held.low[row]),
                close=float(held.close[row]),
                volume=float(held.volume[row]),
                value=float(held.value[row]),
            )
