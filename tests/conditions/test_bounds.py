from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.bounds import ANYTHING, LEAST_PRICE, Bounds, bounds
from conditions.truths import Compared
from conditions.view import View
from market.panel import Panel
from market.types import Bar, Timeframe, from_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from conditions.series import Series


def left_of(condition: Condition) -> Series:
    assert isinstance(condition.when, Compared)
    return condition.when.left


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close", Bounds(LEAST_PRICE, inf)),
        ("volume", Bounds(0, inf)),
        ("value[3]", Bounds(0, inf)),
        ("rsi(14)", Bounds(0, 100)),
        ("day.prev_close", Bounds(LEAST_PRICE, inf)),
        ("day.change", Bounds(-1, inf)),
        ("upper_limit", Bounds(LEAST_PRICE, inf)),
        ("minutes_to_close / 60", Bounds(0, inf)),
        ("breadth(close > open)", Bounds(0, 1)),
        ("rank(change(1))", Bounds(1, inf)),
        ("rsi(14) - 50", Bounds(-50, 50)),
        ("-rsi(14)", Bounds(-100, 0)),
        ("abs(rsi(14) - 30)", Bounds(0, 70)),
        ("abs(rsi(14) - 300)", Bounds(200, 300)),
        ("2 * rsi(14) + 1", Bounds(1, 201)),
        ("rsi(14) / -2", Bounds(-50, 0)),
        ("min(rsi(14), 40)", Bounds(0, 40)),
        ("max(rsi(14), 40)", Bounds(40, 100)),
        ("sma(rsi(14), 5)", Bounds(0, 100)),
        ("stdev(close, 5)", Bounds(0, inf)),
        ("stochastic(14, 3).k", Bounds(0, 100)),
        ("williams_r(14)", Bounds(-100, 0)),
        ("donchian(20).lower", Bounds(LEAST_PRICE, inf)),
        ("bollinger(20, 2).lower", ANYTHING),
        ("macd(12, 26, 9).line", ANYTHING),
        ("change(close)", Bounds(-1, inf)),
        ("change(rsi(14) - 50)", ANYTHING),
        ("close - sma(close, 5)", ANYTHING),
        ("close / sma(close, 5) - 1", Bounds(-1, inf)),
        ("volume / sma(volume, 5)", Bounds(0, inf)),
        ("volume / (volume - 5)", ANYTHING),
        ("value / (volume + 4)", Bounds(0, inf)),
        ("close / 0", ANYTHING),
    ],
)
def test_bounds_of_a_series(
    text: str, expected: Bounds, compiled: Callable[..., Condition]
) -> None:
    assert bounds(left_of(compiled(f"{text} != 77"))) == expected


TEXTS = (
    "close / open - 1",
    "rsi(3)",
    "sma(close, 3) - ema(close, 2)",
    "change(close, 2) * 3",
    "abs(change(volume))",
    "stdev(value, 3)",
    "min(rsi(2), 40) - max(rsi(3), 7)",
    "highest(volume, 3) / lowest(volume, 2)",
    "volume / (volume - 5)",
    "-(volume - 5) * -2",
    "stochastic(5, 3).d",
    "kama(close, 5, 2, 9) - 3",
    "donchian(5).middle",
    "aroon(5).oscillator",
    "chaikin_money_flow(5)",
)


@pytest.mark.parametrize("text", TEXTS)
def test_no_market_leaves_the_bounds(text: str, compiled: Callable[..., Condition]) -> None:
    series = left_of(compiled(f"{text} != 77"))
    random = np.random.default_rng(3)
    panel = Panel(Timeframe.M5, ["KRX:005930"], 300)
    for place in range(300):
        opening, close = np.exp(random.normal(0, 2, 2)).tolist()
        volume = float(random.integers(0, 9))
        high, low = max(opening, close), min(opening, close)
        start = from_ms(1_767_571_200_000 + place * 300_000)
        panel.append(
            [Bar("KRX:005930", Timeframe.M5, start, opening, high, low, close, volume, volume)]
        )
    values = series.values(View(panel, None, {}), 300)
    known = values[~np.isnan(values)]
    found = bounds(series)
    assert len(known) > 100
    assert found.low - 1e-9 <= known.min()
    assert known.max() <= found.high + 1e-9
