"""Universes as they were computed, day by day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from market.tables_facts import MEMBERS, UNIVERSES
from market.universe import Member, UniverseOfDay, Why

if TYPE_CHECKING:
    from sqlalchemy import Connection


class UniverseTable:
    """Universes by name and day; the newest day is the one in force."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, universe: UniverseOfDay) -> None:
        """Keep a universe of a day in place of the same day's before."""
        day = universe.day.isoformat()
        of_day = (MEMBERS.c.universe == universe.name, MEMBERS.c.day == day)
        self._connection.execute(delete(MEMBERS).where(*of_day))
        row = {
            "universe": universe.name,
            "day": day,
            "spec": universe.spec,
            "candidates": universe.candidates,
        }
        changed = {"spec": universe.spec, "candidates": universe.candidates}
        self._connection.execute(
            upsert(UNIVERSES)
            .values(row)
            .on_conflict_do_update(index_elements=["universe", "day"], set_=changed)
        )
        rows = [_row(universe.name, day, *each) for each in enumerate(universe.members)]
        if rows:
            self._connection.execute(insert(MEMBERS), rows)

    def newest(self, name: str, before: date | None = None) -> UniverseOfDay | None:
        """Return the universe in force, now or on a day before that day's own was computed.

        None where there was none.
        """
        statement = select(func.max(UNIVERSES.c.day)).where(UNIVERSES.c.universe == name)
        if before is not None:
            statement = statement.where(UNIVERSES.c.day < before.isoformat())
        day: str | None = self._connection.execute(statement).scalar_one()
        return None if day is None else self.of_day(name, date.fromisoformat(day))

    def of_day(self, name: str, day: date) -> UniverseOfDay | None:
        """Return a universe as it was computed for a day, None where it was not."""
        text = day.isoformat()
        where = (UNIVERSES.c.universe == name, UNIVERSES.c.day == text)
        row = self._connection.execute(select(UNIVERSES).where(*where)).one_or_none()
        if row is None:
            return None
        statement = (
            select(MEMBERS)
            .where(MEMBERS.c.universe == name, MEMBERS.c.day == text)
            .order_by(MEMBERS.c.place)
        )
        members = tuple(
            Member(one.instrument, Why(one.why), one.rank, one.value)
            for one in self._connection.execute(statement)
        )
        return UniverseOfDay(name, day, row.spec, row.candidates, members)


def _row(universe: str, day: str, place: int, member: Member) -> dict[str, Any]:
    return {
        "universe": universe,
        "day": day,
        "place": place,
        "instrument": member.instrument,
        "why": member.why.value,
        "rank": member.rank,
        "value": member.value,
    }
