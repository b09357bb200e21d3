"""Tests of named expressions: what they may be, where they are known, where mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.compile import compile_all, compile_condition
from conditions.engine import evaluate
from conditions.explain import explain
from conditions.nodes import to_text
from config.condition_file import Let
from config.condition_reader import Surroundings, parse_condition
from config.strict_yaml import Located
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from market.panel import Panel

HEAD = "name: a\nuniverse: [KRX:005930]\ntimeframe: 5m\n"


def made(text: str, *shared: tuple[str, str]) -> Condition:
    """Return a condition; shared expressions stand in lines of their own file."""
    lets = tuple(
        Let(Located(name, "_shared.yaml", line, 3), Located(body, "_shared.yaml", line, 20))
        for line, (name, body) in enumerate(shared, 2)
    )
    return compile_condition(parse_condition(HEAD + text, "a.yaml", Surroundings(shared=lets)))


def meaning(text: str, *shared: tuple[str, str]) -> str:
    return to_text(made(text, *shared).when.node)


def refusal(text: str, *shared: tuple[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        made(text, *shared)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("lets", "when", "expected"),
    [
        ("{mid: (high + low) / 2}", "close > mid", "close > (high + low) / 2"),
        ("{mid: high + low}", "close > mid * 2", "close > (high + low) * 2"),
        ("{a: b + 1 KRW, b: sma(c), c: close}", "a > 2", "sma(close, 20) + 1 KRW > 2"),
        ("{n: 20}", "sma(close, n) > 2", "sma(close, 20) > 2"),
        ("{mid: high + low}", "sma(mid, 5) > 2", "sma(high + low, 5) > 2"),
        ("{up: close > open}", "up and not up", "close > open and not close > open"),
        ("{up: close > open}", "up for 3 bars", "close > open for 3 bars"),
        ("{up: close > open or close > 5}", "up and up", "({0}) and ({0})"),
        ("{mid: high - low}", "mid[3] > -mid", "(high - low)[3] > -(high - low)"),
        (
            "{up: 'crosses_above(close, open)'}",
            "up within 2 bars",
            "crosses_above(close, open) {1}",
        ),
        ("{중심: high + low}", "close > 중심", "close > high + low"),
    ],
)
def test_a_name_means_its_expression(lets: str, when: str, expected: str) -> None:
    lets = lets.replace("sma(c)", "'sma(c, 20)'")
    filled = expected.format("close > open or close > 5", "within 2 bars")
    assert meaning(f"let: {lets}\nwhen: {when}\n") == filled


def test_names_are_used_in_every_expression_of_a_file() -> None:
    condition = made(
        "when: {any: [up, {not: up}]}\nclear: down\n"
        "order: {side: buy, size: stake, price: entry}\n"
        "let: {up: close > mid, down: close < mid, mid: 'sma(close, 20)', stake: 2% * equity,\n"
        "      entry: close + 1 tick}\n"
    )
    assert condition.clear is not None
    assert condition.size is not None
    assert condition.price is not None
    assert to_text(condition.clear.node) == "close < sma(close, 20)"
    assert to_text(condition.size.node) == "2% * equity"
    assert condition.price.names == {"close", "tick"}


def test_a_version_is_that_of_the_meaning() -> None:
    named = made("let: {mid: 'sma(close, 20)', more: close}\nwhen: close > mid\n")
    assert named.version == made("when: close > sma(close, 20)\n").version


def test_a_use_keeps_its_own_words(panel_of: Callable[..., Panel]) -> None:
    condition = made("let: {mid: 'sma(close, 2)', up: close > mid}\nwhen: up and mid > 2 KRW\n")
    panel = panel_of([100.0, 104.0])
    found = explain(condition, panel, 0)
    assert [(one.text, one.left, one.right) for one in found.leaves] == [
        ("close > mid", 104.0, 102.0),
        ("mid > 2 KRW", 102.0, 2.0),
    ]
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [1]


def test_a_mistake_is_told_once_at_its_own_place() -> None:
    text = (
        "let:\n  bad: 1 + rsy(14)\n  worse: bad > volume\nwhen: bad > 3 and worse and rsz(4) > 1\n"
    )
    assert refusal(text) == [
        "a.yaml:5:12: unknown indicator 'rsy'; did you mean 'rsi'?",
        "a.yaml:7:29: unknown indicator 'rsz'; did you mean 'rsi'?",
    ]


def test_a_wrong_use_is_told_where_it_is_used() -> None:
    text = "let: {mid: 'sma(close, 20)', up: close > 3}\nwhen: {all: [volume > mid, up > 3, mid]}\n"
    assert refusal(text) == [
        "a.yaml:5:23: a volume (shares) cannot be compared with a price (money a share)",
        "a.yaml:5:28: expected a number, found something true or false",
        "a.yaml:5:36: expected a comparison, found only a number",
    ]


@pytest.mark.parametrize(
    ("lets", "expected"),
    [
        ("{a: b + 1, b: c, c: a * 2}", "4:7: is made of itself: a -> b -> c -> a"),
        ("{a: b, b: c, c: b * 2}", "4:13: is made of itself: b -> c -> b"),
        ("{a: a + 1}", "4:7: is made of itself: a -> a"),
        ("{close: open}", "4:7: 'close' is a field; choose another name"),
        ("{equity: open}", "4:7: 'equity' is a field; choose another name"),
        ("{rsi: open}", "4:7: 'rsi' is an indicator; choose another name"),
        ("{crosses_above: open}", "4:7: 'crosses_above' is an event; choose another name"),
        ("{and: open}", "4:7: 'and' is a word of the language; choose another name"),
        ("{KRW: open}", "4:7: 'KRW' is a word of the language; choose another name"),
        ("{a: 'sma(close, 2'}", "4:23: expected ',' or ')' in the arguments, found the end of"),
        ("{a: close, b: a(3)}", "4:20: 'a' is a named expression and takes no arguments"),
        ("{a: close > 2% * equity}", "4:10: expected one number"),
        ("{a: 2 * equty + 1 tick}", "4:14: unknown name 'equty'; did you mean 'equity'?"),
    ],
)
def test_named_expressions_that_cannot_be(lets: str, expected: str) -> None:
    (problem,) = refusal(f"let: {lets}\nwhen: close > 3\n")
    assert problem.startswith(f"a.yaml:{expected}")


def test_one_name_may_stand_for_several_outputs() -> None:
    text = "let: {bands: 'bollinger(20, 2)', out: close > bands.upper}\nwhen: {}\n"
    expected = "close > bollinger(close, 20, 2).upper and close > bollinger(close, 20, 2).lower"
    assert meaning(text.replace("{}", "out and close > bands.lower")) == expected
    assert refusal(text.replace("{}", "close > bands")) == [
        "a.yaml:5:15: 'bollinger' has several outputs; add one of .upper, .middle, .lower,"
        " .percent, .width"
    ]
    assert refusal("let: {bands: 'bollinger(20)', lower: bands.lowr}\nwhen: lower > 3\n") == [
        "a.yaml:4:38: 'bollinger' has no output 'lowr'; did you mean 'lower'?"
    ]


def test_a_name_that_was_meant_is_suggested() -> None:
    text = "let: {trend: close}\nparams: {slow: {default: 5, range: [1, 9]}}\nwhen: {}\n"
    for wrong, right in (("close > trnd", "trend"), ("close > slwo", "slow")):
        (problem,) = refusal(text.replace("{}", wrong))
        assert problem.endswith(f"did you mean '{right}'?")


def test_growth_is_bounded() -> None:
    lines = [f"  a{place}: a{place - 1} + a{place - 1}" for place in range(1, 40)]
    text = "\n".join(["let:", "  a0: close", *lines, "when: a39 > 3", ""])
    (problem,) = refusal(text)
    assert "too large once its named expressions are put in" in problem
    deep = "+".join(["close"] * 48)
    text = f"let: {{a: {deep}, b: a / (1 + a / (1 + a))}}\nwhen: b > 3\n"
    assert "too large" in refusal(text)[0]


def test_shared_names_are_known_in_every_file() -> None:
    shared = (("mid", "sma(close, n)"), ("n", "20"))
    assert meaning("when: close > mid\n", *shared) == "close > sma(close, 20)"


def test_an_own_name_hides_a_shared_one_but_not_for_shared_ones() -> None:
    shared = (("mid", "sma(close, n)"), ("n", "20"))
    text = "let: {n: 5}\nwhen: close > mid and close > sma(close, n)\n"
    assert meaning(text, *shared) == "close > sma(close, 20) and close > sma(close, 5)"
    spec = made(text, *shared).spec
    assert [one.hides and one.hides.line for one in spec.lets] == [3]


def test_a_parameter_hides_a_shared_name() -> None:
    text = "params: {n: {default: 3, range: [1, 9]}}\nwhen: close > sma(close, n)\n"
    assert meaning(text, ("n", "20")) == "close > sma(close, 3)"


def test_mistakes_of_shared_names_are_told_once_for_all_files() -> None:
    shared = (Let(Located("mid", "_shared.yaml", 2, 3), Located("smaa(2)", "_shared.yaml", 2, 8)),)
    specs = [
        parse_condition(f"{HEAD}when: close > {number}\n", "a.yaml", Surroundings(shared=shared))
        for number in (1, 2)
    ]
    with pytest.raises(ConfigError) as caught:
        compile_all(specs)
    assert [str(one)[:22] for one in caught.value.problems] == ["_shared.yaml:2:8: unkn"]


def test_a_shared_expression_does_not_know_parameters() -> None:
    text = "params: {n: {default: 3, range: [1, 9]}}\nwhen: close > mid\n"
    assert refusal(text, ("mid", "sma(close, n)")) == [
        "_shared.yaml:2:31: 'window' must be a whole number written out; expected"
        " sma(source, window)"
    ]
