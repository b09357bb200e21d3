"""The tree of an expression as it was written, and its text in one fixed form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from conditions.units import CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What every node knows: its characters are [start, end); two places do not make a difference.

    `depth` is how many nodes lie on the longest way down, this one included.
    """

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Number(Placed):
    """A number as written and its unit ("" for a bare one)."""

    value: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Name(Placed):
    """A word that stands for a series or a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Text(Placed):
    """What stands between quotation marks: the id of an instrument."""

    text: str


@dataclass(frozen=True, slots=True)
class Member(Placed):
    """`source.name`."""

    source: Node
    name: str


@dataclass(frozen=True, slots=True)
class Ago(Placed):
    """`source[bars]`: the source's value that many bars ago."""

    source: Node
    bars: int


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call, by place (name "") or by name."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True)
class Call(Placed):
    """`function(argument, name=argument)`."""

    function: Node
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Negative(Placed):
    """`-operand`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Placed):
    """`left operator right` with one of + - * /."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Placed):
    """`a < b <= c`: one operator fewer than operands."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held(Placed):
    """`operand for N bars` (true on all of them) or `operand within N bars` (on any of them)."""

    operand: Node
    word: str
    bars: int


@dataclass(frozen=True, slots=True)
class Not(Placed):
    """`not operand`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Junction(Placed):
    """Operands joined by one word, `and` or `or`."""

    word: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Grouped(Placed):
    """`scope.(source)` as it was written."""

    scope: Node
    source: Node


@dataclass(frozen=True, slots=True)
class Scoped(Placed):
    """`scope.source` as it is understood: all of the source belongs to the scope."""

    scope: Node
    source: Node


Node: TypeAlias = (
    Number
    | Name
    | Text
    | Member
    | Ago
    | Call
    | Negative
    | Binary
    | Comparison
    | Held
    | Not
    | Junction
    | Grouped
    | Scoped
)

OR, AND, NOT, HELD, COMPARISON, SUM, PRODUCT, UNARY, POSTFIX, ATOM = range(10)
"""How tightly a node binds, loosest first."""


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below."""
    match node:
        case Binary(_, left, right) | Grouped(left, right) | Scoped(left, right):
            return (left, right)
        case Comparison(operands) | Junction(_, operands):
            return operands
        case Call(function, arguments):
            return (function, *(argument.value for argument in arguments))
        case Member(below) | Ago(below) | Negative(below) | Held(below) | Not(below):
            return (below,)
        case _:
            return ()


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with the nodes directly below it changed, and its depth with them."""
    match node:
        case Binary(_, left, right):
            made: Node = replace(node, left=change(left), right=change(right))
        case Comparison(operands) | Junction(_, operands):
            made = replace(node, operands=tuple(change(one) for one in operands))
        case Call(function, arguments):
            changed = tuple(replace(one, value=change(one.value)) for one in arguments)
            made = replace(node, function=change(function), arguments=changed)
        case Member(below) | Ago(below):
            made = replace(node, source=change(below))
        case Negative(below) | Held(below) | Not(below):
            made = replace(node, operand=change(below))
        case Grouped(scope, source) | Scoped(scope, source):
            made = replace(node, scope=change(scope), source=change(source))
        case _:
            return node
    return replace(made, depth=1 + max(child.depth for child in children(made)))


def to_text(node: Node) -> str:
    """Return the node's text with single spaces and no needless parentheses."""
    return _write(node)[0]


def number_text(value: Decimal) -> str:
    """Return a number without exponent and needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write(node: Node) -> tuple[str, int]:
    """Return a node's text and how tightly it binds."""
    match node:
        case Number() | Name() | Text():
            return _write_atom(node), ATOM
        case Negative(operand):
            return f"-{_inside(operand, UNARY)}", UNARY
        case Binary(operator, left, right):
            level = SUM if operator in {"+", "-"} else PRODUCT
            return f"{_inside(left, level)} {operator} {_inside(right, level + 1)}", level
        case Member() | Ago() | Call() | Grouped() | Scoped():
            return _write_postfix(node), POSTFIX
        case _:
            return _write_truth(node)


def _write_atom(node: Number | Name | Text) -> str:
    match node:
        case Number(value, unit) if unit == CLOCK.name:
            return f"{int(value) // 60:02}:{int(value) % 60:02}"
        case Number(value, unit):
            gap = "" if unit in {"", "%"} else " "
            return f"{number_text(value)}{gap}{unit}"
        case Name(name):
            return name
        case Text(text):
            return f"'{text}'" if '"' in text else f'"{text}"'


def _write_postfix(node: Member | Ago | Call | Grouped | Scoped) -> str:
    match node:
        case Member(source, name):
            return f"{_inside(source, POSTFIX)}.{name}"
        case Ago(source, bars):
            return f"{_inside(source, POSTFIX)}[{bars}]"
        case Call(function, arguments):
            return f"{_inside(function, POSTFIX)}({_listed(arguments)})"
        case Scoped(scope, source) if _begins_with_a_name(source):
            return f"{_inside(scope, POSTFIX)}.{_inside(source, POSTFIX)}"
        case Grouped(scope, source) | Scoped(scope, source):
            return f"{_inside(scope, POSTFIX)}.({to_text(source)})"


def _begins_with_a_name(node: Node) -> bool:
    """Tell whether a chain of parts and calls can stand behind a `.` as it is."""
    match node:
        case Member(below) | Ago(below) | Call(below) | Scoped(below):
            return _begins_with_a_name(below)
        case _:
            return isinstance(node, Name)


def _write_truth(node: Comparison | Held | Not | Junction) -> tuple[str, int]:
    match node:
        case Comparison(operands, operators):
            texts = [_inside(operand, SUM) for operand in operands]
            rest = (f" {sign} {text}" for sign, text in zip(operators, texts[1:], strict=True))
            return texts[0] + "".join(rest), COMPARISON
        case Held(operand, word, bars):
            return f"{_inside(operand, COMPARISON)} {word} {bars} bars", HELD
        case Not(operand):
            return f"not {_inside(operand, NOT)}", NOT
        case Junction(word, operands):
            level = OR if word == "or" else AND
            return f" {word} ".join(_inside(one, level + 1) for one in operands), level


def _inside(node: Node, level: int) -> str:
    text, own = _write(node)
    return text if own >= level else f"({text})"


def _listed(arguments: tuple[Argument, ...]) -> str:
    return ", ".join(
        f"{one.name}={to_text(one.value)}" if one.name else to_text(one.value) for one in arguments
    )
