"""How an indicator is declared, and the registry it enters by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numba
import numpy as np

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.units import Unit

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
F = TypeVar("F", bound="Callable[..., Any]")

OPENINGS = "openings"
"""A source that no user can write: 1 where a session begins, 0 where it goes on, NaN unknown."""
SESSION_BARS = 381
"""Bars of the longest session that a panel holds whole: KRX in minutes, the auction included."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that tunes an indicator, with the range it may have; most are whole."""

    name: str
    default: float | None
    low: float
    high: float
    is_whole: bool = True

    def typed(self, value: float) -> float:
        """Return the value as kernels take it: an int where it is whole, else a float."""
        return int(value) if self.is_whole else float(value)


@dataclass(frozen=True, slots=True)
class Output:
    """One of the series of an indicator; where there is only one, its name is empty.

    `unit` None is the unit of the first source. `is_level` tells that the values lie where the
    source's do, so that a chart can show both. `bounds` are the least and the greatest value there
    can be. `warm_up` and `memory` are the indicator's own where they are None.
    """

    name: str = ""
    meaning: str = ""
    unit: Unit | None = None
    is_level: bool = False
    bounds: tuple[float, float] | None = None
    warm_up: Callable[..., int] | None = None
    memory: Callable[..., int] | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """Series computed from other series.

    `kernel(*sources, *parameters, columns)` takes C-contiguous float64[rows, any columns], the
    newest bar last, and returns the newest `columns` columns, NaN where the value is unknown:
    bars are unknown on the left of the first one, and a kernel must expect NaN anywhere. With
    several outputs it returns float64[outputs, rows, columns], all computed in one go.

    `warm_up(*parameters)` is the number of known bars up to the first value of every output,
    `memory` the number of bars after which a window gives the value of the full history (within
    one millionth). `sources` are the fields it is computed from; an indicator with a single one
    takes any series instead, as its first argument. One that `is_recursive` gets every bar there
    is, others only as many as they remember. One that `is_slow` is no numba kernel. `twin` is the
    class of `ta` that it equals, `origin` where people read about it.
    """

    definition: str
    kernel: Callable[..., Floats]
    sources: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    warm_up: Callable[..., int]
    memory: Callable[..., int]
    is_recursive: bool = False
    is_slow: bool = False
    twin: str = ""
    origin: str = ""
    example: str = ""

    @property
    def is_several(self) -> bool:
        """Return whether one of its outputs must be named."""
        return len(self.outputs) > 1

    def output(self, name: str) -> Output | None:
        """Return the output of that name, None where there is none."""
        return next((one for one in self.outputs if one.name == name), None)


INDICATORS: Registry[Indicator] = Registry("indicator")
"""Numeric series by the name under which conditions call them."""

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
    """Makes an indicator of the kernel below it, whose docstring becomes the definition.

    `unit`, `is_level` and `bounds` are those of its only output; else give `outputs`.
    """

    parameters: tuple[Parameter, ...] = (WINDOW,)
    sources: tuple[str, ...] = ("close",)
    warm_up: Callable[..., int] = whole_window
    memory: Callable[..., int] = whole_window
    unit: Unit | None = None
    is_level: bool = False
    bounds: tuple[float, float] | None = None
    outputs: tuple[Output, ...] = field(default=())
    is_recursive: bool = False
    twin: str = ""
    origin: str = ""
    example: str = ""

    def __call__(self, function: Callable[..., Floats]) -> Indicator:
        """Return the indicator; its kernel is compiled on its first call."""
        only = Output(unit=self.unit, is_level=self.is_level, bounds=self.bounds)
        return Indicator(
            definition=cleandoc(function.__doc__ or ""),
            kernel=kernel(function),
            sources=self.sources,
            parameters=self.parameters,
            outputs=self.outputs or (only,),
            warm_up=self.warm_up,
            memory=self.memory,
            is_recursive=self.is_recursive,
            twin=self.twin,
            origin=self.origin,
            example=self.example,
        )
