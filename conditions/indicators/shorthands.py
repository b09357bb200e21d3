"""Words for expressions that traders write again and again."""

from __future__ import annotations

from conditions.indicators.events import SHORTHANDS, Shorthand
from conditions.indicators.registry import Parameter

BAND = (
    Parameter("window", 20, 2, 5_000),
    Parameter("deviations", 2, 0.1, 10, is_whole=False),
)
UPPER = "bollinger(close, {window}, {deviations}).upper"
LOWER = "bollinger(close, {window}, {deviations}).lower"
WIDTH = "bollinger(close, {window}, {deviations}).width"


def _register(name: str, shorthand: Shorthand) -> None:
    SHORTHANDS.register(name)(shorthand)


_register(
    "in_range",
    Shorthand(
        "The first is at least the second and at most the third.",
        "{low} <= {x} <= {high}",
        "in_range(rsi(14), 40, 60)",
        series=("x", "low", "high"),
    ),
)
_register(
    "breaks_above_band",
    Shorthand(
        "The close leaves the Bollinger bands upward.",
        f"crosses_above(close, {UPPER})",
        example="breaks_above_band(20, 2)",
        parameters=BAND,
    ),
)
_register(
    "breaks_below_band",
    Shorthand(
        "The close leaves the Bollinger bands downward.",
        f"crosses_below(close, {LOWER})",
        example="breaks_below_band(20, 2)",
        parameters=BAND,
    ),
)
_register(
    "reenters_from_above",
    Shorthand(
        "The close comes back under the upper Bollinger band.",
        f"crosses_below(close, {UPPER})",
        example="reenters_from_above(20, 2)",
        parameters=BAND,
    ),
)
_register(
    "reenters_from_below",
    Shorthand(
        "The close comes back over the lower Bollinger band.",
        f"crosses_above(close, {LOWER})",
        example="reenters_from_below(20, 2)",
        parameters=BAND,
    ),
)
_register(
    "squeeze",
    Shorthand(
        "The Bollinger bands are as narrow as at no other time in the last `lookback` bars.",
        f"{WIDTH} <= lowest({WIDTH}, {{lookback}})",
        "squeeze(20, 2, 120) within 5 bars and breaks_above_band(20, 2)",
        parameters=(*BAND, Parameter("lookback", 120, 2, 5_000)),
    ),
)
