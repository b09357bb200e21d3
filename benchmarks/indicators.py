"""Measure nine indicators on 2,900 instruments x 200 bars against `ta`, and TA-Lib where it is.

Run it as `python benchmarks/indicators.py`. `ta` and TA-Lib compute one instrument at a time: of
`ta` a sample of them is measured and scaled, TA-Lib gets all of them, as arrays of numpy. The last
line tells the ratios, taken within one run. All columns are computed, as both have to; the newest
alone, which a live bar needs, is told beside it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ta import momentum, trend, volatility

sys.path.insert(0, str(Path(__file__).parents[1]))

from conditions.indicators import INDICATORS, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = np.ndarray[Any, Any]
Bars = dict[str, Array]

ROWS, BARS, SAMPLE, ROUNDS = 2_900, 200, 60, 7
CALLS: dict[str, tuple[float, ...]] = {
    "sma": (20,),
    "ema": (20,),
    "rsi": (14,),
    "macd": (12, 26, 9),
    "bollinger": (20, 2.0),
    "stochastic": (14, 3),
    "cci": (20,),
    "atr": (14,),
    "adx": (14,),
}


def bars() -> Bars:
    """Return random bars of whole won, one row an instrument."""
    random = np.random.default_rng(7)
    moves = random.normal(0, 0.003, (ROWS, BARS)).cumsum(axis=1)
    close = np.round(50_000 * np.exp(moves))
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    reach = np.round(random.exponential(60.0, (2, ROWS, BARS)))
    return {
        "close": close,
        "high": np.maximum(opened, close) + reach[0],
        "low": np.minimum(opened, close) - reach[1],
    }


def by_ta(of: Mapping[str, pd.Series]) -> dict[str, Callable[[], object]]:
    """Return how `ta` computes each, all outputs of it."""
    high, low, close = of["high"], of["low"], of["close"]

    def macd() -> object:
        made = trend.MACD(close, 26, 12, 9)
        return made.macd(), made.macd_signal(), made.macd_diff()

    def bollinger() -> object:
        made = volatility.BollingerBands(close, 20, 2)
        bands = (made.bollinger_hband(), made.bollinger_mavg(), made.bollinger_lband())
        return *bands, made.bollinger_pband(), made.bollinger_wband()

    def stochastic() -> object:
        made = momentum.StochasticOscillator(high, low, close, 14, 3)
        return made.stoch(), made.stoch_signal()

    def adx() -> object:
        made = trend.ADXIndicator(high, low, close, 14)
        return made.adx(), made.adx_pos(), made.adx_neg()

    return {
        "sma": lambda: trend.SMAIndicator(close, 20).sma_indicator(),
        "ema": lambda: trend.EMAIndicator(close, 20).ema_indicator(),
        "rsi": lambda: momentum.RSIIndicator(close, 14).rsi(),
        "macd": macd,
        "bollinger": bollinger,
        "stochastic": stochastic,
        "cci": lambda: trend.CCIIndicator(high, low, close, 20).cci(),
        "atr": lambda: volatility.AverageTrueRange(high, low, close, 14).average_true_range(),
        "adx": adx,
    }


def by_talib(of: Mapping[str, Array]) -> dict[str, Callable[[], object]]:
    """Return how TA-Lib computes each."""
    library = import_module("talib")
    high, low, close = of["high"], of["low"], of["close"]
    return {
        "sma": lambda: library.SMA(close, 20),
        "ema": lambda: library.EMA(close, 20),
        "rsi": lambda: library.RSI(close, 14),
        "macd": lambda: library.MACD(close, 12, 26, 9),
        "bollinger": lambda: library.BBANDS(close, 20, 2, 2),
        "stochastic": lambda: library.STOCH(high, low, close, 14, 1, 0, 3, 0),
        "cci": lambda: library.CCI(high, low, close, 20),
        "atr": lambda: library.ATR(high, low, close, 14),
        "adx": lambda: (
            library.ADX(high, low, close, 14),
            library.PLUS_DI(high, low, close, 14),
            library.MINUS_DI(high, low, close, 14),
        ),
    }


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the least time of some runs."""
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return min(taken)


def ours(of: Bars, columns: int) -> dict[str, float]:
    """Return the seconds that each kernel takes for all rows."""
    taken = {}
    for name, parameters in CALLS.items():
        indicator = INDICATORS.get(name)
        sources = [of[field] for field in indicator.sources]
        taken[name] = seconds(lambda: indicator.kernel(*sources, *parameters, columns))  # noqa: B023  # run at once
    return taken


def theirs(made: list[dict[str, Callable[[], object]]]) -> dict[str, float]:
    """Return the seconds that each would take for all rows, one after the other."""
    taken = {}
    for name in CALLS:
        rounds = ROUNDS if len(made) == ROWS else 2
        sample = seconds(lambda: [one[name]() for one in made], rounds)  # noqa: B023  # run at once
        taken[name] = sample * ROWS / len(made)
    return taken


def main() -> None:
    """Measure and write lines for people, then one for machines."""
    began = perf_counter()
    warm_up()
    write = sys.stdout.write
    write(f"kernels ready after {perf_counter() - began:.2f} s\n")
    of = bars()
    rows = [{name: values[row] for name, values in of.items()} for row in range(ROWS)]
    whole, newest = ours(of, BARS), ours(of, 1)
    series = [{name: pd.Series(row[name]) for name in of} for row in rows[:SAMPLE]]
    ta = theirs([by_ta(one) for one in series])
    has_talib = find_spec("talib") is not None
    talib = theirs([by_talib(one) for one in rows]) if has_talib else {}
    write(f"{ROWS} x {BARS} in ms: name, all columns, newest, ta, TA-Lib; how often we fit in\n")
    for name in CALLS:
        last = f"{talib[name] * 1e3:9.1f}" if has_talib else "        -"
        times = f"{whole[name] * 1e3:8.2f} {newest[name] * 1e3:8.2f} {ta[name] * 1e3:10.1f}"
        beside = f"{talib[name] / whole[name]:6.2f}x" if has_talib else ""
        write(f"{name:<12}{times} {last}  {ta[name] / whole[name]:8.0f}x {beside}\n")
    total = sum(whole.values())
    nanoseconds = total * 1e9 / (ROWS * BARS * len(CALLS))
    write(f"{nanoseconds:.1f} ns for one value of one instrument and indicator\n")
    if not has_talib:
        write("TA-Lib is not installed here: no ratio\n")
    ratio = f"{sum(talib.values()) / total:.2f}" if has_talib else "none"
    write(f"ratio_vs_ta={sum(ta.values()) / total:.0f} ratio_vs_talib={ratio}\n")


if __name__ == "__main__":
    main()
