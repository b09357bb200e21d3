"""Runs the tests of a condition on the code that judges live: panel, verdicts, lifecycle."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from conditions.compile import HISTORY
from conditions.engine import evaluate
from conditions.lifecycle import States, step
from conditions.trial_longer import add_days, add_longer, krx
from config.bar_series import Absence
from market.panel import Panel
from market.sessions import KST
from market.signals import Phase
from market.types import Bar, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from conditions.compile import Condition
    from config.condition_tests import Slot, Trial
    from market.types import InstrumentId, Timeframe

FIRST_DAY = date(2026, 1, 5)
"""The Monday on whose opening every test begins; no holiday is near."""
INSTRUMENT: InstrumentId = "KRX:005930"

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Course:
    """What became of each slot of a test: the verdict, the standing after it, and what fired.

    A slot without trade keeps what was before it; after a missing one the verdict is unknown.
    """

    verdicts: tuple[Verdict, ...]
    phases: tuple[Phase, ...]
    fires: tuple[int, ...]


def run_trial(condition: Condition, trial: Trial, history: int = HISTORY) -> Course:
    """Return the course of a test."""
    stage = Stage(condition, trial, history)
    stage.play(len(trial.slots))
    return Course(tuple(stage.verdicts), tuple(stage.phases), tuple(stage.fires))


def slot_starts(timeframe: Timeframe, count: int) -> list[datetime]:
    """Return the starts of that many slots in a row, session after session from FIRST_DAY on."""
    start = datetime.combine(FIRST_DAY, time(), KST)
    end, found = start, list[datetime]()
    while len(found) < count:
        found += krx().slots(end, end + _WEEK, timeframe)
        end += _WEEK
    return found[:count]


@dataclass(slots=True)
class Stage:
    """One instrument under one condition, moved on slot by slot."""

    condition: Condition
    trial: Trial
    history: int = HISTORY
    verdicts: list[Verdict] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    fires: list[int] = field(default_factory=list)
    panel: Panel = field(init=False)
    _starts: Sequence[datetime] = field(init=False)
    _states: States = field(init=False)

    def __post_init__(self) -> None:
        count = max(1, len(self.trial.slots))
        self._starts = slot_starts(self.condition.timeframe, count)
        self._states = States.from_mapping({}, [INSTRUMENT])
        self.panel = self.panel_until(0)

    def play(self, until: int) -> None:
        """Move on to just before a slot."""
        for place in range(len(self.verdicts), until):
            if place == self.trial.restart_at:
                self._restart(place)
            self._move(place)

    def panel_until(self, until: int) -> Panel:
        """Return the bars of the slots before one, with nothing judged."""
        larger = self.condition.larger
        panel = Panel(self.condition.timeframe, [INSTRUMENT], self.history, larger)
        add_days(panel, self.trial.days, self._starts[0])
        for place in range(until):
            self._see(panel, place)
        return panel

    def _move(self, place: int) -> None:
        rows = self._see(self.panel, place)
        if len(rows):
            self._judge(place, rows)
        elif self.panel.missing[0]:
            self.verdicts.append(Verdict.UNKNOWN)
        else:
            self.verdicts.append(self.verdicts[-1] if self.verdicts else Verdict.UNKNOWN)
        self.phases.append(Phase(int(self._states.phase[0])))

    def _judge(self, place: int, rows: np.ndarray) -> None:
        verdicts = evaluate(self.condition, self.panel, rows)
        starts = self.panel.starts[rows, -1]
        ends = starts + int(self.condition.timeframe.length.total_seconds() * 1000)
        found = step(self.condition, self._states, rows, verdicts, starts, ends)
        self._states = found.states
        self.verdicts.append(Verdict(int(verdicts.when[0])))
        self.fires += [place] * len(found.fired)

    def _see(self, panel: Panel, place: int) -> np.ndarray:
        """Take in a slot as the market side does, and return the rows with a new bar."""
        slot = self.trial.slots[place]
        if slot is Absence.MISSING:
            panel.mark_missing([0])
        rows = panel.append(self._bars(place, slot))
        if panel.larger:
            self._see_longer(panel, place)
        return rows

    def _see_longer(self, panel: Panel, place: int) -> None:
        # what is before the day does not change the longer bars of this slot
        day = [one for one in range(place + 1) if self._starts[place] - self._starts[one] < _DAY]
        slots = [(one, self.trial.slots[one]) for one in day]
        bars = [bar for one, slot in slots for bar in self._bars(one, slot)]
        lost = [self._starts[one] for one, slot in slots if slot is Absence.MISSING]
        add_longer(panel, bars, lost, self._starts[place])

    def _bars(self, place: int, slot: Slot) -> list[Bar]:
        if isinstance(slot, Absence):
            return []
        return [
            Bar(
                INSTRUMENT,
                self.condition.timeframe,
                self._starts[place],
                slot.open,
                slot.high,
                slot.low,
                slot.close,
                slot.volume,
                slot.value,
            )
        ]

    def _restart(self, place: int) -> None:
        """Begin anew with what a store keeps: the bars and the standing of the condition."""
        kept = self._states.to_mapping([INSTRUMENT])
        self._states = States.from_mapping(kept, [INSTRUMENT])
        self.panel = self.panel_until(place)
