"""What must be so on a bar for a verdict to be true, and whether all of it can be at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conditions.bounds import bounds
from conditions.nodes import Call, Name, Scoped
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conditions.bounds import Bounds
    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.truths import Truth

EVENTS = {"crosses_above": ">", "crosses_below": "<"}
"""What an event tells of its two series on the bar on which it happens."""

_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDERS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}
"""Which of the orders below, equal (`=`) and above each operator allows."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison that must hold."""

    left: Series
    operator: str
    right: Series


@dataclass(frozen=True, slots=True)
class _Range:
    """Values that a series may have; an end that `is_open` is not among them."""

    low: float
    high: float
    is_low_open: bool = False
    is_high_open: bool = False

    def narrowed(self, operator: str, value: float) -> _Range | None:
        """Return what is left of it, None where that is nothing."""
        found = self
        if operator in {">", ">=", "=="}:
            is_open = operator == ">"
            if (value, is_open) > (self.low, self.is_low_open):
                found = replace(found, low=value, is_low_open=is_open)
        if operator in {"<", "<=", "=="}:
            is_open = operator == "<"
            if (-value, is_open) > (-self.high, self.is_high_open):
                found = replace(found, high=value, is_high_open=is_open)
        if operator == "!=" and found.low == found.high == value:
            return None
        is_point = found.low == found.high and not (found.is_low_open or found.is_high_open)
        return found if found.low < found.high or is_point else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of series on one bar: their ranges, and how pairs of them are ordered."""

    ranges: Mapping[str, _Range] = field(default_factory=dict)
    orders: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def joined(self, atom: Atom) -> Facts | None:
        """Return the facts with a comparison added, None where it cannot hold beside them."""
        left, right = bounds(atom.left), bounds(atom.right)
        if right.is_point:
            return self._ranged(atom.left.key, left, atom.operator, right.low)
        if left.is_point:
            return self._ranged(atom.right.key, right, _MIRRORED[atom.operator], left.low)
        return self._ordered(atom, left, right)

    def _ranged(self, key: str, widest: Bounds, operator: str, value: float) -> Facts | None:
        known = self.ranges.get(key, _Range(widest.low, widest.high))
        found = known.narrowed(operator, value)
        return None if found is None else replace(self, ranges={**self.ranges, key: found})

    def _ordered(self, atom: Atom, left: Bounds, right: Bounds) -> Facts | None:
        one, other, operator = atom.left.key, atom.right.key, atom.operator
        if one > other:
            one, other, operator = other, one, _MIRRORED[operator]
            left, right = right, left
        known = self.orders.get((one, other), _possible(left, right))
        if one == other:
            known = "="
        allowed = "".join(order for order in known if order in _ORDERS[operator])
        return replace(self, orders={**self.orders, (one, other): allowed}) if allowed else None


NOTHING = Facts()
"""What is known before anything is said."""


def _possible(left: Bounds, right: Bounds) -> str:
    below = "<" if left.low < right.high else ""
    above = ">" if left.high > right.low else ""
    return below + ("=" if left.low <= right.high and right.low <= left.high else "") + above


def joined(truth: Truth, facts: Facts, *, is_denied: bool = False) -> Facts | None:
    """Return the facts where the verdict is true (false where it `is_denied`), None if never.

    Where one of several must hold, it is only checked that one can.
    """
    found: Facts | None = facts
    for atom in _atoms(truth, is_denied=is_denied):
        found = found.joined(atom) if found is not None else None
    if found is None:
        return None
    for options in _choices(truth, is_denied=is_denied):
        if all(joined(one, found, is_denied=denied) is None for one, denied in options):
            return None
    for once, denied in _once(truth, is_denied=is_denied):
        if joined(once, NOTHING, is_denied=denied) is None:
            return None
    return found


def implies(one: Truth, other: Truth, *, is_denied: bool = False) -> bool:
    """Tell whether the other verdict must be the same wherever the first one is known and true."""
    facts = joined(one, NOTHING, is_denied=is_denied)
    return facts is not None and joined(other, facts, is_denied=not is_denied) is None


def is_all(truth: Joined, *, is_denied: bool) -> bool:
    """Tell whether every part must hold, not any of them."""
    return (truth.word == "and") is not is_denied


def holds_now(truth: Lasting, *, is_denied: bool) -> bool:
    """Tell whether what lasts must be so on the newest bar, too, not only on some bar."""
    return truth.length == 1 or (truth.word == "for") is not is_denied


def _atoms(truth: Truth, *, is_denied: bool) -> Iterator[Atom]:
    match truth:
        case Compared(left=left, operator=operator, right=right):
            yield Atom(left, _OPPOSITES[operator] if is_denied else operator, right)
        case Happened(left=left, right=right):
            order = EVENTS.get(_event_name(truth.node))
            if order and not is_denied:
                yield Atom(left, order, right)
        case _:
            for part, denied in _necessary(truth, is_denied=is_denied):
                yield from _atoms(part, is_denied=denied)


def _event_name(node: Node) -> str:
    while isinstance(node, Scoped):
        node = node.source
    return node.function.name if isinstance(node, Call) and isinstance(node.function, Name) else ""


def _choices(truth: Truth, *, is_denied: bool) -> Iterator[list[tuple[Truth, bool]]]:
    """Yield the parts of which one must hold."""
    if isinstance(truth, Joined) and not is_all(truth, is_denied=is_denied):
        yield [(one, is_denied) for one in truth.sources]
    for part, denied in _necessary(truth, is_denied=is_denied):
        yield from _choices(part, is_denied=denied)


def _once(truth: Truth, *, is_denied: bool) -> Iterator[tuple[Truth, bool]]:
    """Yield what must have held on some bar, though perhaps not on this one."""
    if isinstance(truth, Lasting) and not holds_now(truth, is_denied=is_denied):
        yield truth.source, is_denied
    for part, denied in _necessary(truth, is_denied=is_denied):
        yield from _once(part, is_denied=denied)


def _necessary(truth: Truth, *, is_denied: bool) -> Iterator[tuple[Truth, bool]]:
    """Yield the parts that must hold on this bar, and whether each is denied."""
    match truth:
        case Joined(sources=sources) if is_all(truth, is_denied=is_denied):
            yield from ((one, is_denied) for one in sources)
        case Opposite(source=source):
            yield source, not is_denied
        case Lasting(source=source) if holds_now(truth, is_denied=is_denied):
            yield source, is_denied
