"""Which branches of a condition its own tests have made true, false and unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from conditions.compile import HISTORY
from conditions.leaves import leaves
from conditions.trial import Stage
from config.bar_series import Absence
from market.types import Verdict

if TYPE_CHECKING:
    from conditions.compile import Condition
    from conditions.truths import Truth
    from config.condition_tests import Trial


_ORDER = (Verdict.TRUE, Verdict.FALSE, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Branch:
    """A comparison or event of `when` or `clear` and the verdicts that tests brought about."""

    key: str
    text: str
    reached: frozenset[Verdict]

    @property
    def missing(self) -> tuple[Verdict, ...]:
        """Return the verdicts it never had: true, false, unknown."""
        return tuple(one for one in _ORDER if one not in self.reached)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a condition is tested."""

    tests: int
    branches: tuple[Branch, ...]

    @property
    def reached(self) -> int:
        """Return how many outcomes were seen."""
        return sum(len(one.reached) for one in self.branches)

    @property
    def outcomes(self) -> int:
        """Return how many there are: three a branch."""
        return len(Verdict) * len(self.branches)


def coverage(condition: Condition, history: int = HISTORY) -> Coverage:
    """Return what the condition's tests reach."""
    rules = {"when": condition.when, "clear": condition.clear}
    found = [(key, leaf) for key, rule in rules.items() if rule for leaf in leaves(rule)]
    reached: list[set[Verdict]] = [set() for _ in found]
    for trial in condition.spec.tests:
        seen = _seen(condition, trial, [leaf for _, leaf in found], history)
        reached = [known | more for known, more in zip(reached, seen, strict=True)]
    branches = tuple(
        Branch(key, leaf.text, frozenset(verdicts))
        for (key, leaf), verdicts in zip(found, reached, strict=True)
    )
    return Coverage(len(condition.spec.tests), branches)


def _seen(
    condition: Condition, trial: Trial, found: list[Truth], history: int
) -> list[set[Verdict]]:
    """Return the verdicts that each leaf had in a test; the last bars of it tell of all before.

    Of a position that was sold those tell that are before its sale.
    """
    whole = _seen_until(condition, trial, found, history, len(trial.slots))
    sold = trial.position.closed if trial.position is not None else None
    if sold is None:
        return whole
    before = _seen_until(condition, trial, found, history, sold)
    return [one | other for one, other in zip(whole, before, strict=True)]


def _seen_until(
    condition: Condition, trial: Trial, found: list[Truth], history: int, until: int
) -> list[set[Verdict]]:
    stage = Stage(condition, trial, max(history, len(trial.slots)))
    panel = stage.panel_until(until)
    bars = int(panel.counts[0])
    view = stage.condition.view(panel, np.array([0]))
    missing = {Verdict.UNKNOWN} if Absence.MISSING in trial.slots else set()
    return [
        missing | {Verdict(one) for one in leaf.verdicts(view, bars)[0].tolist()}
        if bars
        else set(missing)
        for leaf in found
    ]
