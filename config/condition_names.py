"""Reads `let` and `params`: the names that a user gives to expressions and to numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.condition_file import Let, Param
from config.fields import Fields, refuse
from config.strict_yaml import ListNode, Located, MapNode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.strict_yaml import Node
    from market.errors import Problem

PARAM_KEYS = ("default", "range")

_NAME = re.compile(r"[^\W\d]\w{0,39}")


def read_shared(node: Node) -> tuple[Let, ...]:
    """Return the expressions of _shared.yaml; raises ConfigError with every problem found."""
    problems: list[Problem] = []
    lets = read_lets(Fields(node, ("let",), problems), ())
    refuse(problems)
    return lets


def read_lets(fields: Fields, shared: Sequence[Let]) -> tuple[Let, ...]:
    """Return the file's own named expressions, with the shared ones that they hide."""
    hidden = {one.name.text: one.name for one in shared}
    lets = []
    for name, body in _named(fields, "let", "expressions: {trend: 'ema(close, 20)'}"):
        if not isinstance(body, Located):
            fields.problems.append(body.problem(f"'{name.text}' must be one expression"))
        elif not body.text.strip():
            fields.problems.append(body.problem(f"'{name.text}' has no expression"))
        else:
            lets.append(Let(name, body, hidden.get(name.text)))
    return tuple(lets)


def read_params(fields: Fields, lets: Sequence[Let]) -> tuple[Param, ...]:
    """Return the numbers that can be varied; none may bear the name of an expression."""
    params = []
    taken = {one.name.text for one in lets}
    for name, body in _named(fields, "params", "numbers: {fast: {default: 5, range: [3, 20]}}"):
        if name.text in taken:
            message = f"'{name.text}' is in 'let' too; choose another name"
            fields.problems.append(name.problem(message))
        found = _param(name, body, fields.problems)
        if found is not None:
            params.append(found)
    return tuple(params)


def _named(fields: Fields, key: str, form: str) -> Iterator[tuple[Located, Node]]:
    """Yield what stands below a key, without names that cannot be."""
    node = fields.node(key)
    if node is None:
        return
    if not isinstance(node, MapNode):
        fields.problems.append(node.problem(f"'{key}' must name {form}"))
        return
    for name, body in node.entries:
        if _NAME.fullmatch(name.text) is None:
            message = f"'{name.text}' is not a name; use letters, digits and '_', at most 40"
            fields.problems.append(name.problem(message))
        else:
            yield name, body


def _param(name: Located, body: Node, problems: list[Problem]) -> Param | None:
    before = len(problems)
    if not isinstance(body, MapNode):
        message = f"'{name.text}' needs a default and a range: {{default: 5, range: [3, 20]}}"
        problems.append(body.problem(message))
        return None
    fields = Fields(body, PARAM_KEYS, problems)
    default = fields.text("default")
    bounds = _range(fields, body)
    if bounds is None or len(problems) > before:
        return None
    return Param(name, default, *bounds)


def _range(fields: Fields, body: MapNode) -> tuple[Located, Located] | None:
    node = fields.node("range")
    if node is None:
        fields.problems.append(body.problem("key 'range' is missing"))
        return None
    items = node.items if isinstance(node, ListNode) else ()
    texts = [one for one in items if isinstance(one, Located) and one.text.strip()]
    if len(items) != 2 or len(texts) != 2:
        fields.problems.append(node.problem("'range' is the least and the greatest: [3, 20]"))
        return None
    return texts[0], texts[1]
