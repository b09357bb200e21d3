"""Measures how far a condition is from holding, over all rows of a view at once.

The distance of a comparison is what its left side must still move, in units of how much the
difference of its two sides has spread over the last SPREAD_BARS own bars, longer or another's ones
where it looks at those alone. All is its worst part,
any its best, not is minus; `for` and `within` are all and any over bars; a score is as far as the
last of the parts that must turn for it. Negative means that it holds, and by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.distance import operator_of, shortfall
from conditions.ruler_score import score_distance
from conditions.score import Scored
from conditions.seen_truths import inward
from conditions.series import solid
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite, Truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.lens import Lens
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

SPREAD_BARS = 60
LEAST_BARS = 20
"""Known differences without which a spread means nothing."""
STILL = 1e-12
"""A spread below this share of the values is rounding: the sides do not move."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Distances [rows, columns] and the number of the leaf that each one is of (-1: of none).

    NaN is unknown. What holds or fails in a way that cannot be measured is -inf or inf away.
    `is_open` tells that a part is unknown that might be worse than those that are known.
    """

    distance: Array
    leaf: Array
    is_open: Array


class Ruler:
    """Measures the nodes of one condition.

    Leaves are counted in the order of an explanation, from `first` on.
    """

    def __init__(self, view: View, first: int = 0) -> None:
        self._view = view
        self._leaves = first

    def measure(self, truth: Truth, columns: int) -> Measured:
        """Return the distances of the newest columns, of every node once and in order."""
        beside = inward(truth)
        return self._seen(*beside, columns) if beside else self._own(truth, columns)

    def _own(self, truth: Truth, columns: int) -> Measured:
        match truth:
            case Compared() | Happened():
                number, self._leaves = self._leaves, self._leaves + 1
                return self._leaf(truth, columns, number)
            case Opposite(source=source):
                found = self.measure(source, columns)
                return Measured(-found.distance, found.leaf, found.is_open)
            case Joined(word=word, sources=sources):
                parts = [self.measure(one, columns) for one in sources]
                return self._picked(truth, parts, columns, is_worst=word == "and")
            case Lasting(source=source, word=word, length=length):
                wide = self.measure(source, columns + length - 1)
                parts = [_stretch(wide, first, columns) for first in range(length)]
                return self._picked(truth, parts, columns, is_worst=word == "for")
            case Scored():
                return self._score(truth, columns)
            case _:
                return _numbered(self._unmeasured(truth, columns), -1)

    def _seen(self, lens: Lens, inner: Truth, columns: int) -> Measured:
        """Measure on the bars beside, in their own spread, and see that from each own bar."""
        first, self._leaves = self._leaves, self._leaves + _count(inner)
        glance = lens.glance(self._view, columns)
        if glance is None:
            return _numbered(np.full((self._view.rows, columns), np.nan), first)
        found = Ruler(glance.view, first).measure(inner, glance.width)
        return Measured(
            glance.take(found.distance, np.nan),
            glance.take(found.leaf, first),
            glance.take(found.is_open, True),
        )

    def _score(self, score: Scored, columns: int) -> Measured:
        """Measure a score; it is the first of its leaves, its parts are one leaf each."""
        number, self._leaves = self._leaves, self._leaves + 1 + len(score.weighed)
        apart = Ruler(self._view)
        parts = [apart.measure(one.truth, columns).distance for one in score.weighed]
        distance = score_distance(score, np.stack(parts, axis=-1))
        plain = self._unmeasured(score, columns)
        return _numbered(np.where(np.isnan(plain), np.nan, distance), number)

    def _leaf(self, leaf: Compared | Happened, columns: int, number: int) -> Measured:
        wanted = max(columns + 1, SPREAD_BARS)
        left, right = (
            solid(one.values(self._view, wanted)[:, -wanted:], self._view.rows)
            for one in leaf.operands
        )
        gap = shortfall(operator_of(leaf), left, right)
        lacking = gap[:, -columns:]
        if isinstance(leaf, Happened):  # one bar ago it had to be on the other side
            lacking = np.maximum(lacking, -gap[:, -columns - 1 : -1])
        with np.errstate(all="ignore"):
            distance = lacking / _spread(left, right)[:, None]
        plain = self._unmeasured(leaf, columns)
        return _numbered(np.where(np.isnan(distance) | np.isnan(plain), plain, distance), number)

    def _unmeasured(self, truth: Truth, columns: int) -> Array:
        verdicts = truth.verdicts(self._view, columns)[:, -columns:]
        return np.where(verdicts == 1, -np.inf, np.where(verdicts == -1, np.inf, np.nan))

    def _picked(
        self, truth: Truth, parts: Sequence[Measured], columns: int, *, is_worst: bool
    ) -> Measured:
        """Return the worst or the best of what is known of each place."""
        distances = np.stack([one.distance for one in parts], axis=-1)
        leaves = np.stack([one.leaf for one in parts], axis=-1)
        is_open: Array = np.logical_or.reduce([one.is_open for one in parts])
        if is_worst:
            picked = np.where(np.isnan(distances), -np.inf, distances).argmax(-1)
        else:
            picked = np.where(np.isnan(distances), np.inf, distances).argmin(-1)
            is_open &= truth.verdicts(self._view, columns)[:, -columns:] != 1
        picked = picked[..., None]
        return Measured(
            np.take_along_axis(distances, picked, -1)[..., 0],
            np.take_along_axis(leaves, picked, -1)[..., 0],
            is_open,
        )


def _count(truth: Truth) -> int:
    """Return how many leaves an explanation of the verdict has."""
    return sum(map(_count, truth.parts)) if truth.parts else 1


def _stretch(wide: Measured, first: int, columns: int) -> Measured:
    place = slice(first, first + columns)
    return Measured(wide.distance[:, place], wide.leaf[:, place], wide.is_open[:, place])


def _numbered(distance: Array, number: int) -> Measured:
    return Measured(distance, np.full(distance.shape, number), np.isnan(distance))


def _spread(left: Array, right: Array) -> Array:
    """Return the standard deviation of the difference of each row, NaN where little is known."""
    difference = (left - right)[:, -SPREAD_BARS:]
    is_known = ~np.isnan(difference)
    count = is_known.sum(1)

    def mean(values: Array) -> Array:
        found: Array = np.where(is_known, values, 0.0).sum(1) / np.maximum(count, 1)
        return found

    off = difference - mean(difference)[:, None]
    spread: Array = np.sqrt(mean(off * off))
    scale = mean(np.abs(left[:, -SPREAD_BARS:]) + np.abs(right[:, -SPREAD_BARS:]))
    spread[spread <= STILL * scale] = 0.0
    spread[count < LEAST_BARS] = np.nan
    return spread
