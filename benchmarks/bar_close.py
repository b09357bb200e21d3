"""Measure one bar close: 50 conditions with at least 40 distinct series on 2,900 instruments.

Run it as `python benchmarks/bar_close.py`. The last line is for machines: the distinct series, the
median milliseconds of evaluating and stepping them all, the longest time that the event loop was
held up while a close ran in a thread as it does live, and the seconds that a first start spends on
imports and kernels with an empty kernel cache.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

STARTED = perf_counter()

from conditions.compile import Condition, compile_condition  # noqa: E402  # measured too
from conditions.engine import evaluate  # noqa: E402
from conditions.lifecycle import States, step  # noqa: E402
from conditions.ready import make_ready  # noqa: E402
from config.condition_reader import parse_condition  # noqa: E402
from market.panel import Panel  # noqa: E402
from market.types import Timeframe  # noqa: E402

ROWS, BARS, CONDITIONS, ROUNDS = 2_900, 400, 50, 15
BEAT_SECONDS = 0.001
FIRST_START = "--first-start"
SLOT_MS = 300_000


def walk() -> np.ndarray[Any, Any]:
    """Return price paths of whole won."""
    moves = np.random.default_rng(7).normal(0, 0.003, (ROWS, BARS)).cumsum(axis=1)
    paths: np.ndarray[Any, Any] = np.round(50_000 * np.exp(moves))
    return paths


def fill(panel: Panel, closes: np.ndarray[Any, Any]) -> None:
    """Put the paths into the panel as if their bars had been appended."""
    volumes = np.random.default_rng(8).integers(1, 9_000, closes.shape).astype(float)
    panel.close[:], panel.open[:] = closes, closes
    panel.high[:], panel.low[:] = closes * 1.002, closes * 0.998
    panel.volume[:], panel.value[:] = volumes, volumes * closes
    panel.starts[:] = np.arange(1, BARS + 1) * SLOT_MS
    panel.counts[:] = BARS


def conditions() -> list[Condition]:
    """Return conditions of five kinds, each with other windows."""
    kinds = (
        "close / sma(close, {a}) - 1 > 2% and volume > 6 * sma(volume, {b})",
        "crosses_above(rsi(close, {c}), 30) within 3 bars and value > 100_000_000 KRW",
        "crosses_above(ema(close, {c}), ema(close, {d}))",
        "close > sma(close, {b}) + 2 * stdev(close, {b}) for 2 bars",
        "close > highest(high, {a})[1] or change(close, {c}) > 3%",
    )
    made = []
    for number in range(CONDITIONS):
        turn = number // len(kinds)
        when = kinds[number % len(kinds)].format(a=20 + turn, b=10 + turn, c=9 + turn, d=26 + turn)
        text = f"name: c{number}\nuniverse: all\ntimeframe: 5m\nwhen: {when}\n"
        made.append(compile_condition(parse_condition(text)))
    return made


def close_once(panel: Panel, compiled: list[Condition], states: States) -> tuple[float, int]:
    """Return the milliseconds of one bar close, and how many distinct series it computed."""
    rows = np.arange(ROWS)
    starts = np.ascontiguousarray(panel.starts[:, -1])
    shared: dict[object, np.ndarray[Any, Any]] = {}
    began = perf_counter()
    for condition in compiled:
        verdicts = evaluate(condition, panel, rows, shared)
        step(condition, states, rows, verdicts, starts, starts + SLOT_MS)
    taken = (perf_counter() - began) * 1000
    computed = [key for key in shared if isinstance(key, tuple) and "(" in key[0]]
    return taken, len(computed)


async def longest_block(panel: Panel, compiled: list[Condition], states: States) -> float:
    """Return the most milliseconds the loop was held up while closes ran in a thread."""
    longest, is_done = 0.0, False

    async def beat() -> None:
        nonlocal longest
        while not is_done:
            began = perf_counter()
            await asyncio.sleep(BEAT_SECONDS)
            longest = max(longest, perf_counter() - began - BEAT_SECONDS)

    beating = asyncio.create_task(beat())
    for _ in range(ROUNDS):
        await asyncio.to_thread(close_once, panel, compiled, states)
    is_done = True
    await beating
    return longest * 1000


def first_start() -> float:
    """Return the seconds that a new process with an empty kernel cache needs to be ready."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(  # noqa: S603  # this very file
            [sys.executable, __file__, FIRST_START],
            env={**os.environ, "NUMBA_CACHE_DIR": cache},
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def main() -> None:
    """Measure and write lines for people, then one for machines."""
    compiled = conditions()
    make_ready(compiled)
    write = sys.stdout.write
    if FIRST_START in sys.argv:
        write(str(perf_counter() - STARTED))
        return
    panel = Panel(Timeframe.M5, [f"KRX:{number:06d}" for number in range(ROWS)], BARS)
    fill(panel, walk())
    states = States.from_mapping({}, panel.instruments)
    close_once(panel, compiled, states)
    rounds = [close_once(panel, compiled, states) for _ in range(ROUNDS)]
    milliseconds, series = median(one for one, _ in rounds), rounds[0][1]
    blocked = asyncio.run(longest_block(panel, compiled, states))
    first = first_start()
    write(f"one close of {ROWS} bars, {CONDITIONS} conditions, {series} distinct series: ")
    write(f"{milliseconds:.1f} ms; the loop was held up {blocked:.1f} ms at most; ")
    write(f"a first start is ready after {first:.1f} s\n")
    write(f"series={series} median_ms={milliseconds:.1f} ")
    write(f"loop_block_ms={blocked:.1f} first_start_s={first:.1f}\n")


if __name__ == "__main__":
    main()
