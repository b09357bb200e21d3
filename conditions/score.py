"""A score: verdicts that add weights to a sum, which is compared with a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.mistake import Mistake
from conditions.nodes import Argument, Binary, Call, Comparison, Name, Negative, Number, number_text
from conditions.truths import COMPARISONS, Truth
from conditions.units import LITERALS, Unit

if TYPE_CHECKING:
    from conditions.nodes import Node
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

_SCALE = 10**9
"""Weights are counted in billionths, as whole numbers: 0.1 + 0.2 is 0.3."""
_GREATEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Weighed:
    """A part of a score with what it adds where true, false and unknown (None: not known)."""

    truth: Truth
    weight: Decimal
    otherwise: Decimal
    unknown: Decimal | None

    def adds(self, verdicts: Array) -> Array:
        """Return what it adds for each verdict, in billionths."""
        added = (self.otherwise, self.unknown or Decimal(0), self.weight)
        billionths: Array = np.array([int(one * _SCALE) for one in added], dtype=np.int64)
        chosen: Array = billionths[verdicts + 1]
        return chosen

    def contribution(self, verdict: int) -> Decimal | None:
        """Return what it adds for a verdict, None where that is not known."""
        return (self.otherwise, self.unknown, self.weight)[verdict + 1]

    @property
    def node(self) -> Node:
        """Return its meaning, for the text of the whole."""
        numbers = (
            ("weight", self.weight),
            ("otherwise", self.otherwise),
            ("unknown", self.unknown),
        )
        shown = [Argument(name, Number(one)) for name, one in numbers if one is not None]
        return Call(Name("part"), (Argument("", self.truth.node), *shown))


@dataclass(frozen=True, slots=True)
class Scored(Truth):
    """True where the sum of its parts is above (`>`) or below (`<`) a threshold."""

    weighed: tuple[Weighed, ...]
    operator: str
    threshold: Decimal

    def verdicts(self, view: View, columns: int) -> Array:
        """Return the comparison bar by bar, unknown where a part is that gives no number then."""
        total, is_known = self.totals(view, columns)
        threshold = np.full_like(total, int(self.threshold * _SCALE))
        found = COMPARISONS[self.operator](total, threshold)
        return np.where(is_known, np.where(found, 1, -1), 0).astype(np.int8)

    def totals(self, view: View, columns: int) -> tuple[Array, Array]:
        """Return the sums in billionths, and where they are known."""
        total = np.zeros((view.rows, columns), dtype=np.int64)
        is_known = np.ones((view.rows, columns), dtype=bool)
        for one in self.weighed:
            verdicts = one.truth.verdicts(view, columns)
            total += one.adds(verdicts)
            if one.unknown is None:
                is_known &= verdicts != 0
        return total, is_known

    def total(self, view: View) -> float:
        """Return the sum on the newest bar of the view's first row, NaN where it is not known."""
        total, is_known = self.totals(view, 1)
        return float(total[0, -1]) / _SCALE if is_known[0, -1] else float("nan")

    @property
    def parts(self) -> tuple[Truth, ...]:
        """Return what is weighed."""
        return tuple(one.truth for one in self.weighed)


def scored(weighed: tuple[Weighed, ...], operator: str, threshold: Decimal) -> Scored:
    """Return the verdict on the sum of these parts."""
    arguments = tuple(Argument("", one.node) for one in weighed)
    meaning = Comparison((Call(Name("score"), arguments), Number(threshold)), (operator,))
    bars = max(one.truth.bars for one in weighed)
    warm_up = max(one.truth.warm_up for one in weighed)
    text = f"score {operator} {number_text(threshold)}"
    return Scored(meaning, text, bars, warm_up, weighed, operator, threshold)


def constant(node: Node) -> Decimal:
    """Return the number that an expression without any series comes to; raises Mistake."""
    found = _constant(node)
    if abs(found) > _GREATEST or found * _SCALE % 1:
        message = f"expected at most {_GREATEST:,} with at most 9 digits behind the point"
        raise Mistake(node.start, message)
    return found


def _constant(node: Node) -> Decimal:
    match node:
        case Number(value, unit):
            literal = LITERALS[unit] if unit else None
            if literal is not None and literal.unit is not Unit.RATIO:
                raise Mistake(node.start, f"expected a bare number, found {literal.unit.words}")
            return value * (literal.factor if literal else 1)
        case Negative(operand):
            return -_constant(operand)
        case Binary("*", left, right):
            return _constant(left) * _constant(right)
        case Binary("+" | "-" as sign, left, right):
            other = _constant(right)
            return _constant(left) + (other if sign == "+" else -other)
        case _:
            raise Mistake(node.start, "expected a number, such as 0.4, or a name of params")
