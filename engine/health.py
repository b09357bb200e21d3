"""How a venue's sources answer: one notice when something is wrong, one when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from market.errors import SourceChanged
from market.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from market.errors import SourceError
    from market.types import InstrumentId, Venue

PATIENCE = timedelta(minutes=3)
"""A source that does not answer is told to the owner only after this long."""

TROUBLES = {
    "stalled": timedelta(0),
    "stands_in": timedelta(0),
    "skewed": timedelta(minutes=1),
    "delayed": timedelta(minutes=1),
    "partial": timedelta(minutes=10),
    "behind": timedelta(minutes=5),
    "disagrees": timedelta(0),
    "alone": timedelta(minutes=1),
}
"""What the sentinel may find, and how long it must last before the owner hears of it."""


class SourceState(StrEnum):
    """What the last sweeps say about the sources of a venue."""

    WAITING = "waiting"
    OK = "ok"
    UNAVAILABLE = "unavailable"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the owner should hear: `code` keys the text."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Trouble:
    """Something that is wrong at present, since when, and whether the owner has heard of it."""

    code: str
    since: datetime
    facts: Mapping[str, str]
    is_told: bool = False


class Health:
    """Remembers what a venue's sources have shown, what is wrong, and what was already told."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.state = SourceState.WAITING
        self.last_success: datetime | None = None
        self.last_error = ""
        self.failures = 0
        self.source = ""
        self._failing_since: datetime | None = None
        self._failed_at: datetime | None = None
        self._told = ""
        self._contradicted: tuple[date | None, set[InstrumentId]] = (None, set())
        self._troubles: dict[str, Trouble] = {}

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """Return what is wrong at present, the longest lasting first."""
        return tuple(sorted(self._troubles.values(), key=lambda one: one.since))

    def failed(self, error: SourceError, now: datetime) -> Notice | None:
        """Take a failed sweep; return what to tell: an outage once, a changed page at once."""
        self.failures += 1
        self.last_error = str(error)
        is_fresh = self._failed_at is None or now - self._failed_at > PATIENCE
        if self._failing_since is None or is_fresh:  # the night between two sweeps is no outage
            self._failing_since = now
        self._failed_at = now
        if isinstance(error, SourceChanged):
            self.state = SourceState.CHANGED
            return self._tell("source.changed")
        self.state = SourceState.UNAVAILABLE
        if now - self._failing_since < PATIENCE or self._told:
            return None
        return self._tell("source.down")

    def contradicted(
        self, errors: Mapping[InstrumentId, SourceChanged], now: datetime
    ) -> Notice | None:
        """Take what contradicts itself in a sweep; tell of an instrument once a day.

        It says nothing about the other instruments, so the source's state stays as it is.
        """
        today = now.astimezone(KST).date()
        if self._contradicted[0] != today:
            self._contradicted = (today, set())
        told = self._contradicted[1]
        new = [name for name in errors if name not in told]
        if not new:
            return None
        told.update(new)
        return Notice("source.contradicted", {"count": str(len(new)), "error": str(errors[new[0]])})

    def answered(self, now: datetime, source: str = "") -> Notice | None:
        """Take a sweep that worked; return what to tell if an outage that was told is over."""
        was_told, self._told = self._told, ""
        self.state = SourceState.OK
        self.last_success = now
        self.source = source
        self._failing_since = None
        return Notice("source.back", self._where()) if was_told else None

    def note(self, code: str, facts: Mapping[str, str] | None, now: datetime) -> Notice | None:
        """Take whether something of TROUBLES is so now (None: it is not).

        Return what to tell: that it lasts, once; that it is over, if it was told.
        """
        trouble = self._troubles.get(code)
        if facts is None:
            if trouble is None:
                return None
            del self._troubles[code]
            return Notice(f"source.{code}.over", self._where()) if trouble.is_told else None
        if trouble is None:
            trouble = self._troubles[code] = Trouble(code, now, facts)
        trouble.facts = facts
        if trouble.is_told or now - trouble.since < TROUBLES[code]:
            return None
        trouble.is_told = True
        return Notice(f"source.{code}", {**self._where(), **facts})

    def _where(self) -> dict[str, str]:
        return {"venue": self.venue.value}

    def _tell(self, code: str) -> Notice | None:
        if self._told == code:
            return None
        self._told = code
        return Notice(code, {**self._where(), "error": self.last_error})
