"""What `ticktalk universe` shows: the members, why each is in, and their facts."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conditions.ranking import compile_universe
from conditions.units import Unit
from market.facts import FACT_NAMES, DailyFacts
from market.universe import Member, Why

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from rich.table import Table

    from config.load import Config
    from config.universe_file import UniverseSpec
    from market.directory import Directory
    from market.store import Transaction
    from market.types import InstrumentId
    from market.universe import UniverseOfDay

CSV_COLUMNS = ("universe", "day", "instrument", "name", "market", "kind", "why", "rank", "value")
"""The columns before the facts, which follow under their own names."""
_SHOWN = {
    "market_cap": "market cap",
    "per": "PER",
    "pbr": "PBR",
    "institutions_5": "institutions 5d",
    "foreigners_5": "foreigners 5d",
    "individuals_5": "individuals 5d",
    "high_52w": "52w high",
    "low_52w": "52w low",
}
_RATIOS = ("per", "pbr")


@dataclass(frozen=True, slots=True)
class UniverseView:
    """Members as they are in force; `of_day` is None where the files say it all.

    `facts` are of `day`, the newest that tells any of the members.
    """

    spec: UniverseSpec
    members: tuple[Member, ...]
    directory: Directory
    of_day: UniverseOfDay | None = None
    day: date | None = None
    facts: Mapping[InstrumentId, DailyFacts] = field(default_factory=dict)

    @property
    def is_outdated(self) -> bool:
        """Tell whether the file was edited since the universe was computed."""
        return self.of_day is not None and self.of_day.spec != self.spec.version


def view_of(config: Config, spec: UniverseSpec, tx: Transaction | None, end: date) -> UniverseView:
    """Return what is known of a universe before `end`; without a store what its file says."""
    if tx is None:
        return UniverseView(spec, _written(config, spec), config.directory)
    of_day = tx.universes.newest(spec.name) if spec.segments else None
    members = _written(config, spec) if of_day is None else _in_force(spec, of_day)
    names = [one.instrument for one in members]
    told = tx.facts.newest(names, end, 1)
    facts = {one.instrument: one for one in told}
    day = told[0].day if told else None
    if of_day is not None and of_day.day != day:
        known = tx.facts.of_day(of_day.day)
        facts, day = {name: known[name] for name in names if name in known}, of_day.day
    return UniverseView(spec, members, config.directory, of_day, day, facts)


def csv_text(view: UniverseView) -> str:
    """Return the members as comma-separated values with a line of names; unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*CSV_COLUMNS, *FACT_NAMES])
    for member in view.members:
        known = view.directory.get(member.instrument)
        facts = view.facts.get(member.instrument)
        told = [None if facts is None else getattr(facts, name) for name in FACT_NAMES]
        writer.writerow(
            [
                view.spec.name,
                view.day or "",
                member.instrument,
                "" if known is None else known.name,
                "" if known is None else known.segment,
                "" if known is None else known.kind.value,
                member.why.value,
                "" if member.rank is None else member.rank,
                *(_exact(number) for number in (member.value, *told)),
            ]
        )
    return out.getvalue()


def listed(config: Config) -> list[str]:
    """Return a line for each universe: its name, its purpose, where its members come from."""
    specs = config.universe_specs
    width = max(map(len, specs), default=0)
    return [
        f"{name:<{width}}  {spec.describe or 'no description'} ({_origin(spec)})"
        for name, spec in specs.items()
    ]


def _origin(spec: UniverseSpec) -> str:
    if spec.ranking is not None:
        return f"ranking: the first {spec.ranking.top} of {'+'.join(spec.segments)}"
    if spec.segments:
        return f"market: {'+'.join(spec.segments)}"
    return "a list"


def title(view: UniverseView) -> str:
    """Return a line or two about the universe: of which day, out of how many, for how long."""
    count = f"{len(view.members):,} instruments"
    lines = [f"{view.spec.name}: {view.spec.describe}" if view.spec.describe else view.spec.name]
    if view.of_day is None:
        lines.append(f"{count}, as the files say")
        if view.spec.segments:
            lines.append("the market's whole list is learnt once a watched condition names it")
    else:
        among = f"out of {view.of_day.candidates:,} that are listed"
        lines.append(f"{count} {among}, as of {view.of_day.day}")
    if view.is_outdated:
        lines.append("the file was edited since: the bot computes it anew, or --refresh does")
    if view.day is not None:
        lines.append(f"facts of {view.day}; empty where nobody told")
    return "\n".join(lines)


def table(view: UniverseView) -> Table:
    """Return the members with the facts that any of them has."""
    from rich.table import Table  # noqa: PLC0415  # only a terminal needs it

    shown = [name for name in _SHOWN if any(_fact(view, one, name) for one in view.members)]
    by = _Number(view.spec)
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("#", "code", "name", "why", *([by.name] if by.name else [])):
        drawn.add_column(column, justify="right" if column in {"#", by.name} else "left")
    for name in shown:
        drawn.add_column(_SHOWN[name], justify="right")
    for place, member in enumerate(view.members, start=1):
        drawn.add_row(
            str(member.rank or place),
            member.instrument,
            view.directory.name(member.instrument),
            member.why.value,
            *([by.text(member.value)] if by.name else []),
            *(_rounded(name, _fact(view, member, name)) for name in shown),
        )
    return drawn


class _Number:
    """How the number of a ranking is shown: a ratio in per cent, others with their digits."""

    def __init__(self, spec: UniverseSpec) -> None:
        rule = compile_universe(spec)
        self.name = "" if rule is None else "ranked by"
        self._is_ratio = rule is not None and rule.by.unit is Unit.RATIO

    def text(self, value: float | None) -> str:
        if value is None:
            return ""
        if self._is_ratio:
            return f"{value:.4%}"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _in_force(spec: UniverseSpec, of_day: UniverseOfDay) -> tuple[Member, ...]:
    """Return the members with the exceptions that the file makes by now."""
    known = {one.instrument: one for one in of_day.members}
    names = spec.with_exceptions(of_day.instruments)
    return tuple(known.get(name, Member(name, Why.ALWAYS)) for name in names)


def _written(config: Config, spec: UniverseSpec) -> tuple[Member, ...]:
    names = spec.known(config.instruments.values())
    return tuple(Member(name, Why.ALWAYS if name in spec.always else Why.LISTED) for name in names)


def _fact(view: UniverseView, member: Member, name: str) -> float | None:
    facts = view.facts.get(member.instrument)
    found: float | None = None if facts is None else getattr(facts, name)
    return found


def _rounded(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if name in _RATIOS else f"{value:,.0f}"


def _exact(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)
