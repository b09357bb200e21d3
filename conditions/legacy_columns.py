"""What a column of the older rules is in our language, as far as it has a source here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from conditions.nodes import number_text
from config.registry import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

HUNDRED_MILLION = Decimal(100_000_000)
WINDOWS = (5, 20, 60)

LETS = {
    # The older bands use the sample standard deviation, stdev() is that of the population: over 20
    # bars the first is larger by the square root of 20 / 19.
    "two_sigma": "2.051956704170308 * stdev(close, 20)",
    "upper_band": "sma(close, 20) + two_sigma",
    "lower_band": "sma(close, 20) - two_sigma",
    "band_width": "two_sigma / sma(close, 20)",
    "band_place": "(close - lower_band) / (upper_band - lower_band)",
    "fast_k": "(close - lowest(low, 12)) / (highest(high, 12) - lowest(low, 12))",
    "fast_d": "sma(fast_k, 5)",
    "slow_d": "sma(fast_d, 5)",
    "simple_rsi": "sma(max(close - close[1], 0), 14) / sma(abs(close - close[1]), 14)",
}
"""What the older columns are called in a converted file that needs them, each after its parts."""


class Scale(StrEnum):
    """How a number that a column is compared with is written."""

    PLAIN = "plain"
    RATIO = "ratio"
    HUNDREDTHS = "hundredths"
    HUNDRED_MILLIONS = "hundred millions"


@dataclass(frozen=True, slots=True)
class LegacyColumn:
    """A column: its expression, and the scale of its numbers.

    `over` are the sides of a comparison with a number that needs no division: for VSMAR20 > 5
    these are `volume` and `sma(volume, 20)`, since (v - m) / m > 5 says v > 6 * m. `note` tells
    what is different here.
    """

    expression: str
    scale: Scale = Scale.PLAIN
    over: tuple[str, str] | None = None
    note: str = ""

    def written(self, number: Decimal) -> str:
        """Return a number as it is compared with this column."""
        if self.scale is Scale.RATIO:
            return f"{_grouped(number * 100)}%"
        if self.scale is Scale.HUNDREDTHS:
            return f"{_grouped(number)}%"
        if self.scale is Scale.HUNDRED_MILLIONS:
            return f"{_grouped(number * HUNDRED_MILLION)} KRW"
        return _grouped(number)


def _means() -> dict[str, LegacyColumn]:
    found = {}
    for window in WINDOWS:
        price = f"close / sma(close, {window}) - 1"
        volume, mean = "volume", f"sma(volume, {window})"
        found[f"PSMAR{window}"] = LegacyColumn(price, Scale.RATIO)
        found[f"VSMAR{window}"] = LegacyColumn(
            f"{volume} / {mean} - 1", Scale.RATIO, (volume, mean)
        )
    return found


_BAND_NOTE = "BB*: the sample standard deviation of the older bot is kept (2 x sqrt(20 / 19))."
_STOCHASTIC_NOTE = (
    "K, D, J: 12 bars, smoothed over 5 for D and over 5 once more for J, from 0 to 1."
)
_STRENGTH_NOTE = "RSI: simple means of 14 changes as in the older bot; rsi() here is Wilder's."

COLUMNS = {
    **{name.upper(): LegacyColumn(name) for name in ("close", "open", "high", "low", "volume")},
    **_means(),
    "TRADINGVALUE": LegacyColumn(
        "value",
        Scale.HUNDRED_MILLIONS,
        note="TRADINGVALUE: the money that really traded, which close x volume came close to.",
    ),
    "BBU": LegacyColumn("upper_band", note=_BAND_NOTE),
    "BBL": LegacyColumn("lower_band", note=_BAND_NOTE),
    "BBS": LegacyColumn("two_sigma", note=_BAND_NOTE),
    "BBW": LegacyColumn("band_width", Scale.RATIO, note=_BAND_NOTE),
    "BBP": LegacyColumn("band_place", Scale.RATIO, note=_BAND_NOTE),
    "K": LegacyColumn("fast_k", Scale.RATIO, note=_STOCHASTIC_NOTE),
    "D": LegacyColumn("fast_d", Scale.RATIO, note=_STOCHASTIC_NOTE),
    "J": LegacyColumn("slow_d", Scale.RATIO, note=_STOCHASTIC_NOTE),
    "RSI": LegacyColumn("simple_rsi", Scale.RATIO, note=_STRENGTH_NOTE),
}
"""The columns that have a source here, by their older names."""

_DAILY = re.compile(r"01D_(OPEN|HIGH|LOW|CLOSE|VOLUME|BBP|BBW|BBU|BBL|K|D|J|RSI)")
_EXTREMES = re.compile(r"(05|60)D_(HIGH|LOW)|20D_(TOP20_MEAN_(VOL|FLUCT|CLOSE)|85QTILE_VOL)")
_INVESTORS = re.compile(r"(01D_)?([IF]|PS|SAMO|YG|T|FN)(1|5|20|60)?")


def refusal(name: str) -> str:
    """Return why a column cannot be taken over."""
    if _DAILY.fullmatch(name):
        return f"column '{name}' has no source here: bars of days are not available yet"
    if _EXTREMES.fullmatch(name):
        return f"column '{name}' has no source here: values over several days are not available yet"
    if _INVESTORS.fullmatch(name):
        return f"column '{name}' has no source here: nobody tells what investors of a class bought"
    return f"column '{name}' is not known{suggestion(name, COLUMNS)}"


def let_lines(expressions: Iterable[str]) -> list[str]:
    """Return the lines of `let:` that these expressions need, none where they need none."""
    needed = set(_words(" ".join(expressions)))
    for name in reversed(LETS):
        if name in needed:
            needed |= set(_words(LETS[name]))
    lines = [f"  {name}: {expression}" for name, expression in LETS.items() if name in needed]
    return ["let:", *lines] if lines else []


def scaled(column: LegacyColumn, name: str, numbers: Iterable[Decimal]) -> LegacyColumn:
    """Return a column as its numbers show it: RSI is from 0 to 100 where one of them is above 1."""
    if name == "RSI" and any(abs(number) > 1 for number in numbers):
        return replace(column, scale=Scale.HUNDREDTHS)
    return column


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _grouped(number: Decimal) -> str:
    """Return a number with its digits in groups, without needless zeros."""
    whole, point, rest = number_text(number).partition(".")
    return f"{int(whole):_}{point}{rest}" if whole not in {"-0", "0"} else f"{whole}{point}{rest}"
