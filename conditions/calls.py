"""Which argument of a call is which: series first, then the numbers that tune it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from conditions.mistake import Mistake
from conditions.nodes import Number, number_text
from config.registry import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.indicators.registry import Indicator, Output, Parameter
    from conditions.nodes import Argument, Call, Node

SOURCE = "source"


class Callable(Protocol):
    """What is called with series, all of which must be given, and parameters."""

    @property
    def series(self) -> tuple[str, ...]:
        """Return the names of its series."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return its parameters."""
        ...


def usage(name: str, indicator: Indicator) -> str:
    """Return how an indicator is called: `sma(source, window)`."""
    words = [SOURCE] if len(indicator.sources) == 1 else []
    form = _form(name, words, indicator.parameters)
    return f"{form}.{indicator.outputs[0].name}" if indicator.is_several else form


def usage_of(name: str, called: Callable) -> str:
    """Return how an event is called: `crosses_above(a, b)`."""
    return _form(name, called.series, called.parameters)


def bind(call: Call, name: str, indicator: Indicator) -> tuple[Node | None, tuple[float, ...]]:
    """Return the source's node (None where it is left out) and the parameters; raises Mistake."""
    form = usage(name, indicator)
    given = _named(call, name, _order(call.arguments, indicator), form)
    return given.get(SOURCE), _parameters(call, indicator.parameters, given, form)


def bind_all(call: Call, name: str, called: Callable) -> tuple[tuple[Node, ...], tuple[float, ...]]:
    """Return the nodes of the series, all of which must be given, and the parameters."""
    form = usage_of(name, called)
    order = [*called.series, *(one.name for one in called.parameters)]
    given = _named(call, name, order, form)
    for series in called.series:
        if series not in given:
            raise Mistake(call.start, f"'{series}' is missing; expected {form}")
    parameters = _parameters(call, called.parameters, given, form)
    return tuple(given[series] for series in called.series), parameters


def output_of(call: Call, name: str, indicator: Indicator, part: str) -> Output:
    """Return the output that is asked for; raises Mistake where there is none of that name."""
    found = indicator.output(part)
    if found is not None:
        return found
    if not indicator.is_several:
        raise Mistake(call.start, f"'{name}' has a single output; leave out '.{part}'")
    names = [one.name for one in indicator.outputs]
    if part:
        raise Mistake(call.start, f"'{name}' has no output '{part}'{suggestion(part, names)}")
    listed = ", ".join(f".{one}" for one in names)
    raise Mistake(call.start, f"'{name}' has several outputs; add one of {listed}")


def decimal_of(value: float) -> Decimal:
    """Return a parameter's value as it is written."""
    return Decimal(str(value))


def _form(name: str, series: Sequence[str], parameters: Sequence[Parameter]) -> str:
    words = list(series)
    for one in parameters:
        default = "" if one.default is None else f"={number_text(decimal_of(one.default))}"
        words.append(f"{one.name}{default}")
    return f"{name}({', '.join(words)})"


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


def _parameters(
    call: Call, parameters: Sequence[Parameter], given: Mapping[str, Node], form: str
) -> tuple[float, ...]:
    found = {one.name: _parameter(call, one, given.get(one.name), form) for one in parameters}
    fast = next((name for name in found if name.endswith("fast")), None)
    slow = next((name for name in found if name.endswith("slow")), None)
    if fast and slow and found[fast] >= found[slow]:
        place = (given.get(fast) or given.get(slow) or call).start
        raise Mistake(place, f"'{fast}' must be less than '{slow}'; expected {form}")
    return tuple(found.values())


def _parameter(call: Call, parameter: Parameter, node: Node | None, form: str) -> float:
    if node is None:
        if parameter.default is None:
            raise Mistake(call.start, f"'{parameter.name}' is missing; expected {form}")
        return parameter.typed(parameter.default)
    sort = "a whole number" if parameter.is_whole else "a number"
    units = {"", "bars"} if parameter.is_whole else {""}
    expected = f"'{parameter.name}' must be {sort}"
    if not isinstance(node, Number) or node.unit not in units:
        raise Mistake(node.start, f"{expected} written out; expected {form}")
    low, high = decimal_of(parameter.low), decimal_of(parameter.high)
    is_whole = node.value == node.value.to_integral_value()
    if (parameter.is_whole and not is_whole) or not low <= node.value <= high:
        bounds = f"from {number_text(low)} to {number_text(high)}"
        raise Mistake(node.start, f"{expected} {bounds}, found {number_text(node.value)}")
    return parameter.typed(float(node.value))
