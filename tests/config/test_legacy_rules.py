from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.legacy_rules import ARITIES, read_legacy_rules
from market.errors import ConfigError

RULE = '{"a": {"CLOSE": ["BIGGER", 5]}}'


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_legacy_rules(text, "rules.py")
    return [f"{one.line}:{one.column}: {one.message}" for one in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        RULE,
        f"# mine\nRULES = {RULE}\n",
        f"\ufeff{RULE}",
        "{'a': {'CLOSE': ('BIGGER', 5,),},}",
        '{\n\t"a":\r\n{"CLOSE": ["BIGGER", 5]}}',
        '{"\\u0061": {"CLOSE": ["BIGGER", +5]}}',
    ],
)
def test_python_and_json_are_read(text: str) -> None:
    (rule,) = read_legacy_rules(text, "rules.py")
    (test,) = rule.tests
    assert (rule.name.text, test.column.text, test.operator) == ("a", "CLOSE", "BIGGER")
    assert [one.number for one in test.arguments] == [Decimal(5)]


def test_arguments_are_numbers_or_columns_with_their_places() -> None:
    (rule,) = read_legacy_rules('{"거래": {"K": ["BETWEEN", -0.5, "D"]}}', "rules.py")
    number, column = rule.tests[0].arguments
    assert number.number == Decimal("-0.5")
    assert (column.number, column.located.text) == (None, "D")
    assert (number.located.column, column.located.column) == (26, 32)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: expected one mapping and nothing else: {rule name: {COLUMN: [OPERATOR, ...]}}"),
        ("5", "1:1: expected one mapping and nothing else: {rule name: {COLUMN: [OPERATOR, ...]}}"),
        (
            f"import os\nRULES = {RULE}",
            "1:1: expected one mapping and nothing else: {rule name: {COLUMN: [OPERATOR, ...]}}",
        ),
        ("{", "1:1: neither Python nor JSON: '{' was never closed"),
        ("{}", "1:1: there are no rules in it"),
        ("{5: {}}", "1:2: a rule's name must be a text"),
        ('{**{"a": 5}}', "1:4: a rule's name must be a text"),
        ('{"a": 5}', "1:7: rule 'a' must be a mapping {COLUMN: [OPERATOR, ...]}"),
        ('{"a": {}}', "1:7: rule 'a' must be a mapping {COLUMN: [OPERATOR, ...]}"),
        ('{"한글": {"K": 5}}', "1:14: 'K' must be a list [OPERATOR, ...]"),
        ('{"a": {"K": []}}', "1:13: 'K' must be a list [OPERATOR, ...]"),
        (
            '{"a": {"K": ["BIGER", 5]}}',
            "1:14: unknown operator 'BIGER'; did you mean 'BIGGER'?",
        ),
        ('{"a": {"K": ["BIGGER"]}}', "1:14: BIGGER takes 1 arguments, found 0"),
        (
            '{"a": {"K": ["BIGGER", print("x")]}}',
            "1:24: an argument must be a number up to 1,000,000,000,000,000, or a column",
        ),
        (
            '{"a": {"K": ["BIGGER", true]}}',
            "1:24: an argument must be a number up to 1,000,000,000,000,000, or a column",
        ),
        (
            '{"a": {"K": ["BIGGER", 1e999]}}',
            "1:24: an argument must be a number up to 1,000,000,000,000,000, or a column",
        ),
        ('{"a": {"K": ["BIGGER", 1], "K": ["BIGGER", 2]}}', "1:28: 'K' is written twice"),
    ],
)
def test_what_is_no_rule_is_told_with_its_place(text: str, message: str) -> None:
    assert refused(text) == [message]


def test_everything_is_told_at_once() -> None:
    assert len(refused('{"a": {"K": 5, "D": ["X"]}, "b": 3, 4: 5}')) == 4


def test_nothing_is_executed() -> None:
    assert refused('{"a": {"K": ["BIGGER", __import__("os").abort()]}}')


SIGNS = tuple("{}[]:,-5()x=*#é\\'\" \n\x00")
PIECES = st.sampled_from([*SIGNS, "1e400", '"a"', *(f'"{name}"' for name in ARITIES)])


@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
@settings(max_examples=300, deadline=None)
def test_any_text_is_rules_or_refused(text: str) -> None:
    with suppress(ConfigError):
        read_legacy_rules(text, "rules.py")


@pytest.mark.parametrize("text", ["(" * 5_000, "{" * 5_000, "-" * 100_000 + "1", "9" * 5_000])
def test_monsters_are_refused(text: str) -> None:
    assert refused(text)
