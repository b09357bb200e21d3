"""`d1.close`, `h1.rsi(14)`: what is asked of a longer timeframe, as far as its bars have closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import day_ends, length_ms, newest_starts, offsets
from conditions.fact_fields import FACTS, FactField
from conditions.lens import Glance, Seen, seen
from conditions.mistake import Mistake
from conditions.nodes import Name, Scoped, children
from conditions.seen_truths import SeenEvent, SeenLasting
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.lens import Lens
    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.truths import Truth
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

PREFIXES = {
    "m1": Timeframe.M1,
    "m5": Timeframe.M5,
    "m15": Timeframe.M15,
    "m30": Timeframe.M30,
    "h1": Timeframe.H1,
    "d1": Timeframe.D1,
}
"""Timeframes by the word that stands in front of what is asked of their bars."""

USAGE = "d1.sma(close, 20)"


@dataclass(frozen=True, slots=True)
class LongerBars:
    """Sees the bars of a longer timeframe: each own bar sees the newest one that had closed.

    A bar within a session counts from the own bar on with which it ends, a day's bar (and one that
    lasts beyond the session) from the next day on. It is unknown where the bar is not told yet.
    """

    prefix: str

    @property
    def timeframe(self) -> Timeframe:
        """Return the timeframe."""
        return PREFIXES[self.prefix]

    @property
    def scope(self) -> Node:
        """Return the word in front."""
        return Name(self.prefix)

    @property
    def is_other(self) -> bool:
        """Return that they are the instrument's own."""
        return False

    def glance(self, view: View, columns: int) -> Glance | None:
        """Return the bars that had closed as each own bar ended."""
        larger = view.larger(self.timeframe)
        if larger is None:
            return None
        starts = newest_starts(view, columns)
        moments = _moments(view, starts, self.timeframe)
        width = _reach(larger, moments, starts > 0)
        places, is_known = _newest(larger, moments, width)
        return Glance(larger, width, places, is_known & (starts > 0))


def larger(prefix: Name, source: Series) -> Series:
    """Return a series as one of the longer timeframe that the prefix names."""
    if isinstance(source, FactField):
        raise Mistake(prefix.start, f"'{FACTS}' are of days already; write {source.key}")
    return seen(LongerBars(prefix.name), source)


def check_prefix(prefix: Name, own: Timeframe | None, outer: Timeframe | None) -> None:
    """Raise Mistake where bars of the prefix cannot be asked for; `outer` is one around it."""
    asked = PREFIXES[prefix.name]
    if outer is not None:
        words = f"'{prefix.name}' stands inside a prefix already: its bars are {outer} bars"
        raise Mistake(prefix.start, f"{words}; write each prefix in front of the whole: {USAGE}")
    if own is not None and asked.length <= own.length:
        words = f"'{prefix.name}' is not longer than the condition's own bars ({own})"
        fitting = [word for word, one in PREFIXES.items() if one.length > own.length]
        hint = f"use {', '.join(fitting)}" if fitting else "no timeframe is"
        raise Mistake(prefix.start, f"{words}; {hint}")


def prefixes_in(node: Node) -> Iterator[Timeframe]:
    """Yield the longer timeframes that a tree as it is understood asks for."""
    if isinstance(node, Scoped) and isinstance(node.scope, Name):
        yield PREFIXES[node.scope.name]
    for below in children(node):
        yield from prefixes_in(below)


def refuse_mixed(name: str, own: Timeframe | None, node: Node, series: Series) -> None:
    """Raise Mistake where what counts own bars is given a series of longer ones."""
    other = next(prefixes_in(series.node), None)
    if other is not None:
        bars = f"{own} bars" if own else "the condition's own bars"
        message = f"'{name}' counts {bars}, '{series.key}' is of {other} bars; write {USAGE}"
        raise Mistake(node.start, message)


def needs(*truths: Truth) -> dict[Timeframe, int]:
    """Return how many bars of longer timeframes an instrument must have for these verdicts."""
    found: dict[Timeframe, int] = {}
    for truth in truths:
        if isinstance(truth, SeenEvent | SeenLasting):
            _add(truth.lens, truth.inner.warm_up, found)
        for series in truth.operands:
            _add_needs(series, found)
        for timeframe, bars in needs(*truth.parts).items():
            found[timeframe] = max(bars, found.get(timeframe, 0))
    return found


def _add_needs(series: Series, found: dict[Timeframe, int]) -> None:
    if isinstance(series, Seen):
        _add(series.lens, series.source.warm_up, found)
    for part in series.parts:
        _add_needs(part, found)


def _add(lens: Lens, bars: int, found: dict[Timeframe, int]) -> None:
    if isinstance(lens, LongerBars):
        found[lens.timeframe] = max(bars, found.get(lens.timeframe, 0))


def _known_from(larger: View, width: int) -> Array:
    """Return int64[rows, width]: the moments from which the newest longer bars count.

    Where there is no bar it is one before all times.
    """
    starts = larger.field("starts")[:, -width:]
    ends = starts + length_ms(larger.timeframe)
    if larger.timeframe is Timeframe.D1:
        ends = day_ends(starts, offsets(larger))
    return np.where(starts > 0, ends, -1)


def _moments(view: View, starts: Array, timeframe: Timeframe) -> Array:
    """Return when each own bar looks back: as it ends, or now; for days as it begins."""
    is_day = timeframe is Timeframe.D1
    return starts if is_day else view.reference.as_seen(starts + length_ms(view.timeframe))


def _reach(larger: View, moments: Array, is_bar: Array) -> int:
    """Return how many of the newest longer bars hold all that count at these moments."""
    asked = moments[is_bar]
    if not len(asked):
        return 1
    starts = larger.field("starts")
    # no bar counts later than its length after its start
    later = (starts > asked.min() - length_ms(larger.timeframe)).sum(1)
    return min(int(later.max(initial=0)) + 1, int(starts.shape[1]))


def _newest(larger: View, moments: Array, width: int) -> tuple[Array, Array]:
    """Return the place of the newest closed bar at each moment, and whether it surely was."""
    ends = _known_from(larger, width)
    gap = larger.field("gap")[:, -width:]
    lost = np.concatenate([gap[:, 1:], larger.field("missing")[:, None]], axis=1)
    places = np.empty(moments.shape, dtype=np.int64)
    for column in range(moments.shape[1]):
        places[:, column] = (ends <= moments[:, column, None]).sum(1) - 1
    is_held = np.take_along_axis(ends, np.maximum(places, 0), 1) > 0
    is_lost = np.take_along_axis(lost, np.maximum(places, 0), 1)
    return places, (places >= 0) & is_held & ~is_lost
