"""What the expressions of a condition may name: its numbers, its lets and the shared ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conditions.expand import Body, Expanded, Expander, Library, names, shifted
from conditions.fields import FIELDS, RESERVED
from conditions.functions import FUNCTIONS
from conditions.indicators import EVENTS, INDICATORS
from conditions.mistake import Mistake, NoTruth
from conditions.nodes import (
    Call,
    Comparison,
    Held,
    Junction,
    Member,
    Name,
    Not,
    Number,
    children,
)
from conditions.parser import WORDS, parse
from conditions.resolve import Resolver
from conditions.scalar import SOLD_NAMES, mistakes_of
from conditions.units import LITERALS, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conditions.nodes import Node
    from config.condition_file import ConditionSpec, Let
    from config.strict_yaml import Located
    from market.errors import Problem

_ONLY_IN_ORDERS = frozenset(SOLD_NAMES.keys() - set(FIELDS))


@dataclass(frozen=True, slots=True)
class _Named:
    """A named expression, the place of its text, and the names that it may use itself."""

    let: Let
    start: int
    numbers: Mapping[str, Number]
    scope: Mapping[str, int]


class Names:
    """Reads expressions with their named ones put in; what is wrong with those is in `problems`.

    A shared expression knows only shared ones, so that it means the same in every file.
    """

    def __init__(self, spec: ConditionSpec, numbers: Mapping[str, Number], history: int) -> None:
        self.problems: list[Problem] = []
        self._numbers = numbers
        self._history = history
        self._timeframe = spec.timeframe
        lets = (*spec.shared, *spec.lets)
        self._library = Library.of(one.body for one in lets)
        shared = {one.name.text: place for place, one in enumerate(spec.shared)}
        self._scope = {one.name.text: place for place, one in enumerate(lets)}
        self._named = [
            _Named(let, start, {}, shared)
            if place < len(shared)
            else _Named(let, start, numbers, self._scope)
            for place, (let, start) in enumerate(zip(lets, self._library.starts, strict=True))
        ]
        self._bodies: dict[int, Body | None] = {}
        for param in spec.params:
            self._check_name(param.name)
        for place in range(len(lets)):
            self._body(place, ())

    def read(self, located: Located) -> Expanded:
        """Return the tree of an expression with everything put in; raises Mistake."""
        node = parse(located.text, self._numbers)
        return self._expanded(node, located, self._scope, ())[0]

    def _expanded(
        self, node: Node, located: Located, scope: Mapping[str, int], path: tuple[int, ...]
    ) -> tuple[Expanded, int]:
        used = dict.fromkeys(name for name in names(node) if name in scope)
        expander = Expander({name: self._body(scope[name], path) for name in used})
        whole = expander.expand(node)
        text = self._library.joined(located.text)
        known = tuple({*scope, *self._numbers})
        hidden = frozenset(expander.hidden)
        return Expanded(located, whole, text, self._library, hidden, known), expander.size

    def _body(self, place: int, path: tuple[int, ...]) -> Body | None:
        """Return a named expression, None where it is wrong, which is told once."""
        if place in path:
            self._note_circle(path[path.index(place) :])
        if place not in self._bodies:
            found = self._made(place, (*path, place))
            self._bodies.setdefault(place, found)
        return self._bodies[place]

    def _made(self, place: int, path: tuple[int, ...]) -> Body | None:
        named = self._named[place]
        body = named.let.body
        if not self._check_name(named.let.name):
            return None
        try:
            parsed = parse(body.text, named.numbers)
        except Mistake as mistake:
            self.problems.append(body.problem(mistake.message, mistake.offset))
            return None
        try:
            whole, size = self._expanded(shifted(parsed, named.start), body, named.scope, path)
        except Mistake as mistake:
            self.problems.append(body.problem(mistake.message, mistake.offset - named.start))
            return None
        if place in self._bodies:  # it was found to be part of a circle
            return None
        mistakes = self._mistakes(whole)
        self.problems += whole.problems(mistakes)
        return None if mistakes else Body(whole.node, size)

    def _note_circle(self, circle: tuple[int, ...]) -> None:
        if circle[0] in self._bodies:
            return
        words = [self._named[place].let.name.text for place in (*circle, circle[0])]
        name = self._named[circle[0]].let.name
        self.problems.append(name.problem(f"is made of itself: {' -> '.join(words)}"))
        self._bodies |= dict.fromkeys(circle)

    def _check_name(self, name: Located) -> bool:
        what = _taken(name.text)
        if what:
            self.problems.append(name.problem(f"'{name.text}' is {what}; choose another name"))
        return not what

    def _mistakes(self, whole: Expanded) -> list[Mistake]:
        """Return what is wrong with a named expression taken by itself: a value or a truth."""
        if _is_for_orders(whole.node):
            return mistakes_of(whole.node, SOLD_NAMES)
        resolver = Resolver(whole.text, self._history, self._timeframe)
        resolver.truth(_with_output(whole.node))
        if isinstance(whole.node, Comparison | Held | Not | Junction):
            return resolver.mistakes
        return [one for one in resolver.mistakes if not isinstance(one, NoTruth)]


def _with_output(node: Node) -> Node:
    """Return an indicator of several outputs with one of them: its uses will name their own."""
    match node:
        case Call(Name(name)) if name in INDICATORS and INDICATORS.get(name).is_several:
            output = INDICATORS.get(name).outputs[0].name
            return Member(node, output, start=node.start, end=node.end, depth=node.depth)
    return node


def _taken(name: str) -> str:
    """Return what a name means already, "" where it is free."""
    if name in RESERVED or name in SOLD_NAMES:
        return "a field"
    if name in INDICATORS or name in FUNCTIONS:
        return "an indicator"
    if name in EVENTS:
        return "an event"
    return "a word of the language" if name in LITERALS or name in WORDS else ""


def _is_for_orders(node: Node) -> bool:
    """Tell whether an expression uses what only an order has: the account, ticks."""
    if isinstance(node, Number) and node.unit in LITERALS:
        return LITERALS[node.unit].unit is Unit.TICKS
    if not _ONLY_IN_ORDERS.isdisjoint(names(node)):
        return True
    return any(_is_for_orders(below) for below in children(node))
