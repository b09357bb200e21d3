"""How many requests a host may still get today."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol

from market.errors import SourceUnavailable
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import date

    from market.clock import Clock


class Budget(Protocol):
    """Port. Promises to say no before a host is asked too often."""

    def spend(self, host: str) -> None:
        """Count one request; raises SourceUnavailable where none is left."""
        ...


class DailyBudget:
    """So many requests a host and Korean day, counted since this was made (not over restarts)."""

    def __init__(self, clock: Clock, requests_per_day: int) -> None:
        self._clock = clock
        self._most = requests_per_day
        self._day: date | None = None
        self._spent: dict[str, int] = {}

    def spend(self, host: str) -> None:
        """Count one request; raises SourceUnavailable, which says until when, if none is left."""
        day = self._clock.now().astimezone(KST).date()
        if day != self._day:
            self._day, self._spent = day, {}
        spent = self._spent.get(host, 0)
        if spent >= self._most:
            until = datetime.combine(day + timedelta(days=1), time(), KST)
            raise SourceUnavailable(
                f"{host}: all {self._most:,} requests of {day} are used up; "
                f"none until {until:%Y-%m-%d %H:%M} KST"
            )
        self._spent[host] = spent + 1
