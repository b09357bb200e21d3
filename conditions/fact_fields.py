"""`facts.per`, `facts.institutions_5` ...: what is known of an instrument by the day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import newest_starts, offsets
from conditions.nodes import Argument, Call, Member, Name, Scoped, Text, children, to_text
from conditions.openings import DAY_MS
from conditions.reference import venue_of
from conditions.series import Series
from conditions.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from conditions.nodes import Node
    from conditions.view import View
    from market.sessions import Calendar
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]

FACTS = "facts"

FRESH_SESSIONS = 5
"""So many sessions after its own a fact counts: a week of trading, however long a holiday is."""
_LONGEST_REST = 30
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FactPart:
    """What a fact measures and means; `is_level` tells that it lies where prices do."""

    unit: Unit
    meaning: str
    is_level: bool = False


_BUYERS = {
    "institutions": "Net buying of institutions in shares",
    "foreigners": "Net buying of foreigners in shares",
    "individuals": "Net buying of individuals in shares",
}
_SPANS = {1: "on the last day", 5: "over the last 5 days", 20: "over the last 20 days"}

FACT_FIELDS = {
    **{
        f"{name}_{days}": FactPart(Unit.VOLUME, f"{words}, {span}.")
        for name, words in _BUYERS.items()
        for days, span in _SPANS.items()
    },
    "market_cap": FactPart(Unit.VALUE, "What all shares are worth at the close."),
    "listed_shares": FactPart(Unit.VOLUME, "How many shares are listed."),
    "per": FactPart(Unit.NUMBER, "Price over earnings a share: `facts.per < 10`."),
    "pbr": FactPart(Unit.NUMBER, "Price over book value a share."),
    "eps": FactPart(Unit.PRICE, "Earnings a share."),
    "high_52w": FactPart(Unit.PRICE, "The highest price of 52 weeks.", is_level=True),
    "low_52w": FactPart(Unit.PRICE, "The lowest price of 52 weeks.", is_level=True),
}
"""By the name that stands behind `facts.`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactField(Series):
    """A fact as it was known when the session of each bar began.

    It is of the newest day that was over by then and told anything of the instrument; unknown
    where that day did not tell this fact, or has been followed by more than FRESH_SESSIONS - 1
    sessions. `instrument` is whose it is, "" for the bar's own; it need not trade then.
    """

    name: str
    instrument: InstrumentId = ""

    def values(self, view: View, columns: int) -> Array:
        """Return the fact by each bar."""
        return view.recall(self.key, columns, lambda: self._known(view, columns))

    def _known(self, view: View, columns: int) -> Array:
        starts, rows = newest_starts(view, columns), self._rows(view)
        if view.facts is None or rows is None:
            return np.full(starts.shape, np.nan)
        return view.facts.as_of(self.name, rows, starts, _oldest(view, columns))

    def _rows(self, view: View) -> Array | None:
        """Return which rows of the panel the facts are of, None where it does not hold them."""
        if not self.instrument:
            return view.picked
        other = view.only(self.instrument)
        return None if other is None else np.repeat(other.picked, view.rows)


def fact_field(name: str) -> FactField:
    """Return a field of FACT_FIELDS."""
    part = FACT_FIELDS[name]
    return FactField(
        node=Member(Name(FACTS), name),
        unit=part.unit,
        key=f"{FACTS}.{name}",
        is_level=part.is_level,
        name=name,
    )


def fact_of(scope: Node, field: FactField) -> FactField:
    """Return the fact as one of the instrument that a call of `of` names."""
    match scope:
        case Call(_, (Argument("", Text(instrument)),)):
            meaning = Scoped(scope, field.node)
            key = to_text(meaning)
            return replace(field, node=meaning, key=key, is_level=False, instrument=instrument)
    raise TypeError(f"{to_text(scope)} names no instrument")


def facts_in(node: Node) -> Iterator[str]:
    """Yield the names of the facts that a tree asks for."""
    return (one.name for one in fact_fields_in(node))


def fact_fields_in(node: Node, scope: Node | None = None) -> Iterator[FactField]:
    """Yield the facts that a tree as it is understood asks for; a scope names whose they are."""
    match node:
        case Member(Name(name), part) if name == FACTS and part in FACT_FIELDS:
            field = fact_field(part)
            yield field if scope is None else fact_of(scope, field)
        case Scoped(Call() as other, source):
            yield from fact_fields_in(source, other)
        case _:
            for below in children(node):
                yield from fact_fields_in(below, scope)


def _oldest(view: View, columns: int) -> Array:
    """Return when the oldest day begins whose facts count at each bar, in UTC ms."""
    return view.recall(f"{FACTS} since", columns, lambda: _since(view, columns))[:, -columns:]


def _since(view: View, columns: int) -> Array:
    starts, offset = newest_starts(view, columns), offsets(view)
    days = (starts + offset) // DAY_MS
    venues = np.array([venue_of(name) for name in view.instruments])
    found = np.zeros_like(starts)
    for venue in set(venues.tolist()):
        rows = venues == venue
        known, places = np.unique(days[rows], return_inverse=True)
        calendar = view.reference.calendar(f"{venue}:")
        oldest = np.array([_sessions_before(calendar, day) for day in known.tolist()])
        found[rows] = oldest[places.reshape(days[rows].shape)] * DAY_MS - offset[rows]
    return found


def _sessions_before(calendar: Calendar | None, number: int) -> int:
    """Return the day that is FRESH_SESSIONS sessions before a day, a week where none are known."""
    if calendar is None or not number:
        return number - 7
    day, sessions = _date(number), 0
    for back in range(1, _LONGEST_REST + 1):
        sessions += calendar.window(day - back * _DAY) is not None
        if sessions == FRESH_SESSIONS:
            return number - back
    return number - 7


def _date(number: int) -> date:
    return datetime.fromtimestamp(number * DAY_MS / 1000, UTC).date()
