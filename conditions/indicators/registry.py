"""How an indicator is declared, and the registry it enters by name."""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numba
import numpy as np

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.units import Unit

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Truths: TypeAlias = np.ndarray[Any, np.dtype[np.int8]]
F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number that tunes an indicator, with the range it may have."""

    name: str
    default: int | None
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """A series computed from other series.

    `kernel(*sources, *parameters, columns)` takes C-contiguous float64[rows, any columns], the
    newest bar last, and returns the newest `columns` columns, NaN where the value is unknown:
    bars are unknown on the left of the first one, and a kernel must expect NaN anywhere.

    `warm_up(*parameters)` is the number of known bars up to the first known value, `memory` the
    number of bars after which a window gives the value of the full history (within one millionth).
    `sources` are the fields it is computed from; an indicator with a single one takes any series
    instead, as its first argument. One that `is_recursive` gets every bar there is, others only as
    many as they remember. `unit` None is the unit of the first source. `is_level` tells that the
    values lie where the source's do, so that a chart can show both.
    """

    definition: str
    kernel: Callable[..., Floats]
    sources: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    warm_up: Callable[..., int]
    memory: Callable[..., int]
    unit: Unit | None = None
    is_level: bool = False
    is_recursive: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens between a bar and the one before it.

    `kernel(left, right, gap, columns)` returns verdicts int8[rows, columns]; `gap` bool[rows, any
    columns] tells that a missing slot lies before the bar. `words` are shown as its operator.
    """

    definition: str
    kernel: Callable[..., Truths]
    words: str

    @staticmethod
    def declared(words: str) -> Callable[[Callable[..., Truths]], Event]:
        """Return what makes an event of the kernel below it."""

        def make(function: Callable[..., Truths]) -> Event:
            return Event(cleandoc(function.__doc__ or ""), kernel(function), words)

        return make


INDICATORS: Registry[Indicator] = Registry("indicator")
"""Numeric series by the name under which conditions call them."""
EVENTS: Registry[Event] = Registry("event")
"""Events by the name under which conditions call them; each takes two series."""

WINDOW = Parameter("window", None, 1, 5_000)
"""The number of bars an indicator looks at; it has no default."""

LANES = 16
"""Rows that a recursive kernel takes side by side: while one waits for its sum, others add."""


def kernel(function: F) -> F:
    """Return the function compiled by numba on its first call, kept on disk, without the GIL.

    numba keeps it beside the module, else in the user's cache folder. Where neither can be written
    every process compiles anew.
    """
    try:
        compiled = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba's word for: no folder to keep it in
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast("F", compiled)


def whole_window(window: int) -> int:
    """Return the window: what a plain moving window needs and remembers."""
    return window


@dataclass(frozen=True, slots=True)
class Declared:
    """Makes an indicator of the kernel below it, whose docstring becomes the definition."""

    parameters: tuple[Parameter, ...] = (WINDOW,)
    sources: tuple[str, ...] = ("close",)
    warm_up: Callable[..., int] = whole_window
    memory: Callable[..., int] = whole_window
    unit: Unit | None = None
    is_level: bool = False
    is_recursive: bool = False

    def __call__(self, function: Callable[..., Floats]) -> Indicator:
        """Return the indicator; its kernel is compiled on its first call."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        return Indicator(
            definition=cleandoc(function.__doc__ or ""), kernel=kernel(function), **own
        )
