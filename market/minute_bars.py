"""The venue's own minute candles, as they form, become bars of one timeframe."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from market.bars import Closed, aggregate
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Timeframe

_KEPT_CLOSED = 2
"""Closed bars of an instrument that a late candle can still revise."""


@dataclass(slots=True)
class _Watch:
    """The candles of an instrument's newest slots; a slot before `since` was not watched wholly."""

    calendar: Calendar
    since: datetime
    slots: dict[datetime, dict[datetime, Bar]] = field(default_factory=dict)
    closed: list[datetime] = field(default_factory=list)


class MinuteBars:
    """Builds the bars of one timeframe of minute candles that lack none and may still change.

    A slot without a candle is no trade and makes no bar. A bar is incomplete where the first candle
    we were told of lies within its slot.
    """

    def __init__(self, timeframe: Timeframe, calendars: Mapping[Venue, Calendar]) -> None:
        self._timeframe = timeframe
        self._calendars = calendars
        self._watches: dict[InstrumentId, _Watch] = {}
        self._open: dict[tuple[datetime, datetime], set[InstrumentId]] = {}
        self._changed: set[tuple[datetime, InstrumentId]] = set()
        self._grown: set[InstrumentId] = set()

    def add(self, candle: Bar) -> None:
        """Take in a candle as it stands now; the same minute may come again.

        Raises ValueError where its venue has no calendar.
        """
        watch = self._watch(candle)
        slot = watch.calendar.slot(candle.start, self._timeframe)
        if slot is None or (slot not in watch.slots and _is_past(watch, slot)):
            return
        watch.slots.setdefault(slot, {})[candle.start] = candle
        self._grown.add(candle.instrument)
        if slot in watch.closed:
            self._changed.add((slot, candle.instrument))
        else:
            end = watch.calendar.slot_end(slot, self._timeframe)
            self._open.setdefault((end, slot), set()).add(candle.instrument)

    def close(self, seen_at: datetime) -> Closed:
        """Close the bars whose slot has ended by `seen_at`; collect the closed ones that changed.

        Everything that changed until then must have been added.
        """
        revised = tuple(self._bar(name, slot) for slot, name in sorted(self._changed))
        self._changed.clear()
        new: list[Bar] = []
        for key in sorted(key for key in self._open if key[0] <= seen_at):
            for name in sorted(self._open.pop(key)):
                watch = self._watches[name]
                watch.closed.append(key[1])
                new.append(self._bar(name, key[1]))
                while len(watch.closed) > _KEPT_CLOSED:
                    del watch.slots[watch.closed.pop(0)]
        return Closed(tuple(new), revised)

    def forget(self, instrument: InstrumentId) -> None:
        """Drop what is known of an instrument, as if it had never been told."""
        self._watches.pop(instrument, None)
        self._grown.discard(instrument)
        for names in self._open.values():
            names.discard(instrument)
        self._changed = {one for one in self._changed if one[1] != instrument}

    def grown(self) -> list[Bar]:
        """Return the open bars that have changed since they were asked for last, as they stand.

        Call it after `close`. Of an instrument it is the bar that closes next.
        """
        found = []
        for instrument in sorted(self._grown):
            watch = self._watches[instrument]
            starts = sorted(watch.slots.keys() - set(watch.closed))
            found += [self._bar(instrument, start) for start in starts[:1]]
            if len(starts) < 2:
                self._grown.discard(instrument)
        return found

    def _watch(self, candle: Bar) -> _Watch:
        watch = self._watches.get(candle.instrument)
        if watch is None:
            venue = Venue(candle.instrument.partition(":")[0])
            if venue not in self._calendars:
                raise ValueError(f"no calendar for {venue}, the venue of {candle.instrument}")
            watch = self._watches[candle.instrument] = _Watch(
                self._calendars[venue], since=candle.start
            )
        return watch

    def _bar(self, name: InstrumentId, slot: datetime) -> Bar:
        watch = self._watches[name]
        candles = watch.slots[slot]
        (whole,) = aggregate(
            [_whole(candles[start], is_watched=watch.since <= slot) for start in sorted(candles)],
            self._timeframe,
            watch.calendar,
        )
        return whole


def _is_past(watch: _Watch, slot: datetime) -> bool:
    return bool(watch.closed) and slot <= watch.closed[-1]


def _whole(candle: Bar, *, is_watched: bool) -> Bar:
    """Return the candle, complete where its slot was watched: it is closed by time."""
    return replace(candle, is_complete=is_watched)
