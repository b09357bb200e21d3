"""Does the harness find bugs? Those that are planted here, every one of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from tests.simulation.exactness import again
from tests.simulation.planting import ROOT, Bug, Hunk, bugs, find
from tests.simulation.test_exactness import SEEDS, first_time
from tests.simulation.world import Plan, Report, run_seed

MANY = 40
"""There are at least so many."""
BUGS = bugs()


@cache
def honest(broker: str, seed: int, actions: tuple[str, ...], faults: float | None) -> Report:
    """Play a seed on the program as it is."""
    return run_seed(broker, seed, Plan(actions=actions or None, fault_chance=faults))


def seeds_of(bug: Bug) -> list[int]:
    """Return the seeds that may find a bug: its own; once stories have changed the gate's; more."""
    return [bug.seed, *range(SEEDS[bug.broker]), *range(23, 103, 5)]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    first_time(bug.broker, 0)  # so that all of the program is loaded before it is spoiled
    found = find(bug, seeds_of(bug))
    assert found is not None, f"python -m tests.simulation.planting {bug.name} looks for a seed"
    actions, faults = tuple(bug.plan.actions or ()), bug.plan.fault_chance
    if actions or faults is not None:
        report = honest(bug.broker, found[0], actions, faults)
    else:
        report = first_time(bug.broker, found[0])
    assert not report.violations, again(bug.broker, report)


def test_there_are_planted_bugs_for_every_broker() -> None:
    assert len(BUGS) >= MANY
    assert {bug.broker for bug in BUGS} >= {"plain", "paper", "upbit", "kis"}


def test_the_planted_bugs_are_described() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    told = [line for line in text.splitlines() if line.startswith("| `")]
    assert told == [f"| `{bug.name}` | {bug.broker} | {bug.what} |" for bug in BUGS]


def test_a_bug_that_does_not_fit_any_more_is_told() -> None:
    bug = replace(BUGS[0], hunks=(Hunk("what nobody ever wrote", ""),))
    with pytest.raises(ValueError, match=r"does not fit .* any more: cut it anew"):
        bug.spoiled()
