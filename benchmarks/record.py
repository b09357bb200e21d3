"""Measure the raw record of one pretend trading day: bytes on the disk, and what it costs.

Run it as `python benchmarks/record.py [INSTRUMENTS]` (2,900). Sweeps come every 10 s; after the
close every instrument's day is told by its minute chart, as the nightly repair asks for it. The
last line is for machines: megabytes of sweeps and of charts, milliseconds from a sweep until it is
on the disk, milliseconds that a sweep waits, and seconds to read the day again.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from market.clock import ManualClock  # the path comes first
from market.record import RawRecord
from market.record_days import RecordedDay
from market.sessions import KST, KrxCalendar
from market.types import Bar, Instrument, Tick, Timeframe, Venue
from sandbox.market import Simulator

if TYPE_CHECKING:
    from sandbox.market import Quote

DAY = date(2026, 11, 24)
CALENDAR = KrxCalendar({})
SWEEP = timedelta(seconds=10)


def instruments(count: int) -> list[Instrument]:
    """Return made-up instruments with codes spread as on KRX."""
    return [
        Instrument(Venue.KRX, f"{number * 331 + 20:06d}", str(number), "KOSPI")
        for number in range(count)
    ]


def tick(quote: Quote, seen_at: datetime) -> Tick:
    """Return a quote as the Naver source tells it."""
    return Tick(
        quote.instrument.id,
        quote.traded_at.replace(microsecond=0),
        seen_at,
        quote.price,
        day_volume=float(quote.volume),
        day_value=quote.value,
        day_open=quote.open or None,
        day_high=quote.high or None,
        day_low=quote.low or None,
        previous_close=quote.previous_close,
        halted=quote.is_halted,
    )


def size(folder: Path) -> int:
    """Return the bytes of the day."""
    return RecordedDay(folder, DAY).size


def sweep_all(
    record: RawRecord, simulator: Simulator, clock: ManualClock
) -> tuple[int, float, float]:
    """Sweep the session; return how often, and the seconds of waiting and of writing."""
    at = datetime.combine(DAY, dt.time(9, 0, 2), KST)
    close = datetime.combine(DAY, dt.time(15, 31, 30), KST)
    count, waited, written = 0, 0.0, 0.0
    while at <= close:
        clock.move_to(at)
        ticks = [tick(quote, at) for quote in simulator.snapshot(simulator.codes, at)]
        begun = time.perf_counter()
        record.ticks("naver", ticks)
        waited += time.perf_counter() - begun
        record.flush()
        written += time.perf_counter() - begun
        at, count = at + SWEEP, count + 1
    return count, waited, written


def tell_charts(record: RawRecord, simulator: Simulator, clock: ManualClock) -> None:
    """Let every chart tell the day."""
    start = datetime.combine(DAY, datetime.min.time(), KST)
    clock.advance(timedelta(minutes=1))
    for code in simulator.codes:
        bars = [
            Bar(
                f"KRX:{code}",
                Timeframe.M1,
                minute.start,
                minute.open,
                minute.high,
                minute.low,
                minute.close,
                float(minute.volume),
                minute.value,
            )
            for minute in simulator.minutes(code, start, clock.now(), clock.now())
        ]
        record.bars("naver", f"KRX:{code}", start, clock.now(), bars)
    record.flush()


def measure(count: int, folder: Path) -> str:
    """Return the line for machines."""
    simulator = Simulator(instruments(count), CALENDAR, 7)
    clock = ManualClock(datetime.combine(DAY, datetime.min.time(), KST))
    record = RawRecord(folder, clock, 10_000, flush_seconds=0)
    sweeps, waited, written = sweep_all(record, simulator, clock)
    of_sweeps = size(folder)
    tell_charts(record, simulator, clock)
    record.close()
    begun = time.perf_counter()
    events = sum(1 for _ in RecordedDay(folder, DAY).events())
    read = time.perf_counter() - begun
    print(f"{count} instruments, {sweeps} sweeps, {events} events")  # noqa: T201  # a benchmark tells
    return (
        f"sweeps_mb={of_sweeps / 1e6:.2f} charts_mb={(size(folder) - of_sweeps) / 1e6:.2f}"
        f" write_ms={written / sweeps * 1000:.1f} wait_ms={waited / sweeps * 1000:.3f}"
        f" read_s={read:.1f}"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2900, Path(place)))  # noqa: T201  # as above
