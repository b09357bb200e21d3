"""Tests of evaluation: three-valued logic, own bars, gaps, and the same answer however asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.engine import evaluate, evaluate_columns
from conditions.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from market.panel import Panel

    Compiled = Callable[..., Condition]
    PanelOf = Callable[..., Panel]

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=25)
ONE_ROW = np.array([0])


def verdict(condition: Condition, panel: Panel) -> int:
    """Return the verdict of the first row's newest bar."""
    return int(evaluate(condition, panel, ONE_ROW).when[0])


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("close > 12", 1),
        ("close > 13", -1),
        ("close >= 13 and close <= 13", 1),
        ("close == 13 and close != 12", 1),
        ("10 < close < 13", -1),
        ("10 < close <= 13", 1),
        ("close[1] == 12 and close[3] == 10", 1),
        ("close[4] > 0", 0),
        ("sma(close, 5) > 0", 0),
        ("sma(close, 5) > 0 or close > 12", 1),
        ("sma(close, 5) > 0 and close > 13", -1),
        ("not sma(close, 5) > 0", 0),
        ("not close > 13", 1),
        ("close / (close - close) > 0", 0),
        ("close > 10 for 3 bars", 1),
        ("close > 11 for 3 bars", -1),
        ("close > 0 for 5 bars", 0),
        ("close > 11 for 5 bars", -1),
        ("close < 12 within 3 bars", 1),
        ("close < 11 within 3 bars", -1),
        ("close < 10 within 5 bars", 0),
        ("crosses_above(close, 12)", 1),
        ("crosses_above(close, 11.5)", -1),
        ("crosses_above(close, 11.5) within 2 bars", 1),
        ("crosses_below(-close, -12)", 1),
        ("abs(close - 20) > 6 and max(close, 20) == 20 and min(close, 5) == 5", 1),
        ("change(close, 3) > 29% and change(close, 3) <= 30%", 1),
        ("highest(close, 3)[1] == 12 and lowest(close, 3) == 11", 1),
        ("-close + 14 == 1", 1),
        ("2 * 3 > 5", 1),
        ("sma(2 * 3, 3) == 6", 1),
        ("volume * close == value", 1),
        ("high > close > low and open == close", 1),
    ],
)
def test_verdict_of_four_rising_bars(
    when: str, expected: int, compiled: Compiled, panel_of: PanelOf
) -> None:
    assert verdict(compiled(when), panel_of([10.0, 11.0, 12.0, 13.0])) == expected


def test_a_missing_slot_makes_a_crossing_unknown_but_not_values(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of([10.0, 11.0, 12.0, 13.0], missing=[2])
    assert verdict(compiled("crosses_above(close, 12)"), panel) == 0
    assert verdict(compiled("close[1] == 11"), panel) == 1
    assert verdict(compiled("close > 10 for 2 bars"), panel) == 1


def test_a_missing_newest_slot_makes_everything_unknown(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of([10.0, 11.0], [10.0, 11.0], missing=[1])
    condition = compiled("close > 0", "clear: close > 0")
    found = evaluate(condition, panel, np.array([0, 1]))
    assert (found.when.tolist(), found.clear.tolist()) == ([0, 1], [0, 1])


def test_clear_without_a_rule_is_the_opposite(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of([10.0], [20.0])
    assert evaluate(compiled("close > 15"), panel, np.array([0, 1])).clear.tolist() == [1, -1]


def test_rows_are_answered_in_the_order_asked(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(*([float(price)] for price in range(10)))
    condition = compiled("close > 6")
    for rows in ([8, 2], [9, 8, 7, 6, 5, 4, 3, 2], [], [3]):
        found = evaluate(condition, panel, np.array(rows, dtype=np.int64))
        assert found.when.tolist() == [1 if row > 6 else -1 for row in rows]


def test_what_conditions_share_is_computed_once(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of([10.0, 11.0, 12.0])
    shared: dict[object, np.ndarray] = {}
    evaluate(compiled("sma(close, 2) > 5"), panel, ONE_ROW, shared)
    view = View(panel, None, shared)

    def fail() -> np.ndarray:
        raise AssertionError("computed twice")

    assert view.recall("sma(close, 2)", 1, fail)[0, -1] == 11.5
    evaluate(compiled("sma(2) > 6 and crosses_above(sma(2), 11)"), panel, ONE_ROW, shared)
    assert view.recall("sma(close, 2)", 2, fail)[0, -2:].tolist() == [10.5, 11.5]


def test_a_revised_bar_counts_with_a_fresh_cache(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of([10.0, 11.0])
    condition = compiled("close > 11")
    assert verdict(condition, panel) == -1
    panel.close[0, -1] = 12.0
    assert verdict(condition, panel) == 1


EXPRESSIONS = (
    "close / sma(close, 9) - 1 > 0.2%",
    "crosses_above(close, ema(close, 5)) within 3 bars",
    "rsi(close, 6) < 45 for 2 bars or close > highest(high, 4)[1]",
    "not stdev(change(close, 1), 6) > 0.3% and ema(sma(close, 3), 4) < close",
    "change(close, 2)[1] > 0 and value > sma(value, 3)",
    "sma(rsi(ema(close, 3), 5)[2], 3) > 50",
)


def path(seed: int, bars: int) -> list[float]:
    """Return a price path."""
    moves = np.random.default_rng(seed).normal(0, 0.004, bars)
    prices: list[float] = np.round(50_000 * np.exp(np.cumsum(moves))).tolist()
    return prices


@pytest.mark.parametrize("when", EXPRESSIONS)
@STEADY
@given(seed=st.integers(0, 1000), columns=st.integers(1, 60), start=st.integers(1, 90))
def test_few_columns_are_the_last_of_all(
    when: str, seed: int, columns: int, start: int, compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of(path(seed, start), missing=[start // 2], depth=80)
    condition = compiled(when)
    whole = evaluate_columns(condition, panel, ONE_ROW, 80).when
    few = evaluate_columns(condition, panel, ONE_ROW, columns).when
    np.testing.assert_array_equal(few, whole[:, -columns:])


@pytest.mark.parametrize("when", EXPRESSIONS)
@STEADY
@given(seed=st.integers(0, 1000), bars=st.integers(1, 80))
def test_stepping_bar_by_bar_gives_the_columns_of_all(
    when: str, seed: int, bars: int, compiled: Compiled, panel_of: PanelOf
) -> None:
    condition, prices = compiled(when), path(seed, bars)
    whole = evaluate_columns(condition, panel_of(prices, depth=80), ONE_ROW, bars).when[0]
    for seen in {1, bars // 2 or 1, bars}:
        assert verdict(condition, panel_of(prices[:seen], depth=80)) == whole[seen - 1]


SIDES = st.sampled_from(["close > 10", "close > 90", "sma(close, 5) > 1"])


@STEADY
@given(sides=st.tuples(SIDES, SIDES, SIDES))
def test_verdicts_obey_the_laws_of_three_valued_logic(
    sides: tuple[str, str, str], compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of([10.0, 20.0])
    a, b, c = sides

    def same(left: str, right: str) -> None:
        assert verdict(compiled(left), panel) == verdict(compiled(right), panel)

    same(f"not ({a} and {b})", f"not {a} or not {b}")
    same(f"not ({a} or {b})", f"not {a} and not {b}")
    same(f"{a} and ({b} or {c})", f"{a} and {b} or {a} and {c}")
    same(f"not not {a}", a)
    same(f"{a} or {a} and {b}", a)
    same(f"({a} and {b}) and {c}", f"{a} and ({b} and {c})")


def test_evaluation_leaves_the_panel_alone(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(path(1, 50), missing=[49])
    before = panel.close.copy()
    evaluate(compiled(EXPRESSIONS[0]), panel, ONE_ROW)
    np.testing.assert_array_equal(panel.close, before)
