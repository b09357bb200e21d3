"""Tests of numbers that a backtest may vary."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from conditions.nodes import to_text
from config.condition_reader import parse_condition
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conditions.compile import Condition

HEAD = "name: a\nuniverse: [KRX:005930]\ntimeframe: 5m\n"
PARAMS = """\
params:
  fast: {default: 5, range: [3, 20]}
  drop: {default: -2%, range: [-10%, 0%]}
  hold: {default: 2 bars, range: [1 bars, 5 bars]}
"""


def made(text: str, params: Mapping[str, Decimal | int] | None = None) -> Condition:
    return compile_condition(parse_condition(HEAD + text, "a.yaml"), params=params)


def meaning(when: str, **params: Decimal | int) -> str:
    return to_text(made(f"when: {when}\n{PARAMS}", params).when.node)


def refusal(text: str, params: Mapping[str, Decimal | int] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        made(text, params)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("sma(close, fast) > 3", "sma(close, 5) > 3"),
        ("rsi(fast) > 3", "rsi(close, 5) > 3"),
        ("close[fast] > fast * close", "close[5] > 5 * close"),
        ("change(close, fast) < drop for hold bars", "change(close, 5) < -2% for 2 bars"),
        ("close > open within fast bars", "close > open within 5 bars"),
        ("sma(close, hold) > 3", "sma(close, 2 bars) > 3"),
    ],
)
def test_a_parameter_stands_wherever_a_number_may(when: str, expected: str) -> None:
    assert meaning(when) == expected.replace("2 bars)", "2)")


def test_a_backtest_replaces_defaults_in_the_unit_of_the_range() -> None:
    assert meaning("change(close, fast) < drop", drop=Decimal("-1.5"), fast=20) == (
        "change(close, 20) < -1.5%"
    )


def test_parameters_are_known_in_named_expressions_and_orders() -> None:
    text = "let: {mid: 'sma(close, fast)'}\nwhen: close > mid\n" + PARAMS
    condition = made(text + "order: {side: buy, size: fast * 100_000 KRW}\n")
    assert condition.warmup == 5
    assert condition.size is not None
    assert condition.size.value({}) == 500_000


def test_the_bars_to_hold_may_be_a_parameter() -> None:
    text = f"when: close > 3\nfor: hold bars\n{PARAMS}"
    assert made(text).spec.hold_bars == 2
    assert made(text, {"hold": 5}).spec.hold_bars == 5
    assert made(text).version == made("when: close > 3\nfor: 2 bars\n").version
    assert made(text, {"hold": 5}).version != made(text).version
    assert len(refusal(text, {"hold": 10**40})) == 2
    assert refusal(text.replace("hold bars\n", "drop bars\n", 1)) == [
        "a.yaml:5:6: 'drop' is -2%; from 1 to 400 bars can be held"
    ]
    assert refusal(text.replace("hold bars\n", "hald bars\n", 1)) == [
        "a.yaml:5:6: 'hald bars' is not a count of bars; write 2 bars"
    ]


def test_the_version_covers_the_values_in_force() -> None:
    text = f"when: sma(close, fast) > 3\n{PARAMS}"
    assert made(text).version == made(text, {"fast": 5}).version
    assert made(text).version == made("when: sma(close, 5) > 3\n").version
    assert made(text).version != made(text, {"fast": 6}).version


def test_values_outside_the_range_and_unknown_names_are_refused() -> None:
    text = f"when: sma(close, fast) > 3\n{PARAMS}"
    assert refusal(text, {"fast": 2, "drop": Decimal("0.5"), "fats": 3}) == [
        "a.yaml: 'a' has no parameter 'fats'; did you mean 'fast'?",
        "a.yaml:6:3: fast: 2 lies outside the range from 3 to 20",
        "a.yaml:7:3: drop: 0.5% lies outside the range from -10% to 0%",
    ]


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("{default: 2, range: [3, 20]}", "5:21: 2 lies outside the range from 3 to 20"),
        ("{default: 5, range: [20, 3]}", "5:32: the range ends before it begins"),
        ("{default: 5, range: [3%, 20]}", "5:32: '3%' is not in the unit of the default, '5'"),
        ("{default: close, range: [3, 20]}", "5:21: expected a number written out"),
        ("{default: 5 apples, range: [3, 20]}", "5:23: unknown unit 'apples' after a number"),
        (
            "{default: 5, range: [1, 20], step: 1}",
            "5:40: unknown key 'step'; known: default, range",
        ),
        ("{default: 5, range: 3}", "5:31: 'range' is the least and the greatest: [3, 20]"),
        ("{default: 5}", "5:11: key 'range' is missing"),
        ("5", "5:11: 'number' needs a default and a range: {default: 5, range: [3, 20]}"),
    ],
)
def test_parameters_that_cannot_be(param: str, expected: str) -> None:
    (problem,) = refusal(f"params:\n  number: {param}\nwhen: close > 3\n")
    assert problem.startswith(f"a.yaml:{expected}")


def test_a_name_that_is_taken_is_refused() -> None:
    assert refusal("params: {rsi: {default: 5, range: [3, 20]}}\nwhen: close > 3\n") == [
        "a.yaml:4:10: 'rsi' is an indicator; choose another name"
    ]
    text = "let: {a: close}\nparams: {a: {default: 5, range: [3, 20]}}\nwhen: close > 3\n"
    assert refusal(text) == ["a.yaml:5:10: 'a' is in 'let' too; choose another name"]


def test_a_window_beyond_what_its_indicator_takes_is_told_where_it_is_used() -> None:
    text = "params: {n: {default: 0, range: [0, 20]}}\nwhen: sma(close, n) > 3\n"
    assert refusal(text) == ["a.yaml:5:18: 'window' must be a whole number from 1 to 5000, found 0"]
