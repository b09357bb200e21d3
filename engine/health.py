"""How the source answers: one notice when it breaks, one when it is back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from market.errors import SourceChanged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from market.errors import SourceError

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
        self._is_told = False

    def failed(self, error: SourceError, now: datetime) -> Notice | None:
        """Take a failed sweep; return what to tell, once an outage."""
        self.failures += 1
        self.last_error = str(error)
        if self._failing_since is None:
            self._failing_since = now
        if isinstance(error, SourceChanged):
            self.state = SourceState.CHANGED
            return self._tell("source.changed")
        self.state = SourceState.UNAVAILABLE
        if now - self._failing_since < PATIENCE:
            return None
        return self._tell("source.down")

    def answered(self, now: datetime) -> Notice | None:
        """Take a sweep that worked; return what to tell if an outage that was told is over."""
        was_told, self._is_told = self._is_told, False
        self.state = SourceState.OK
        self.last_success = now
        self._failing_since = None
        return Notice("source.back") if was_told else None

    def _tell(self, code: str) -> Notice | None:
        if self._is_told:
            return None
        self._is_told = True
        return Notice(code, {"error": self.last_error})
