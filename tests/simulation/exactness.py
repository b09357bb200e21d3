"""What many seeds came to, in one line; and the line that plays one of them again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from market.orders import OrderState
    from tests.simulation.world import Report

MONEY = ("duplicated", "lost", "unresolved", "position_errors")
"""The kinds of violations that the last line names; all others are told on the line before."""


@dataclass
class Totals:
    """Sums over seeds."""

    seeds: int = 0
    orders: int = 0
    kills: int = 0
    faults: int = 0
    points: int = 0
    failures: list[int] = field(default_factory=list)
    states: Counter[OrderState] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, report: Report) -> None:
        """Take in what a seed came to."""
        self.seeds += 1
        self.orders += report.orders
        self.kills += report.kills
        self.faults += report.faults
        self.points += report.points
        self.states.update(report.states)
        self.kinds.update(kind for kind, _ in report.violations)
        if report.violations:
            self.failures.append(report.seed)

    @property
    def beside(self) -> str:
        """Return what is not in the line: how orders ended, and all other violations."""
        ends = " ".join(f"{state}={count}" for state, count in sorted(self.states.items()))
        others = sorted(kind for kind in self.kinds if kind not in MONEY)
        broken = " ".join(f"{kind}={self.kinds[kind]}" for kind in others)
        return f"points={self.points} {ends} others: {broken or 'none'}"

    @property
    def line(self) -> str:
        """Return the line for machines."""
        counts = " ".join(f"{kind}={self.kinds[kind]}" for kind in MONEY)
        before = f"seeds={self.seeds} orders={self.orders}"
        return f"{before} {counts} kills={self.kills} faults={self.faults}"


def again(broker: str, report: Report) -> str:
    """Return what a seed broke, and the line that plays it again."""
    told = "\n".join(f"  {kind}: {text}" for kind, text in report.violations[:10])
    command = f"python benchmarks/exactness.py --broker {broker} --seeds 1 --start {report.seed}"
    return f"seed {report.seed} failed:\n{told}\n{command}"
