"""Ticks become bars: differences of polled counts, or sums of single trades."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.errors import SourceChanged
from market.growing import GrowingBar
from market.types import Bar, Venue
from market.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from market.sessions import Calendar
    from market.types import InstrumentId, Tick, Timeframe

_KEPT_CLOSED = 2
"""Closed bars of an instrument that a late tick can still revise."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close brought: bars seen for the first time, and earlier ones that changed since."""

    new: tuple[Bar, ...]
    revised: tuple[Bar, ...]


class BarBuilder:
    """Builds the bars of one timeframe for any number of instruments.

    Polled ticks carry the session's count so far: what it grew by since the tick before belongs to
    the slot in which the newer one traded. A tick that does not change the count is no trade and
    makes no bar, nor does one of a halted instrument or one outside the session. A bar is
    incomplete where we began to watch within its slot, or did not watch the slot before it to
    the end, so that part of its volume may belong there.
    """

    def __init__(self, timeframe: Timeframe, calendars: Mapping[Venue, Calendar]) -> None:
        self._timeframe = timeframe
        self._calendars = calendars
        self._watches: dict[InstrumentId, Watching] = {}
        self._open: dict[tuple[datetime, datetime], dict[InstrumentId, GrowingBar]] = {}
        self._changed: dict[tuple[datetime, InstrumentId], GrowingBar] = {}
        self._grown: set[InstrumentId] = set()

    def add(self, tick: Tick) -> None:
        """Take in one tick; those of one instrument may come somewhat out of order.

        Raises SourceChanged where the session's count fell (nothing is taken in then), ValueError
        where one instrument's ticks mix `volume` and `day_volume` or its venue has no calendar.
        """
        watch = self._watch(tick)
        if tick.halted:
            return
        slot = watch.calendar.slot(tick.at, self._timeframe)
        if slot is not None and tick.volume is not None:
            self._take_trade(watch, tick, slot, tick.volume)
        elif slot is not None and tick.day_volume is not None:
            self._take_count(watch, tick, slot, tick.day_volume)
        if watch.seen_at is None or tick.seen_at > watch.seen_at:
            watch.seen_at = tick.seen_at

    def close(self, seen_at: datetime) -> Closed:
        """Close the bars whose slot has ended by `seen_at`; collect the closed ones that changed.

        Call it after the ticks of a crawl that succeeded, with the time at which it saw them.
        """
        revised = [
            growing.bar(instrument, self._timeframe)
            for (_, instrument), growing in sorted(self._changed.items(), key=lambda item: item[0])
        ]
        self._changed.clear()
        new = []
        for key in sorted(key for key in self._open if key[0] <= seen_at):
            for instrument, growing in self._open.pop(key).items():
                growing.is_closed = True
                new.append(growing.bar(instrument, self._timeframe))
                self._watches[instrument].forget_closed(_KEPT_CLOSED)
        return Closed(tuple(new), tuple(revised))

    def grown(self) -> list[Bar]:
        """Return the open bars that have grown since they were asked for last, as they stand.

        Call it after `close`. Of an instrument it is the bar that closes next.
        """
        found = []
        for instrument in sorted(self._grown):
            bars = self._watches[instrument].open_bars()
            found += [growing.bar(instrument, self._timeframe) for growing in bars[:1]]
            if len(bars) < 2:
                self._grown.discard(instrument)
        return found

    def forget(self, instrument: InstrumentId) -> None:
        """Drop what is known of an instrument, as if it had never been seen."""
        self._watches.pop(instrument, None)
        self._grown.discard(instrument)
        for growing in self._open.values():
            growing.pop(instrument, None)
        for key in [key for key in self._changed if key[1] == instrument]:
            del self._changed[key]

    def _watch(self, tick: Tick) -> Watching:
        watch = self._watches.get(tick.instrument)
        if watch is None:
            venue = Venue(tick.instrument.partition(":")[0])
            if venue not in self._calendars:
                raise ValueError(f"no calendar for {venue}, the venue of {tick.instrument}")
            watch = Watching(self._calendars[venue], tick.volume is None)
            self._watches[tick.instrument] = watch
        elif watch.is_counting is not (tick.volume is None):
            raise ValueError(f"ticks of {tick.instrument} mix volume and day_volume")
        return watch

    def _take_trade(self, watch: Watching, tick: Tick, slot: datetime, volume: float) -> None:
        growing = self._growing(watch, tick, slot) if volume > 0 else None
        if growing is None:
            return
        growing.take_price(tick)
        growing.volume.add(volume)
        growing.value.add(tick.price * volume if tick.value is None else tick.value)

    def _take_count(self, watch: Watching, tick: Tick, slot: datetime, count: float) -> None:
        if slot != watch.slot:
            day = watch.calendar.session_day(slot)
            if watch.day is None or day > watch.day:
                self._begin_session(watch, tick, slot, day)
            elif day < watch.day:
                return
            watch.slot = slot
        if count < watch.count:
            self._check_fall(watch, tick, count)
        elif count > watch.count:
            self._take_growth(watch, tick, slot, count)

    def _begin_session(self, watch: Watching, tick: Tick, slot: datetime, day: date) -> None:
        """Find from where the session's count is to be differenced.

        Before its first slot it was 0, and also when we looked during the session and were still
        shown a trade of an earlier one. Otherwise nobody knows which slots the count is from.
        """
        window = watch.calendar.window(day)
        watch.day, watch.at = day, tick.at
        watch.opened_at = slot if window is None else window.open
        is_first = slot == watch.calendar.slot(watch.opened_at, self._timeframe)
        if is_first or (watch.seen_at is not None and watch.seen_at >= watch.opened_at):
            watch.count, watch.money, watch.unknown_slot = 0.0, 0.0, None
            watch.day_high, watch.day_low = -math.inf, math.inf
        else:
            watch.count, watch.money = tick.day_volume or 0.0, tick.day_value
            watch.day_high, watch.day_low = tick.day_high, tick.day_low
            watch.unknown_slot = slot

    def _check_fall(self, watch: Watching, tick: Tick, count: float) -> None:
        """Raise SourceChanged unless the lower count is an older answer, or seen after hours.

        Sources set the count back some time between two sessions, while they still show the last
        trade of the earlier one.
        """
        is_older = watch.at is not None and tick.at < watch.at
        calendar = watch.calendar
        is_in_session = (
            calendar.slot(tick.seen_at, self._timeframe) is not None
            and calendar.session_day(tick.seen_at) == watch.day
        )
        if is_in_session and not is_older:
            raise SourceChanged(
                f"{tick.instrument}: the day's volume fell from {watch.count:g} to {count:g}"
                f" at {tick.at.isoformat()}; it can only grow within a session"
            )

    def _take_growth(self, watch: Watching, tick: Tick, slot: datetime, count: float) -> None:
        is_gap = self._has_gap(watch, slot)
        if is_gap:
            self._doubt(watch, tick.instrument)
        growing = self._growing(watch, tick, slot)
        if growing is not None:
            if watch.day_high == -math.inf and tick.day_open:
                growing.open, growing.first_at = tick.day_open, slot
            growing.take_price(tick)
            growing.widen(*watch.moved_range(tick))
            growing.volume.add(count)
            growing.volume.add(-watch.count)
            _add_value(growing, watch, tick, count - watch.count)
            growing.is_complete &= not is_gap
        watch.count, watch.money = count, tick.day_value
        watch.day_high, watch.day_low = tick.day_high or None, tick.day_low or None
        watch.at = tick.at if watch.at is None else max(watch.at, tick.at)

    def _has_gap(self, watch: Watching, slot: datetime) -> bool:
        """Tell whether a whole slot in which trades can happen went unwatched before this one."""
        watched = watch.watched_until()
        if watched + self._timeframe.length >= slot:
            return False
        return bool(watch.calendar.slots(watched, slot, self._timeframe))

    def _doubt(self, watch: Watching, instrument: InstrumentId) -> None:
        """Mark the bar in whose slot we ceased to watch: the rest of it went into a later bar."""
        left = watch.calendar.slot(watch.watched_until(), self._timeframe)
        for growing in watch.bars:
            if growing.start == left and growing.is_complete:
                growing.is_complete = False
                self._keep(growing, watch, instrument)

    def _growing(self, watch: Watching, tick: Tick, slot: datetime) -> GrowingBar | None:
        """Return the bar of the slot, beginning it if need be; None where it is too old."""
        place = len(watch.bars)
        while place and watch.bars[place - 1].start > slot:
            place -= 1
        self._grown.add(tick.instrument)
        if place and watch.bars[place - 1].start == slot:
            growing = watch.bars[place - 1]
            if not growing.is_closed:
                return growing
        elif sum(later.is_closed for later in watch.bars[place:]) >= _KEPT_CLOSED:
            return None
        else:
            growing = GrowingBar.begin(slot, tick)
            growing.is_complete = slot != watch.unknown_slot
            growing.is_closed = any(later.is_closed for later in watch.bars[place:])
            watch.bars.insert(place, growing)
        self._keep(growing, watch, tick.instrument)
        return growing

    def _keep(self, growing: GrowingBar, watch: Watching, instrument: InstrumentId) -> None:
        """Enter a bar that changed where the next close will find it."""
        if growing.is_closed:
            self._changed[growing.start, instrument] = growing
        else:
            end = watch.calendar.slot_end(growing.start, self._timeframe)
            self._open.setdefault((end, growing.start), {})[instrument] = growing


def aggregate(bars: Iterable[Bar], timeframe: Timeframe, calendar: Calendar) -> list[Bar]:
    """Return the bars of a longer timeframe made of shorter ones, oldest first.

    `bars` are oldest first per instrument; those outside the calendar's sessions are left out.
    """
    groups: dict[tuple[datetime, InstrumentId], list[Bar]] = {}
    for bar in bars:
        start = calendar.slot(bar.start, timeframe)
        if start is not None:
            groups.setdefault((start, bar.instrument), []).append(bar)
    return [
        Bar(
            instrument=instrument,
            timeframe=timeframe,
            start=start,
            open=parts[0].open,
            high=max(part.high for part in parts),
            low=min(part.low for part in parts),
            close=parts[-1].close,
            volume=math.fsum(part.volume for part in parts),
            value=math.fsum(part.value for part in parts),
            is_complete=all(part.is_complete for part in parts),
        )
        for (start, instrument), parts in sorted(groups.items(), key=lambda item: item[0])
    ]


def _add_value(growing: GrowingBar, watch: Watching, tick: Tick, volume: float) -> None:
    """Add the money that changed hands; estimated where the source does not count it."""
    if tick.day_value is None or watch.money is None:
        growing.value.add(tick.price * volume)
    else:
        growing.value.add(tick.day_value)
        growing.value.add(-watch.money)
