"""The bars of one timeframe: what is being built, what is held, and who watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import States
from market.bars import BarBuilder
from market.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.compile import Condition
    from market.sessions import Calendar
    from market.types import InstrumentId, Timeframe, Venue


@dataclass(slots=True)
class Watch:
    """A condition on its universe: the panel rows it judges and where it stands on each."""

    condition: Condition
    rows: np.ndarray
    states: States
    is_enabled: bool = True


@dataclass(slots=True)
class Series:
    """Everything of one timeframe; `judged_ms` is the start of the newest slot that was judged."""

    timeframe: Timeframe
    panel: Panel
    builder: BarBuilder
    watches: list[Watch] = field(default_factory=list)
    judged_ms: int = 0

    @property
    def key(self) -> str:
        """Return the name of the document that keeps how far this series was judged."""
        return f"series/{self.timeframe}"


Members = tuple["Condition", tuple["InstrumentId", ...]]
"""A compiled condition and the instruments of its universe."""


def build_series(
    members: Sequence[Members], calendars: Mapping[Venue, Calendar], depth: int
) -> list[Series]:
    """Return one series a timeframe, each over the instruments that its conditions watch."""
    by_timeframe: dict[Timeframe, list[Members]] = {}
    for entry in members:
        by_timeframe.setdefault(entry[0].timeframe, []).append(entry)
    return [
        _one_series(timeframe, entries, calendars, depth)
        for timeframe, entries in by_timeframe.items()
    ]


def _one_series(
    timeframe: Timeframe,
    entries: Sequence[Members],
    calendars: Mapping[Venue, Calendar],
    depth: int,
) -> Series:
    instruments = tuple(dict.fromkeys(one for _, universe in entries for one in universe))
    panel = Panel(timeframe, instruments, depth)
    series = Series(timeframe, panel, BarBuilder(timeframe, calendars))
    for condition, universe in entries:
        rows = np.array([panel.row(instrument) for instrument in universe], dtype=np.int64)
        states = States.from_mapping({}, panel.instruments)
        series.watches.append(Watch(condition, rows, states))
    return series
