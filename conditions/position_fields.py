"""`position.price`, `position.profit` ...: what is held of the instrument itself, by each bar.

A bar knows what was known of the position when it ended. What was before the present position was
opened is unknown, so that nothing is concluded from an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.clock_fields import bar_ends
from conditions.days import MINUTE_MS, newest_starts
from conditions.mistake import Mistake
from conditions.nodes import Member, Name, children
from conditions.series import Field, Series, widened
from conditions.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.nodes import Node
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]

POSITION = "position"
QUANTITY, PRICE, PROFIT, AGE = "quantity", "price", "profit", "age"


@dataclass(frozen=True, slots=True)
class PositionPart:
    """What a part of a position measures and means."""

    unit: Unit
    meaning: str


POSITION_FIELDS = {
    PRICE: PositionPart(
        Unit.PRICE, "The average price that was paid, or sold short for, without costs."
    ),
    QUANTITY: PositionPart(
        Unit.VOLUME, "How much is held; 0 where nothing is, below 0 where it was sold short."
    ),
    PROFIT: PositionPart(
        Unit.RATIO,
        "`close` against what was paid, before costs: `close / position.price - 1`, and "
        "`1 - close / position.price` of a short position.",
    ),
    AGE: PositionPart(
        Unit.TIME,
        "How long ago it was opened as the bar ends, nights and weekends counted: "
        "`position.age > 5 days`.",
    ),
}
"""By the name that stands behind `position.`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionField(Series):
    """A part of the position; without one only the quantity is known."""

    name: str

    def values(self, view: View, columns: int) -> Array:
        """Return it by each bar, unknown before the present position and where nobody told it."""
        known = view.recall(POSITION, columns, lambda: _known(view, columns))
        found: Array = known[_ORDER.index(self.name)]
        return found

    @property
    def parts(self) -> tuple[Series, ...]:
        """Return what the profit is made of, nothing for the others."""
        if self.name != PROFIT:
            return ()
        close = Field(node=Name("close"), unit=Unit.PRICE, key="close", is_level=True)
        return (close, position_field(PRICE))


def position_field(name: str) -> PositionField:
    """Return a field of POSITION_FIELDS."""
    return PositionField(
        node=Member(Name(POSITION), name),
        unit=POSITION_FIELDS[name].unit,
        key=f"{POSITION}.{name}",
        is_level=name == PRICE,
        name=name,
    )


def positions_in(node: Node) -> Iterator[Member]:
    """Yield where a tree asks for a part of the position."""
    match node:
        case Member(Name(name), part) if name == POSITION and part in POSITION_FIELDS:
            yield node
        case _:
            for below in children(node):
                yield from positions_in(below)


def refuse_position(node: Node, where: str) -> None:
    """Raise Mistake where a tree asks for the position; `where` is what it stands in or behind."""
    for found in positions_in(node):
        message = f"'{POSITION}' is what is held of the instrument itself as its own bars end"
        written = f"{POSITION}.{found.name}"
        raise Mistake(found.start, f"{message}; write {written} outside of {where}")


_ORDER = (QUANTITY, PRICE, PROFIT, AGE)


def _known(view: View, columns: int) -> Array:
    """Return float64[fields, rows, columns] in this order, computed once for all fields."""
    starts = newest_starts(view, columns)
    if view.positions is None:
        return np.full((len(_ORDER), *starts.shape), np.nan)
    moments = bar_ends(view, starts)
    close = widened(view.field("close"), columns)[:, -columns:]
    marks = view.positions.marks
    is_bar = starts > 0
    if marks is not None:
        moments, close, is_bar = moments.copy(), close.copy(), is_bar.copy()
        moments[:, -1], close[:, -1] = marks.now_ms, marks.prices[view.picked]
        is_bar[:, -1] = True
    held = view.positions.as_of(view.picked, moments)
    with np.errstate(all="ignore"):
        profit = np.sign(held.quantity) * (close / held.price - 1.0)
    age = (moments - held.opened_ms) / MINUTE_MS
    found = np.stack([held.quantity, held.price, profit, age])
    return np.where(is_bar & np.isfinite(found), found, np.nan)
