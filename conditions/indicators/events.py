"""How an event is declared, and the registries that events and shorthands enter by name."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conditions.indicators.registry import Parameter

Array: TypeAlias = np.ndarray[Any, Any]


class Reach:
    """The bars that an event looks at: its newest `columns`, and those before them.

    `reach[name]` is a field or series on the bar itself, `reach.ago(name, 2)` two bars before.
    """

    def __init__(self, arrays: dict[str, Array], columns: int) -> None:
        self._arrays = arrays
        self._columns = columns

    def __getitem__(self, name: str) -> Array:
        return self.ago(name, 0)

    def ago(self, name: str, bars: int) -> Array:
        """Return the values of so many bars before."""
        values = self._arrays[name]
        end = values.shape[1] - bars
        return values[:, end - self._columns : end]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens on the newest bars, true or false.

    `happened(reach, *parameters)` tells where, bool[rows, columns], as if everything were known.
    `fields` are taken from the bars, `series` are arguments of a call, and so are `parameters`.
    `bars(*parameters)` is how many bars it looks at, the newest included. `words` stand between
    the two values that explain it: both series, or a series and what it was at the first of
    these bars; the close and the open of the first bar where it takes fields.
    """

    definition: str
    happened: Callable[..., Array]
    words: str
    series: tuple[str, ...]
    fields: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    bars: Callable[..., int]
    example: str

    def verdicts(
        self, arrays: Sequence[Array], parameters: Sequence[float], gap: Array, columns: int
    ) -> Array:
        """Return int8[rows, columns]; unknown beside NaN and where a missing slot lies between.

        Each of the arrays, in the order of `fields` and `series`, has `columns + bars - 1` columns
        at least; `gap` tells that a missing slot lies before a bar and may have fewer.
        """
        bars = self.bars(*parameters)
        wanted = columns + bars - 1
        names = (*self.fields, *self.series)
        reach = Reach(dict(zip(names, arrays, strict=True)), columns)
        with np.errstate(invalid="ignore"):
            found = np.where(self.happened(reach, *parameters), 1, -1).astype(np.int8)
        for values in arrays:
            found[_any_of(np.isnan(values[:, -wanted:]), bars)] = 0
        if bars > 1:
            lacking = max(0, wanted - gap.shape[1])
            holes = np.pad(gap[:, -wanted:], ((0, 0), (lacking, 0)), constant_values=True)
            found[_any_of(holes[:, 1:], bars - 1)] = 0
        return found


def _any_of(flags: Array, length: int) -> Array:
    """Return whether any of each stretch of so many columns is set."""
    columns = flags.shape[1] - length + 1
    found = flags[:, :columns].copy()
    for offset in range(1, length):
        found |= flags[:, offset : offset + columns]
    return found


@dataclass(frozen=True, slots=True)
class Shorthand:
    """A word for an expression: `template` has the texts of its series and parameters filled in."""

    definition: str
    template: str
    example: str
    series: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()


EVENTS: Registry[Event] = Registry("event")
"""Events by the name under which conditions call them."""
SHORTHANDS: Registry[Shorthand] = Registry("shorthand")
"""Words for whole expressions by the name under which conditions call them."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Makes an event of the function below it, whose docstring becomes the definition."""

    words: str
    series: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    bars: int | Callable[..., int] = 1
    example: str = ""

    def __call__(self, function: Callable[..., Array]) -> Event:
        """Return the event."""
        bars = self.bars
        return Event(
            definition=cleandoc(function.__doc__ or ""),
            happened=function,
            words=self.words,
            series=self.series,
            fields=self.fields,
            parameters=self.parameters,
            bars=bars if callable(bars) else lambda *_: bars,
            example=self.example,
        )
