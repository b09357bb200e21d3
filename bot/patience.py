"""Pauses between attempts that grow until something works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Patience:
    """Counts failures in a row; the last of the pauses is used again and again."""

    def __init__(self, pauses: Sequence[float] = PAUSES) -> None:
        self._pauses = pauses
        self._failures = 0

    def next_pause(self) -> float:
        """Return how many seconds to wait after one more failure."""
        pause = self._pauses[min(self._failures, len(self._pauses) - 1)]
        self._failures += 1
        return pause

    def succeed(self) -> bool:
        """Begin again with the shortest pause; return whether something had failed before."""
        had_failed, self._failures = self._failures > 0, 0
        return had_failed
