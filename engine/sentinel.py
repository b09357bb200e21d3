"""Looks at what a source has shown and says what cannot be: nothing new, wrong times, holes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from market.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.sources import Sweep
    from market.sessions import Calendar
    from market.types import InstrumentId

STALL = timedelta(seconds=120)
"""In continuous trading something new is shown within this, or the source is not believed."""
_PATIENCE = 5
"""In a quiet market: so many times the longest quiet stretch that was seen today."""
_BUSY = 5
"""Fewer instruments may well be quiet together."""
_OPENING = timedelta(minutes=2)
_AUCTION = timedelta(minutes=11)
"""The closing auction of KRX prints nothing for its last ten minutes."""
_FUTURE = timedelta(seconds=5)
"""A trade that is later than our clock by more than this: the clock is slow."""
_LAG = timedelta(seconds=30)
"""What is new and older than this (beside the time between two sweeps) comes late."""
MOST_NAMES = 5

_Shown: TypeAlias = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a sweep makes us doubt: `refused` is why it must not be used at all.

    `troubles` are the facts by trouble; None means that it is not there (or over).
    """

    refused: SourceUnavailable | None
    troubles: Mapping[str, Mapping[str, str] | None]


@dataclass(slots=True)
class _Memory:
    """What one source has shown: the newest of each instrument, and when anything changed last."""

    begun_at: datetime
    asked_at: datetime
    changed_at: datetime
    longest: timedelta = timedelta(0)
    shown: dict[InstrumentId, _Shown] = field(default_factory=dict)


class Sentinel:
    """Watches one venue's polled sources; what comes live is watched by its own source."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._memories: dict[str, _Memory] = {}
        self._absent: set[InstrumentId] = set()
        self._still: dict[str, str] = {}

    def look(self, sweep: Sweep) -> Findings:
        """Take a sweep; return what is to be said of it."""
        if sweep.is_live:
            return Findings(None, {})
        now, name = sweep.asked_at, sweep.by.name
        memory = self._memories.get(name)
        if memory is None or now - memory.asked_at > STALL:  # a night, a rest: nothing to compare
            memory = self._memories[name] = _Memory(now, now, now)
        newest = self._take(memory, sweep)
        refused = self._stalled(memory, sweep) if self._is_continuous(now) else None
        troubles: dict[str, Mapping[str, str] | None] = {
            "stalled": self._standing_still(name, refused),
            "skewed": self._skew(sweep),
            "delayed": self._delay(memory, sweep, newest),
            "partial": self._partial(sweep),
        }
        memory.asked_at = now
        return Findings(refused, troubles)

    def _take(self, memory: _Memory, sweep: Sweep) -> datetime | None:
        """Remember what is shown; return the time of the newest trade that is news."""
        newest: datetime | None = None
        for tick in sweep.ticks:
            shown = (tick.price, tick.day_volume, tick.volume)
            before = memory.shown.get(tick.instrument)
            memory.shown[tick.instrument] = shown
            if before is not None and before != shown:
                newest = tick.at if newest is None else max(newest, tick.at)
        if newest is not None:
            memory.longest = max(memory.longest, sweep.asked_at - memory.changed_at)
            memory.changed_at = sweep.asked_at
        return newest

    def _stalled(self, memory: _Memory, sweep: Sweep) -> SourceUnavailable | None:
        quiet = sweep.asked_at - memory.changed_at
        if len(sweep.ticks) < _BUSY or quiet < max(STALL, _PATIENCE * memory.longest):
            return None
        seconds = int(quiet.total_seconds())
        return SourceUnavailable(
            f"{sweep.by.name} has shown nothing new of {len(sweep.ticks)} instruments for"
            f" {seconds} s while the market is open"
        )

    def _standing_still(
        self, name: str, refused: SourceUnavailable | None
    ) -> Mapping[str, str] | None:
        """Tell of the first source that stands still; another one's answer does not end that."""
        if refused is None:
            self._still.pop(name, None)
        else:
            self._still[name] = str(refused)
        return next(({"source": one, "error": error} for one, error in self._still.items()), None)

    def _skew(self, sweep: Sweep) -> Mapping[str, str] | None:
        newest = max((tick.at for tick in sweep.ticks), default=sweep.asked_at)
        ahead = newest - sweep.asked_at
        return {"seconds": str(int(ahead.total_seconds()))} if ahead > _FUTURE else None

    def _delay(
        self, memory: _Memory, sweep: Sweep, newest: datetime | None
    ) -> Mapping[str, str] | None:
        if newest is None or len(sweep.ticks) < _BUSY or not self._is_continuous(newest):
            return None
        late = sweep.asked_at - newest - (sweep.asked_at - memory.asked_at)
        return {"seconds": str(int(late.total_seconds()))} if late > _LAG else None

    def _partial(self, sweep: Sweep) -> Mapping[str, str] | None:
        """Tell of instruments that were asked for twice and not shown either time."""
        missed = set(sweep.asked) - {tick.instrument for tick in sweep.ticks}
        twice, self._absent = sorted(missed & self._absent), missed
        if not twice:
            return None
        more = ["…"] if len(twice) > MOST_NAMES else []
        return {"count": str(len(twice)), "names": ", ".join(twice[:MOST_NAMES] + more)}

    def _is_continuous(self, at: datetime) -> bool:
        window = self._calendar.window(self._calendar.session_day(at))
        if window is None:
            return False
        return window.open + _OPENING <= at <= window.close - _AUCTION
