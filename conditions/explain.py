"""Why a condition has its verdict: the values of its comparisons, and the lines to draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.distance import operator_of
from conditions.score import Scored
from conditions.series import Constant, Field, Indicated, Series
from conditions.truths import Compared, Happened, Lasting, Truth
from conditions.units import Unit
from market.signals import Explanation, Leaf
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.compile import Condition
    from conditions.view import View
    from market.panel import Panel

Array: TypeAlias = np.ndarray[Any, Any]

MOST_OVERLAYS = 4
_SHOWN = {
    Unit.RATIO,
    Unit.PRICE,
    Unit.VOLUME,
    Unit.VALUE,
    Unit.POINTS,
    Unit.TIME,
    Unit.CLOCK,
}


def explain(condition: Condition, panel: Panel, row: int) -> Explanation:
    """Return the verdict on a row's newest bar with every comparison of `when`, in order.

    A score is told by its sum and by what each of its parts adds, of its weight.
    """
    view = condition.view(panel, np.array([row], dtype=np.int64))
    is_missing = bool(panel.missing[row])
    leaves = tuple(_leaves(condition.when, view, is_missing))
    return Explanation(_verdict(condition.when, view, is_missing), leaves)


def overlays(condition: Condition, panel: Panel, row: int, bars: int) -> dict[str, Array]:
    """Return at most four series of the condition that lie where prices do, keyed by their text.

    Each has `bars` values, the newest last, NaN where it is unknown.
    """
    view = condition.view(panel, np.array([row], dtype=np.int64))
    drawn: dict[str, Array] = {}
    for truth in (condition.when, condition.clear):
        for series in _levels(truth) if truth else ():
            if len(drawn) < MOST_OVERLAYS and series.key not in drawn:
                drawn[series.key] = series.values(view, bars)[0, -bars:].copy()
    return drawn


def _verdict(truth: Truth, view: View, is_missing: bool) -> Verdict:
    return Verdict.UNKNOWN if is_missing else Verdict(int(truth.verdicts(view, 1)[0, -1]))


def _leaves(truth: Truth, view: View, is_missing: bool) -> Iterator[Leaf]:
    """Yield every comparison with the verdict it is shown under: its own, or how it lasts."""
    if isinstance(truth, Compared | Happened):
        yield _leaf(truth, truth, view, is_missing)
    elif isinstance(truth, Lasting) and isinstance(truth.source, Compared | Happened):
        yield _leaf(truth.source, truth, view, is_missing)
    elif isinstance(truth, Scored):
        yield from _score(truth, view, is_missing)
    else:
        for part in truth.parts:
            yield from _leaves(part, view, is_missing)


def _score(score: Scored, view: View, is_missing: bool) -> Iterator[Leaf]:
    total, verdict = score.total(view), _verdict(score, view, is_missing)
    yield Leaf(score.text, total, score.operator, float(score.threshold), "", verdict)
    for part in score.weighed:
        found = _verdict(part.truth, view, is_missing)
        added = part.contribution(found)
        shown = math.nan if added is None else float(added)
        yield Leaf(part.truth.text, shown, "/", float(part.weight), "", found)


def _leaf(leaf: Compared | Happened, outer: Truth, view: View, is_missing: bool) -> Leaf:
    left, right = (float(one.values(view, 1)[0, -1]) for one in leaf.operands)
    unit, verdict = shown_unit(leaf.unit), _verdict(outer, view, is_missing)
    return Leaf(outer.text, left, operator_of(leaf), right, unit, verdict)


def shown_unit(unit: Unit) -> str:
    """Return the unit of a leaf: how its values are shown to people."""
    if unit is Unit.MONEY:
        return str(Unit.VALUE)
    return str(unit) if unit in _SHOWN else ""


def _levels(truth: Truth) -> Iterator[Series]:
    for series in truth.operands:
        yield from _lines(series)
    for part in truth.parts:
        yield from _levels(part)


def _lines(series: Series) -> Iterator[Series]:
    """Yield the largest parts that move where prices do; a bar's own prices are drawn anyway."""
    if series.is_level and not _is_price_itself(series):
        yield series
        return
    for part in series.parts:
        yield from _lines(part)


def _is_price_itself(series: Series) -> bool:
    """Tell whether only prices of bars went into a line: no indicator, nothing of the day."""
    if isinstance(series, Indicated) or not series.parts:
        return isinstance(series, Field | Constant)
    return all(map(_is_price_itself, series.parts))
