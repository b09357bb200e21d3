"""Tells what came of a condition's tests: the first difference of each, with the values there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING

from conditions.compile import HISTORY
from conditions.explain import explain
from conditions.trial import Stage, run_trial
from conditions.trial_market import slot_starts
from market.sessions import KST
from market.signals import Phase
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.compile import Condition
    from conditions.trial import Course
    from config.condition_tests import Trial
    from config.strict_yaml import Located
    from market.errors import Problem
    from market.signals import Leaf


@dataclass(frozen=True, slots=True)
class Difference:
    """A slot at which a test went otherwise than expected; `located` is what was expected there."""

    slot: int
    located: Located
    words: str


def failed_tests(condition: Condition, history: int = HISTORY) -> tuple[Problem, ...]:
    """Run the tests of a condition and return a problem for each that fails."""
    problems = []
    for trial in condition.spec.tests:
        differences = sorted(_differences(trial, run_trial(condition, trial, history)), key=_slot)
        if differences:
            problems.append(_problem(condition, trial, differences[0], history))
    return tuple(problems)


def shown(value: float, unit: str) -> str:
    """Return a value as the author of a condition would write it."""
    if isnan(value):
        return "unknown"
    if unit == "ratio":
        return f"{value * 100:.4g}%"
    if unit == "clock":
        return f"{int(value) // 60:02}:{int(value) % 60:02}"
    return f"{value:_.0f}" if abs(value) >= 10_000 else f"{value:.6g}"


def _slot(difference: Difference) -> int:
    return difference.slot


def _differences(trial: Trial, course: Course) -> Iterator[Difference]:
    yield from _fires(trial, course)
    for slot, phase, located in trial.expect.states:
        found = course.phases[slot]
        if found is not phase:
            words = f"expected {phase.name.lower()} after slot {slot}, is {found.name.lower()}"
            yield Difference(slot, located, words)
    for slot, located in trial.expect.unknown_at:
        verdict = course.verdicts[slot]
        if verdict is not Verdict.UNKNOWN:
            words = f"expected to be unknown at slot {slot}, is {verdict.name.lower()}"
            yield Difference(slot, located, words)


def _fires(trial: Trial, course: Course) -> Iterator[Difference]:
    if trial.expect.fires_at is None:
        return
    expected = dict(trial.expect.fires_at)
    for slot, located in expected.items():
        if slot not in course.fires:
            yield Difference(slot, located, f"expected to fire at slot {slot}, did not")
    for slot in course.fires:
        if slot not in expected:
            nearest = min(expected, key=lambda one: abs(one - slot), default=None)
            located = trial.expect.located if nearest is None else expected[nearest]
            yield Difference(slot, located, f"fired at slot {slot}, which was not expected")


def _problem(condition: Condition, trial: Trial, first: Difference, history: int) -> Problem:
    stage = Stage(condition, trial, history)
    stage.play(first.slot + 1)
    start = slot_starts(condition.timeframe, first.slot + 1)[-1].astimezone(KST)
    verdict = stage.verdicts[first.slot].name.lower()
    phase = stage.phases[first.slot].name.lower()
    there = f"at slot {first.slot} ({start:%H:%M}) the verdict is {verdict}, it is {phase} after it"
    values = "; ".join(_values(stage.condition, stage))
    message = f"test '{trial.name.text}': {first.words}; {there}: {values}"
    return first.located.problem(message)


def _values(condition: Condition, stage: Stage) -> Iterator[str]:
    """Yield the comparisons of `when`, and of `clear` where it is waited for."""
    yield from map(_leaf, explain(condition, stage.panel, 0).leaves)
    if condition.clear is not None and stage.phases[-1] in {Phase.FIRING, Phase.COOLING}:
        clearing = replace(condition, when=condition.clear)
        for leaf in explain(clearing, stage.panel, 0).leaves:
            yield f"clear: {_leaf(leaf)}"


def _leaf(leaf: Leaf) -> str:
    values = f"{shown(leaf.left, leaf.unit)} {leaf.operator} {shown(leaf.right, leaf.unit)}"
    return f"'{leaf.text}' is {leaf.verdict.name.lower()} ({values})"
