"""One number at the moment of an order: its size and its price, in Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from conditions.expand import Expanded, read_plain
from conditions.functions import FUNCTIONS
from conditions.mistake import Mistake
from conditions.nodes import Binary, Call, Name, Negative, Number, children, to_text
from conditions.resolve_series import VERBS, called, common_unit
from conditions.units import CURRENCIES, LITERALS, Unit, joined, product, quotient
from config.registry import suggestion
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conditions.nodes import Node
    from config.strict_yaml import Located

    Read: TypeAlias = Callable[[Located], Expanded]

PRICE_NAMES = {"close": Unit.PRICE, "tick": Unit.PRICE}
"""What the price of an order may name: the signal's price and the size of one tick there."""
SIZE_NAMES = {
    **PRICE_NAMES,
    "equity": Unit.VALUE,
    "cash": Unit.VALUE,
    "buying_power": Unit.VALUE,
}
"""What the size of an order may name besides: what the account is worth, its cash, and what of
that can be spent."""
RISK = "risk"
STOP = "stop"
RISK_USAGE = "risk(1% * equity, stop=3%)"
"""So much that a fall to the stop costs the money: a ratio of the price, or money a share."""
ALL = "all"
SOLD_NAMES = {**SIZE_NAMES, ALL: Unit.VOLUME}
"""What the size of a sale may name besides: all that is held and not being sold already."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A compiled expression; `unit` tells whether it is money (VALUE), shares (VOLUME) or a PRICE.

    `names` are those it needs the values of.
    """

    text: str
    unit: Unit
    names: frozenset[str]
    node: Node

    @property
    def currency(self) -> str:
        """Return the currency of the amounts that are written in it, "" where there are none."""
        return next((unit for unit in _units(self.node) if unit in CURRENCIES), "")

    def value(self, values: Mapping[str, Decimal]) -> Decimal | None:
        """Return the number, None where a value it needs is not given or it divides by zero."""
        if not self.names <= values.keys():
            return None
        try:
            return _value(self.node, values)
        except ArithmeticError:
            return None


def compile_size(located: Located, read: Read = read_plain) -> Scalar:
    """Return the size of an order: money, or a number of shares; raises ConfigError."""
    return compile_scalar(located, SIZE_NAMES, Unit.VOLUME, Unit.VALUE, read=read)


def compile_sold(located: Located, read: Read = read_plain) -> Scalar:
    """Return the size of a sale, which may also name `all` that is held; raises ConfigError."""
    return compile_scalar(located, SOLD_NAMES, Unit.VOLUME, Unit.VALUE, read=read)


def everything() -> Scalar:
    """Return the size of a sale of all that is held."""
    return Scalar(ALL, Unit.VOLUME, frozenset({ALL}), Name(ALL))


def compile_price(located: Located, read: Read = read_plain) -> Scalar:
    """Return the limit price of an order; raises ConfigError."""
    return compile_scalar(located, PRICE_NAMES, Unit.PRICE, read=read)


def compile_scalar(
    located: Located, names: Mapping[str, Unit], *results: Unit, read: Read = read_plain
) -> Scalar:
    """Return the scalar of an expression that must come to one of `results`, the usual one first.

    A bare number counts as the first of them, an amount of money as the one that is money. `read`
    makes the tree. Raises ConfigError with every problem.
    """
    try:
        expanded = read(located)
    except Mistake as mistake:
        problem = located.problem(mistake.message, mistake.offset)
        raise ConfigError((problem,)) from mistake
    resolver = _Resolver(names)
    unit = resolver.unit(expanded.node)
    try:
        unit = None if unit is None else _result(unit, results)
    except Mistake as mistake:
        resolver.mistakes.append(mistake)
    if unit is None or resolver.mistakes:
        raise ConfigError(tuple(expanded.problems(resolver.mistakes)))
    node = expanded.node
    return Scalar(to_text(node), unit, frozenset(resolver.used), node)


def mistakes_of(node: Node, names: Mapping[str, Unit]) -> list[Mistake]:
    """Return what is wrong with a tree as a number of an order, whatever it measures."""
    resolver = _Resolver(names)
    resolver.unit(node)
    return resolver.mistakes


def _units(node: Node) -> Iterator[str]:
    if isinstance(node, Number):
        yield node.unit
    for child in children(node):
        yield from _units(child)


def _result(unit: Unit, results: tuple[Unit, ...]) -> Unit:
    for result in results:
        if unit is result or (unit in {Unit.NUMBER, Unit.MONEY} and joined(unit, result) is result):
            return result
    expected = " or ".join(one.words for one in results)
    raise Mistake(0, f"expected {expected}, found {unit.words}")


class _Resolver:
    """Finds the unit of a tree; what is wrong with it gathers in `mistakes`."""

    def __init__(self, names: Mapping[str, Unit]) -> None:
        self.mistakes: list[Mistake] = []
        self.used: set[str] = set()
        self._names = names

    def unit(self, node: Node) -> Unit | None:
        try:
            return self._unit(node)
        except Mistake as mistake:
            self.mistakes.append(mistake)
            return None

    def _unit(self, node: Node) -> Unit | None:
        match node:
            case Number(_, unit):
                return self._number(unit)
            case Name(name):
                return self._name(node, name)
            case Negative(operand):
                return self.unit(operand)
            case Binary(sign, left, right):
                return self._binary(sign, left, right)
            case Call():
                return self._call(node)
            case _:
                raise Mistake(
                    node.start, "expected one number; an order has no other bars to look at"
                )

    def _number(self, unit: str) -> Unit:
        if not unit:
            return Unit.NUMBER
        if LITERALS[unit].unit is Unit.TICKS:
            self.used.add("tick")
            return Unit.PRICE
        return LITERALS[unit].unit

    def _name(self, node: Node, name: str) -> Unit:
        if name == ALL and name not in self._names:
            raise Mistake(node.start, f"'{ALL}' is what is held: only the size of a sale names it")
        if name not in self._names:
            raise Mistake(node.start, f"unknown name '{name}'{suggestion(name, self._names)}")
        self.used.add(name)
        return self._names[name]

    def _binary(self, sign: str, left: Node, right: Node) -> Unit | None:
        one, other = self.unit(left), self.unit(right)
        if one is None or other is None:
            return None
        unit = {"*": product, "/": quotient}.get(sign, joined)(one, other)
        if unit is None:
            first, second = (other, one) if sign == "-" else (one, other)
            message = f"{first.words} cannot be {VERBS[sign]} {second.words}"
            raise Mistake(right.start, message)
        return unit

    def _call(self, call: Call) -> Unit | None:
        name = called(call)
        if name == RISK:
            return self._risk(call)
        if name not in FUNCTIONS:
            names = ", ".join((*FUNCTIONS, RISK))
            raise Mistake(call.start, f"an order has no '{name}'; its functions are {names}")
        function = FUNCTIONS[name]
        found = [self.unit(argument.value) for argument in call.arguments]
        if any(argument.name for argument in call.arguments) or not function.takes(len(found)):
            raise Mistake(call.start, f"'{name}' takes {function.words}, by place")
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        unit = known[0]
        for argument, one in zip(call.arguments, known, strict=True):
            unit = common_unit(unit, one, argument.value.start)
        return unit

    def _risk(self, call: Call) -> Unit | None:
        """Return money where the stop is a ratio, shares where it is money a share."""
        if [argument.name for argument in call.arguments] != ["", STOP]:
            raise Mistake(call.start, f"'{RISK}' takes money and a stop: {RISK_USAGE}")
        money, stop = (argument.value for argument in call.arguments)
        units = self.unit(money), self.unit(stop)
        if units[0] not in {None, Unit.VALUE, Unit.MONEY}:
            raise Mistake(money.start, f"expected money to lose, found {units[0].words}")
        if units[1] not in {None, Unit.RATIO, Unit.PRICE, Unit.MONEY}:
            message = f"expected a ratio or money a share for the stop, found {units[1].words}"
            raise Mistake(stop.start, message)
        if None in units:
            return None
        return Unit.VALUE if units[1] is Unit.RATIO else Unit.VOLUME


def _value(node: Node, values: Mapping[str, Decimal]) -> Decimal:
    match node:
        case Number(value, unit):
            return value * _factor(unit, values)
        case Name(name):
            return values[name]
        case Negative(operand):
            return -_value(operand, values)
        case Binary(sign, left, right):
            return _arithmetic(sign, _value(left, values), _value(right, values))
        case Call(Name(name), arguments):
            found = [_value(argument.value, values) for argument in arguments]
            if name == RISK:
                return found[0] / found[1]
            return FUNCTIONS[name].on_decimals(*found)
    raise AssertionError(f"a checked scalar cannot hold {node}")


def _factor(unit: str, values: Mapping[str, Decimal]) -> Decimal:
    if not unit:
        return Decimal(1)
    literal = LITERALS[unit]
    return values["tick"] if literal.unit is Unit.TICKS else literal.factor


def _arithmetic(sign: str, left: Decimal, right: Decimal) -> Decimal:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right
