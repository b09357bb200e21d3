"""Puts together what a condition is made of: a template below it, and one mapping for each side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.condition_score import thresholds
from config.registry import suggestion
from config.strict_yaml import Located, MapNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.strict_yaml import Node
    from market.errors import Problem

SIDES = {"buy": "above", "sell": "below"}
"""The sides a file may have, and the threshold of a common score that belongs to each."""

_OWN = frozenset({"name", "enabled", "template", "extends", "tests"})
"""Keys that a condition does not take from what it extends."""
_MERGED = frozenset({"let", "params"})
_NOT_IN_SIDES = ("name", "template", "extends", "sides")


def extended(node: Node, named: Mapping[str, MapNode], problems: list[Problem]) -> Node:
    """Return a condition with the keys that it takes from what it extends, in every generation."""
    chain = [node]
    names = [_text(node, "name")]
    while (parent := _text(chain[-1], "extends")) is not None:
        if parent.text not in named:
            message = f"extends the unknown condition '{parent.text}'"
            problems.append(parent.problem(message + suggestion(parent.text, named)))
            break
        names.append(parent)
        chain.append(named[parent.text])
        if any(one is chain[-1] for one in chain[:-1]):
            words = [one.text for one in names if one is not None]
            problems.append(parent.problem(f"extends itself: {' -> '.join(words)}"))
            break
    whole = chain.pop()
    while chain:
        whole = _merged(whole, chain.pop())
    return whole


def sides(node: Node, problems: list[Problem]) -> tuple[tuple[str, Node], ...]:
    """Return the sides of a condition by name, each with what both share; "" where it has none."""
    if not isinstance(node, MapNode):
        return (("", node),)
    written, has_both = node.get("sides"), thresholds(node) == {"above", "below"}
    if written is None and not has_both:
        return (("", node),)
    shared = _without(node, ("sides", "tests"))
    if written is None:
        written = replace(node, entries=())
    if not isinstance(written, MapNode):
        problems.append(written.problem("'sides' must be a mapping with the keys buy and sell"))
        return (("", shared),)
    _check_sides(written, node, problems)
    return tuple(
        (name, _side(name, part, shared, problems, has_both=has_both))
        for name, part in _parts(written, has_both=has_both)
    )


def _parts(written: MapNode, *, has_both: bool) -> Iterable[tuple[str, MapNode]]:
    """Yield what each side says of its own; a score with both thresholds makes both sides."""
    for name in SIDES:
        part = written.get(name)
        if isinstance(part, MapNode):
            yield name, part
        elif part is None and has_both:
            yield name, replace(written, entries=())


def _check_sides(written: MapNode, node: MapNode, problems: list[Problem]) -> None:
    for key, part in written.entries:
        if key.text not in SIDES:
            hint = suggestion(key.text, SIDES)
            problems.append(key.problem(f"unknown side '{key.text}'{hint}"))
        elif not isinstance(part, MapNode):
            problems.append(part.problem(f"'{key.text}' must be a mapping: {{when: close > open}}"))
    if not written.entries and node.get("sides") is not None:
        problems.append(written.problem("'sides' names neither buy nor sell"))
    tests = next((key for key, _ in node.entries if key.text == "tests"), None)
    if tests is not None:
        problems.append(tests.problem("write the tests below the side that they try"))


def _side(
    name: str, part: MapNode, shared: MapNode, problems: list[Problem], *, has_both: bool
) -> Node:
    for key, _ in part.entries:
        if key.text in _NOT_IN_SIDES:
            problems.append(key.problem(f"key '{key.text}' stands at the top, not in a side"))
    own = _without(part, _NOT_IN_SIDES)
    if own.get("when") is None and own.get("score") is None and not has_both:
        message = f"the {name} side says nothing of its own; write its 'when' or 'score'"
        problems.append(part.problem(message))
    whole = _merged(_named(shared, name), own, kept=frozenset())
    return _one_threshold(whole, name)


def _named(shared: MapNode, side: str) -> MapNode:
    """Return the mapping with the side's name behind the condition's."""

    def named(key: Located, value: Node) -> tuple[Located, Node]:
        if key.text == "name" and isinstance(value, Located) and value.text.strip():
            return key, replace(value, text=f"{value.text}-{side}", places=())
        return key, value

    return replace(shared, entries=tuple(named(*entry) for entry in shared.entries))


def _one_threshold(node: Node, side: str) -> Node:
    """Return the side with its own threshold only, where its score has both."""
    if not isinstance(node, MapNode) or thresholds(node) != {"above", "below"}:
        return node
    others = [word for word in SIDES.values() if word != SIDES[side]]

    def cut(key: Located, value: Node) -> tuple[Located, Node]:
        if key.text == "score" and isinstance(value, MapNode):
            return key, _without(value, others)
        return key, value

    return replace(node, entries=tuple(cut(*entry) for entry in node.entries))


def _merged(below: Node, above: Node, kept: frozenset[str] = _OWN) -> Node:
    """Return two mappings as one: what is above replaces what is below, names are joined."""
    if not isinstance(below, MapNode) or not isinstance(above, MapNode):
        return above
    inherited = _without(below, (*kept, *(key.text for key, _ in above.entries)))
    entries = (
        (key, _joined(below.get(key.text), value) if key.text in _MERGED else value)
        for key, value in above.entries
    )
    return replace(above, entries=(*inherited.entries, *entries))


def _joined(below: Node | None, above: Node) -> Node:
    return above if below is None else _merged(below, above, frozenset())


def _without(node: MapNode, names: Iterable[str]) -> MapNode:
    left_out = set(names)
    return replace(
        node, entries=tuple(entry for entry in node.entries if entry[0].text not in left_out)
    )


def _text(node: Node, key: str) -> Located | None:
    found = node.get(key) if isinstance(node, MapNode) else None
    return found if isinstance(found, Located) and found.text.strip() else None
