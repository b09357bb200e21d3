"""Time as an argument: the market clock and the wall clock are both a `Clock`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


class Clock(Protocol):
    """Port. Promises an aware UTC time that never goes back."""

    def now(self) -> datetime:
        """Return the present."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved: for drivers and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return where the clock stands."""
        return self._now

    def move_to(self, at: datetime) -> None:
        """Move forward to `at`; a clock never goes back (ValueError)."""
        if at < self._now:
            raise ValueError(f"a clock does not go back: {self._now} to {at}")
        self._now = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move forward by a length of time."""
        self.move_to(self._now + by)
