"""Runs the tests of a condition on the code that judges live: panel, verdicts, lifecycle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conditions.compile import HISTORY
from conditions.engine import evaluate
from conditions.lifecycle import States, step
from conditions.trial_market import TrialMarket, played
from config.trial_others import INSTRUMENT
from market.signals import Phase
from market.types import Verdict

if TYPE_CHECKING:
    import numpy as np

    from conditions.compile import Condition
    from config.condition_tests import Trial
    from market.panel import Panel

_OWN = 0
"""The row of the instrument that is judged."""


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


@dataclass(slots=True)
class Stage:
    """One instrument under one condition, moved on slot by slot.

    `condition` becomes the one that has the test's instruments for its universe.
    """

    condition: Condition
    trial: Trial
    history: int = HISTORY
    verdicts: list[Verdict] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    fires: list[int] = field(default_factory=list)
    panel: Panel = field(init=False)
    _market: TrialMarket = field(init=False)
    _states: States = field(init=False)

    def __post_init__(self) -> None:
        self.condition = played(self.condition, self.trial)
        self._market = TrialMarket(self.condition, self.trial, self.history)
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
        panel = self._market.panel()
        for place in range(until):
            self._market.see(panel, place)
        return panel

    def _move(self, place: int) -> None:
        rows = self._market.see(self.panel, place)
        if _OWN in rows:
            self._judge(place, rows[rows == _OWN])
        elif self.panel.missing[_OWN]:
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

    def _restart(self, place: int) -> None:
        """Begin anew with what a store keeps: the bars and the standing of the condition."""
        kept = self._states.to_mapping([INSTRUMENT])
        self._states = States.from_mapping(kept, [INSTRUMENT])
        self.panel = self.panel_until(place)
