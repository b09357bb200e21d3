"""Indicators that `ta` itself computes, row by row: slow, but everything it has can be called."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from conditions.indicators.registry import (
    INDICATORS,
    OPENINGS,
    SESSION_BARS,
    Floats,
    Indicator,
    Output,
    Parameter,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LONGEST = 1_000
_ANCHORED = " It begins anew with every session."


@dataclass(frozen=True, slots=True)
class Twin:
    """A class of `ta`, called as a kernel is; `ta` is imported by the first call.

    Every stretch of known bars is given to it alone, with a plain range as index (its parabolic
    SAR is wrong under dates) and not before it is warm (some of its classes raise then); one that
    is anchored gets one session at a time. What it says before it is warm is not believed: it
    fills in means over the whole series, later bars included.
    """

    path: str
    sources: tuple[str, ...]
    parameters: tuple[str, ...]
    methods: tuple[str, ...]
    warm_ups: tuple[Callable[..., int], ...]
    is_anchored: bool

    def __call__(self, *given: Any) -> Floats:
        """Return the newest columns of every method: see Indicator.kernel."""
        arrays, (*tuned, columns) = given[: len(self.sources)], given[len(self.sources) :]
        rows, width = arrays[0].shape
        out = np.full((len(self.methods), rows, columns), np.nan)
        keywords = dict(zip(self.parameters, tuned, strict=True))
        warm_ups = [warm_up(*tuned) for warm_up in self.warm_ups]
        for row in range(rows):
            bars = {name: one[row] for name, one in zip(self.sources, arrays, strict=True)}
            for start, end in self._stretches(bars):
                if end <= width - columns or end - start < min(warm_ups):
                    continue
                found = self._computed(bars, start, end, keywords)
                for place, (values, warm_up) in enumerate(zip(found, warm_ups, strict=True)):
                    values[: warm_up - 1] = np.nan
                    count = min(end - start, end - (width - columns))
                    last = columns - (width - end)
                    out[place, row, last - count : last] = values[len(values) - count :]
        return out if len(self.methods) > 1 else out[0]

    def _stretches(self, bars: Mapping[str, Floats]) -> Iterator[tuple[int, int]]:
        """Yield where known bars begin and end."""
        known = np.logical_and.reduce([~np.isnan(values) for values in bars.values()])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if not self.is_anchored:
                yield start, end
                continue
            begins = (start + np.flatnonzero(bars[OPENINGS][start:end] == 1.0)).tolist()
            yield from pairwise([*begins, end])

    def _computed(
        self, bars: Mapping[str, Floats], start: int, end: int, keywords: Mapping[str, float]
    ) -> list[Floats]:
        import pandas as pd  # noqa: PLC0415  # slow to import, and few conditions need it

        module, name = self.path.rsplit(".", 1)
        series = {
            source: pd.Series(values[start:end])
            for source, values in bars.items()
            if source != OPENINGS
        }
        with np.errstate(all="ignore"):
            made = getattr(import_module(module), name)(**series, **keywords)
            found = [np.array(getattr(made, method)(), dtype=float) for method in self.methods]
        return [np.where(np.isfinite(values), values, np.nan) for values in found]


def always(bars: int) -> Callable[..., int]:
    """Return what tells that many bars, whatever the parameters."""
    return lambda *_: bars


def just(place: int) -> Callable[..., int]:
    """Return what tells the parameter at that place."""
    return lambda *given: int(given[place])


def whole(name: str, default: int, low: int = 1) -> Parameter:
    """Return a parameter that counts bars."""
    return Parameter(name, default, low, LONGEST)


def bridge(
    name: str,
    path: str,
    definition: str,
    *,
    sources: tuple[str, ...] = ("close",),
    parameters: Sequence[Parameter] = (),
    outputs: Mapping[str, Output],
    memory: Callable[..., int] | None = None,
    example: str,
) -> None:
    """Enter an indicator that `ta` computes; one without memory is anchored to the session.

    `outputs` are by the name of ta's method, each with its own warm-up.
    """
    is_anchored = memory is None
    warm_ups = tuple(one.warm_up for one in outputs.values() if one.warm_up is not None)
    sources = (*sources, OPENINGS) if is_anchored else sources
    twin = Twin(
        f"ta.{path}",
        sources,
        tuple(one.name for one in parameters),
        tuple(outputs),
        warm_ups,
        is_anchored,
    )
    INDICATORS.register(name)(
        Indicator(
            definition=definition + (_ANCHORED if is_anchored else ""),
            kernel=twin,
            sources=sources,
            parameters=tuple(parameters),
            outputs=tuple(outputs.values()),
            warm_up=lambda *given: max(warm_up(*given) for warm_up in warm_ups),
            memory=memory or always(SESSION_BARS),
            is_recursive=True,
            is_slow=True,
            twin=f"ta.{path}" + (" on one session" if is_anchored else ""),
            example=example,
        )
    )
