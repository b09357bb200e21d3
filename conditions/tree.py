"""A condition as a tree of verdicts, with the value of every number in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.distance import is_measured, operator_of, shortfall
from conditions.explain import shown_unit
from conditions.score import Scored
from conditions.series import Constant, Series
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite, Truth
from market.types import Verdict

if TYPE_CHECKING:
    from conditions.compile import Condition
    from market.panel import Panel

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Operand:
    """A number of a comparison on the newest bar (NaN: unknown) and the numbers it is made of.

    `unit` as in Leaf; `needs` is how many own bars its value takes; `is_written` tells that the
    user wrote the number itself.
    """

    text: str
    value: float
    unit: str
    needs: int = 1
    is_written: bool = False
    parts: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a condition with its verdict on the newest bar.

    `word` is `all`, `any`, `not`, `for`, `within`, `compare`, `event`, `score` or `other`. A
    comparison, event or score has two `operands` in `unit` and a `gap`: how far the left one must
    still move, negative by how much it holds, NaN where that is unknown. A crossing also has the
    values `before`, one bar ago. Of `for` and `within` N bars `needs` is N; `held` counts the bars
    on which the part is true: in a row up to the newest one, or among the N. What is a part of a
    score `adds` to it.
    """

    word: str
    text: str
    verdict: Verdict
    parts: tuple[Branch, ...] = ()
    operands: tuple[Operand, ...] = ()
    operator: str = ""
    unit: str = ""
    gap: float = nan
    before: tuple[float, ...] = ()
    held: int = 0
    needs: int = 0
    adds: float = nan

    @property
    def gap_ratio(self) -> float:
        """Return the gap as a ratio of the right side, NaN where that is 0 or unknown."""
        right = self.operands[1].value if len(self.operands) == 2 else nan
        return self.gap / abs(right) if right and isfinite(right) else nan


def in_a_row(verdicts: Array) -> int:
    """Return on how many of the newest bars in a row the verdict is true."""
    others = np.flatnonzero(verdicts[::-1] != 1)
    return int(others[0]) if len(others) else len(verdicts)


class Tree:
    """Reads the nodes of a condition on the newest bar of one row."""

    def __init__(self, condition: Condition, panel: Panel, row: int) -> None:
        self._view = condition.view(panel, np.array([row], dtype=np.int64))
        self._is_missing = bool(panel.missing[row])

    def branch(self, truth: Truth) -> Branch:
        """Return the node with all that is below it."""
        match truth:
            case Compared() | Happened():
                return self._leaf(truth)
            case Lasting(word=word, length=length):
                return self._node(truth, word, self._lasted(truth), length)
            case Joined(word=word):
                return self._node(truth, "all" if word == "and" else "any")
            case Opposite():
                return self._node(truth, "not")
            case Scored():
                return self._score(truth)
            case _:
                return self._node(truth, "other")

    def _node(self, truth: Truth, word: str, held: int = 0, needs: int = 0) -> Branch:
        return Branch(
            word,
            truth.text,
            self._verdict(truth),
            tuple(self.branch(part) for part in truth.parts),
            tuple(self._operand(one) for one in truth.operands),
            held=held,
            needs=needs,
        )

    def _score(self, score: Scored) -> Branch:
        total, threshold = score.total(self._view), float(score.threshold)
        parts = []
        for one in score.weighed:
            part = self.branch(one.truth)
            added = one.contribution(part.verdict)
            parts.append(replace(part, adds=nan if added is None else float(added)))
        sides = (Operand("score", total, ""), Operand(str(score.threshold), threshold, "", 1, True))
        gap = shortfall(score.operator, np.array([total]), np.array([threshold]))
        return Branch(
            "score",
            score.text,
            self._verdict(score),
            tuple(parts),
            sides,
            score.operator,
            gap=float(gap[0]),
        )

    def _leaf(self, leaf: Compared | Happened) -> Branch:
        operator, is_event = operator_of(leaf), isinstance(leaf, Happened)
        has_before = is_event and is_measured(operator)  # a crossing
        sides = [one.values(self._view, 2)[0, -2:] for one in leaf.operands]
        return Branch(
            "event" if is_event else "compare",
            leaf.text,
            self._verdict(leaf),
            operands=tuple(self._operand(one) for one in leaf.operands),
            operator=operator,
            unit=shown_unit(leaf.unit),
            gap=float(shortfall(operator, *(side[-1:] for side in sides))[0]),
            before=tuple(float(side[0]) for side in sides) if has_before else (),
        )

    def _operand(self, series: Series) -> Operand:
        return Operand(
            text=series.key,
            value=float(series.values(self._view, 1)[0, -1]),
            unit=shown_unit(series.unit),
            needs=series.warm_up,
            is_written=isinstance(series, Constant),
            parts=tuple(self._operand(part) for part in series.parts),
        )

    def _lasted(self, lasting: Lasting) -> int:
        verdicts = lasting.source.verdicts(self._view, lasting.length)[0, -lasting.length :]
        return in_a_row(verdicts) if lasting.word == "for" else int((verdicts == 1).sum())

    def _verdict(self, truth: Truth) -> Verdict:
        if self._is_missing:
            return Verdict.UNKNOWN
        return Verdict(int(truth.verdicts(self._view, 1)[0, -1]))
