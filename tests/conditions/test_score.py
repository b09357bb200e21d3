"""Tests of scores: weights, thresholds, what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.compile import compile_condition
from conditions.engine import evaluate, evaluate_columns
from conditions.explain import explain
from config.condition_reader import parse_condition, parse_conditions
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from market.panel import Panel

HEAD = "name: a\nuniverse: [KRX:005930]\ntimeframe: 5m\n"
TRUE, FALSE, UNKNOWN = "close > 0", "close < 0", "close[300] > 0"


def made(text: str) -> Condition:
    return compile_condition(parse_condition(HEAD + text, "a.yaml"))


def score(*parts: str, limit: str = "above: 0.2") -> Condition:
    lines = "".join(f"    - {{{part}}}\n" for part in parts)
    return made(f"score:\n  parts:\n{lines}  {limit}\n")


@pytest.fixture
def panel(panel_of: Callable[..., Panel]) -> Panel:
    return panel_of([100.0, 101.0, 99.0])


@pytest.mark.parametrize(
    ("parts", "limit", "expected"),
    [
        ([f"when: {TRUE}, weight: 0.3"], "above: 0.2", 1),
        ([f"when: {TRUE}, weight: 0.2"], "above: 0.2", -1),
        ([f"when: {TRUE}, weight: 0.1", f"when: {TRUE}, weight: 0.2"], "above: 0.3", -1),
        ([f"when: {TRUE}, weight: 0.1", f"when: {TRUE}, weight: 0.2"], "above: 0.29", 1),
        ([f"when: {TRUE}, weight: 0.5", f"when: {FALSE}, weight: 9"], "above: 0.2", 1),
        (
            [f"when: {TRUE}, weight: 0.5", f"when: {FALSE}, weight: 9, otherwise: -1"],
            "above: 0.2",
            -1,
        ),
        ([f"when: {FALSE}, weight: 9, otherwise: -0.3"], "below: -0.2", 1),
        ([f"when: {FALSE}, weight: 9, otherwise: -0.2"], "below: -0.2", -1),
        ([f"when: {UNKNOWN}, weight: 1", f"when: {TRUE}, weight: 1"], "above: 0.2", 0),
        (
            [f"when: '{UNKNOWN}', weight: 1, unknown: 0", f"when: {TRUE}, weight: 1"],
            "above: 0.2",
            1,
        ),
        ([f"when: '{UNKNOWN}', weight: 1, unknown: -1"], "below: -0.5", 1),
        ([f"when: {TRUE}, weight: 50%"], "above: 2 * 10%", 1),
    ],
)
def test_the_sum_is_compared_with_the_threshold(
    parts: list[str], limit: str, expected: int, panel: Panel
) -> None:
    parts = [one.replace(f"when: {UNKNOWN}", f"when: '{UNKNOWN}'") for one in parts]
    found = evaluate(score(*parts, limit=limit), panel, np.array([0]))
    assert found.when.tolist() == [expected]
    assert found.clear.tolist() == [-expected]


def test_verdicts_follow_bar_by_bar(panel: Panel) -> None:
    condition = score("when: 'close > close[1]', weight: 1, otherwise: -1", limit="above: 0")
    found = evaluate_columns(condition, panel, np.array([0]), 3)
    assert found.when.tolist() == [[0, 1, -1]]
    assert (condition.warmup, condition.depth) == (2, 2)


def test_when_and_score_must_both_hold(panel: Panel) -> None:
    text = f"score: {{parts: [{{when: {TRUE}, weight: 1}}], above: 0}}\n"
    for when, expected in ((TRUE, 1), (FALSE, -1)):
        condition = made(f"{text}when: {when}\n")
        assert evaluate(condition, panel, np.array([0])).when.tolist() == [expected]
    assert condition.when.text == "close < 0 and score > 0"


def test_a_part_may_be_a_rule_and_numbers_may_be_parameters() -> None:
    text = (
        "params: {w: {default: 0.4, range: [0, 1]}, limit: {default: 0.2, range: [0, 1]}}\n"
        "let: {up: close > open}\n"
        "score:\n  parts:\n    - when: {all: [up, not: up]}\n      weight: w\n"
        "      otherwise: -w / 2\n  above: limit\n"
    )
    with pytest.raises(ConfigError, match=r"a.yaml:10:18: expected a number, such as 0.4"):
        made(text)
    condition = made(text.replace("-w / 2", "-w * 0.5"))
    assert condition.when.text == "score > 0.2"
    assert condition.version != made(text.replace("-w / 2", "-w")).version


def test_both_thresholds_make_two_sides() -> None:
    part = f"{{when: {TRUE}, weight: 1}}"
    specs = parse_conditions(f"{HEAD}score: {{parts: [{part}], above: 2, below: -2}}\n")
    conditions = [compile_condition(spec) for spec in specs]
    assert [(one.name, one.when.text) for one in conditions] == [
        ("a-buy", "score > 2"),
        ("a-sell", "score < -2"),
    ]
    assert conditions[0].version != conditions[1].version


def test_the_explanation_lists_what_each_part_adds(panel: Panel) -> None:
    condition = score(
        f"when: {TRUE}, weight: 0.4",
        f"when: {FALSE}, weight: 0.3, otherwise: -0.1",
        f"when: '{UNKNOWN}', weight: 1, unknown: 0.5",
    )
    found = explain(condition, panel, 0)
    assert [(one.text, one.left, one.operator, one.right) for one in found.leaves] == [
        ("score > 0.2", 0.8, ">", 0.2),
        (TRUE, 0.4, "/", 0.4),
        (FALSE, -0.1, "/", 0.3),
        (UNKNOWN, 0.5, "/", 1.0),
    ]
    assert [int(one.verdict) for one in found.leaves] == [1, 1, -1, 0]


def test_the_sum_of_an_unknown_score_is_not_told(panel: Panel) -> None:
    text = f"score: {{parts: [{{when: '{UNKNOWN}', weight: 1}}], above: 0}}\nwhen: {TRUE}\n"
    found = explain(made(text), panel, 0)
    assert found.verdict == 0
    assert [one.text for one in found.leaves] == [TRUE, "score > 0", UNKNOWN]
    assert np.isnan([found.leaves[1].left, found.leaves[2].left]).all()


def test_every_mistake_in_a_score_has_its_place() -> None:
    text = (
        "score:\n  parts:\n    - {when: rsy(14) < 30, weight: close}\n"
        "    - {when: close > 3, weight: 2 KRW, otherwise: 1_000_000_000, unknown: 0.00000000001}\n"
        "  above: missing\n"
    )
    with pytest.raises(ConfigError) as caught:
        made(text)
    assert [(one.line, one.column) for one in caught.value.problems] == [
        (6, 14),
        (6, 36),
        (7, 33),
        (7, 51),
        (7, 75),
        (8, 10),
    ]
