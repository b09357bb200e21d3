"""Which argument of a call is which: a source first where it may be given, then parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.mistake import Mistake
from conditions.nodes import Number, number_text
from config.registry import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.indicators.registry import Indicator, Parameter
    from conditions.nodes import Argument, Call, Node

SOURCE = "source"


def usage(name: str, indicator: Indicator) -> str:
    """Return how an indicator is called: `sma(source, window)`."""
    words = [SOURCE] if len(indicator.sources) == 1 else []
    words += [
        one.name if one.default is None else f"{one.name}={one.default}"
        for one in indicator.parameters
    ]
    return f"{name}({', '.join(words)})"


def bind(call: Call, name: str, indicator: Indicator) -> tuple[Node | None, tuple[int, ...]]:
    """Return the source's node (None where it is left out) and the parameters; raises Mistake."""
    given = _named(call, name, _order(call.arguments, indicator), usage(name, indicator))
    parameters = tuple(
        _parameter(call, one, given.get(one.name), usage(name, indicator))
        for one in indicator.parameters
    )
    return given.get(SOURCE), parameters


def _order(arguments: Sequence[Argument], indicator: Indicator) -> list[str]:
    """Return the names of arguments by place; a number in the first place is not a source."""
    names = [one.name for one in indicator.parameters]
    if len(indicator.sources) != 1:
        return names
    is_left_out = bool(arguments) and isinstance(arguments[0].value, Number)
    return names if is_left_out and not arguments[0].name else [SOURCE, *names]


def _named(call: Call, name: str, order: list[str], form: str) -> Mapping[str, Node]:
    given: dict[str, Node] = {}
    places = iter(order)
    for argument in call.arguments:
        word = argument.name or next(places, "")
        if not word:
            raise Mistake(argument.value.start, f"too many arguments; expected {form}")
        if word in given:
            raise Mistake(argument.value.start, f"'{word}' is given twice; expected {form}")
        if word not in order and word != SOURCE:
            near = suggestion(word, order)
            raise Mistake(argument.value.start, f"'{name}' has no parameter '{word}'{near}")
        given[word] = argument.value
    return given


def _parameter(call: Call, parameter: Parameter, node: Node | None, form: str) -> int:
    if node is None:
        if parameter.default is None:
            raise Mistake(call.start, f"'{parameter.name}' is missing; expected {form}")
        return parameter.default
    expected = f"'{parameter.name}' must be a whole number"
    if not isinstance(node, Number) or node.unit not in {"", "bars"}:
        raise Mistake(node.start, f"{expected} written out; expected {form}")
    if node.value != int(node.value) or not parameter.low <= node.value <= parameter.high:
        found = number_text(node.value)
        raise Mistake(
            node.start, f"{expected} from {parameter.low} to {parameter.high}, found {found}"
        )
    return int(node.value)
