"""How far a comparison is from being true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.truths import Compared, Happened

if TYPE_CHECKING:
    from collections.abc import Callable

Array: TypeAlias = np.ndarray[Any, Any]

_SHORTFALLS: dict[str, Callable[[Array, Array], Array]] = {
    ">": lambda left, right: right - left,
    ">=": lambda left, right: right - left,
    "<": lambda left, right: left - right,
    "<=": lambda left, right: left - right,
    "==": lambda left, right: np.abs(left - right),
    "!=": lambda left, right: -np.abs(left - right),
    "crosses above": lambda left, right: right - left,
    "crosses below": lambda left, right: left - right,
}


def operator_of(leaf: Compared | Happened) -> str:
    """Return what stands between the two sides of a comparison or an event."""
    return leaf.operator if isinstance(leaf, Compared) else leaf.event.words


def is_measured(operator: str) -> bool:
    """Tell whether a distance between the two sides means something."""
    return operator in _SHORTFALLS


def shortfall(operator: str, left: Array, right: Array) -> Array:
    """Return how far the left side must still move; negative is by how much it holds.

    Unknown where a side is, and for what has no distance. Of a crossing it is the side on which
    the left one has to be now.
    """
    if not is_measured(operator):
        return np.full(np.broadcast_shapes(left.shape, right.shape), np.nan)
    return _SHORTFALLS[operator](left, right)
