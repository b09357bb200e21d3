"""`rank(x)` and `breadth(truth)`: one instrument among all of the condition's universe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import day_ends, newest_starts, offsets
from conditions.nodes import Argument, Call, Name, children, to_text
from conditions.series import Series, solid
from conditions.units import Unit

if TYPE_CHECKING:
    from conditions.nodes import Node
    from conditions.truths import Truth
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

RANK, BREADTH = "rank", "breadth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked(Series):
    """Which place a value has in the slot of its bar: 1 for the largest, the same for equal ones.

    Instruments without a bar in the slot or with an unknown value have no place.
    """

    source: Series

    def values(self, view: View, columns: int) -> Array:
        """Return the places, computed over the whole universe whatever the rows are."""
        universe, starts = view.universe(), newest_starts(view, columns)
        theirs = newest_starts(universe, _reach(universe, starts, columns))
        table = solid(self.source.values(universe, theirs.shape[1]), universe.rows)
        table = table[:, -theirs.shape[1] :]
        own = _own(self.source, view, universe, table, columns)
        return _places(own, starts, table, theirs)

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return what is ranked."""
        return (self.source,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breadth(Series):
    """The share of the universe for which a verdict is true, unknown ones left out.

    An instrument that does not trade in a slot keeps its verdict until the end of the day.
    """

    source: Truth

    def values(self, view: View, columns: int) -> Array:
        """Return the share as each bar ended."""
        universe, starts = view.universe(), newest_starts(view, columns)
        width = _reach(universe, starts, columns)
        verdicts = self.source.verdicts(universe, width)[:, -width:]
        return _share(verdicts, *_spans(universe, width), starts)


def ranked(source: Series) -> Ranked:
    """Return the place of a value."""
    meaning = Call(Name(RANK), (Argument("", source.node),))
    return Ranked(
        node=meaning,
        unit=Unit.NUMBER,
        key=to_text(meaning),
        bars=source.bars,
        warm_up=source.warm_up,
        source=source,
    )


def breadth_of(source: Truth) -> Breadth:
    """Return the share for which a verdict is true."""
    meaning = Call(Name(BREADTH), (Argument("", source.node),))
    return Breadth(
        node=meaning, unit=Unit.RATIO, key=to_text(meaning), bars=source.bars, source=source
    )


def is_cross(node: Node) -> bool:
    """Tell whether a tree looks at the whole universe."""
    if isinstance(node, Call) and node.function in {Name(RANK), Name(BREADTH)}:
        return True
    return any(map(is_cross, children(node)))


def _reach(universe: View, starts: Array, columns: int) -> int:
    """Return how many of the newest bars of the universe count at these starts."""
    asked = starts[starts > 0]
    if not len(asked):
        return columns
    later = (universe.field("starts") > asked.min()).sum(1)
    return max(columns, int(later.max(initial=0)) + 1)


def _own(source: Series, view: View, universe: View, table: Array, columns: int) -> Array:
    """Return the values of the view's rows, to the last digit those that they are ranked among."""
    place_of = dict(zip(universe.picked.tolist(), range(universe.rows), strict=True))
    places = np.array([place_of.get(row, -1) for row in view.picked.tolist()])
    own: Array = table[places][:, -columns:]
    if (places < 0).any():
        other = solid(source.values(view, columns), view.rows)[:, -columns:]
        own = np.where(places[:, None] < 0, other, own)
    return own


def _places(own: Array, starts: Array, table: Array, theirs: Array) -> Array:
    slots = np.unique(starts[starts > 0])
    counts = np.isfinite(table) & np.isin(theirs, slots)
    order = np.lexsort((table[counts], theirs[counts]))
    values, moments = table[counts][order], theirs[counts][order]
    found = np.full(own.shape, np.nan)
    for slot in slots.tolist():
        first, last = np.searchsorted(moments, [slot, slot + 1])
        asked = (starts == slot) & ~np.isnan(own)
        smaller = np.searchsorted(values[first:last], own[asked], side="right")
        found[asked] = 1 + (last - first) - smaller
    return found


def _spans(universe: View, width: int) -> tuple[Array, Array]:
    """Return from when to when the verdict of each bar is in force."""
    starts = newest_starts(universe, width)
    gap = universe.field("gap")[:, -width:]
    gap = np.pad(gap, ((0, 0), (width - gap.shape[1], 0)))
    length = int(universe.timeframe.length.total_seconds() * 1000)
    ends = day_ends(starts, offsets(universe))
    ends[:, :-1] = np.minimum(ends[:, :-1], starts[:, 1:])
    is_lost = np.concatenate([gap[:, 1:], universe.field("missing")[:, None]], axis=1)
    return starts, np.where(is_lost, np.minimum(ends, starts + length), ends)


def _share(verdicts: Array, begins: Array, ends: Array, starts: Array) -> Array:
    counts = (verdicts != 0) & (begins > 0)
    signs = np.where(verdicts[counts] == 1, 1, 0)
    moments = np.concatenate([begins[counts], ends[counts]])
    order = np.argsort(moments, kind="stable")
    moments = np.append(0, moments[order])
    true = np.append(0, np.concatenate([signs, -signs])[order]).cumsum()
    ones = np.ones(len(signs), dtype=np.int64)
    known = np.append(0, np.concatenate([ones, -ones])[order]).cumsum()
    places = np.searchsorted(moments, starts, side="right") - 1
    share = true[places] / np.maximum(known[places], 1)
    found: Array = np.where((starts > 0) & (known[places] > 0), share, np.nan)
    return found
