"""YAML as users mean it: every scalar stays text, everything has a place, surprises are errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import yaml

from config.yaml_places import Places, place_of
from config.yaml_words import explain
from market.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEEPEST = 50
"""Lists and mappings may be nested this deep: deeper is a mistake, and would exhaust the stack."""


@dataclass(frozen=True, slots=True)
class Located:
    """A scalar or an expression with the place of its first character (counted from 1).

    `places` holds (line, column) of every character where the text does not simply run on from
    its first one: several lines, or quoted with escapes. What was not written in a file has line 0.
    """

    text: str
    file: str
    line: int
    column: int
    places: tuple[tuple[int, int], ...] = field(default=(), repr=False, compare=False)

    def problem(self, message: str, offset: int = 0) -> Problem:
        """Return a problem at a character of the text; `offset` counts characters from 0."""
        if self.places:
            line, column = self.places[min(offset, len(self.places) - 1)]
            return Problem(self.file, line, column, message)
        if not self.line:
            return Problem.about(self.file, message)
        return Problem(self.file, self.line, self.column + offset, message)


@dataclass(frozen=True, slots=True)
class ListNode:
    """A YAML list and the place where it begins."""

    items: tuple[Node, ...]
    file: str
    line: int
    column: int

    def problem(self, message: str) -> Problem:
        """Return a problem at the beginning of the list."""
        return Problem(self.file, self.line, self.column, message)


@dataclass(frozen=True, slots=True)
class MapNode:
    """A YAML mapping in the order written, each key once, and the place where it begins."""

    entries: tuple[tuple[Located, Node], ...]
    file: str
    line: int
    column: int

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None where it is not written."""
        return next((value for name, value in self.entries if name.text == key), None)

    def problem(self, message: str) -> Problem:
        """Return a problem at the beginning of the mapping."""
        return Problem(self.file, self.line, self.column, message)


Node: TypeAlias = Located | ListNode | MapNode


def load_yaml(path: Path) -> Node:
    """Read a file as strict YAML; raises ConfigError with every problem found."""
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, file: str) -> Node:
    """Read a text as strict YAML; raises ConfigError with every problem found."""
    text = text.removeprefix("\ufeff")  # Windows editors put a byte order mark first
    try:
        events = list(yaml.parse(text, Loader=yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ConfigError((explain(error, text, file),)) from error
    builder = _Builder(text, file, iter(events))
    try:
        root = builder.document()
    except _Stop:
        root = None
    if root is None or builder.problems:
        raise ConfigError(tuple(builder.problems))
    return root


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; raises ConfigError where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError((Problem.about(str(path), f"cannot be read: {reason}"),)) from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").split("\n")
        message = "not UTF-8 text; save the file with the encoding UTF-8"
        place = Problem(str(path), len(before), len(before[-1]) + 1, message)
        raise ConfigError((place,)) from error


class _Stop(Exception):  # leaves the recursion, never leaves this module
    """What follows cannot be understood; the reason is among the problems."""


class _Builder:
    """Turns PyYAML's events into nodes, and what we do not take into problems."""

    def __init__(self, text: str, file: str, events: Iterator[yaml.Event]) -> None:
        self.problems: list[Problem] = []
        self._places = Places(text)
        self._file = file
        self._events = events

    def document(self) -> Node | None:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            self.problems.append(Problem(self._file, 1, 1, "the file is empty"))
            return None
        root = self._node(next(self._events), 0, in_flow=False)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document; keep one per file, without '---' between")
        return root

    def _node(self, event: yaml.Event, depth: int, *, in_flow: bool) -> Node:
        self._check_plain(event)
        if depth > DEEPEST:
            self._refuse(event, f"nested deeper than {DEEPEST} levels")
            raise _Stop
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._scalar(event, in_flow=in_flow)

    def _check_plain(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"'*{event.anchor}' (alias) is not taken; write it out, or quote")
            raise _Stop
        if getattr(event, "anchor", None):
            self._refuse(event, "'&' (anchor) is not taken; write it out, or quote the text")
        if getattr(event, "tag", None):
            self._refuse(event, "'!' (tag) is not taken; remove it, or quote the text")

    def _sequence(self, start: yaml.SequenceStartEvent, depth: int) -> ListNode:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1, in_flow=bool(start.flow_style)))
        return ListNode(tuple(items), self._file, *place_of(start))

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> MapNode:
        is_flow = bool(start.flow_style)
        entries: dict[str, tuple[Located, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1, in_flow=is_flow)
            value = self._node(next(self._events), depth + 1, in_flow=is_flow)
            if not isinstance(key, Located):
                self._refuse(event, "a key must be a text")
            elif key.text in entries:
                first = entries[key.text][0].line
                self._refuse(event, f"key '{key.text}' is written twice; first in line {first}")
            else:
                entries[key.text] = (key, value)
        return MapNode(tuple(entries.values()), self._file, *place_of(start))

    def _scalar(self, event: yaml.Event, *, in_flow: bool) -> Located:
        if not isinstance(event, yaml.ScalarEvent):
            raise TypeError(f"expected a scalar, not {event}")
        text: str = event.value
        if in_flow and event.style is None and _is_torn(text):
            self._refuse(
                event, f"'{text}' is torn at a comma; quote expressions inside [ ] or {{ }}"
            )
            raise _Stop
        places = self._places.of(event)
        line, column = places[0] if places else place_of(event)
        return Located(text, self._file, line, column, places)

    def _refuse(self, event: yaml.Event, message: str) -> None:
        self.problems.append(Problem(self._file, *place_of(event), message))


def _is_torn(text: str) -> bool:
    return text.count("(") != text.count(")")
