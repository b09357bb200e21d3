"""Functions of the values of one bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Function:
    """A function on arrays for conditions, and the same on Decimals for an order's scalars.

    It takes `least` arguments or more (exactly one where `least` is 1), all in one unit.
    """

    on_arrays: Callable[..., np.ndarray[Any, Any]]
    on_decimals: Callable[..., Decimal]
    least: int
    usage: str
    meaning: str

    def takes(self, count: int) -> bool:
        """Return whether that many arguments may be given."""
        return count == 1 if self.least == 1 else count >= self.least

    @property
    def words(self) -> str:
        """Return how many arguments are expected, as an error says it."""
        return "one argument" if self.least == 1 else f"at least {self.least} arguments"


FUNCTIONS = {
    "abs": Function(np.abs, abs, 1, "abs(x)", "The number without its sign."),
    "min": Function(np.minimum, min, 2, "min(a, b)", "The least of two or more."),
    "max": Function(np.maximum, max, 2, "max(a, b)", "The greatest of two or more."),
}
"""By the name under which expressions call them."""
