"""Reads the keys of one YAML mapping and collects what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from config.registry import suggestion
from config.strict_yaml import Located, MapNode
from market.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from config.strict_yaml import Node

T = TypeVar("T")


class Fields:
    """The keys of a mapping, asked for one by one; problems go to the list that is handed in.

    What is missing or wrong is answered with a stand-in, never with an exception, so that one pass
    finds every problem: look at the list before using the values. `later` are keys to come, or a
    mapping of them to what they wait for.
    """

    def __init__(
        self,
        node: Node,
        known: Collection[str],
        problems: list[Problem],
        later: Collection[str] = (),
    ) -> None:
        self.problems = problems
        self._node = node
        self._values: dict[str, Node] = {}
        if not isinstance(node, MapNode):
            problems.append(node.problem(f"must be a mapping with the keys {', '.join(known)}"))
            return
        for key, value in node.entries:
            if key.text in known:
                self._values[key.text] = value
            elif key.text in later:
                why = f": {later[key.text]}" if isinstance(later, Mapping) else ""
                message = f"key '{key.text}' is not available yet{why}; remove it"
                problems.append(key.problem(message))
            else:
                hint = suggestion(key.text, known)
                problems.append(key.problem(f"unknown key '{key.text}'{hint}"))

    def node(self, key: str) -> Node | None:
        """Return what is written for a key, or None where it is left out."""
        return self._values.get(key)

    def text(self, key: str) -> Located:
        """Return the text of a key that must be there."""
        found = self.optional_text(key)
        if found is not None:
            return found
        if key not in self._values and isinstance(self._node, MapNode):
            self.problems.append(self._node.problem(f"key '{key}' is missing"))
        return Located("", self._node.file, self._node.line, self._node.column)

    def optional_text(self, key: str) -> Located | None:
        """Return the text of a key, or None where it is left out."""
        node = self._values.get(key)
        if node is None:
            return None
        if not isinstance(node, Located):
            self.problems.append(node.problem(f"'{key}' must be a text, not a list or mapping"))
            return None
        if not node.text.strip():
            self.problems.append(node.problem(f"'{key}' has no value"))
            return None
        return node

    def value(self, key: str, read: Callable[[str], T], default: T) -> T:
        """Return what `read` makes of a key's text; its ValueError becomes a problem there."""
        found = self.optional_text(key)
        return default if found is None else parsed(found, read, default, self.problems)

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Return a key's text, which must be one of the choices; without a default it must be."""
        found = self.text(key) if default is None else self.optional_text(key)
        if found is not None and found.text and found.text not in choices:
            hint = suggestion(found.text, choices)
            self.problems.append(found.problem(f"unknown {key} '{found.text}'{hint}"))
        elif found is not None and found.text:
            return found.text
        return next(iter(choices)) if default is None else default


def refuse(problems: list[Problem]) -> None:
    """Raise ConfigError, each problem once and in the order of the file, where there are any."""
    if problems:
        unique = dict.fromkeys(problems)
        ordered = sorted(unique, key=lambda each: (each.file, each.line, each.column))
        raise ConfigError(tuple(ordered))


def parsed(found: Located, read: Callable[[str], T], default: T, problems: list[Problem]) -> T:
    """Return what `read` makes of a text; its ValueError becomes a problem at the text."""
    try:
        return read(found.text)
    except ValueError as error:
        problems.append(found.problem(str(error)))
        return default
