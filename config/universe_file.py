"""Reads universes/*.yaml: groups of instruments, listed, of a market, or ranked by facts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.fields import Fields, parsed, refuse
from config.instruments import find_ids, written_ids
from config.registry import suggestion
from config.strict_yaml import ListNode, Located
from config.values import read_name
from market.segments import SEGMENTS
from market.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.strict_yaml import Node
    from market.errors import Problem
    from market.types import Instrument, InstrumentId, Venue

EVERY = "all"
UNIVERSE_KEYS = (
    "name",
    "describe",
    "instruments",
    "market",
    "ranking",
    "kind",
    "always",
    "never",
)
RANKING_KEYS = ("of", "by", "top", "where", "order")
UNIVERSE_MARKETS = (EVERY, *SEGMENTS)
"""What a universe may name instead of its instruments: `all` is what instruments.yaml lists."""
ORDERS = ("most", "least")
LARGEST = 5_000
"""More members than any market has."""


@dataclass(frozen=True, slots=True)
class RankingSpec:
    """The first `top` of some markets of one venue by an expression over facts.

    `where` says who takes part; `is_least_first` turns the order round.
    """

    segments: tuple[str, ...]
    by: Located
    top: int
    where: Located | None = None
    is_least_first: bool = False

    @property
    def venue(self) -> Venue:
        """Return the venue of its markets."""
        return SEGMENTS[self.segments[0]]


@dataclass(frozen=True, slots=True)
class UniverseSpec:
    """What a universe file says; `located` is where its name is written.

    Exactly one of `listed`, `market` and `ranking` is set. `kind` None takes every kind of a
    market. `always` are in whatever the market or ranking says, `never` are not.
    """

    name: str
    describe: str
    located: Located
    listed: tuple[InstrumentId, ...] | None = None
    market: str = ""
    ranking: RankingSpec | None = None
    kind: Kind | None = None
    always: tuple[InstrumentId, ...] = ()
    never: tuple[InstrumentId, ...] = ()

    @property
    def segments(self) -> tuple[str, ...]:
        """Return the markets whose lists it needs, none where the files say it all."""
        if self.ranking is not None:
            return self.ranking.segments
        return (self.market,) if self.market in SEGMENTS else ()

    @property
    def version(self) -> str:
        """Return a short digest of everything that decides who is a member."""
        meaning: list[object] = [self.listed, self.market, self.kind, self.always, self.never]
        if self.ranking is not None:
            one = self.ranking
            where = "" if one.where is None else " ".join(one.where.text.split())
            by = " ".join(one.by.text.split())
            meaning += [one.segments, by, one.top, where, one.is_least_first]
        return hashlib.sha256(repr(meaning).encode()).hexdigest()[:12]

    def known(self, instruments: Iterable[Instrument]) -> tuple[InstrumentId, ...]:
        """Return the members as far as files tell them, before any list of a market is there.

        Of a market that is what instruments.yaml lists of it, of a ranking only `always`.
        """
        if self.listed is not None:
            found = list(self.listed)
        else:
            found = [one.id for one in instruments if self._is_of_market(one)]
        return self.with_exceptions(found)

    def with_exceptions(self, found: Iterable[InstrumentId]) -> tuple[InstrumentId, ...]:
        """Return ids with those of `always` behind them and without those of `never`."""
        every = dict.fromkeys((*found, *self.always))
        return tuple(one for one in every if one not in self.never)

    def _is_of_market(self, instrument: Instrument) -> bool:
        if self.kind is not None and instrument.kind is not self.kind:
            return False
        return self.market in {EVERY, instrument.segment}


def read_universe(
    node: Node, instruments: Mapping[InstrumentId, Instrument] | None
) -> UniverseSpec:
    """Return what a universe file says; raises ConfigError with every problem found.

    Its members are listed under `instruments`, or are those of a `market` or a `ranking`.
    """
    problems: list[Problem] = []
    fields = Fields(node, UNIVERSE_KEYS, problems)
    name = fields.text("name")
    describe = fields.optional_text("describe")
    given = [key for key in ("instruments", "market", "ranking") if fields.node(key) is not None]
    if len(given) != 1:
        problems.append(node.problem("give one of 'instruments', 'market' and 'ranking'"))
    always = _exceptions(fields, "always", instruments)
    never = _exceptions(fields, "never", instruments)
    spec = UniverseSpec(
        name=parsed(name, read_name, "", problems) if name.text else "",
        describe=describe.text.strip() if describe else "",
        located=name,
        listed=_listed(fields, instruments),
        market="" if "market" not in given else fields.choice("market", UNIVERSE_MARKETS),
        ranking=_ranking(fields),
        kind=_kind(fields),
        always=tuple(always),
        never=tuple(never),
    )
    both = [written for one, written in never.items() if one in always]
    problems += [one.problem(f"'{one.text}' is also under 'always'") for one in both]
    refuse(problems)
    return spec


def _listed(
    fields: Fields, instruments: Mapping[InstrumentId, Instrument] | None
) -> tuple[InstrumentId, ...] | None:
    node = _list(fields, "instruments")
    return None if node is None else find_ids(node, instruments, fields.problems)


def _exceptions(
    fields: Fields, key: str, instruments: Mapping[InstrumentId, Instrument] | None
) -> dict[InstrumentId, Located]:
    """Return the ids of a list; they may be of a market's list that is not known yet."""
    node = _list(fields, key)
    if node is None:
        return {}
    return {one: item for item, one in written_ids(node, instruments, fields.problems)}


def _list(fields: Fields, key: str) -> ListNode | None:
    node = fields.node(key)
    if node is not None and not isinstance(node, ListNode):
        fields.problems.append(node.problem("write a list here: [KRX:005930]"))
        return None
    return node


def _kind(fields: Fields) -> Kind | None:
    node = fields.node("kind")
    if node is None:
        return None
    if fields.node("instruments") is not None:
        message = "'kind' chooses from a market or ranking; the list says it all"
        fields.problems.append(node.problem(message))
    return Kind(fields.choice("kind", tuple(Kind), Kind.STOCK))


def _ranking(fields: Fields) -> RankingSpec | None:
    node = fields.node("ranking")
    if node is None:
        return None
    ranking = Fields(node, RANKING_KEYS, fields.problems)
    by = ranking.text("by")
    top = ranking.text("top")
    return RankingSpec(
        segments=_segments(ranking),
        by=by,
        top=parsed(top, _read_top, 1, fields.problems) if top.text else 1,
        where=ranking.optional_text("where"),
        is_least_first=ranking.choice("order", ORDERS, ORDERS[0]) == ORDERS[1],
    )


def _segments(ranking: Fields) -> tuple[str, ...]:
    """Return the markets of a ranking, all of one venue."""
    found: dict[str, None] = {}
    for name, place, offset in _markets(ranking):
        first = next(iter(found), name)
        if name not in SEGMENTS:
            message = f"unknown market '{name}'{suggestion(name, SEGMENTS)}"
        elif SEGMENTS[name] is not SEGMENTS[first]:
            message = f"{first} and {name} are of two venues; rank each in a universe of its own"
        elif name in found:
            message = f"'{name}' is named twice"
        else:
            found[name] = None
            continue
        ranking.problems.append(place.problem(message, offset))
    return tuple(found) or (next(iter(SEGMENTS)),)


def _markets(ranking: Fields) -> list[tuple[str, Located, int]]:
    """Return the markets that are named, as KOSPI+KOSDAQ or as a list, and where."""
    written = ranking.node("of")
    if isinstance(written, ListNode):
        named = [(one.text, one, 0) for one in written.items if isinstance(one, Located)]
        if len(named) < len(written.items) or not named:
            ranking.problems.append(written.problem("write markets here: [KOSPI, KOSDAQ]"))
        return named
    text = ranking.text("of")
    named = [
        (found[0].strip(), text, found.start() + len(found[0]) - len(found[0].lstrip()))
        for found in re.finditer(r"[^+]+|(?<=\+)$|^(?=\+)", text.text)
    ]
    return named if text.text else []


def _read_top(text: str) -> int:
    digits = text.replace("_", "")
    top = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else 0
    if not 1 <= top <= LARGEST:
        raise ValueError(f"'{text}' is not how many to take: from 1 to {LARGEST}")
    return top
