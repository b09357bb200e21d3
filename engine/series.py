"""The bars of one timeframe at one venue: being built, held, waited for, and who watches them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from conditions.lifecycle import States
from conditions.panels import panel_for
from engine.exact import venue_of
from engine.longer import lengthened
from market.bars import BarBuilder
from market.minute_bars import MinuteBars
from market.types import EPOCH, Timeframe, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from market.panel import Panel
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Venue


@dataclass(frozen=True, slots=True)
class Slot:
    """The bars of one closed slot; those of the `exact` instruments are the venue's own."""

    start: datetime
    bars: tuple[Bar, ...]
    exact: frozenset[InstrumentId] = frozenset()


@dataclass(frozen=True, slots=True)
class Want:
    """What the venue's chart must tell of an instrument before anything is concluded from it.

    Bars from `judge_from` on are judged, those from `start` on before it are only kept. `until` is
    the last slot that must come from the chart. `expected` is a slot that surely traded: a chart
    without it is not up to date. The chart is not asked before `ask_at`.
    """

    start: datetime
    judge_from: datetime
    until: datetime
    expected: datetime | None = None
    ask_at: datetime = EPOCH

    def joined(self, other: Want) -> Want:
        """Return the want that covers both; a pause of the first stays."""
        return replace(
            self,
            start=min(self.start, other.start),
            judge_from=min(self.judge_from, other.judge_from),
            until=max(self.until, other.until),
            expected=other.expected or self.expected,
        )


@dataclass(slots=True)
class Watch:
    """A condition on its universe: the panel rows it judges and where it stands on each."""

    condition: Condition
    rows: np.ndarray
    states: States
    is_enabled: bool = True


@dataclass(slots=True)
class Series:
    """Everything of one timeframe at one venue.

    `judged_ms` is the start of the newest slot that was judged: every instrument is judged up to
    it, but for those in `wants`, which are held back until the chart tells, and those in `pending`,
    slots that have closed and are not stored yet. `builder` makes bars of crawled ticks, `candles`
    of the minute candles that live sources tell. `unsaved` are bars that changed after they were
    judged. Up to `exact_until` an instrument's bars are the venue's own. `lengthened` are longer
    bars made of its own that are over and not stored yet. `forming` are the bars being built as the
    last sweep left them, where a condition looks at them; those in `grown` are to be judged so.
    """

    timeframe: Timeframe
    calendar: Calendar
    panel: Panel
    builder: BarBuilder
    candles: MinuteBars
    venue: Venue
    watches: list[Watch] = field(default_factory=list)
    judged_ms: int = 0
    wants: dict[InstrumentId, Want] = field(default_factory=dict)
    pending: deque[Slot] = field(default_factory=deque)
    unsaved: list[Bar] = field(default_factory=list)
    exact_until: dict[InstrumentId, datetime] = field(default_factory=dict)
    lengthened: list[Bar] = field(default_factory=list)
    forming: dict[InstrumentId, Bar] = field(default_factory=dict)
    grown: set[InstrumentId] = field(default_factory=set)

    @property
    def key(self) -> str:
        """Return the name of the document that keeps how far this series was judged."""
        return series_key(self.venue, self.timeframe)

    @property
    def larger(self) -> Mapping[Timeframe, Panel]:
        """Return the longer bars of its instruments that its conditions look at."""
        return self.panel.larger

    def end(self, slot: datetime) -> datetime:
        """Return the moment from which a slot can be closed."""
        return self.calendar.slot_end(slot, self.timeframe)

    def usable(self, slot: Slot) -> tuple[Bar, ...]:
        """Return the bars of a slot without crawled ones that the chart is to tell."""
        return tuple(
            bar for bar in slot.bars if bar.instrument in slot.exact or not self._is_wanted(bar)
        )

    def lose(self, slot_ms: int) -> None:
        """Note that what is held back since this slot or earlier is not known in it.

        Conditions on other instruments may look at it; the chart's answer ends that.
        """
        held = (name for name, want in self.wants.items() if to_ms(want.judge_from) <= slot_ms)
        self.panel.mark_missing(self.panel.row(name) for name in held)

    def take(self, bars: Iterable[Bar]) -> None:
        """Keep bars without judging them: known ones in their place, newer ones at the end."""
        bars = tuple(bars)
        self.panel.append([bar for bar in bars if not self.panel.revise(bar)])
        self.lengthen(bars)

    def append(self, bars: Sequence[Bar]) -> None:
        """Take in the bars of a closed slot, with what they add to longer ones."""
        self.panel.append(bars)
        self.lengthen(bars)

    def revise(self, bars: Sequence[Bar]) -> None:
        """Put the venue's own bars in the place of crawled ones."""
        for bar in bars:
            self.panel.revise(bar)
        self.lengthen(bars)

    def lengthen(self, bars: Iterable[Bar]) -> None:
        """Make the longer bars within a session anew where these lie in them."""
        self.lengthened += lengthened(self.panel, self.calendar, bars)

    def position(self, judged_ms: int, waiting: Iterable[Slot]) -> dict[str, Any]:
        """Return the document of how far all is judged once `judged_ms` is stored.

        `behind` names the instruments of which an earlier slot is still to be judged, and that
        slot; `waiting` are the slots that have closed but are not stored.
        """
        judged_ms = max(judged_ms, self.judged_ms)
        behind = {name: to_ms(want.judge_from) for name, want in self.wants.items()}
        for slot in waiting:
            start = to_ms(slot.start)
            for bar in slot.bars:
                behind[bar.instrument] = min(start, behind.get(bar.instrument, start))
        late = {name: start for name, start in behind.items() if start <= judged_ms}
        return {"judged_ms": judged_ms, "behind": late}

    def _is_wanted(self, bar: Bar) -> bool:
        want = self.wants.get(bar.instrument)
        return want is not None and bar.start >= want.judge_from


def series_key(venue: Venue, timeframe: Timeframe) -> str:
    """Return the name of the document that keeps how far the series was judged."""
    return f"series/{venue}/{timeframe}"


Members = tuple["Condition", tuple["InstrumentId", ...]]
"""A compiled condition and the instruments of its universe."""


def build_series(
    members: Sequence[Members], calendars: Mapping[Venue, Calendar], depth: int
) -> list[Series]:
    """Return one series a timeframe and venue, over the instruments that its conditions need.

    Those are the watched ones, and behind them those that conditions name beside their universe.
    """
    groups: dict[tuple[Timeframe, Venue], list[Members]] = {}
    for condition, universe in members:
        for venue in dict.fromkeys(venue_of(instrument) for instrument in universe):
            part = tuple(one for one in universe if venue_of(one) == venue)
            groups.setdefault((condition.timeframe, venue), []).append((condition, part))
    return [
        _one_series(timeframe, venue, entries, calendars, depth)
        for (timeframe, venue), entries in groups.items()
    ]


def _one_series(
    timeframe: Timeframe,
    venue: Venue,
    entries: Sequence[Members],
    calendars: Mapping[Venue, Calendar],
    depth: int,
) -> Series:
    watched = [one for _, universe in entries for one in universe]
    named = [one for condition, _ in entries for one in condition.instruments]
    beside = [one for one in named if venue_of(one) == venue]
    names = tuple(dict.fromkeys([*watched, *beside]))
    panel = panel_for([condition for condition, _ in entries], names, depth)
    builder, candles = BarBuilder(timeframe, calendars), MinuteBars(timeframe, calendars)
    series = Series(timeframe, calendars[venue], panel, builder, candles, venue)
    for condition, universe in entries:
        rows = np.array([panel.row(instrument) for instrument in universe], dtype=np.int64)
        states = States.from_mapping({}, panel.instruments)
        series.watches.append(Watch(condition, rows, states))
    return series
