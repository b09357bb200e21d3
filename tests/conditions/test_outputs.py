"""Tests of calls: outputs by name, decimals, events with other signatures, shorthands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.engine import evaluate, evaluate_columns
from conditions.explain import explain, overlays
from conditions.indicators import INDICATORS
from conditions.nodes import to_text
from conditions.series import Indicated
from conditions.truths import Compared, Happened, Joined
from market.errors import ConfigError
from tests.conditions.random_bars import walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from conditions.series import Series
    from market.panel import Panel

    Compiled = Callable[..., Condition]
    PanelOf = Callable[..., Panel]


def left_of(condition: Condition) -> Series:
    assert isinstance(condition.when, Compared)
    return condition.when.left


@pytest.mark.parametrize(
    ("when", "meaning", "unit"),
    [
        ("macd().line > 0", "macd(close, 12, 26, 9).line", "price"),
        ("macd(volume, 3, 6, 2).signal > 0", "macd(volume, 3, 6, 2).signal", "volume"),
        ("bollinger(20, 2.5).upper > 0", "bollinger(close, 20, 2.5).upper", "price"),
        ("bollinger(20, 2.0).width > 0", "bollinger(close, 20, 2).width", "points"),
        ("bollinger(deviations=3).percent > 0", "bollinger(close, 20, 3).percent", "ratio"),
        ("stochastic(smooth=5).d > 0", "stochastic(14, 5).d", "points"),
        ("atr() > 0", "atr(14)", "price"),
        ("vwap() > 0", "vwap()", "price"),
        ("adx().plus[1] > 0", "adx(14).plus[1]", "points"),
        ("rolling_vwap(5) > 0", "rolling_vwap(5)", "price"),
    ],
)
def test_a_call_has_one_meaning(
    when: str, meaning: str, unit: str, compiled: Callable[..., Condition]
) -> None:
    series = left_of(compiled(when))
    assert series.key == to_text(series.node) == meaning
    assert series.unit == unit


@pytest.mark.parametrize(
    ("when", "offset", "message"),
    [
        (
            "macd(12, 26, 9) > 0",
            0,
            "'macd' has several outputs; add one of .line, .signal, .histog",
        ),
        ("macd(12, 26, 9).lin > 0", 0, "'macd' has no output 'lin'; did you mean 'line'?"),
        ("close > bollinger().middel", 8, "has no output 'middel'; did you mean 'middle'?"),
        ("rsi(14).line > 0", 0, "'rsi' has a single output; leave out '.line'"),
        ("min(close, open).x > 0", 0, "'min(close, open)' has no part 'x'"),
        ("macd > 0", 0, "'macd' needs arguments: macd(source, fast=12, slow=26, signal=9).line"),
        ("macd(26, 12).line > 0", 5, "'fast' must be less than 'slow'"),
        ("macd(fast=30).line > 0", 10, "'fast' must be less than 'slow'"),
        ("ppo(12, 12).line > 0", 4, "'window_fast' must be less than 'window_slow'"),
        (
            "bollinger(20, 11).upper > 0",
            14,
            "'deviations' must be a number from 0.1 to 10, found 11",
        ),
        ("bollinger(20, 2 bars).upper > 0", 14, "'deviations' must be a number written out"),
        ("bollinger(20.5, 2).upper > 0", 10, "'window' must be a whole number from 2 to 5000"),
        ("rolling_vwap(close, 5) > 0", 20, "too many arguments; expected rolling_vwap(window=14)"),
        ("volume > vwap()", 9, "a volume (shares) cannot be compared with a price"),
        ("roc(12) > 5%", 10, "points are written without %, such as 70"),
        ("kama(10) > close", 0, "needs 3324 bars, 400 are kept"),
        ("doji", 0, "'doji' is called with ( ): doji()"),
        ("rising", 0, "'rising' needs arguments: rising(x, bars=1)"),
        ("doji(close)", 5, "too many arguments; expected doji()"),
        ("doji() > 1", 0, "expected a number, but 'doji' is true or false"),
        ("in_range(rsi(14), 1)", 0, "'high' is missing; expected in_range(x, low, high)"),
        ("in_range(close, 1%, 2%)", 0, "cannot be compared with"),
        ("in_range(close, volum, 2)", 16, "unknown name 'volum'; did you mean 'volume'?"),
        ("rising(close, 2.5)", 14, "'bars' must be a whole number from 1 to 100, found 2.5"),
        ("rising(sma(close, 390), 20)", 0, "needs 410 bars, 400 are kept"),
        ("squeeze(20, 2, 500)", 0, "needs 519 bars, 400 are kept"),
        ("squeez()", 0, "did you mean 'squeeze'?"),
    ],
)
def test_mistakes_say_what_there_is(
    when: str, offset: int, message: str, compiled: Callable[..., Condition]
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(when)
    assert message in caught.value.problems[0].message
    assert caught.value.problems[0].column == len("when: '") + 1 + offset


def test_all_outputs_of_a_call_are_computed_once(compiled: Compiled, panel_of: PanelOf) -> None:
    calls: list[int] = []
    macd = INDICATORS.get("macd")

    def counted(*given: object) -> np.ndarray:
        calls.append(1)
        return macd.kernel(*given)

    condition = compiled("macd().line > macd().signal and macd().histogram > 0")

    def watched(truth: Compared) -> Compared:
        sides = [
            replace(one, indicator=replace(macd, kernel=counted))
            if isinstance(one, Indicated)
            else one
            for one in (truth.left, truth.right)
        ]
        return replace(truth, left=sides[0], right=sides[1])

    parts = tuple(watched(one) for one in condition.when.parts if isinstance(one, Compared))
    assert isinstance(condition.when, Joined)
    condition = replace(condition, when=replace(condition.when, sources=parts))
    panel = panel_of(walk(1, 300))
    assert evaluate(condition, panel, np.array([0])).when[0] != 0
    assert calls == [1]


def test_outputs_have_their_own_warm_up(compiled: Compiled, panel_of: PanelOf) -> None:
    for when, bars in (("macd().line > -1000", 26), ("macd().signal > -1000", 34)):
        condition = compiled(when)
        assert condition.warmup == bars
        for count in (bars - 1, bars):
            verdict = evaluate(condition, panel_of(walk(1, count)), np.array([0])).when[0]
            assert verdict == (1 if count == bars else 0)


def test_one_column_is_the_last_of_many(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(walk(1, 300), walk(9, 300), volumes=walk(3, 300).tolist())
    rows = np.array([1, 0])
    for when in (
        "macd().line > macd().signal",
        "close > bollinger(20, 1.5).upper",
        "close > vwap()",
        "stochastic().k > stochastic().d",
        "tsi() > 0",
        "rising(obv(), 2)",
        "rising(close, 3) within 3 bars",
        "reenters_from_below(20, 1) within 5 bars",
    ):
        condition = compiled(when)
        many = evaluate_columns(condition, panel, rows, 50).when
        few = evaluate(condition, panel, rows).when
        np.testing.assert_array_equal(few, many[:, -1])
        assert {-1, 1} <= set(many.ravel().tolist()), when


def test_bands_are_drawn_and_their_width_is_not(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled(
        "close > bollinger(20, 2).upper and bollinger(20, 2).width < 4 and vwap() > 0"
    )
    drawn = overlays(condition, panel_of(walk(1, 100)), 0, 30)
    assert set(drawn) == {"bollinger(close, 20, 2).upper", "vwap()"}


def test_a_run_is_explained_by_where_it_began(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of([10.0, 11.0, 12.0, 13.0])
    (leaf,) = explain(compiled("rising(close, 3)"), panel, 0).leaves
    assert (leaf.text, leaf.left, leaf.operator, leaf.right, leaf.unit, leaf.verdict) == (
        "rising(close, 3)",
        13.0,
        "rises from",
        10.0,
        "price",
        1,
    )


def test_a_candle_is_explained_by_its_close_and_first_open(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    (leaf,) = explain(compiled("engulfing_bullish()"), panel_of([10.0, 11.0, 12.0]), 0).leaves
    assert (leaf.left, leaf.operator, leaf.right) == (12.0, "engulfs from", 11.0)


def test_a_shorthand_is_explained_as_what_it_means(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("in_range(close, 9 , 2 * 6) and breaks_above_band(3)")
    leaves = explain(condition, panel_of([10.0, 11.0, 12.0, 13.0]), 0).leaves
    assert [leaf.text for leaf in leaves] == [
        "9 <= close",
        "close <= 2 * 6",
        "crosses_above(close, bollinger(close, 3, 2).upper)",
    ]
    assert compiled("9 <= close <= 12").when.node == compiled("in_range(close, 9, 12)").when.node


def test_a_missing_slot_makes_a_run_unknown(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of([10.0, 11.0, 12.0, 13.0, 14.0], missing=[2])
    condition = compiled("rising(close, 2)")
    assert isinstance(condition.when, Happened)
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [0]
    assert evaluate(compiled("rising(close, 1)"), panel, np.array([0])).when.tolist() == [1]
