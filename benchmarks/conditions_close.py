"""Measure one bar close: 50 conditions with at least 40 distinct series on 2,900 instruments.

Run it as `python benchmarks/conditions_close.py`. The last line is JSON; ratios are taken within
one run, so that they can be compared between machines.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

STARTED = perf_counter()

from conditions.compile import compile_condition  # noqa: E402  # the import itself is measured
from conditions.engine import evaluate  # noqa: E402
from conditions.indicators import INDICATORS, warm_up  # noqa: E402
from conditions.lifecycle import States, step  # noqa: E402
from config.condition_reader import parse_condition  # noqa: E402
from market.panel import Panel  # noqa: E402
from market.types import Timeframe  # noqa: E402

IMPORTED = perf_counter()

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

ROWS, BARS, CONDITIONS, ROUNDS, TWINS = 2_900, 400, 50, 15, 100
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


def seconds(work: Callable[[], object], times: int) -> float:
    """Return the least time of so many runs."""
    taken = []
    for _ in range(times):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return min(taken)


def against_ta(closes: np.ndarray[Any, Any]) -> dict[str, float]:
    """Return how many times faster the kernels are than `ta`: all columns, and the newest alone.

    `ta` knows no newest column: a live bar costs it the whole series.
    """
    import pandas as pd  # noqa: PLC0415  # not part of what a bar close needs
    from ta.momentum import RSIIndicator  # noqa: PLC0415
    from ta.trend import EMAIndicator, SMAIndicator  # noqa: PLC0415

    some = np.ascontiguousarray(closes[:TWINS])
    series = [pd.Series(row) for row in some]
    twins: dict[str, Callable[[Any], object]] = {
        "sma": lambda one: SMAIndicator(one, 20).sma_indicator(),
        "ema": lambda one: EMAIndicator(one, 20).ema_indicator(),
        "rsi": lambda one: RSIIndicator(one, 20).rsi(),
    }
    ratios = {}
    for name, twin in twins.items():
        theirs = seconds(partial(list, map(twin, series)), times=1)
        for label, columns in ((name, BARS), (f"{name}_newest", 1)):
            ours = seconds(partial(INDICATORS.get(name).kernel, some, 20, columns), times=5)
            ratios[label] = round(theirs / ours, 1)
    return ratios


def main() -> None:
    """Measure and write lines for people, then one for machines."""
    began = perf_counter()
    warm_up()
    warmed = perf_counter() - began
    closes = walk()
    panel = Panel(Timeframe.M5, [f"KRX:{number:06d}" for number in range(ROWS)], BARS)
    fill(panel, closes)
    compiled = conditions()
    states = States.from_mapping({}, panel.instruments)
    rounds = [close_once(panel, compiled, states) for _ in range(ROUNDS)]
    milliseconds = median(one for one, _ in rounds)
    result = {
        "rows": ROWS,
        "conditions": CONDITIONS,
        "series": rounds[0][1],
        "median_ms": round(milliseconds, 1),
        "import_s": round(IMPORTED - STARTED, 2),
        "warm_up_s": round(warmed, 2),
        "ratio_vs_ta": against_ta(closes),
    }
    write = sys.stdout.write
    write(f"import {result['import_s']} s, kernels ready after {warmed:.2f} s more\n")
    write(f"one close of {ROWS} bars, {CONDITIONS} conditions, {rounds[0][1]} distinct series: ")
    write(f"{milliseconds:.1f} ms\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main()
