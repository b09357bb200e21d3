"""Tests of the meaning of expressions: names, arguments, units; every mistake with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

FIRST = 8
"""The column of the first character of the expression in `when: '...'`."""


@pytest.mark.parametrize(
    "when",
    [
        "close > 80_000 KRW",
        "value > 100_000_000 KRW",
        "close * volume > 100_000_000 KRW",
        "value / volume > 80_000 KRW",
        "close / sma(close, 60) - 1 > 2%",
        "sma(60) > ema(20)",
        "sma(close, window=20) > sma(window=20)",
        "rsi() < 30 and rsi(volume, 9) < 30",
        "change(close, 5) > 2% or change() < -2%",
        "close > sma(close, 20) + 2 * stdev(close, 20)",
        "close > highest(high, 20)[1] for 2 bars",
        "crosses_above(rsi(14), 30) within 3 bars",
        "abs(change(close, 1)) > 1%",
        "max(close, open, 1000) > min(high, 2000)",
        "1000 < close < 2000 KRW",
        "not close > -1000",
    ],
)
def test_units_that_fit_are_accepted(when: str, compiled: Callable[..., Condition]) -> None:
    assert compiled(when).depth <= 400


@pytest.mark.parametrize(
    ("when", "offset", "message"),
    [
        ("rsy(14) > 30", 0, "unknown indicator 'rsy'; did you mean 'rsi'?"),
        ("clsoe > 30", 0, "unknown name 'clsoe'; did you mean 'close'?"),
        ("x > 30", 0, "unknown name 'x'; known: open, high, low, close, volume, value"),
        ("rsi > 30", 0, "'rsi' needs arguments: rsi(source, window=14)"),
        ("max > 30", 0, "'max' needs arguments: max(a, b)"),
        ("crosses_above", 0, "'crosses_above' needs arguments: crosses_above(a, b)"),
        ("close(3) > 30", 0, "'close' is a series and takes no arguments"),
        ("close", 0, "expected a comparison, found only a number"),
        ("close > open > 2 and volume", 21, "expected a comparison, found only a number"),
        ("(close > 2) + 1 > 2", 0, "expected a number, found something true or false"),
        ("crosses_above(close, 2) > 1", 0, "expected a number, but 'crosses_above' is true"),
        ("crosses_above(close) and 1 > 2", 0, "'b' is missing; expected crosses_above(a, b)"),
        ("crosses_above(close, volume)", 21, "a price (money a share) cannot be compared with"),
        ("close > volume", 8, "a price (money a share) cannot be compared with a volume (shares)"),
        ("close > 2%", 8, "a price (money a share) cannot be compared with a ratio (%)"),
        ("value > close", 8, "a value (money traded) cannot be compared with a price"),
        ("rsi(14) > 70%", 10, "points are written without %, such as 70"),
        ("close > 5 minutes", 8, "cannot be compared with a length of time"),
        ("close > open + 1 tick", 15, "ticks are known only in an order's size and price"),
        ("close + volume > 1", 8, "a price (money a share) cannot be added to a volume"),
        ("close - volume > 1", 8, "a volume (shares) cannot be subtracted from a price"),
        ("close * open > 1", 8, "a price (money a share) cannot be multiplied by a price"),
        ("1 / close > 1", 4, "a bare number cannot be divided by a price"),
        ("max(close, volume) > 1", 11, "a price (money a share) cannot be compared with a volume"),
        ("max(close) > 1", 0, "'max' takes at least 2 arguments, by place"),
        ("abs(close, open) > 1", 0, "'abs' takes one argument, by place"),
        ("sma(close) > 1", 0, "'window' is missing; expected sma(source, window)"),
        ("sma(close, 0) > 1", 11, "'window' must be a whole number from 1 to 5000, found 0"),
        ("sma(close, 2.5) > 1", 11, "must be a whole number from 1 to 5000, found 2.5"),
        ("sma(close, 2%) > 1", 11, "'window' must be a whole number written out"),
        ("sma(close, volume) > 1", 11, "'window' must be a whole number written out"),
        ("sma(close, 5, 6) > 1", 14, "too many arguments; expected sma(source, window)"),
        ("sma(close, 5, window=6) > 1", 21, "'window' is given twice"),
        ("sma(close, windwo=6) > 1", 18, "'sma' has no parameter 'windwo'; did you mean 'window'?"),
        ("close.line > 1", 0, "'close' has no part 'line'"),
        ("close.sma(3) > 1", 0, "'close.sma' cannot be called"),
        ("sma(close, 500) > 1", 0, "needs 500 bars, 400 are kept; use a shorter window"),
        ("close > 1 and close[400] > 1", 14, "needs 401 bars"),
        ("close > 1 for 500 bars", 0, "needs 500 bars"),
        ("close > ema(close, 61)", 8, "needs 402 bars"),
    ],
)
def test_mistakes_have_their_place(
    when: str, offset: int, message: str, compiled: Callable[..., Condition]
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(when)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert (problem.file, problem.line, problem.column) == ("example.yaml", 4, FIRST + offset)


def test_all_mistakes_of_an_expression_come_at_once(compiled: Callable[..., Condition]) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled("rsy(14) > 30 and smaa(close, 20) > clsoe")
    assert [one.column - FIRST for one in caught.value.problems] == [0, 17, 35]


def test_columns_count_characters_not_bytes(compiled: Callable[..., Condition]) -> None:
    with pytest.raises(ConfigError, match=r"example\.yaml:4:12: unknown name '종가'"):
        compiled("1 < (종가)")


@pytest.mark.parametrize(
    ("when", "warmup", "depth"),
    [
        ("crosses_above(close, sma(close, 20))", 21, 21),
        ("rising(sma(close, 5), 3)", 8, 8),
        ("hammer()", 6, 6),
        ("doji()", 1, 1),
        ("crosses_above(close, sma(close, 20)) within 4 bars", 24, 24),
        ("of('KRX:000001').crosses_above(close, sma(close, 20))", 1, 21),
        ("of('KRX:000001').(close > sma(close, 20) for 3 bars)", 1, 22),
        ("d1.crosses_above(close, sma(close, 20))", 1, 1),
    ],
)
def test_an_event_needs_the_bars_that_it_looks_at(
    when: str, warmup: int, depth: int, compiled: Callable[..., Condition]
) -> None:
    found = compiled(when.replace("'", '"'))
    assert (found.warmup, found.depth) == (warmup, depth)
