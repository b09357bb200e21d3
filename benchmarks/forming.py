"""Measure one look at forming bars: a few conditions on 2,900 instruments, most of which traded.

Run it as `python benchmarks/forming.py`. It goes the way of a sweep: every instrument's tick grows
a bar, then the rows that have grown are copied, judged and stepped, as `engine/forming.py` does
after each sweep. The last line is for machines: the median milliseconds of that, with every row
grown and with a tenth of them, for conditions that look at their own instrument and for one that
ranks the universe; and the time that the event loop was held up, the median of the rounds' longest.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from conditions.compile import Condition, compile_condition  # found by the path
from conditions.ready import make_ready
from config.condition_reader import parse_condition
from engine.forming import Forming
from engine.series import Series, build_series
from market.sessions import KrxCalendar
from market.types import Tick, Venue, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.fire import Fire

ROWS, BARS, ROUNDS = 2_900, 400, 15
BEAT_SECONDS = 0.001
START = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
NAMES = tuple(f"KRX:{number:06d}" for number in range(ROWS))
OWN = (
    "close / sma(close, 60)[1] - 1 > 9% and volume > 600 * sma(volume, 20)[1]",
    "crosses_above(rsi(close, 14), 99) and value > 100_000_000 KRW",
    "close > 2 * highest(high, 20)[1]",
)
CROSS = ("rank(change(close, 12)) == 1 and close < 0",)


def compiled(*conditions: str) -> list[Condition]:
    """Return conditions that are judged on forming bars and never fire."""
    text = "name: c{}\nuniverse: all\ntimeframe: 5m\nwhen: {}\nintrabar: true\n"
    return [
        compile_condition(parse_condition(text.format(number, when)))
        for number, when in enumerate(conditions)
    ]


class Stage:
    """A series with its history, and ticks of a forming bar."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        members = [(one, NAMES) for one in conditions]
        self.series: Series = build_series(members, {Venue.KRX: KrxCalendar({})}, BARS)[0]
        nothing: Any = None  # no condition fires, so that nothing is ever stored
        fire: Fire = nothing
        self.forming = Forming(fire)
        self.count = 0.0
        self._fill()
        self.trade(NAMES)

    def trade(self, names: Sequence[str]) -> None:
        """Let these trade once more in the session's first bar."""
        self.count += 10.0
        at = START + timedelta(seconds=self.count / 10)
        for name in names:
            self.series.builder.add(Tick(name, at, at, 50_000.0, day_volume=self.count))

    async def judge(self) -> float:
        """Return the milliseconds of one look."""
        began = perf_counter()
        await self.forming.judge(self.series, START + timedelta(seconds=self.count / 10))
        return (perf_counter() - began) * 1000

    def _fill(self) -> None:
        panel, random = self.series.panel, np.random.default_rng(7)
        closes = np.round(50_000 * np.exp(random.normal(0, 0.003, (ROWS, BARS)).cumsum(axis=1)))
        volumes = random.integers(1, 9_000, closes.shape).astype(float)
        panel.close[:], panel.open[:] = closes, closes
        panel.high[:], panel.low[:] = closes * 1.002, closes * 0.998
        panel.volume[:], panel.value[:] = volumes, volumes * closes
        panel.starts[:] = to_ms(START) + (np.arange(BARS) - BARS) * 300_000
        panel.counts[:] = BARS


async def rounds(stage: Stage, names: Sequence[str]) -> float:
    """Return the median milliseconds of a look after these have traded."""
    taken = []
    for _ in range(ROUNDS):
        stage.trade(names)
        taken.append(await stage.judge())
    return median(taken)


async def blocks(stage: Stage) -> list[float]:
    """Return the most milliseconds that the loop was held up by each look at all rows."""
    found = []
    for _ in range(ROUNDS):
        await asyncio.to_thread(stage.trade, NAMES)
        looking = asyncio.create_task(stage.judge())
        longest = 0.0
        while not looking.done():
            began = perf_counter()
            await asyncio.sleep(BEAT_SECONDS)
            longest = max(longest, perf_counter() - began - BEAT_SECONDS)
        found.append(longest * 1000)
    return found


async def measure() -> None:
    """Measure and write lines for people, then one for machines."""
    own, cross = compiled(*OWN), compiled(*CROSS)
    make_ready([*own, *cross])
    stage, universe = Stage(own), Stage(cross)
    await stage.judge()
    await universe.judge()
    every, some = await rounds(stage, NAMES), await rounds(stage, NAMES[::10])
    ranked = await rounds(universe, NAMES[::10])
    blocked = await blocks(stage)
    write = sys.stdout.write
    write(f"{len(OWN)} conditions on {ROWS} forming bars: {every:.1f} ms, on a tenth of them ")
    write(f"{some:.1f} ms, a rank over all {ranked:.1f} ms; the loop was held up ")
    write(f"{median(blocked):.1f} ms, {max(blocked):.1f} ms at most\n")
    write(f"every_ms={every:.1f} tenth_ms={some:.1f} rank_ms={ranked:.1f} ")
    write(f"loop_block_ms={median(blocked):.1f}\n")


if __name__ == "__main__":
    asyncio.run(measure())
