"""Compiled numeric series: each gives its newest columns on a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.indicators.registry import Indicator, Output
    from conditions.nodes import Node
    from conditions.units import Unit
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

SIGNS: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


@dataclass(frozen=True, slots=True)
class Series:
    """A number for every bar, NaN where it is unknown.

    `node` is its meaning with nothing left out and `key` the text of that, `bars` how many bars its
    newest value needs, `warm_up` how many of them an instrument must have. `is_level` tells that
    it moves where prices do.
    """

    node: Node
    unit: Unit
    key: str
    bars: int = 1
    warm_up: int = 1
    is_level: bool = False

    def values(self, view: View, columns: int) -> Array:
        """Return float64[rows or 1, at least columns], the newest bar last."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return the series it is made of."""
        return ()


@dataclass(frozen=True, slots=True)
class Constant(Series):
    """A number that the user wrote, in the unit's own scale."""

    value: float = 0.0

    def values(self, view: View, columns: int) -> Array:  # noqa: ARG002  # same on every view
        """Return the number for every bar, in one row that stands for all."""
        return np.full((1, columns), self.value)


@dataclass(frozen=True, slots=True)
class Field(Series):
    """A field of the bars."""

    def values(self, view: View, columns: int) -> Array:
        """Return what the panel holds, unknown beyond it."""
        return widened(view.field(self.key), columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier(Series):
    """A series as it was some of the instrument's own bars ago."""

    source: Series
    distance: int

    def values(self, view: View, columns: int) -> Array:
        """Return the source's columns, moved."""
        values = self.source.values(view, columns + self.distance)
        return values[:, : values.shape[1] - self.distance]

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return the source."""
        return (self.source,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Series):
    """Two series joined by a sign."""

    sign: str
    left: Series
    right: Series

    def values(self, view: View, columns: int) -> Array:
        """Return the result, unknown where it is not finite."""
        left = self.left.values(view, columns)[:, -columns:]
        right = self.right.values(view, columns)[:, -columns:]
        with np.errstate(all="ignore"):
            return _finite(SIGNS[self.sign](left, right))

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped(Series):
    """A function of the values of the same bar: min, max, abs."""

    function: Callable[..., Array]
    arguments: tuple[Series, ...]

    def values(self, view: View, columns: int) -> Array:
        """Return the function of the arguments, unknown where one of them is."""
        first, *others = (one.values(view, columns)[:, -columns:] for one in self.arguments)
        if not others:
            return self.function(first)
        for other in others:
            first = self.function(first, other)
        return first

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return the arguments."""
        return self.arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicated(Series):
    """One output of an indicator of other series; `whole` is the text of the call without it."""

    indicator: Indicator
    output: Output
    whole: str
    sources: tuple[Series, ...]
    parameters: tuple[float, ...]

    def values(self, view: View, columns: int) -> Array:
        """Return the newest columns; all outputs of a call are computed once per view and width."""
        found = view.recall(self.whole, columns, lambda: self._computed(view, columns))
        if not self.indicator.is_several:
            return found
        output: Array = found[self.indicator.outputs.index(self.output)]
        return output

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return the sources."""
        return self.sources

    def _computed(self, view: View, columns: int) -> Array:
        wanted = columns + self.indicator.memory(*self.parameters) - 1
        if self.indicator.is_recursive:  # its value must not depend on how much is asked for
            wanted = max(view.columns, columns)
        sources = [solid(one.values(view, wanted), view.rows) for one in self.sources]
        return self.indicator.kernel(*sources, *self.parameters, columns)


def solid(values: Array, rows: int) -> Array:
    """Return the values as kernels take them: every row there, contiguous in memory."""
    if len(values) != rows:
        values = np.broadcast_to(values, (rows, values.shape[1]))
    return np.ascontiguousarray(values)


def widened(values: Array, columns: int, filler: float = np.nan) -> Array:
    """Return at least that many columns, filled up on the left."""
    lacking = columns - values.shape[1]
    if lacking <= 0:
        return values
    return np.pad(values, ((0, 0), (lacking, 0)), constant_values=filler)


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)
