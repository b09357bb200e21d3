"""Market time on the machine's clock: as it is, or faster and without the closed hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from market.clock import Clock


class MarketTime(Protocol):
    """Port. A market clock that knows when a market time will be on the machine's clock."""

    def now(self) -> datetime:
        """Return the market's present."""
        ...

    def real_time_of(self, at: datetime) -> datetime:
        """Return the machine's time at which the market's time will be `at`."""
        ...


class UnscaledTime:
    """Market time is the machine's time."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall

    def now(self) -> datetime:
        """Return the machine's time."""
        return self._wall.now()

    def real_time_of(self, at: datetime) -> datetime:
        """Return `at` itself."""
        return at


class ScaledTime:
    """Market time that starts anywhere and runs `speed` times faster than the machine's."""

    def __init__(self, wall: Clock, start: datetime, speed: float) -> None:
        self._wall = wall
        self._market_anchor = start
        self._wall_anchor = wall.now()
        self._speed = speed

    @property
    def speed(self) -> float:
        """Return market seconds per second."""
        return self._speed

    def now(self) -> datetime:
        """Return the market's present."""
        passed = (self._wall.now() - self._wall_anchor).total_seconds()
        return self._market_anchor + timedelta(seconds=passed * self._speed)

    def real_time_of(self, at: datetime) -> datetime:
        """Return when it will be `at` if the speed stays as it is."""
        ahead = (at - self._market_anchor).total_seconds()
        return self._wall_anchor + timedelta(seconds=ahead / self._speed)

    def set_speed(self, speed: float) -> bool:
        """Go on from now at another speed; return whether it changed (then reschedule jobs)."""
        if speed == self._speed:
            return False
        self._anchor(self.now())
        self._speed = speed
        return True

    def leap_to(self, at: datetime) -> None:
        """Skip closed hours; the market's time never goes back."""
        self._anchor(max(at, self.now()))

    def _anchor(self, market: datetime) -> None:
        self._wall_anchor = self._wall.now()
        self._market_anchor = market
