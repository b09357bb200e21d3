"""The numbers of `params`: read with their ranges, and replaced by those a backtest gives."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from conditions.mistake import Mistake
from conditions.nodes import Negative, Number, to_text
from conditions.parser import parse
from config.registry import suggestion
from market.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.condition_file import ConditionSpec, Param
    from config.strict_yaml import Located


MOST_BARS = 400


def numbers_in_force(
    spec: ConditionSpec, given: Mapping[str, Decimal | int], problems: list[Problem]
) -> dict[str, Number]:
    """Return the value of every parameter; what is wrong with one is added to the problems.

    `given` replace defaults; they count in the unit in which the range is written: 2 is 2 % where
    the range is [1%, 3%].
    """
    numbers = {
        param.name.text: _number_in_force(param, given.get(param.name.text), problems)
        for param in spec.params
    }
    for name in given:
        if name not in numbers:
            hint = suggestion(name, numbers)
            message = f"'{spec.name}' has no parameter '{name}'{hint}"
            problems.append(Problem.about(spec.file, message))
    return numbers


def with_hold(
    spec: ConditionSpec, numbers: Mapping[str, Number], problems: list[Problem]
) -> ConditionSpec:
    """Return the specification with as many bars to hold as the parameter of `for` says."""
    if spec.hold is None:
        return spec
    number = numbers[spec.hold.text]
    is_count = number.unit in {"", "bars"} and 1 <= number.value <= MOST_BARS
    if not is_count or number.value % 1:
        message = f"'{spec.hold.text}' is {to_text(number)}; from 1 to {MOST_BARS} bars can be held"
        problems.append(spec.hold.problem(message))
        return spec
    return replace(spec, hold_bars=int(number.value))


def plain_number(located: Located) -> Number:
    """Return a number that was written out, with its sign and unit; raises Mistake."""
    node, sign = parse(located.text), 1
    while isinstance(node, Negative):
        node, sign = node.operand, -sign
    if not isinstance(node, Number):
        raise Mistake(node.start, "expected a number written out, such as 5 or 2%")
    return Number(sign * node.value, node.unit)


def _number_in_force(param: Param, given: Decimal | int | None, problems: list[Problem]) -> Number:
    """Return a parameter's value, or the next best after noting what is wrong with it."""
    default = _number(param.default, problems)
    low, high = _number(param.low, problems), _number(param.high, problems)
    if default is None or low is None or high is None:
        return default or low or high or Number(Decimal(1))
    chosen = default if given is None else Number(Decimal(given), default.unit)
    for located, one in ((param.low, low), (param.high, high)):
        if one.unit != default.unit:
            message = f"'{located.text}' is not in the unit of the default, '{param.default.text}'"
            problems.append(located.problem(message))
            return chosen
    if low.value > high.value:
        problems.append(param.low.problem("the range ends before it begins"))
    elif not low.value <= default.value <= high.value:
        problems.append(param.default.problem(_outside(default, low, high)))
    elif not low.value <= chosen.value <= high.value:
        message = f"{param.name.text}: {_outside(chosen, low, high)}"
        problems.append(param.name.problem(message))
    return chosen


def _number(located: Located, problems: list[Problem]) -> Number | None:
    try:
        return plain_number(located)
    except Mistake as mistake:
        problems.append(located.problem(mistake.message, mistake.offset))
        return None


def _outside(found: Number, low: Number, high: Number) -> str:
    shown, least, most = (to_text(one) for one in (found, low, high))
    return f"{shown} lies outside the range from {least} to {most}"
