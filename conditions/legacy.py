"""Turns rules of the older crawler bot into condition files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conditions.compile import compile_condition
from conditions.legacy_columns import COLUMNS, LegacyColumn, let_lines, refusal, scaled
from conditions.legacy_trials import trial_lines
from config.condition_reader import parse_condition
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from config.legacy_rules import LegacyRule, LegacyTest, LegacyValue
    from market.errors import Problem

_HEAD = "# yaml-language-server: $schema=../schema/condition.json\n"
_LONGEST_NAME = 36
"""A few characters less than a name may have: like ones get a number."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A condition file made of a rule: its name, which its file bears too, and its text."""

    name: str
    text: str


def convert_rules(rules: Sequence[LegacyRule]) -> tuple[Converted, ...]:
    """Return a condition file for each rule; raises ConfigError with every problem."""
    problems: list[Problem] = []
    names: list[str] = []
    converted = []
    for rule in rules:
        names.append(_name(rule, names))
        expressions = [_expression(test, problems) for test in rule.tests]
        if not problems:
            converted.append(Converted(names[-1], _file(rule, names[-1], expressions)))
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(converted)


def expression_of(test: LegacyTest) -> str:
    """Return the comparison that a test is; a ValueError says why there is none."""
    left = _scaled(test)
    arguments = [_operand(one, left) for one in test.arguments]
    if test.operator == "TRUE":
        raise ValueError(f"'{test.column.text}' is a number here; TRUE asks for a text")
    if test.operator == "BETWEEN":
        numbers = [one.number for one in test.arguments if one.number is not None]
        if len(numbers) == 2:
            low, high = (left.written(number) for number in sorted(numbers))
        else:
            low, high = f"min({', '.join(arguments)})", f"max({', '.join(arguments)})"
        return f"{low} < {left.expression} < {high}"
    sign = "<" if test.operator.startswith("SMALLER") else ">"
    threshold = _threshold(test)
    if threshold is None:
        return f"{left.expression} {sign} {_limit(test, arguments)}"
    if left.over is not None:
        amount, mean = left.over
        times = threshold + 1
        return f"{amount} {sign} " + (mean if times == 1 else f"{_plain(times)} * {mean}")
    return f"{left.expression} {sign} {left.written(threshold)}"


def _scaled(test: LegacyTest) -> LegacyColumn:
    numbers = [one.number for one in test.arguments if one.number is not None]
    return scaled(_column(test.column.text), test.column.text, numbers)


def _column(name: str) -> LegacyColumn:
    if name not in COLUMNS:
        raise ValueError(refusal(name))
    return COLUMNS[name]


def _operand(value: LegacyValue, left: LegacyColumn) -> str:
    if value.number is not None:
        return left.written(value.number)
    return _column(value.located.text).expression


def _threshold(test: LegacyTest) -> Decimal | None:
    """Return what the column is compared with, None where that is no number."""
    numbers = [one.number for one in test.arguments if one.number is not None]
    if len(numbers) < len(test.arguments):
        return None
    match test.operator:
        case "SMALLER_P":
            return numbers[0] * (1 - numbers[1])
        case "BIGGER_P":
            return numbers[0] * (1 + numbers[1])
        case "SMALLER_MINMAX_P" | "BIGGER_MINMAX_P":
            low, high = sorted(numbers[:2])
            return low + numbers[2] * (high - low)
        case _:
            return numbers[0]


def _limit(test: LegacyTest, arguments: Sequence[str]) -> str:
    """Return the expression that the column is compared with."""
    if not test.operator.endswith("_P"):
        return arguments[0]
    ratio = test.arguments[-1].number
    if ratio is None:
        raise ValueError(f"{test.operator} needs a number for its ratio")
    if "MINMAX" in test.operator:
        both = ", ".join(arguments[:2])
        return f"min({both}) + {_plain(ratio)} * (max({both}) - min({both}))"
    factor = 1 - ratio if test.operator.startswith("SMALLER") else 1 + ratio
    return f"{_plain(factor)} * {_bracketed(arguments[0])}"


def _expression(test: LegacyTest, problems: list[Problem]) -> str:
    """Return the comparison of a test; what is wrong with it is told where the test stands."""
    try:
        found = expression_of(test)
        lines = ["name: one", "universe: all", "timeframe: 5m", f"when: {found}"]
        compile_condition(parse_condition("\n".join([*lines, *let_lines([found])])))
    except ValueError as error:
        problems.append(test.column.problem(str(error)))
    except ConfigError as error:
        words = "; ".join(problem.message for problem in error.problems)
        problems.append(test.column.problem(f"'{test.column.text}': {words}"))
    else:
        return found
    return ""


def _file(rule: LegacyRule, name: str, expressions: Sequence[str]) -> str:
    columns = [name for test in rule.tests for name in (test.column.text, *_named(test))]
    notes = dict.fromkeys(COLUMNS[column].note for column in columns)
    shown = " ".join("".join(map(_printable, rule.name.text)).split())
    lines = [
        f"# The rule '{shown}' of the older bot, made by `ticktalk import rules`.",
        *(f"# {note}" for note in notes if note),
        "",
        f"name: {name}",
        f"describe: the older rule {name}",
        "universe: all",
        "timeframe: 5m",
        *let_lines(expressions),
        "when:",
        "  all:",
        *(f"    - {expression}" for expression in expressions),
    ]
    text = _HEAD + "\n".join(lines) + "\n"
    return text + "".join(f"{line}\n" for line in trial_lines(text))


def _named(test: LegacyTest) -> list[str]:
    return [one.located.text for one in test.arguments if one.number is None]


def _name(rule: LegacyRule, taken: Sequence[str]) -> str:
    """Return a name that a condition may have, made of the rule's."""
    short = re.sub(r"[^\w-]+", "-", rule.name.text).strip("-_")[:_LONGEST_NAME] or "rule"
    name, number = short, 1
    while name.casefold() in {one.casefold() for one in taken}:
        number += 1
        name = f"{short}-{number}"
    return name


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else " "


def _bracketed(expression: str) -> str:
    return f"({expression})" if " " in expression else expression


def _plain(number: Decimal) -> str:
    return LegacyColumn("").written(number)
