"""How the source answers: one notice when it breaks, one when it is back."""

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
    from market.types import InstrumentId

PATIENCE = timedelta(minutes=3)
"""A source that does not answer is told to the owner only after this long."""


class SourceState(StrEnum):
    """What the last sweeps say about the source."""

    WAITING = "waiting"
    OK = "ok"
    UNAVAILABLE = "unavailable"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the owner should hear: `code` keys the text."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Health:
    """Remembers the last answer and failure of the source, and what was already told."""

    def __init__(self) -> None:
        self.state = SourceState.WAITING
        self.last_success: datetime | None = None
        self.last_error = ""
        self.failures = 0
        self._failing_since: datetime | None = None
        self._failed_at: datetime | None = None
        self._told = ""
        self._contradicted: tuple[date | None, set[InstrumentId]] = (None, set())

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

    def answered(self, now: datetime) -> Notice | None:
        """Take a sweep that worked; return what to tell if an outage that was told is over."""
        was_told, self._told = self._told, ""
        self.state = SourceState.OK
        self.last_success = now
        self._failing_since = None
        return Notice("source.back") if was_told else None

    def _tell(self, code: str) -> Notice | None:
        if self._told == code:
            return None
        self._told = code
        return Notice(code, {"error": self.last_error})
