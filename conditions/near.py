"""Which instruments a condition is closest to firing on, and the leaf that keeps each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.engine import evaluate
from conditions.explain import explain
from conditions.ruler import Ruler
from market.types import Verdict

if TYPE_CHECKING:
    from conditions.compile import Condition
    from market.panel import Panel
    from market.signals import Leaf
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Near:
    """An instrument's distance, in spreads, and the leaf that it is the distance of.

    Where the condition holds it is 0 or below, -inf where nobody can tell by how much.
    """

    instrument: InstrumentId
    row: int
    distance: float
    verdict: Verdict
    leaf: Leaf | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Instruments by distance, the nearest first; `ranked` counts all that have one.

    The verdict or the distance of `unknown` ones is not known yet; `unmeasured` ones are kept
    by a leaf of which no distance can be told.
    """

    nearest: tuple[Near, ...] = ()
    ranked: int = 0
    unknown: int = 0
    unmeasured: int = 0

    def joined(self, other: Ranking, top: int) -> Ranking:
        """Return one ranking of the instruments of both."""
        both = sorted((*self.nearest, *other.nearest), key=lambda one: one.distance)
        return Ranking(
            tuple(both[:top]),
            self.ranked + other.ranked,
            self.unknown + other.unknown,
            self.unmeasured + other.unmeasured,
        )


def near(condition: Condition, panel: Panel, rows: Array, top: int = 10) -> Ranking:
    """Return the `top` rows that are closest to firing on their newest bars."""
    rows = np.asarray(rows, dtype=np.int64)
    if not len(rows):
        return Ranking()
    verdicts = evaluate(condition, panel, rows).when
    measured = Ruler(condition.view(panel, rows)).measure(condition.when, 1)
    is_unknown = (verdicts == 0) | ((verdicts == -1) & measured.is_open[:, -1])
    distances = np.where(is_unknown, np.nan, measured.distance[:, -1])
    ranked = np.flatnonzero(distances < np.inf)
    order = ranked[np.argsort(distances[ranked], kind="stable")]
    unknown = int(np.isnan(distances).sum())

    def one(place: int) -> Near:
        row, leaf = int(rows[place]), int(measured.leaf[place, -1])
        leaves = explain(condition, panel, row).leaves
        return Near(
            panel.instruments[row],
            row,
            float(distances[place]),
            Verdict(int(verdicts[place])),
            leaves[leaf] if 0 <= leaf < len(leaves) else None,
        )

    nearest = tuple(one(place) for place in order[:top].tolist())
    return Ranking(nearest, len(order), unknown, len(rows) - len(order) - unknown)
