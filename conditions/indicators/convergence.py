"""Means of means: how the short run and the long run draw together and apart."""

from __future__ import annotations

import numpy as np

from conditions.indicators.memory import exponential, faded
from conditions.indicators.registry import INDICATORS, LANES, Declared, Floats, Output, Parameter
from conditions.units import Unit

TRIX_REST = 1e-10
"""What is forgotten of a threefold mean: its change from bar to bar is a thousandth of it."""


def _line_warm_up(fast: int, slow: int, signal: int) -> int:  # noqa: ARG001  # gets all parameters
    return max(fast, slow)


def _signal_warm_up(fast: int, slow: int, signal: int) -> int:
    return max(fast, slow) + signal - 1


def _line_memory(fast: int, slow: int, signal: int) -> int:  # noqa: ARG001  # gets all parameters
    return max(fast, slow) + faded(exponential(max(fast, slow)))


def _signal_memory(fast: int, slow: int, signal: int) -> int:
    longest = max(fast, slow)
    return longest + signal + faded(exponential(longest), exponential(signal))


@INDICATORS.register("macd")
@Declared(
    parameters=(
        Parameter("fast", 12, 1, 1_000),
        Parameter("slow", 26, 1, 1_000),
        Parameter("signal", 9, 1, 1_000),
    ),
    outputs=(
        Output(
            "line",
            "the fast mean less the slow one",
            None,
            False,
            None,
            _line_warm_up,
            _line_memory,
        ),
        Output("signal", "the exponential mean of the line"),
        Output("histogram", "the line less its signal"),
    ),
    warm_up=_signal_warm_up,
    memory=_signal_memory,
    is_recursive=True,
    origin="https://www.investopedia.com/terms/m/macd.asp",
    twin="ta.trend.MACD",
    example="crosses_above(macd(12, 26, 9).line, macd(12, 26, 9).signal)",
)
def macd(source: Floats, fast: int, slow: int, signal: int, columns: int) -> Floats:
    """The distance of two exponential means, and the exponential mean of that distance."""
    rows, width = source.shape
    out = np.full((3, rows, columns), np.nan)
    weight_fast, weight_slow, weight = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    first, longest = width - columns, max(fast, slow)
    for top in range(0, rows, LANES):
        lanes = min(LANES, rows - top)
        near, far, mean = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
        known = np.zeros(lanes, dtype=np.int64)
        for place in range(width):
            for lane in range(lanes):
                value = source[top + lane, place]
                if np.isnan(value):
                    known[lane] = 0
                    continue
                known[lane] += 1
                is_first = known[lane] == 1
                near[lane] = value if is_first else near[lane] + weight_fast * (value - near[lane])
                far[lane] = value if is_first else far[lane] + weight_slow * (value - far[lane])
                if known[lane] < longest:
                    continue
                line = near[lane] - far[lane]
                is_first = known[lane] == longest
                mean[lane] = line if is_first else mean[lane] + weight * (line - mean[lane])
                if place >= first:
                    out[0, top + lane, place - first] = line
                    if known[lane] >= longest + signal - 1:
                        out[1, top + lane, place - first] = mean[lane]
                        out[2, top + lane, place - first] = line - mean[lane]
    return out


def _thrice(window: int) -> int:
    return 3 * window - 1


def _trix_memory(window: int) -> int:
    share = exponential(window)
    return 3 * window + faded(share, share, share, rest=TRIX_REST)


@INDICATORS.register("trix")
@Declared(
    parameters=(Parameter("window", 15, 1, 1_000),),
    warm_up=_thrice,
    memory=_trix_memory,
    unit=Unit.POINTS,
    is_recursive=True,
    origin="https://www.investopedia.com/terms/t/trix.asp",
    twin="ta.trend.TRIXIndicator",
    example="crosses_above(trix(15), 0)",
)
def trix(source: Floats, window: int, columns: int) -> Floats:
    """The change from bar to bar of a threefold exponential mean, in percent."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    weight, first = 2.0 / (window + 1.0), width - columns
    for top in range(0, rows, LANES):
        lanes = min(LANES, rows - top)
        one, two, three = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
        known = np.zeros(lanes, dtype=np.int64)
        for place in range(width):
            for lane in range(lanes):
                value = source[top + lane, place]
                known[lane] = 0 if np.isnan(value) else known[lane] + 1
                count = known[lane]
                one[lane] = value if count <= 1 else one[lane] + weight * (value - one[lane])
                if count <= window:
                    two[lane] = one[lane]
                else:
                    two[lane] += weight * (one[lane] - two[lane])
                before = three[lane]
                if count <= 2 * window - 1:
                    three[lane] = two[lane]
                else:
                    three[lane] += weight * (two[lane] - three[lane])
                if place >= first and count >= 3 * window - 1 and before != 0.0:
                    out[top + lane, place - first] = 100.0 * ((three[lane] - before) / before)
    return out
