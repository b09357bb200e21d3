"""Templates, chains of them, and the two sides of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.condition_reader import Surroundings, read_conditions
from config.strict_yaml import Located, MapNode, parse_yaml
from market.errors import ConfigError
from market.orders import Side

if TYPE_CHECKING:
    from config.condition_file import ConditionSpec

BASE = """\
name: base
template: true
universe: all
timeframe: 15m
when: close > mid
cooldown: 2 hours
let: {mid: 'sma(close, n)', up: close > open}
params: {n: {default: 20, range: [5, 60]}}
tests: []
"""


def node(text: str, file: str = "x.yaml") -> MapNode:
    found = parse_yaml(text, file)
    assert isinstance(found, MapNode)
    return found


def named(*texts: str) -> dict[str, MapNode]:
    found = {}
    for text in texts:
        name = node(text).get("name")
        assert isinstance(name, Located)
        found[name.text] = node(text, f"{name.text}.yaml")
    return found


def read(text: str, *others: str) -> tuple[ConditionSpec, ...]:
    own = node(text)
    name = own.get("name")
    assert isinstance(name, Located)
    return read_conditions(own, Surroundings(named={**named(*others), name.text: own}))


def refusal(text: str, *others: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, *others)
    return [str(problem) for problem in caught.value.problems]


def test_a_child_of_what_is_off_is_on_and_a_side_can_be_off() -> None:
    (child,) = read("name: a\nextends: base\n", f"{BASE}enabled: false\n")
    assert child.is_enabled
    buy, sell = read(
        "name: a\nextends: base\nsides: {buy: {when: up}, sell: {when: up, enabled: false}}", BASE
    )
    assert (buy.is_enabled, sell.is_enabled) == (True, False)
    assert not any(one.is_enabled for one in read(f"{SIDES}enabled: false\n"))


def test_a_child_takes_what_it_does_not_say_itself() -> None:
    (spec,) = read("name: a\nextends: base\nwhen: up\ncooldown: 5 minutes\n", BASE)
    assert (spec.name, spec.timeframe, spec.cooldown.seconds) == ("a", "15m", 300)
    assert spec.when == Located("up", "x.yaml", 3, 7)
    assert spec.universe == Located("all", "base.yaml", 3, 11)
    assert spec.tests == ()


def test_names_are_joined_and_the_childs_win() -> None:
    text = "name: a\nextends: base\nlet: {up: close > 5, low: close < 5}\n"
    text += "params: {n: {default: 30, range: [5, 60]}, m: {default: 1, range: [1, 2]}}\n"
    (spec,) = read(text, BASE)
    assert [(one.name.text, one.body.text) for one in spec.lets] == [
        ("mid", "sma(close, n)"),
        ("up", "close > 5"),
        ("low", "close < 5"),
    ]
    assert [(one.name.text, one.default.text) for one in spec.params] == [("n", "30"), ("m", "1")]


def test_chains_are_followed_to_their_end() -> None:
    middle = "name: middle\nextends: base\ncooldown: 1 hour\nclear: close < 3\n"
    (spec,) = read("name: a\nextends: middle\nclear: close < 2\n", middle, BASE)
    assert (spec.cooldown.seconds, spec.clear) == (3600, Located("close < 2", "x.yaml", 3, 8))
    assert spec.when == Located("close > mid", "base.yaml", 5, 7)


def test_a_mistake_is_told_in_the_file_in_which_it_stands() -> None:
    wrong = BASE.replace("2 hours", "two hours").replace("tests", "tets")
    assert refusal("name: a\nextends: base\nfor: 2\n", wrong) == [
        "base.yaml:6:11: 'two hours' is not a length of time; write 90s, 30 minutes or 2 hours",
        "base.yaml:9:1: unknown key 'tets'; did you mean 'tests'?",
        "x.yaml:3:6: '2' is not a count of bars; write 2 bars",
    ]


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        (
            "extends: bse",
            [BASE],
            ["x.yaml:2:10: extends the unknown condition 'bse'; did you mean"],
        ),
        ("extends: a", [], ["x.yaml:2:10: extends itself: a -> a"]),
        (
            "extends: b",
            ["name: b\nextends: c\n", "name: c\nextends: b\n"],
            ["c.yaml:2:10: extends itself: a -> b -> c -> b"],
        ),
        ("extends: [a]", [BASE], ["x.yaml:2:10: 'extends' must be a text, not a list or mapping"]),
    ],
)
def test_what_cannot_be_extended_is_refused(
    text: str, others: list[str], expected: list[str]
) -> None:
    own = f"name: a\n{text}\nuniverse: all\ntimeframe: 5m\nwhen: close > 3\n"
    found = refusal(own, *others)
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True))


SIDES = """\
name: cross
universe: all
timeframe: 5m
cooldown: 1 hour
let: {mid: 'sma(close, 20)'}
order: {size: 500_000 KRW}
sides:
  buy:
    when: close > mid
  sell:
    describe: leaves again
    when: close < mid
    cooldown: 5 minutes
    let: {mid: 'sma(close, 60)'}
"""


def test_each_side_is_a_condition_with_what_both_share() -> None:
    buy, sell = read(SIDES)
    assert (buy.name, sell.name) == ("cross-buy", "cross-sell")
    assert (buy.when, sell.when) == (
        Located("close > mid", "x.yaml", 9, 11),
        Located("close < mid", "x.yaml", 12, 11),
    )
    assert (buy.cooldown.seconds, sell.cooldown.seconds) == (3600, 300)
    assert (buy.describe, sell.describe) == ("", "leaves again")
    assert [one.lets[0].body.text for one in (buy, sell)] == ["sma(close, 20)", "sma(close, 60)"]
    assert buy.order is not None
    assert sell.order is not None
    assert (buy.order.side, sell.order.side) == (Side.BUY, Side.SELL)


def test_one_side_may_stand_alone() -> None:
    (spec,) = read(SIDES.partition("  sell:")[0])
    assert spec.name == "cross-buy"


def test_sides_are_inherited() -> None:
    buy, sell = read("name: other\nextends: cross\ntimeframe: 1h\n", SIDES)
    assert [(one.name, one.timeframe) for one in (buy, sell)] == [
        ("other-buy", "1h"),
        ("other-sell", "1h"),
    ]


SCORE = "score: {parts: [{when: close > 3, weight: 1}], above: 2, below: -2}\n"
HEAD = "name: a\nuniverse: all\ntimeframe: 5m\n"


def test_a_score_with_both_thresholds_has_two_sides_and_what_they_say_of_their_own() -> None:
    buy, sell = read(f"{HEAD}{SCORE}sides: {{sell: {{clear: close > 3}}}}\n")
    assert (buy.name, sell.name) == ("a-buy", "a-sell")
    assert buy.clear is None
    assert sell.clear is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sides: 3\nwhen: close > 3",
            ["4:8: 'sides' must be a mapping with the keys buy and sell"],
        ),
        ("sides: {}", ["4:8: 'sides' names neither buy nor sell"]),
        ("sides: {by: {when: close > 3}}", ["4:9: unknown side 'by'; did you mean 'buy'?"]),
        ("sides: {buy: close > 3}", ["4:14: 'buy' must be a mapping: {when: close > open}"]),
        (
            "when: close > 3\nsides: {buy: {cooldown: 5m}, sell: {when: close < 3}}",
            ["5:14: the buy side says nothing of its own; write its 'when' or 'score'"],
        ),
        (
            "tests: []\nsides: {buy: {when: close > 3}}",
            ["4:1: write the tests below the side that they try"],
        ),
        (
            "sides: {buy: {when: close > 3, name: x}}",
            ["4:32: key 'name' stands at the top, not in a side"],
        ),
        (
            "order: {side: buy, size: 3}\nsides: {sell: {when: close > 3}}",
            ["4:15: the sell side cannot buy; leave 'side' out"],
        ),
        ("sides: {buy: {when: close > 3, fr: 2}}", ["4:32: unknown key 'fr'; did you mean 'for'?"]),
    ],
)
def test_sides_that_cannot_be(text: str, expected: list[str]) -> None:
    found = refusal(f"{HEAD}{text}\n")
    assert [one.removeprefix("x.yaml:") for one in found] == expected


def test_a_name_must_leave_room_for_its_side() -> None:
    long = SIDES.partition("  sell")[0].replace("name: cross", f"name: {'c' * 37}")
    (problem,) = refusal(long)
    assert problem.startswith(f"x.yaml:1:7: '{'c' * 37}-buy' is not a name")
    assert read(long.replace("ccc", "cc", 1))
