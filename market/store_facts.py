"""Listings and daily facts in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from market.fact_groups import GROUP_OF_FACT, FactGroup
from market.facts import FACT_NAMES, DailyFacts, Listing
from market.tables_facts import FACTS, LISTING
from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Row

    from market.types import InstrumentId

_CHUNK = 500
_RENEWED = ("name", "segment", "kind", "last_day", "price", "volume", "value", "change")
"""What a newer listing tells anew."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An instrument that a market's list told of: the days on which it did so first and last."""

    line: Listing
    first_day: date
    last_day: date

    @property
    def instrument(self) -> Instrument:
        """Return what is listed."""
        return self.line.instrument


class FactTable:
    """What markets list, and facts by day and instrument."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put_listing(self, lines: Iterable[Listing], day: date) -> None:
        """Keep what a market's list says of a day: the lines, and the facts that they tell."""
        lines = list(lines)
        self._upsert(
            LISTING,
            [_listing_row(one, day) for one in lines],
            ("instrument",),
            _RENEWED,
        )
        facts = [
            DailyFacts(one.instrument.id, day, market_cap=one.market_cap, listed_shares=one.listed)
            for one in lines
        ]
        self.put(facts, FactGroup.LISTING)

    def listing(self, segments: Collection[str] | None = None) -> list[Listed]:
        """Return what was ever listed, in all segments or in some, with its newest line."""
        statement = select(LISTING).order_by(LISTING.c.last_day.desc(), LISTING.c.instrument)
        if segments is not None:
            statement = statement.where(LISTING.c.segment.in_(segments))
        return [_listed(row) for row in self._connection.execute(statement)]

    def listing_day(self, segment: str) -> date | None:
        """Return the newest day of a segment's list, None where there never was one."""
        statement = select(func.max(LISTING.c.last_day)).where(LISTING.c.segment == segment)
        found: str | None = self._connection.execute(statement).scalar_one()
        return None if found is None else date.fromisoformat(found)

    def put(self, facts: Iterable[DailyFacts], group: FactGroup) -> None:
        """Keep the facts of these groups; other facts of the same day and instrument stay.

        A fact of `listed_shares` that is not told leaves what the other source has told.
        """
        names = [name for name in FACT_NAMES if GROUP_OF_FACT[name] & group]
        if group & FactGroup.FIGURES and "listed_shares" not in names:
            names.append("listed_shares")
        rows = [_facts_row(one, names, group) for one in facts]
        self._upsert(FACTS, rows, ("day", "instrument"), [*names, "told"])

    def told(self, day: date) -> dict[InstrumentId, FactGroup]:
        """Return what is told of a day already."""
        statement = select(FACTS.c.instrument, FACTS.c.told).where(FACTS.c.day == _text(day))
        return {name: FactGroup(told) for name, told in self._connection.execute(statement)}

    def of_day(self, day: date) -> dict[InstrumentId, DailyFacts]:
        """Return all facts of a day."""
        statement = select(FACTS).where(FACTS.c.day == _text(day))
        found = (_facts(row) for row in self._connection.execute(statement))
        return {one.instrument: one for one in found}

    def newest(
        self, instruments: Collection[InstrumentId], end: date, days: int
    ) -> list[DailyFacts]:
        """Return the facts of instruments on the newest days before `end`, oldest first."""
        kept = self._days_before(end, days)
        wanted = set(instruments)
        statement = select(FACTS).where(FACTS.c.day.in_(kept)).order_by(*FACTS.primary_key)
        return [_facts(row) for row in self._connection.execute(statement) if row[1] in wanted]

    def forget_before(self, day: date) -> None:
        """Forget the facts of earlier days."""
        self._connection.execute(FACTS.delete().where(FACTS.c.day < _text(day)))

    def _days_before(self, end: date, count: int) -> list[str]:
        """Return the newest days, one seek each: there may be millions of rows."""
        found: list[str] = []
        before: str | None = _text(end)
        while before is not None and len(found) < count:
            statement = select(func.max(FACTS.c.day)).where(FACTS.c.day < before)
            before = self._connection.execute(statement).scalar_one()
            found += [] if before is None else [before]
        return found

    def _upsert(
        self, into: Any, rows: list[dict[str, Any]], keys: tuple[str, ...], names: Iterable[str]
    ) -> None:
        statement = upsert(into)
        changed: dict[str, Any] = {name: statement.excluded[name] for name in names}
        if "told" in changed:
            changed["told"] = into.c.told.op("|")(statement.excluded.told)
        if "listed_shares" in changed:
            shares = statement.excluded.listed_shares
            changed["listed_shares"] = func.coalesce(shares, into.c.listed_shares)
        whole = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        for first in range(0, len(rows), _CHUNK):
            self._connection.execute(whole, rows[first : first + _CHUNK])


def _listing_row(line: Listing, day: date) -> dict[str, Any]:
    instrument = line.instrument
    return {
        "instrument": instrument.id,
        "name": instrument.name,
        "segment": instrument.segment,
        "kind": instrument.kind.value,
        "first_day": _text(day),
        "last_day": _text(day),
        "price": line.price,
        "volume": line.volume,
        "value": line.value,
        "change": line.change,
    }


def _listed(row: Row[Any]) -> Listed:
    venue, _, code = row.instrument.partition(":")
    instrument = Instrument(Venue(venue), code, row.name, row.segment, Kind(row.kind))
    line = Listing(
        instrument, price=row.price, volume=row.volume, value=row.value, change=row.change
    )
    return Listed(line, date.fromisoformat(row.first_day), date.fromisoformat(row.last_day))


def _facts_row(facts: DailyFacts, names: Collection[str], group: FactGroup) -> dict[str, Any]:
    told = {name: getattr(facts, name) if name in names else None for name in FACT_NAMES}
    return {"day": _text(facts.day), "instrument": facts.instrument, "told": int(group), **told}


def _facts(row: Row[Any]) -> DailyFacts:
    told = {name: getattr(row, name) for name in FACT_NAMES}
    return DailyFacts(row.instrument, date.fromisoformat(row.day), **told)


def _text(day: date) -> str:
    return day.isoformat()
