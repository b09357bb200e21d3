"""A universe as it stands: its members, and why each of them is in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from market.types import InstrumentId


class Why(StrEnum):
    """Why an instrument is a member."""

    LISTED = "listed"
    RANKED = "ranked"
    ALWAYS = "always"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Member:
    """A member; `rank` counts from 1 among the ranked and `value` is what decided it."""

    instrument: InstrumentId
    why: Why
    rank: int | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class UniverseOfDay:
    """The members of a universe, computed from what was known when a day was over.

    `spec` is a digest of what its file said then, `candidates` how many could have been members.
    """

    name: str
    day: date
    spec: str
    candidates: int
    members: tuple[Member, ...]

    @property
    def instruments(self) -> tuple[InstrumentId, ...]:
        """Return the ids of the members, the first ones first."""
        return tuple(one.instrument for one in self.members)
