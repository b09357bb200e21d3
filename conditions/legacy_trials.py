"""Finds bars on which a converted rule fires, so that its file begins life with tests."""

from __future__ import annotations

from itertools import product

import numpy as np

from conditions.compile import compile_condition
from conditions.engine import evaluate
from conditions.trial_market import slot_starts
from conditions.trial_report import failed_tests
from config.condition_reader import parse_condition
from config.trial_others import INSTRUMENT
from market.panel import Panel
from market.types import Bar

CALM_BARS = 80
CALM_PRICE, CALM_VOLUME = 100_000, 10
_PRICES = (103_000, 106_000, 112_000, 125_000, 98_000, 94_000, 88_000, 75_000, 101_000, 99_000)
_VOLUMES = (10, 100, 2_000, 10_000, 100_000)


def trial_lines(text: str) -> list[str]:
    """Return lines of `tests:` for the text of a condition, none where no simple bars make it fire.

    It fires on one unusual bar after a calm stretch, and stays silent without that bar.
    """
    found = _burst(text)
    if found is None:
        return []
    price, volume = found
    lines = [
        "tests:",
        "  - name: fires on one bar that leaves a calm market",
        f'    bars: {{close: "{CALM_PRICE:_}x{CALM_BARS} {price:_}",'
        f' volume: "{CALM_VOLUME}x{CALM_BARS} {volume:_}"}}',
        f"    expect: {{fires_at: [{CALM_BARS}]}}",
        "  - name: stays silent in a calm market",
        f'    bars: {{close: "{CALM_PRICE:_}x{CALM_BARS + 1}", volume: {CALM_VOLUME}}}',
        "    expect: {never: true}",
    ]
    tried = compile_condition(parse_condition(text + "\n".join(lines)))
    return [] if failed_tests(tried) else lines


def _burst(text: str) -> tuple[int, int] | None:
    """Return price and volume of the first bar that fires of all that are tried, side by side."""
    condition = compile_condition(parse_condition(text))
    bursts = list(product(_PRICES, _VOLUMES))
    names = [f"{INSTRUMENT}/{number}" for number in range(len(bursts))]
    panel = Panel(condition.timeframe, names)
    for place, start in enumerate(slot_starts(condition.timeframe, CALM_BARS + 1)):
        calm = place < CALM_BARS
        panel.append(
            Bar(
                name, condition.timeframe, start, price, price, price, price, volume, price * volume
            )
            for name, burst in zip(names, bursts, strict=True)
            for price, volume in [(CALM_PRICE, CALM_VOLUME) if calm else burst]
        )
    verdicts = evaluate(condition, panel, np.arange(len(names))).when
    fired = np.flatnonzero(verdicts == 1)
    return bursts[int(fired[0])] if len(fired) else None
