"""A process that records until it is killed, or with hardly any room; its arguments say which."""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from market.clock import ManualClock
from market.record import RawRecord
from market.types import Tick

START = datetime(2026, 11, 24, 0, 0, 2, tzinfo=UTC)
INSTRUMENTS = 300


def sweep(number: int, at: datetime) -> list[Tick]:
    """Return ticks whose price is the sweep's number."""
    return [
        Tick(f"KRX:{code:06d}", at, at, float(number), day_volume=float(number * code))
        for code in range(1, INSTRUMENTS)
    ]


def record(folder: Path) -> None:
    """Sweep for ever; say the number of every third sweep once it is flushed."""
    clock, number = ManualClock(START), 0
    kept = RawRecord(folder, clock, 100, flush_seconds=0, file_bytes=20_000)
    while True:
        number += 1
        kept.ticks("naver", sweep(number, clock.now()))
        if number % 3 == 0:
            kept.flush()
            print(number, flush=True)  # noqa: T201  # this is how the test hears of it
        clock.advance(timedelta(seconds=10))


def fill(folder: Path) -> None:
    """Record with room for everything, for nothing, and for everything again."""
    clock = ManualClock(START)
    kept = RawRecord(folder, clock, 100, flush_seconds=0)
    for number, room in enumerate((1 << 20, 64, 1 << 20), start=1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, 1 << 20))
        kept.ticks("naver", sweep(number, clock.now()))
        kept.flush()
        print(kept.trouble is None, flush=True)  # noqa: T201  # as above
        clock.advance(timedelta(seconds=10))
    kept.close()


if __name__ == "__main__":
    {"record": record, "fill": fill}[sys.argv[1]](Path(sys.argv[2]))
