"""`of("KRX:069500").close`: what is asked of another instrument, by the time of this one's bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import newest_starts
from conditions.larger import PREFIXES
from conditions.lens import Glance, seen
from conditions.mistake import Mistake
from conditions.nodes import Ago, Argument, Call, Grouped, Member, Name, Text, children
from conditions.reference import venue_of
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.view import View
    from market.directory import Directory
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]

OF = "of"
USAGE = 'of("KRX:005930").close'


@dataclass(frozen=True, slots=True)
class OtherInstrument:
    """Sees the bars of another instrument; between its bars its newest one goes on.

    It is unknown where a slot of the other instrument is missing, not where it did not trade.
    """

    instrument: InstrumentId

    @property
    def scope(self) -> Node:
        """Return the call in front."""
        return Call(Name(OF), (Argument("", Text(self.instrument)),))

    @property
    def is_other(self) -> bool:
        """Return that they are another instrument's."""
        return True

    def glance(self, view: View, columns: int) -> Glance | None:
        """Return the bars that were the newest as each own bar ended."""
        other = view.only(self.instrument)
        if other is None:
            return None
        starts = newest_starts(view, columns)
        places, is_known = _newest(other, starts)
        return Glance(other, other.columns, places, is_known & (starts > 0))


def elsewhere(scope: Node, source: Series) -> Series:
    """Return a series as one of the instrument that a scope names; raises Mistake."""
    return seen(OtherInstrument(instrument_of(scope)), source)


def _newest(other: View, starts: Array) -> tuple[Array, Array]:
    """Return the place of the bar that was the newest at each start, and whether it surely was."""
    own, gap = other.field("starts")[0], other.field("gap")[0]
    places = np.searchsorted(own, starts, side="right") - 1
    is_lost = np.append(gap[1:], other.field("missing")[0])  # whether what follows a bar is missing
    is_same = own[places] == starts
    return places, (places >= 0) & (is_same | ~is_lost[places])


def split(node: Node) -> tuple[Node, Node] | None:
    """Return what stands in front of a chain of parts and calls, and the chain without it.

    Only `of(...)` and timeframes count: `of("KRX:005930").sma(close, 20)[1]` is `sma(close, 20)[1]`
    of that instrument, `d1.close[1]` is `close[1]` of daily bars, `d1.(close > open)` is all that
    stands in the parentheses.
    """
    match node:
        case Member(below, name) if _is_scope(below):
            return below, Name(name, start=node.start, end=node.end)
        case Grouped(below, source) if _is_scope(below):
            return below, source
        case Member(below) | Ago(below):
            found = split(below)
            return found and (found[0], replace(node, source=found[1]))
        case Grouped(below):
            found = split(below)
            return found and (found[0], replace(node, scope=found[1]))
        case Call(function):
            found = split(function)
            return found and (found[0], replace(node, function=found[1]))
        case _:
            return None


def _is_scope(node: Node) -> bool:
    is_of = isinstance(node, Call) and node.function == Name(OF)
    return is_of or (isinstance(node, Name) and node.name in PREFIXES)


def instrument_of(scope: Node) -> InstrumentId:
    """Return the instrument that a scope names; raises Mistake."""
    match scope:
        case Call(_, arguments) if len(arguments) == 1 and not arguments[0].name:
            place, named = arguments[0].value.start, arguments[0].value
        case _:
            raise Mistake(scope.start, f"'{OF}' takes one instrument: {USAGE}")
    if not isinstance(named, Text):
        raise Mistake(place, f"an instrument stands in quotation marks: {USAGE}")
    if not _is_id(named.text):
        raise Mistake(place, f"'{named.text}' is no instrument; expected VENUE:CODE: {USAGE}")
    return named.text


def _is_id(text: str) -> bool:
    venue, _, code = text.partition(":")
    return venue in set(Venue) and bool(code)


def instruments_in(node: Node) -> Iterator[Text]:
    """Yield the instruments that scopes anywhere in a tree name rightly."""
    match node:
        case Call(Name(name), (Argument("", Text() as text),)) if name == OF and _is_id(text.text):
            yield text
        case _:
            for below in children(node):
                yield from instruments_in(below)


def unknown_instrument(
    name: InstrumentId, directory: Directory | None, members: Sequence[InstrumentId]
) -> str:
    """Return why no bars of an instrument can be had, "" where nothing speaks against it.

    `members` are those whose conditions name it: bars are kept by venue.
    """
    venue = venue_of(name)
    if any(venue_of(one) != venue for one in members):
        return f"'{name}' trades at another venue than the instruments of the universe"
    if directory is None or directory.get(name) is not None:
        return ""
    near = [one.id for one in directory.suggest(name.partition(":")[2], 1)]
    return f"unknown instrument '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")
