"""Why a condition has its verdict: the values of its comparisons, and the lines to draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.distance import operator_of
from conditions.score import Scored
from conditions.series import Constant, Field, Indicated, Series
from conditions.spot import Spot
from conditions.truths import Compared, Happened, Lasting
from conditions.units import Unit
from market.signals import Explanation, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.truths import Truth
    from market.panel import Panel
    from market.types import Verdict

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

    What held within some bars is told by its values on the last of them on which it held. A score
    is told by its sum and by what each of its parts adds, of its weight.
    """
    view = condition.view(panel, np.array([row], dtype=np.int64))
    spot = Spot(view, is_missing=bool(panel.missing[row]))
    return Explanation(spot.verdict(condition.when), tuple(_leaves(condition.when, spot)))


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


def _leaves(truth: Truth, spot: Spot, held_at: datetime | None = None) -> Iterator[Leaf]:
    """Yield every comparison with the verdict it is shown under: its own, or how it lasts."""
    match truth:
        case Compared() | Happened():
            yield _leaf(truth, spot, spot.text(truth), spot.verdict(truth), held_at)
        case Lasting():
            source, place = spot.inside(truth)
            at = held_at if place is spot else place.start()
            if isinstance(source, Compared | Happened):
                yield _leaf(source, place, spot.text(truth), spot.verdict(truth), at)
            else:
                yield from _leaves(source, place, at)
        case Scored():
            yield from _score(truth, spot)
        case _:
            for part in truth.parts:
                yield from _leaves(part, spot, held_at)


def _score(score: Scored, spot: Spot) -> Iterator[Leaf]:
    total, threshold = score.total(spot.view), float(score.threshold)
    yield Leaf(score.text, total, score.operator, threshold, "", spot.verdict(score))
    for part in score.weighed:
        found = spot.verdict(part.truth)
        added = part.contribution(found)
        shown = math.nan if added is None else float(added)
        yield Leaf(part.truth.text, shown, "/", float(part.weight), "", found)


def _leaf(
    leaf: Compared | Happened, spot: Spot, text: str, verdict: Verdict, held_at: datetime | None
) -> Leaf:
    left, right = (spot.number(one) for one in leaf.operands)
    return Leaf(text, left, operator_of(leaf), right, shown_unit(leaf.unit), verdict, held_at)


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
