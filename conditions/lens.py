"""Bars beside an instrument's own: longer ones, or another instrument's, as each own bar sees them.

What is seen of a bar beside is its newest closed state, so every own bar that sees the same bar
sees the same values and the same verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from conditions.fact_fields import FactField, fact_of
from conditions.nodes import Scoped, to_text
from conditions.series import Constant, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.nodes import Node
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Glance:
    """Which of the newest `width` bars of another view each own bar sees, and whether it can.

    `places` and `is_known` are [rows, columns]; the other view has as many rows, or one for all.
    """

    view: View
    width: int
    places: Array
    is_known: Array

    def take(self, values: Array, unknown: float) -> Array:
        """Return what own bars see of values of the other bars [rows or 1, at least width]."""
        table = np.broadcast_to(values[:, -self.width :], (len(self.places), self.width))
        found = np.take_along_axis(table, np.maximum(self.places, 0), 1)
        return np.where(self.is_known, found, unknown).astype(values.dtype)


class Lens(Protocol):
    """Port. Finds the bars beside own ones; it is equal to another that finds the same."""

    @property
    def scope(self) -> Node:
        """Return what stands in front of what is seen."""
        ...

    @property
    def is_other(self) -> bool:
        """Return whether the bars are another instrument's: its prices are no line in a chart."""
        ...

    def glance(self, view: View, columns: int) -> Glance | None:
        """Return what the newest own bars see, None where there are no such bars at all."""
        ...


def look(
    lens: Lens, view: View, columns: int, read: Callable[[View, int], Array], unknown: float
) -> Array:
    """Return [rows, columns]: what the newest own bars see of what is read of the bars beside."""
    glance = lens.glance(view, columns)
    if glance is None:
        nothing = read(view, columns)  # only its type counts
        return np.full((view.rows, columns), unknown, dtype=nothing.dtype)
    return glance.take(read(glance.view, glance.width), unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Series):
    """A series of the bars beside."""

    lens: Lens
    source: Series

    def values(self, view: View, columns: int) -> Array:
        """Return what each own bar sees, unknown where there is no such bar or it is not told."""
        return look(self.lens, view, columns, self.source.values, np.nan)

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return what the series is made of, seen alike."""
        return tuple(seen(self.lens, one) for one in self.source.parts)


def seen(lens: Lens, source: Series) -> Series:
    """Return a series as one of the bars beside; a number is the same everywhere."""
    if isinstance(source, Constant):
        return source
    if isinstance(source, FactField) and lens.is_other:
        return fact_of(lens.scope, source)
    meaning = Scoped(lens.scope, source.node)
    return Seen(
        node=meaning,
        unit=source.unit,
        key=to_text(meaning),
        bars=source.bars if lens.is_other else 1,
        is_level=source.is_level and not lens.is_other,
        lens=lens,
        source=source,
    )
