"""Compiled verdicts: each gives +1 true, 0 unknown, -1 false for its newest columns on a view."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.series import solid

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.indicators.events import Event
    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.units import Unit
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


@dataclass(frozen=True, slots=True)
class Truth:
    """A verdict for every bar; all is min, any is max, not is minus.

    `node` is its meaning with nothing left out, `text` what people are shown, `bars` how many bars
    the newest verdict needs, `warm_up` how many of them an instrument must have. `written` is what
    the user wrote where that is not the text.
    """

    node: Node
    text: str
    bars: int
    warm_up: int
    written: str = field(default="", kw_only=True, compare=False)

    def verdicts(self, view: View, columns: int) -> Array:
        """Return int8[rows, columns], the newest bar last."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Truth, ...]:
        """Return the verdicts it is made of."""
        return ()

    @property
    def operands(self) -> tuple[Series, ...]:
        """Return the series it judges by itself."""
        return ()


@dataclass(frozen=True, slots=True)
class Compared(Truth):
    """Two series compared; unknown where one of them is."""

    left: Series
    operator: str
    right: Series
    unit: Unit

    def verdicts(self, view: View, columns: int) -> Array:
        """Return the comparison bar by bar."""
        left = self.left.values(view, columns)[:, -columns:]
        right = self.right.values(view, columns)[:, -columns:]
        verdicts = np.where(COMPARISONS[self.operator](left, right), 1, -1).astype(np.int8)
        verdicts[np.isnan(left + right)] = 0
        return np.broadcast_to(verdicts, (view.rows, columns))

    @property
    def operands(self) -> tuple[Series, ...]:
        """Return both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Happened(Truth):
    """An event on the newest bars of its sources; `left` and `right` are what explains it."""

    event: Event
    sources: tuple[Series, ...]
    parameters: tuple[float, ...]
    left: Series
    right: Series
    unit: Unit

    def verdicts(self, view: View, columns: int) -> Array:
        """Return where it happened, unknown where a missing slot lies between its bars."""
        wanted = columns + self.event.bars(*self.parameters) - 1
        arrays = [solid(one.values(view, wanted), view.rows) for one in self.sources]
        return self.event.verdicts(arrays, self.parameters, view.field("gap"), columns)

    @property
    def operands(self) -> tuple[Series, ...]:
        """Return both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Lasting(Truth):
    """True on all (`for`) or on any (`within`) of the instrument's last own bars."""

    source: Truth
    word: str
    length: int

    def verdicts(self, view: View, columns: int) -> Array:
        """Return the least or the greatest verdict of each stretch of bars."""
        wide = self.source.verdicts(view, columns + self.length - 1)
        stretches = np.lib.stride_tricks.sliding_window_view(wide, self.length, axis=1)
        least_or_greatest: Array = stretches.min(2) if self.word == "for" else stretches.max(2)
        return least_or_greatest

    @property
    def parts(self) -> tuple[Truth, ...]:
        """Return what has to last."""
        return (self.source,)


@dataclass(frozen=True, slots=True)
class Opposite(Truth):
    """True where another is false."""

    source: Truth

    def verdicts(self, view: View, columns: int) -> Array:
        """Return the other's verdict, turned round."""
        return -self.source.verdicts(view, columns)

    @property
    def parts(self) -> tuple[Truth, ...]:
        """Return what is denied."""
        return (self.source,)


@dataclass(frozen=True, slots=True)
class Joined(Truth):
    """All of them (`and`) or any of them (`or`)."""

    word: str
    sources: tuple[Truth, ...]

    def verdicts(self, view: View, columns: int) -> Array:
        """Return the least or the greatest verdict."""
        join = np.minimum if self.word == "and" else np.maximum
        joined: Array = join.reduce([one.verdicts(view, columns) for one in self.sources])
        return joined

    @property
    def parts(self) -> tuple[Truth, ...]:
        """Return what is joined."""
        return self.sources


def rewritten(truth: Truth, written: str) -> Truth:
    """Return the verdict with all of its parts as what the user wrote with these words."""
    match truth:
        case Joined(sources=sources):
            parts = tuple(rewritten(one, written) for one in sources)
            return replace(truth, written=written, sources=parts)
        case Opposite(source=source) | Lasting(source=source):
            return replace(truth, written=written, source=rewritten(source, written))
        case _:
            return replace(truth, written=written)
