"""What `ta` computes of momentum and moving averages; each line is a fact about `ta` 0.11."""

from __future__ import annotations

from math import ceil, log

from conditions.indicators.memory import STILL, exponential, faded, wilder
from conditions.indicators.registry import Output, Parameter
from conditions.indicators.ta_bridge import always, bridge, just, whole
from conditions.units import Unit

SURE = 1e-9
"""What is forgotten where a small difference is divided by another."""
CENTRED = (-100.0, 100.0)
PERCENT = (0.0, 100.0)


def _weight(name: str, default: int) -> Parameter:
    return Parameter(name, default, 0, 100, is_whole=False)


def _twice(slow: int, fast: int) -> int:
    return slow + fast


bridge(
    "tsi",
    "momentum.TSIIndicator",
    "True strength: the twofold mean of changes as a share of that of their sizes, in points.",
    parameters=(whole("window_slow", 25), whole("window_fast", 13)),
    outputs={"tsi": Output(unit=Unit.POINTS, bounds=CENTRED, warm_up=_twice)},
    memory=lambda slow, fast: (
        slow + fast + STILL * slow + faded(exponential(slow), exponential(fast))
    ),
    example="crosses_above(tsi(25, 13), 0)",
)


def _longest(*given: float) -> int:
    return int(max(given[:3])) + 1


bridge(
    "ultimate_oscillator",
    "momentum.UltimateOscillator",
    "Buying pressure as a share of the true range over three windows, weighted.",
    sources=("high", "low", "close"),
    parameters=(
        whole("window1", 7),
        whole("window2", 14),
        whole("window3", 28),
        _weight("weight1", 4),
        _weight("weight2", 2),
        _weight("weight3", 1),
    ),
    outputs={"ultimate_oscillator": Output(unit=Unit.POINTS, bounds=PERCENT, warm_up=_longest)},
    memory=_longest,
    example="ultimate_oscillator() < 30",
)


def _kama_memory(window: int, pow1: int, pow2: int) -> int:
    slowest = (2.0 / (max(pow1, pow2) + 1.0)) ** 2
    return window + 1 + ceil(log(1e-6) / log(1.0 - slowest))


bridge(
    "kama",
    "momentum.KAMAIndicator",
    "Kaufman's adaptive mean: quick where prices go somewhere, slow where they only shake. With the"
    " usual `pow2` of 30 it may remember 3,300 bars; a `pow2` of 9 fits into 400.",
    parameters=(whole("window", 10), whole("pow1", 2), whole("pow2", 30, low=2)),
    outputs={"kama": Output(is_level=True, warm_up=just(0))},
    memory=_kama_memory,
    example="close > kama(10, 2, 9)",
)
bridge(
    "awesome_oscillator",
    "momentum.AwesomeOscillatorIndicator",
    "The mean of the bars' middles over a short window less that over a long one.",
    sources=("high", "low"),
    parameters=(whole("window1", 5), whole("window2", 34)),
    outputs={"awesome_oscillator": Output(warm_up=max)},
    memory=max,
    example="crosses_above(awesome_oscillator(), 0)",
)


def _stochrsi(window: int, *_: int) -> int:
    return 2 * window - 1


bridge(
    "stochrsi",
    "momentum.StochRSIIndicator",
    "Where the relative strength stands in its own range: 0 at its lowest, 1 at its highest.",
    parameters=(whole("window", 14, low=2), whole("smooth1", 3), whole("smooth2", 3)),
    outputs={
        "stochrsi": Output("value", "the position", Unit.RATIO, warm_up=_stochrsi),
        "stochrsi_k": Output(
            "k",
            "its mean over `smooth1` bars",
            Unit.RATIO,
            warm_up=lambda window, one, *_: 2 * window - 2 + one,
        ),
        "stochrsi_d": Output(
            "d",
            "the mean of k over `smooth2` bars",
            Unit.RATIO,
            warm_up=lambda window, one, two: 2 * window - 3 + one + two,
        ),
    },
    memory=lambda window, one, two: (
        (STILL + 1) * window + one + two + faded(wilder(window), rest=SURE)
    ),
    example="crosses_above(stochrsi().k, stochrsi().d) and stochrsi().d < 20%",
)


def _line(fast: int, slow: int, *_: int) -> int:
    return max(fast, slow)


def _signal(fast: int, slow: int, sign: int) -> int:
    return max(fast, slow) + sign - 1


def _lines_memory(fast: int, slow: int, sign: int) -> int:
    longest = max(fast, slow)
    return longest + sign + faded(exponential(longest), exponential(sign))


for _short, _path, _of, _sources in (
    ("ppo", "PercentagePriceOscillator", "prices", ("close",)),
    ("pvo", "PercentageVolumeOscillator", "volume", ("volume",)),
):
    bridge(
        _short,
        f"momentum.{_path}",
        f"The distance of two exponential means of {_of}, in percent of the slow one.",
        sources=_sources,
        parameters=(whole("window_fast", 12), whole("window_slow", 26), whole("window_sign", 9)),
        outputs={
            _short: Output("line", "the distance", Unit.POINTS, warm_up=_line),
            f"{_short}_signal": Output(
                "signal", "its exponential mean", Unit.POINTS, warm_up=_signal
            ),
            f"{_short}_hist": Output(
                "histogram", "the line less its signal", Unit.POINTS, warm_up=_signal
            ),
        },
        memory=_lines_memory,
        example=f"crosses_above({_short}().line, {_short}().signal)",
    )
for _short, _path, _what in (
    ("daily_return", "DailyReturnIndicator", "change"),
    ("daily_log_return", "DailyLogReturnIndicator", "logarithmic change"),
):
    bridge(
        _short,
        f"others.{_path}",
        f"The {_what} from the bar before, in percent; of a day on daily bars only.",
        outputs={_short: Output(unit=Unit.POINTS, warm_up=always(2))},
        memory=always(2),
        example=f"{_short}() > 3",
    )
bridge(
    "cumulative_return",
    "others.CumulativeReturnIndicator",
    "The change from the session's first bar, in percent.",
    outputs={"cumulative_return": Output(unit=Unit.POINTS, warm_up=always(1))},
    example="cumulative_return() > 3",
)
