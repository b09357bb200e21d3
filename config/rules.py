"""Reads `when` and `clear`: an expression, or expressions joined by all, any and not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.condition_file import AllOf, AnyOf, NotOf
from config.registry import suggestion
from config.strict_yaml import ListNode, Located

if TYPE_CHECKING:
    from config.condition_file import Rule
    from config.fields import Fields
    from config.strict_yaml import Node
    from market.errors import Problem

_JOINTS = ("all", "any", "not")


def read_rule(fields: Fields, key: str) -> Rule:
    """Return the rule of a key that must be there."""
    node = fields.node(key)
    if node is None or isinstance(node, Located):
        return fields.text(key)
    return _rule(node, fields.problems)


def read_optional_rule(fields: Fields, key: str) -> Rule | None:
    """Return the rule of a key, or None where it is left out."""
    return None if fields.node(key) is None else read_rule(fields, key)


def _rule(node: Node, problems: list[Problem]) -> Rule:
    if isinstance(node, Located):
        if not node.text.strip():
            problems.append(node.problem("an expression is missing here"))
        return node
    nothing = Located("", node.file, node.line, node.column)
    if isinstance(node, ListNode):
        problems.append(node.problem("write 'all:' or 'any:' above a list of expressions"))
        return nothing
    if len(node.entries) != 1:
        problems.append(node.problem(f"write exactly one of {', '.join(_JOINTS)} here"))
    rules = [_joined(key, value, problems) for key, value in node.entries]
    return rules[0] if rules else nothing


def _joined(key: Located, value: Node, problems: list[Problem]) -> Rule:
    if key.text == "not":
        return NotOf(_rule(value, problems))
    if key.text not in _JOINTS:
        problems.append(key.problem(f"unknown key '{key.text}'{_advice(key.text)}"))
        return key
    if not isinstance(value, ListNode) or not value.items:
        where = key if isinstance(value, Located) else value
        problems.append(where.problem(f"'{key.text}' needs a list of expressions below it"))
        return key
    items = tuple(_rule(item, problems) for item in value.items)
    return AllOf(items, key) if key.text == "all" else AnyOf(items, key)


def _advice(text: str) -> str:
    if any(sign in text for sign in "<>=( "):
        return "; an expression with ':' in it or inside { } must be quoted"
    return suggestion(text, _JOINTS)
