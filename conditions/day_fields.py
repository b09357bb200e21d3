"""`day.open`, `day.high` ...: what the session has come to by each bar, from own bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import session_bars
from conditions.indicators.sessions import (
    session_before,
    session_first,
    session_greatest,
    session_total,
)
from conditions.nodes import Member, Name
from conditions.openings import SESSION_OPENINGS
from conditions.series import Series, widened
from conditions.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.view import View
    from market.types import Timeframe

Array: TypeAlias = np.ndarray[Any, Any]

DAY = "day"


@dataclass(frozen=True, slots=True)
class DayPart:
    """A field of the session: what it measures and means, and how it is computed."""

    unit: Unit
    meaning: str
    make: Callable[[View, int], Array]
    is_of_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DayField(Series):
    """A field of the session, computed once per view and width."""

    part: DayPart

    def values(self, view: View, columns: int) -> Array:
        """Return it by each bar, unknown where the session's first bar is not held."""
        return view.recall(self.key, columns, lambda: self.part.make(view, columns))


def day_field(name: str, timeframe: Timeframe | None) -> DayField:
    """Return a field of DAY_FIELDS; `timeframe` tells how many bars a session has."""
    part = DAY_FIELDS[name]
    bars = session_bars(timeframe) + part.is_of_before
    return DayField(
        node=Member(Name(DAY), name),
        unit=part.unit,
        key=f"{DAY}.{name}",
        bars=bars,
        warm_up=1 + part.is_of_before,
        is_level=part.unit is Unit.PRICE,
        part=part,
    )


def prev_close(view: View, columns: int) -> Array:
    """Return the last close of the session before each bar's."""
    return _session(session_before, view, "close", columns)


def _session(kernel: Callable[..., Array], view: View, field: str, columns: int) -> Array:
    openings = SESSION_OPENINGS.values(view, view.columns)
    return kernel(view.field(field), openings, view.field("gap"), columns)


def _of(kernel: Callable[..., Array], field: str) -> Callable[[View, int], Array]:
    return lambda view, columns: _session(kernel, view, field, columns)


def _low(view: View, columns: int) -> Array:
    openings = SESSION_OPENINGS.values(view, view.columns)
    return -session_greatest(-view.field("low"), openings, view.field("gap"), columns)


def _change(view: View, columns: int) -> Array:
    before = day_field("prev_close", None).values(view, columns)[:, -columns:]
    close = widened(view.field("close"), columns)[:, -columns:]
    with np.errstate(all="ignore"):
        change = close / before - 1.0
    return np.where(np.isfinite(change), change, np.nan)


DAY_FIELDS = {
    "open": DayPart(Unit.PRICE, "The session's first price.", _of(session_first, "open")),
    "high": DayPart(Unit.PRICE, "Its highest price up to this bar.", _of(session_greatest, "high")),
    "low": DayPart(Unit.PRICE, "Its lowest price up to this bar.", _low),
    "prev_close": DayPart(
        Unit.PRICE, "The last price of the session before.", prev_close, is_of_before=True
    ),
    "volume": DayPart(
        Unit.VOLUME, "Shares traded in the session up to this bar.", _of(session_total, "volume")
    ),
    "value": DayPart(
        Unit.VALUE, "Money traded in the session up to this bar.", _of(session_total, "value")
    ),
    "change": DayPart(
        Unit.RATIO,
        "`close` against the session before: `close / day.prev_close - 1`.",
        _change,
        is_of_before=True,
    ),
}
"""By the name that stands behind `day.`."""
