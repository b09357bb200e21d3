"""The market of a test, slot by slot: the bars of its instruments and what is known beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from conditions.panels import panel_for
from conditions.trial_longer import add_days, add_longer, krx
from config.bar_series import Absence
from config.trial_others import INSTRUMENT, TrialOther
from market.fact_panel import day_start
from market.facts import DailyFacts
from market.position_panel import Holding, Stake
from market.sessions import KST
from market.types import Bar, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from conditions.compile import Condition
    from config.condition_tests import Trial
    from config.trial_bars import Slot
    from market.panel import Panel
    from market.types import InstrumentId, Timeframe

FIRST_DAY = date(2026, 1, 5)
"""The Monday on whose opening every test begins; no holiday is near."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def slot_starts(timeframe: Timeframe, count: int) -> list[datetime]:
    """Return the starts of that many slots in a row, session after session from FIRST_DAY on."""
    start = datetime.combine(FIRST_DAY, time(), KST)
    end, found = start, list[datetime]()
    while len(found) < count:
        found += krx().slots(end, end + _WEEK, timeframe)
        end += _WEEK
    return found[:count]


def played(condition: Condition, trial: Trial) -> Condition:
    """Return a condition whose universe is all of a test's instruments that it does not name."""
    named = condition.instruments
    beside = (one.id for one in trial.others if one.id not in named)
    spec = replace(condition.spec, universe=(INSTRUMENT, *beside))
    return replace(condition, spec=spec)


class TrialMarket:
    """Tells a panel what the market side would, slot by slot; the judged instrument is row 0."""

    def __init__(self, condition: Condition, trial: Trial, history: int) -> None:
        self._condition = condition
        self._history = history
        own = TrialOther(INSTRUMENT, trial.slots, trial.days, trial.facts)
        self._cast = (own, *trial.others)
        self._position = trial.position
        self.starts = slot_starts(condition.timeframe, max(1, len(trial.slots)))
        self._sessions = _sessions(self.starts, self._cast)

    def panel(self) -> Panel:
        """Return what is known before the first slot."""
        names = [one.id for one in self._cast]
        panel = panel_for([self._condition], names, self._history)
        for row, one in enumerate(self._cast):
            add_days(panel, row, one.days, self.starts[0])
        for session, day in enumerate(self._sessions):
            if day < FIRST_DAY:
                self._tell_facts(panel, session)
        return panel

    def see(self, panel: Panel, place: int) -> np.ndarray:
        """Take in a slot of all instruments, and return the rows with a new bar."""
        day = self.starts[place].astimezone(KST).date()
        if not place or day != self.starts[place - 1].astimezone(KST).date():
            self._tell_facts(panel, self._sessions.index(day))
        slots = [one.slots[place] for one in self._cast]
        panel.mark_missing(row for row, slot in enumerate(slots) if slot is Absence.MISSING)
        bars = [bar for row in range(len(slots)) for bar in self._bars(row, [place])]
        rows = panel.append(bars)
        if panel.larger:
            self._see_longer(panel, place)
        if panel.positions is not None:
            panel.positions.tell(self._holdings(place))
        return rows

    def _holdings(self, place: int) -> dict[InstrumentId, Holding]:
        """Return what is held in a slot; nothing of the others."""
        position = self._position
        if position is None or place < position.opened:
            return {}
        if position.closed is not None and place >= position.closed:
            sold = Stake(to_ms(self.starts[position.closed]), 0.0, 0.0)
            return {INSTRUMENT: Holding(0, (sold,))}
        opened_ms = to_ms(self.starts[position.opened])
        held = Stake(opened_ms, position.quantity, position.price)
        return {INSTRUMENT: Holding(opened_ms, (held,))}

    def _see_longer(self, panel: Panel, place: int) -> None:
        # what is before the day does not change the longer bars of this slot
        now = self.starts[place]
        day = [one for one in range(place + 1) if now - self.starts[one] < _DAY]
        for row, one in enumerate(self._cast):
            lost = [self.starts[at] for at in day if one.slots[at] is Absence.MISSING]
            add_longer(panel, row, list(self._bars(row, day)), lost, now)

    def _bars(self, row: int, places: Sequence[int]) -> Iterator[Bar]:
        one = self._cast[row]
        for place in places:
            yield from bar_of(
                one.id, self._condition.timeframe, self.starts[place], one.slots[place]
            )

    def _tell_facts(self, panel: Panel, session: int) -> None:
        """Tell what a session knows when it begins: the facts of the one before it."""
        if panel.facts is None:
            return
        opening = datetime.combine(self._sessions[session], time(), KST)
        day = krx().session_day(opening - _DAY)
        for one in self._cast:
            told = None if one.facts is None else one.facts.seen_in(session, len(self._sessions))
            if told is not None:
                # of a coin the same day is over nine hours later, which is before no bar
                panel.facts.put(day_start(one.id, day), [DailyFacts(one.id, day, **told)])


def bar_of(name: str, timeframe: Timeframe, start: datetime, slot: Slot) -> list[Bar]:
    """Return the bar of a slot, none where it has no trade or is missing."""
    if isinstance(slot, Absence):
        return []
    prices = (slot.open, slot.high, slot.low, slot.close)
    return [Bar(name, timeframe, start, *prices, slot.volume, slot.value)]


def _sessions(starts: Sequence[datetime], cast: Sequence[TrialOther]) -> list[date]:
    """Return the days of all slots, and those before that anything is written of."""
    found = list(dict.fromkeys(start.astimezone(KST).date() for start in starts))
    told = max(len(found) if one.facts is None else one.facts.sessions for one in cast)
    count = max(told, len(found) + max(len(one.days) for one in cast))
    day = FIRST_DAY
    while len(found) < count:
        day -= _DAY
        if krx().window(day) is not None:
            found.insert(0, day)
    return found
