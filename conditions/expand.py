"""Puts named expressions in the place of their names, before anything is given a meaning.

The text of an expression and those of all named ones are laid behind each other, and every node
keeps its place in that one text. So a mistake is reported where the offending characters stand, in
whichever file that is, and the tree that takes the place of a name is still shown as the name.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conditions.lexer import LONGEST
from conditions.mistake import Mistake
from conditions.nodes import Call, Name, children, rebuilt
from conditions.parser import DEEPEST, parse
from config.registry import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conditions.nodes import Node
    from config.strict_yaml import Located
    from market.errors import Problem

_UNKNOWN_NAME = re.compile(r"unknown name '(\w+)'")

LARGEST = 4_000
"""Nodes that an expression may have once the named ones are put in."""


@dataclass(frozen=True, slots=True)
class Library:
    """The texts of named expressions one behind the other; `starts` are where each begins.

    They begin where no expression reaches, so that a place tells whose it is.
    """

    texts: tuple[Located, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, texts: Iterable[Located]) -> Library:
        """Return the library of these texts, each at most as long as an expression may be."""
        texts = tuple(texts)
        starts = tuple(LONGEST + place * (LONGEST + 1) for place in range(len(texts)))
        return cls(texts, starts)

    def joined(self, text: str) -> str:
        """Return an expression with all texts behind it, each at its place."""
        parts = (one.text[:LONGEST].ljust(LONGEST + 1) for one in self.texts)
        return text.ljust(LONGEST) + "".join(parts)

    def located(self, offset: int, own: Located) -> tuple[Located, int]:
        """Return whose a character is, and which of its characters."""
        place = bisect_right(self.starts, offset) - 1
        return (own, offset) if place < 0 else (self.texts[place], offset - self.starts[place])


@dataclass(frozen=True, slots=True)
class Expanded:
    """An expression with its named ones put in; `text` is what the places of its nodes count in.

    `hidden` are the places of names whose expressions are wrong: nothing more is told there.
    `known` are names that may have been meant.
    """

    located: Located
    node: Node
    text: str
    library: Library
    hidden: frozenset[int] = frozenset()
    known: tuple[str, ...] = ()

    def problem(self, message: str, offset: int) -> Problem:
        """Return a problem at a character of the joined text."""
        located, inner = self.library.located(offset, self.located)
        return located.problem(message, inner)

    def problems(self, mistakes: Iterable[Mistake]) -> list[Problem]:
        """Return the problems that mistakes are, without those told already."""
        return [
            self.problem(self._hinted(one), one.offset)
            for one in mistakes
            if one.offset not in self.hidden
        ]

    def _hinted(self, mistake: Mistake) -> str:
        """Return the message; for an unknown name with the own name that is meant perhaps."""
        found = _UNKNOWN_NAME.match(mistake.message)
        if found is not None and found[1] in self.known:
            behind = f"behind a prefix it stands in ( ), like d1.({found[1]})"
            return f"'{found[1]}' is a named expression; {behind}"
        if found is None or "did you mean" in mistake.message:
            return mistake.message
        hint = suggestion(found[1], self.known)
        return found[0] + hint if "did you mean" in hint else mistake.message


@dataclass(frozen=True, slots=True)
class Body:
    """The tree of a named expression with everything put in, and how many nodes it has."""

    node: Node
    size: int


class Expander:
    """Puts trees in the place of names in one expression; None stands for one that is wrong.

    `hidden` are the places where that was met, `size` the nodes of the whole.
    """

    def __init__(self, named: Mapping[str, Body | None]) -> None:
        self._named = named
        self.hidden: set[int] = set()
        self.size = 0

    def expand(self, node: Node) -> Node:
        """Return the tree with everything put in; raises Mistake where it grows too large."""
        whole = self._put(node)
        if whole.depth > DEEPEST or self.size > LARGEST:
            raise Mistake(node.start, "too large once its named expressions are put in; split it")
        return whole

    def _put(self, node: Node) -> Node:
        self.size += 1
        if isinstance(node, Name) and node.name in self._named:
            return self._body(node)
        if isinstance(node, Call) and isinstance(node.function, Name):
            return self._called(node, node.function)
        return rebuilt(node, self._put)

    def _body(self, name: Name) -> Node:
        found = self._named[name.name]
        if found is None:
            self.hidden.add(name.start)
            return name
        self.size += found.size
        return replace(found.node, start=name.start, end=name.end)

    def _called(self, call: Call, function: Name) -> Node:
        if function.name in self._named:
            message = f"'{function.name}' is a named expression and takes no arguments"
            raise Mistake(call.start, message)
        changed = tuple(replace(one, value=self._put(one.value)) for one in call.arguments)
        depth = 1 + max((one.value.depth for one in changed), default=1)
        return replace(call, arguments=changed, depth=depth)


def read_plain(located: Located) -> Expanded:
    """Return the tree of an expression that has no names to put in; raises Mistake."""
    return Expanded(located, parse(located.text), located.text, Library((), ()))


def shifted(node: Node, by: int) -> Node:
    """Return the tree with every place moved by that many characters."""
    moved = rebuilt(node, lambda below: shifted(below, by))
    return replace(moved, start=node.start + by, end=node.end + by)


def names(node: Node) -> Iterator[str]:
    """Yield every name in a tree, also those that are called."""
    if isinstance(node, Name):
        yield node.name
    for below in children(node):
        yield from names(below)
