"""How many requests a second the pretend KIS answers an app key, whatever they are about."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from market.clock import Clock

REAL, VIRTUAL = 20, 2
"""Requests a second, counted at the gateway before anything is handed on (KIS Developers)."""
_SECOND = timedelta(seconds=1)


class Pace:
    """Counts the requests of the last second."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._times: deque[datetime] = deque()

    def is_too_fast(self) -> bool:
        """Tell whether one more request is one too many; else it is counted."""
        now = self._clock.now()
        while self._times and now - self._times[0] >= _SECOND:
            self._times.popleft()
        if len(self._times) >= self._most:
            return True
        self._times.append(now)
        return False
