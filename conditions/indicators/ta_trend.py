"""What `ta` computes of trends and volatility; each line is a fact about `ta` 0.11."""

from __future__ import annotations

from conditions.indicators.memory import exponential, faded
from conditions.indicators.registry import Output, Parameter
from conditions.indicators.ta_bridge import always, bridge, just, whole
from conditions.units import Unit

SURE = 1e-9
"""What is forgotten where a small difference is divided by another."""
FOUND = 300
"""Bars after which a parabolic stop has turned so often that its beginning no longer matters."""


def _mass(fast: int, slow: int) -> int:
    return 2 * fast + slow - 2


bridge(
    "mass_index",
    "trend.MassIndex",
    "The sum over `window_slow` bars of a range's mean as a share of the mean of that mean.",
    sources=("high", "low"),
    parameters=(whole("window_fast", 9), whole("window_slow", 25)),
    outputs={"mass_index": Output(unit=Unit.NUMBER, warm_up=_mass)},
    memory=lambda fast, slow: _mass(fast, slow) + faded(exponential(fast), exponential(fast)),
    example="mass_index() > 27",
)
bridge(
    "ichimoku",
    "trend.IchimokuIndicator",
    "Middles of the ranges of three windows; the spans are those of now, not shifted forward.",
    sources=("high", "low"),
    parameters=(whole("window1", 9), whole("window2", 26), whole("window3", 52)),
    outputs={
        "ichimoku_conversion_line": Output(
            "conversion", "of `window1`", is_level=True, warm_up=just(0)
        ),
        "ichimoku_base_line": Output("base", "of `window2`", is_level=True, warm_up=just(1)),
        "ichimoku_a": Output(
            "a",
            "halfway between conversion and base",
            is_level=True,
            warm_up=lambda one, two, *_: max(one, two),
        ),
        "ichimoku_b": Output("b", "of `window3`", is_level=True, warm_up=just(2)),
    },
    memory=max,
    example="close > ichimoku().a[26] and close > ichimoku().b[26]",
)


def _kst(*given: int) -> int:
    return max(roc + window for roc, window in zip(given[:4], given[4:8], strict=True))


def _kst_signal(*given: int) -> int:
    return _kst(*given) + given[8] - 1


bridge(
    "kst",
    "trend.KSTIndicator",
    "Know sure thing: four smoothed rates of change, the longer ones with more weight.",
    parameters=[
        whole(name, default)
        for name, default in zip(
            ("roc1", "roc2", "roc3", "roc4", "window1", "window2", "window3", "window4", "nsig"),
            (10, 15, 20, 30, 10, 10, 10, 15, 9),
            strict=True,
        )
    ],
    outputs={
        "kst": Output("line", "the sum", Unit.POINTS, warm_up=_kst),
        "kst_sig": Output("signal", "its mean over `nsig` bars", Unit.POINTS, warm_up=_kst_signal),
        "kst_diff": Output(
            "histogram", "the line less its signal", Unit.POINTS, warm_up=_kst_signal
        ),
    },
    memory=_kst_signal,
    example="crosses_above(kst().line, kst().signal)",
)
bridge(
    "dpo",
    "trend.DPOIndicator",
    "The price of half a window and one bar ago less the mean of the window.",
    parameters=(whole("window", 20, low=3),),
    outputs={"dpo": Output(warm_up=just(0))},
    memory=just(0),
    example="crosses_above(dpo(20), 0)",
)


def _one_more(window: int) -> int:
    return window + 1


bridge(
    "vortex",
    "trend.VortexIndicator",
    "How far highs and lows reach from the opposite ones a bar before, as shares of the range.",
    sources=("high", "low", "close"),
    parameters=(whole("window", 14),),
    outputs={
        "vortex_indicator_pos": Output("plus", "upward", Unit.NUMBER, warm_up=_one_more),
        "vortex_indicator_neg": Output("minus", "downward", Unit.NUMBER, warm_up=_one_more),
        "vortex_indicator_diff": Output(
            "difference", "plus less minus", Unit.NUMBER, warm_up=_one_more
        ),
    },
    memory=_one_more,
    example="crosses_above(vortex().plus, vortex().minus)",
)
bridge(
    "psar",
    "trend.PSARIndicator",
    "The parabolic stop: under the price while it rises, over it while it falls.",
    sources=("high", "low", "close"),
    parameters=(
        Parameter("step", 0.02, 0.001, 1, is_whole=False),
        Parameter("max_step", 0.2, 0.01, 1, is_whole=False),
    ),
    outputs={"psar": Output(is_level=True, warm_up=always(3))},
    memory=always(FOUND),
    example="crosses_above(close, psar())",
)


def _cycles(fast: int, slow: int, cycle: int, one: int, two: int) -> int:
    return max(fast, slow) + 2 * (cycle - 1) + one + two - 2


bridge(
    "stc",
    "trend.STCIndicator",
    "Schaff's cycle: where the distance of two means stands in its range, twice over. With the"
    " usual windows it remembers more than 400 bars.",
    parameters=(
        whole("window_fast", 23),
        whole("window_slow", 50),
        whole("cycle", 10, low=2),
        whole("smooth1", 3),
        whole("smooth2", 3),
    ),
    outputs={"stc": Output(unit=Unit.POINTS, bounds=(0.0, 100.0), warm_up=_cycles)},
    memory=lambda fast, slow, cycle, one, two: (
        _cycles(fast, slow, cycle, one, two)
        + faded(exponential(slow), exponential(one), exponential(two), rest=SURE)
    ),
    example="crosses_above(stc(12, 26), 25)",
)
bridge(
    "ulcer_index",
    "volatility.UlcerIndex",
    "The root of the mean square of the falls from the highest price of the window, in percent.",
    parameters=(whole("window", 14),),
    outputs={"ulcer_index": Output(unit=Unit.POINTS, warm_up=just(0))},
    memory=lambda window: 2 * window - 1,
    example="ulcer_index(14) < 1",
)
