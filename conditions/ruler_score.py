"""How far a score is from its threshold, in the distances of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.truths import COMPARISONS

if TYPE_CHECKING:
    from conditions.score import Scored

Array: TypeAlias = np.ndarray[Any, Any]


def score_distance(score: Scored, distances: Array) -> Array:
    """Return the distance of a score from those of its parts [rows, columns, parts].

    It is the least one at which the score holds when every part turns its way whose own distance
    is no larger, and no other does: negative where parts could be lost. -inf and inf where it holds
    or fails whatever they do. An unknown part adds what it adds when unknown, and turns nowhere.
    """
    # Counted in the direction in which the score holds: a part that helps by being false is as
    # far as its opposite.
    sign = 1 if score.operator in {">", ">="} else -1
    gains = np.array([float(sign * (one.weight - one.otherwise)) for one in score.weighed])
    low = np.array([float(min(sign * one.weight, sign * one.otherwise)) for one in score.weighed])
    unknown = np.array([float(sign * (one.unknown or 0)) for one in score.weighed])
    is_unknown = np.isnan(distances)
    turns = np.where(is_unknown, np.inf, np.where(gains < 0, -distances, distances))
    order = np.argsort(turns, axis=-1, kind="stable")
    added = np.where(is_unknown, 0.0, np.abs(gains))
    start = np.where(is_unknown, unknown, low).sum(-1, keepdims=True)
    steps = np.take_along_axis(added, order, -1).cumsum(-1)
    sums = np.concatenate([start, start + steps], axis=-1)
    threshold = np.full(sums.shape, float(score.threshold))
    holds = COMPARISONS[score.operator](sign * np.round(sums, 9), threshold)
    places = np.concatenate(
        [np.full(start.shape, -np.inf), np.take_along_axis(turns, order, -1)], axis=-1
    )
    found: Array = np.where(holds, places, np.inf).min(-1)
    return found
