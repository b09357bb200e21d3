"""A condition as a tree of verdicts, with the value of every number in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.distance import is_measured, operator_of, shortfall
from conditions.explain import shown_unit
from conditions.indicators.registry import OPENINGS
from conditions.score import Scored
from conditions.series import Constant
from conditions.spot import WITHIN
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite

if TYPE_CHECKING:
    from datetime import datetime

    from conditions.series import Series
    from conditions.spot import Spot
    from conditions.truths import Truth
    from market.types import Verdict

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
    on which the part is true: in a row up to the newest one, or among the N. What held within N
    bars but does not now is shown on the last bar on which it did, which began at `held_at`. What
    is a part of a score `adds` to it.
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
    held_at: datetime | None = None

    @property
    def gap_ratio(self) -> float:
        """Return the gap as a ratio of the right side, NaN where that is 0 or unknown."""
        right = self.operands[1].value if len(self.operands) == 2 else nan
        return self.gap / abs(right) if right and isfinite(right) else nan


def in_a_row(verdicts: Array) -> int:
    """Return on how many of the newest bars in a row the verdict is true."""
    others = np.flatnonzero(verdicts[::-1] != 1)
    return int(others[0]) if len(others) else len(verdicts)


def branch(truth: Truth, spot: Spot) -> Branch:
    """Return a node with all that is below it."""
    match truth:
        case Compared() | Happened():
            return _leaf(truth, spot)
        case Lasting():
            return _lasting(truth, spot)
        case Joined(word=word):
            return _node(truth, spot, "all" if word == "and" else "any")
        case Opposite():
            return _node(truth, spot, "not")
        case Scored():
            return _score(truth, spot)
        case _:
            return _node(truth, spot, "other")


def _node(truth: Truth, spot: Spot, word: str) -> Branch:
    return Branch(
        word,
        spot.text(truth),
        spot.verdict(truth),
        tuple(branch(part, spot) for part in truth.parts),
        tuple(_operand(one, spot) for one in truth.operands),
    )


def _lasting(lasting: Lasting, spot: Spot) -> Branch:
    verdicts = np.array(spot.lasted(lasting))
    source, place = spot.inside(lasting)
    return Branch(
        lasting.word,
        spot.text(lasting),
        spot.verdict(lasting),
        (branch(source, place),),
        held=int((verdicts == 1).sum()) if lasting.word == WITHIN else in_a_row(verdicts),
        needs=lasting.length,
        held_at=place.start() if place is not spot else None,
    )


def _score(score: Scored, spot: Spot) -> Branch:
    total, threshold = score.total(spot.view), float(score.threshold)
    parts = []
    for one in score.weighed:
        part = branch(one.truth, spot)
        added = one.contribution(part.verdict)
        parts.append(replace(part, adds=nan if added is None else float(added)))
    sides = (Operand("score", total, ""), Operand(str(score.threshold), threshold, "", 1, True))
    gap = shortfall(score.operator, np.array([total]), np.array([threshold]))
    return Branch(
        "score",
        score.text,
        spot.verdict(score),
        tuple(parts),
        sides,
        score.operator,
        gap=float(gap[0]),
    )


def _leaf(leaf: Compared | Happened, spot: Spot) -> Branch:
    operator = operator_of(leaf)
    left, right = (np.array([spot.number(one)]) for one in leaf.operands)
    is_crossing = isinstance(leaf, Happened) and is_measured(operator)
    return Branch(
        "event" if isinstance(leaf, Happened) else "compare",
        spot.text(leaf),
        spot.verdict(leaf),
        operands=tuple(_operand(one, spot) for one in leaf.operands),
        operator=operator,
        unit=shown_unit(leaf.unit),
        gap=float(shortfall(operator, left, right)[0]),
        before=spot.before(leaf) if isinstance(leaf, Happened) and is_crossing else (),
    )


def _operand(series: Series, spot: Spot) -> Operand:
    is_written = isinstance(series, Constant)
    return Operand(
        text=series.key if is_written else spot.key(series.node),
        value=spot.number(series),
        unit=shown_unit(series.unit),
        needs=series.warm_up,
        is_written=is_written,
        parts=tuple(_operand(part, spot) for part in series.parts if part.key != OPENINGS),
    )
