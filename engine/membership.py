"""Who is a member of a universe, from what is known of a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conditions.ranking import compile_universe, day_panel
from market.errors import SourceUnavailable
from market.universe import Member, UniverseOfDay, Why

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from conditions.ranking import RankingRule
    from config.universe_file import UniverseSpec
    from market.facts import DailyFacts
    from market.panel import Panel
    from market.position_panel import Holding
    from market.store import Transaction
    from market.store_facts import Listed
    from market.types import InstrumentId


@dataclass(frozen=True, slots=True)
class Wish:
    """A universe that depends on a market's list, with its rule where it is ranked."""

    spec: UniverseSpec
    rule: RankingRule | None

    @classmethod
    def of(cls, spec: UniverseSpec) -> Wish:
        """Return the wish for a universe; raises ConfigError for a rule that does not compile."""
        return cls(spec, compile_universe(spec))

    def lines(self, listed: Iterable[Listed]) -> list[Listed]:
        """Return what its markets list today, of its kind, without those that are never in."""
        spec = self.spec
        of_markets = [one for one in listed if one.instrument.segment in spec.segments]
        newest = {
            segment: max(one.last_day for one in of_markets if one.instrument.segment == segment)
            for segment in {one.instrument.segment for one in of_markets}
        }
        return [
            one
            for one in of_markets
            if one.last_day == newest[one.instrument.segment]
            and spec.kind in {None, one.instrument.kind}
            and one.instrument.id not in spec.never
        ]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows when the members of a day are decided.

    `held` is held or on order, `holdings` are the positions with what they cost.
    """

    day: date
    listed: Sequence[Listed]
    facts: Mapping[InstrumentId, DailyFacts]
    held: Collection[InstrumentId]
    holdings: Mapping[InstrumentId, Holding] = field(default_factory=dict)

    def panel(self, lines: Iterable[Listed]) -> Panel:
        """Return the panel on which a ranking is evaluated."""
        return day_panel([one.line for one in lines], self.facts.values(), self.day, self.holdings)


def members_of_day(wish: Wish, known: Known, before: Collection[InstrumentId]) -> UniverseOfDay:
    """Return a universe for a day; `before` are those that were in it until now.

    Raises SourceUnavailable where nothing is known that would rank anybody.
    """
    lines = wish.lines(known.listed)
    found = _ranked(wish, known, lines) if wish.rule else _all(lines)
    known_ids = {one.instrument for one in found}
    spec = wish.spec
    always = [one for one in spec.always if one not in known_ids]
    held = [
        one
        for one in before
        if one in known.held and one not in known_ids and one not in (*always, *spec.never)
    ]
    members = (
        *found,
        *(Member(one, Why.ALWAYS) for one in always),
        *(Member(one, Why.HELD) for one in held),
    )
    return UniverseOfDay(spec.name, known.day, spec.version, len(lines), members)


def members_in_force(
    tx: Transaction, names: Iterable[str], on: date | None = None
) -> dict[str, tuple[InstrumentId, ...]]:
    """Return the members, now or on a day, of those of the universes that had been computed."""
    newest = {name: tx.universes.newest(name, before=on) for name in names}
    return {name: one.instruments for name, one in newest.items() if one is not None}


def _all(lines: Iterable[Listed]) -> list[Member]:
    return [Member(one.instrument.id, Why.LISTED) for one in lines]


def _ranked(wish: Wish, known: Known, lines: Sequence[Listed]) -> list[Member]:
    rule = wish.rule
    if rule is None:
        return []
    panel = known.panel(lines)
    ranked = rule.rank(panel)
    if not len(ranked.rows) and len(rule.candidates(panel)):
        raise SourceUnavailable(
            f"universe '{wish.spec.name}': nobody is told what its ranking asks for"
            f" ({', '.join(sorted(rule.facts)) or rule.spec.by.text})"
        )
    return [
        Member(lines[row].instrument.id, Why.RANKED, place + 1, float(value))
        for place, (row, value) in enumerate(
            zip(ranked.rows.tolist(), ranked.values.tolist(), strict=True)
        )
        if place < rule.spec.top
    ]
