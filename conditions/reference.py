"""What is known of venues and instruments beside their bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from config.strict_yaml import Located
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.condition_file import ConditionSpec
    from market.directory import Directory
    from market.sessions import Calendar
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """Sessions by venue, the instruments that exist (None: not known), universes by name.

    `seen_ms` is the moment (UTC ms) up to which bars that are not over have been seen; 0: all are.
    """

    calendars: Mapping[Venue, Calendar]
    directory: Directory | None = None
    universes: Mapping[str, tuple[InstrumentId, ...]] = field(default_factory=dict)
    seen_ms: int = 0

    def calendar(self, instrument: InstrumentId) -> Calendar | None:
        """Return the sessions of an instrument's venue."""
        return self.calendars.get(Venue(venue_of(instrument)))

    def kind(self, instrument: InstrumentId) -> Kind:
        """Return what kind of thing it is; an unknown KRX code counts as a share."""
        found = None if self.directory is None else self.directory.get(instrument)
        if found is not None:
            return found.kind
        return Kind.STOCK if venue_of(instrument) == Venue.KRX else Kind.COIN

    def as_seen(self, ends: Array) -> Array:
        """Return when bars end (UTC ms), or up to when those have been seen that are not over."""
        return np.minimum(ends, self.seen_ms) if self.seen_ms else ends

    def members(self, spec: ConditionSpec) -> tuple[InstrumentId, ...] | None:
        """Return the universe of a condition, None where its name is not known here."""
        if isinstance(spec.universe, Located):
            return self.universes.get(spec.universe.text)
        return spec.universe


@cache
def usual_reference() -> Reference:
    """Return what holds without a configuration: usual sessions and no names."""
    always = AlwaysOpen()
    return Reference({Venue.KRX: KrxCalendar({}), Venue.UPBIT: always, Venue.BINANCE: always})


def venue_of(instrument: InstrumentId) -> str:
    """Return the venue's part of an instrument's id."""
    return instrument.partition(":")[0]
