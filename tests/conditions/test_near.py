"""Tests of the distance to firing: its definition, its signs, and the ranking."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_condition
from conditions.engine import evaluate
from conditions.near import Ranking, near
from conditions.resolve import joined_truths
from config.condition_reader import parse_condition
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from market.panel import Panel

    Compiled = Callable[..., Condition]
    PanelOf = Callable[..., Panel]

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=25)
WAVE = [100.0 + (place % 4) for place in range(80)]
"""Ends on 103; its spread over 60 bars is that of 0, 1, 2, 3."""
SPREAD = float(np.std([0, 1, 2, 3]))
ONE = np.array([0])


def distance(when: str, compiled: Compiled, panel: Panel) -> float:
    """Return the distance of the first row; NaN where it has none."""
    found = near(compiled(when), panel, ONE)
    return found.nearest[0].distance if found.nearest else float("nan")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("close > 106", 3.0),
        ("close >= 101", -2.0),
        ("close < 101", 2.0),
        ("close == 105", 2.0),
        ("close != 105", -2.0),
        ("close > 106 and close > 104", 3.0),
        ("close > 106 or close > 104", 1.0),
        ("not close > 101", 2.0),
        ("not (close > 106 and close < 101)", -3.0),
        ("close > 104 for 2 bars", 2.0),
        ("close > 104 within 3 bars", 1.0),
        ("close > 101 for 2 bars", -1.0),
        ("100 < close < 102", 1.0),
        ("crosses_above(close, 105)", 2.0),
        ("crosses_above(close, 101)", 1.0),
        ("crosses_below(close, 101)", 2.0),
        ("crosses_above(close, 102.5)", -0.5),
    ],
)
def test_distance_is_what_is_missing_in_units_of_the_spread(
    when: str, expected: float, compiled: Compiled, panel_of: PanelOf
) -> None:
    assert distance(when, compiled, panel_of(WAVE)) == pytest.approx(expected / SPREAD)


@pytest.mark.parametrize(("bars", "ranked"), [(19, 0), (20, 1)])
def test_a_spread_of_few_bars_means_nothing(
    bars: int, ranked: int, compiled: Compiled, panel_of: PanelOf
) -> None:
    found = near(compiled("close > 106"), panel_of(WAVE[:bars]), ONE)
    assert (found.ranked, found.unmeasured) == (ranked, 1 - ranked)


def test_the_spread_is_that_of_the_difference_of_both_sides(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    closes = [100.0 + place + (place % 4) for place in range(80)]
    expected = (closes[-1] - 1.02 * np.mean(closes[-5:])) / np.std(
        [closes[at] - 1.02 * np.mean(closes[at - 4 : at + 1]) for at in range(20, 80)]
    )
    found = distance("close > 1.02 * sma(close, 5)", compiled, panel_of(closes))
    assert found == pytest.approx(-expected)


def test_what_does_not_move_has_no_distance_but_a_verdict(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of(WAVE)
    assert distance("volume > 9", compiled, panel) == -inf
    assert distance("volume > 9 and close > 106", compiled, panel) == pytest.approx(3 / SPREAD)
    never = near(compiled("volume > 10"), panel, ONE)
    assert (never.nearest, never.ranked, never.unknown, never.unmeasured) == ((), 0, 0, 1)
    assert distance("volume > 10 or close > 106", compiled, panel) == pytest.approx(3 / SPREAD)


def test_rounding_is_no_movement(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(WAVE)
    assert near(compiled("close / 3 * 3 - close > 1"), panel, ONE).unmeasured == 1


def test_the_limiting_leaf_comes_with_its_values(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > 1 and (volume > 20 or close > 106 for 2 bars) and close < 999")
    (found,) = near(condition, panel_of(WAVE), ONE).nearest
    assert found.leaf is not None
    assert (found.leaf.text, found.leaf.left, found.leaf.right) == (
        "close > 106 for 2 bars",
        103.0,
        106.0,
    )
    assert (found.leaf.verdict, found.verdict) == (Verdict.FALSE, Verdict.FALSE)


def test_instruments_are_ranked_and_unknown_ones_counted(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    higher = [close + 2 for close in WAVE]
    panel = panel_of(WAVE, higher, WAVE[:30], [5.0] * 80, [close + 9 for close in WAVE])
    found = near(compiled("close > 106 and sma(close, 40) > 0"), panel, np.arange(5), top=2)
    assert [one.row for one in found.nearest] == [4, 1]
    assert [one.verdict for one in found.nearest] == [Verdict.TRUE, Verdict.FALSE]
    assert (found.ranked, found.unknown, found.unmeasured) == (3, 1, 1)


def test_an_unknown_part_leaves_the_distance_unknown_unless_another_holds(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of(WAVE)
    assert near(compiled("close > 106 and sma(close, 99) > 1"), panel, ONE).unknown == 1
    assert near(compiled("close > 106 or sma(close, 99) > 1"), panel, ONE).unknown == 1
    held = distance("close > 101 or sma(close, 99) > 1", compiled, panel)
    assert held == pytest.approx(-2 / SPREAD)


def test_a_missing_newest_bar_is_unknown(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(WAVE, missing=[79])
    assert near(compiled("close > 106"), panel, ONE).unknown == 1


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ("above: 0.3, parts: [A 0.4, B 0.3]", 1.0),
        ("above: 0.5, parts: [A 0.4, B 0.3]", 3.0),
        ("above: 0.9, parts: [A 0.4, B 0.3]", None),
        ("above: 0.3, parts: [C 0.4, B 0.3]", -2.0),
        ("above: 0.5, parts: [C 0.4, B 0.3, A 0.2]", 1.0),
        ("above: -1, parts: [A 0.4]", -inf),
        ("above: 0.1, parts: [A -0.4, C 0.3]", -1.0),
        ("below: 0.1, parts: [C 0.3, B 0.3]", 2.0),
        ("below: 0.2, parts: [A 0.3, B 0.3]", -1.0),
        ("above: 0.3, parts: [A 0.4, D 0.3]", 1.0),
        ("above: 0.5, parts: [A 0.4, D 0.3]", None),
    ],
)
def test_a_score_is_as_far_as_the_last_part_that_must_turn(
    score: str, expected: float | None, compiled: Compiled, panel_of: PanelOf
) -> None:
    condition = scored(score)
    found = near(condition, panel_of(WAVE), ONE)
    if expected is None:
        assert (found.nearest, found.unmeasured) == ((), 1)
        return
    (one,) = found.nearest
    assert one.distance == pytest.approx(expected / SPREAD)
    assert one.leaf is not None
    assert one.leaf.text.startswith("score")


def test_leaves_behind_a_score_are_named_rightly(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = scored("above: 0.1, parts: [C 0.4, B 0.3]", "when: not volume > 99 and close > 1")
    joined = joined_truths("and", [condition.when, compiled("close > 110").when])
    assert joined is not None
    both = replace(condition, when=joined)
    (found,) = near(both, panel_of(WAVE), ONE).nearest
    assert found.leaf is not None
    assert found.leaf.text == "close > 110"


PARTS = {
    "A": "close > 104",
    "B": "close > 106 and close > 1",
    "C": "close > 101",
    "D": "sma(close, 99) > 1",
}
"""Distances 1, 3 and -2, and one that is unknown and then adds nothing."""


def scored(text: str, *lines: str) -> Condition:
    """Return a condition from a short form of its score."""
    threshold, _, rest = text.partition(", parts: ")
    parts = [part.split() for part in rest.strip("[]").split(", ")]
    listed = [
        f"    - {{when: '{PARTS[name]}', weight: {weight}, unknown: 0}}" for name, weight in parts
    ]
    head = ["name: x", "universe: [KRX:005930]", "timeframe: 5m", *lines]
    whole = [*head, "score:", f"  {threshold}", "  parts:", *listed]
    return compile_condition(parse_condition("\n".join(whole) + "\n"))


def test_no_rows_make_an_empty_ranking(compiled: Compiled, panel_of: PanelOf) -> None:
    assert near(compiled("close > 1"), panel_of(WAVE), np.array([])) == Ranking()


def test_two_rankings_make_one(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(WAVE, [close + 2 for close in WAVE], [close + 1 for close in WAVE])
    condition = compiled("close > 106")
    first, second = (near(condition, panel, np.array(rows)) for rows in ([0, 1], [2]))
    assert first.joined(second, 9) == near(condition, panel, np.arange(3))
    assert [one.row for one in first.joined(second, 2).nearest] == [1, 2]


EXPRESSIONS = (
    "close / sma(close, 9) - 1 > 0.2%",
    "crosses_above(close, ema(close, 5)) within 3 bars",
    "rsi(close, 6) < 45 for 2 bars or close > highest(high, 4)[1]",
    "not stdev(change(close, 1), 6) > 0.3% and ema(sma(close, 3), 4) < close",
    "not (close == close[1] or crosses_below(close, open) for 2 bars)",
)


@pytest.mark.parametrize("when", EXPRESSIONS)
@STEADY
@given(seed=st.integers(0, 1000), bars=st.integers(0, 90))
def test_the_sign_is_the_verdict(
    when: str, seed: int, bars: int, compiled: Compiled, panel_of: PanelOf
) -> None:
    random = np.random.default_rng(seed)
    closes = np.round(500 * np.exp(random.normal(0, 0.004, (4, bars)).cumsum(1))).tolist()
    panel, rows = panel_of(*closes, missing=[bars // 2, bars - 1]), np.arange(4)
    condition = compiled(when)
    verdicts = evaluate(condition, panel, rows).when
    found = near(condition, panel, rows)
    assert found.ranked + found.unknown + found.unmeasured == 4
    ranked = {one.row for one in found.nearest}
    assert {row for row in range(4) if verdicts[row] == 1} <= ranked
    for one in found.nearest:
        assert one.verdict == verdicts[one.row] != 0
        assert one.distance <= 0 if one.verdict is Verdict.TRUE else one.distance >= 0
    assert [one.distance for one in found.nearest] == sorted(one.distance for one in found.nearest)


@pytest.mark.parametrize("when", EXPRESSIONS)
def test_many_rows_at_once_are_measured_as_each_alone(
    when: str, compiled: Compiled, panel_of: PanelOf
) -> None:
    random = np.random.default_rng(7)
    closes = np.round(5000 * np.exp(random.normal(0, 0.004, (9, 90)).cumsum(1))).tolist()
    panel, condition = panel_of(*closes), compiled(when)
    alone = [near(condition, panel, np.array([row])) for row in range(9)]
    together = near(condition, panel, np.arange(9))
    assert {one.row: one for one in together.nearest} == {
        one.row: one for ranking in alone for one in ranking.nearest
    }
