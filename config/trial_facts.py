"""Reads `facts:` of a condition's test: what is told of an instrument by the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.bar_series import Absence, read_series
from config.fields import Fields
from config.strict_yaml import MapNode
from market.facts import FACT_NAMES

if TYPE_CHECKING:
    from config.bar_series import Placed
    from config.strict_yaml import Located, Node
    from market.errors import Problem

POSITIVE = frozenset({"market_cap", "listed_shares", "high_52w", "low_52w"})
"""Facts of which 0 and less makes no sense."""


@dataclass(frozen=True, slots=True)
class FactLine:
    """One fact, session by session, the last one the newest; a single number is for all."""

    name: str
    located: Located
    days: tuple[Placed, ...]

    @property
    def is_for_all(self) -> bool:
        """Return whether it says the same of every day."""
        return len(self.days) == 1

    def at(self, place: int) -> Placed:
        """Return the number in a place, counted from the first that is written."""
        return self.days[0 if self.is_for_all else place]


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """The facts of one instrument: each number is what a session knows when it begins."""

    lines: tuple[FactLine, ...]

    @property
    def sessions(self) -> int:
        """Return how many sessions are written out, 0 where single numbers are for all."""
        return max((len(one.days) for one in self.lines if not one.is_for_all), default=0)

    def seen_in(self, session: int, count: int) -> dict[str, float] | None:
        """Return what the day before one of `count` sessions told, None where it told nothing.

        The last number written is for the last session, so what is before all of them is not told.
        """
        place = session - count + self.sessions
        if self.sessions and place < 0:
            return None
        told = {one.name: one.at(place)[0] for one in self.lines}
        if Absence.NO_TRADE in told.values():
            return None
        return {name: fact for name, fact in told.items() if not isinstance(fact, Absence)}


def read_facts(node: Node, problems: list[Problem]) -> TrialFacts | None:
    """Return the facts that a mapping writes, None after noting what is wrong with them."""
    fields = Fields(node, FACT_NAMES, problems)
    if isinstance(node, MapNode) and not node.entries:
        problems.append(node.problem("'facts' names no fact: {per: 8, institutions_5: 1_000 _ -5}"))
    written = [(name, fields.optional_text(name)) for name in FACT_NAMES]
    lines = [
        FactLine(name, located, read_series(located, problems))
        for name, located in written
        if located is not None
    ]
    known = [one for one in lines if one.days and _is_sound(one, problems)]
    longest = next((one for one in known if not one.is_for_all), None)
    fitting = [longest is None or _fits(one, longest, problems) for one in known]
    return TrialFacts(tuple(known)) if known and all(fitting) and len(known) == len(lines) else None


def _is_sound(line: FactLine, problems: list[Problem]) -> bool:
    """Tell whether the numbers can be such a fact, after noting the first one that cannot."""
    if line.is_for_all and line.days[0][0] is Absence.NO_TRADE:
        return _refuse(line, f"'{line.name}' of no day at all; leave it out", 0, problems)
    for fact, offset in line.days if line.name in POSITIVE else ():
        if not isinstance(fact, Absence) and fact <= 0:
            return _refuse(line, f"'{line.name}' must be more than 0", offset, problems)
    return True


def _fits(line: FactLine, other: FactLine, problems: list[Problem]) -> bool:
    """Tell whether two lines speak of the same days, after noting where they do not."""
    if line.is_for_all:
        return True
    if len(line.days) != len(other.days):
        counts = f"'{line.name}' has {len(line.days)} days, '{other.name}' has {len(other.days)}"
        return _refuse(line, f"{counts}; a single number is for all", 0, problems)
    for day, ((fact, offset), (known, _)) in enumerate(zip(line.days, other.days, strict=True)):
        if (fact is Absence.NO_TRADE) is not (known is Absence.NO_TRADE):
            words = f"of day {day} either all facts are told or none (_)"
            return _refuse(line, f"{words}; write ? for one that is not", offset, problems)
    return True


def _refuse(line: FactLine, message: str, offset: int, problems: list[Problem]) -> bool:
    problems.append(line.located.problem(message, offset))
    return False
