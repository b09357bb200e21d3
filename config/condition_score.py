"""Reads `score`: parts with weights, and the thresholds of their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.condition_file import AllOf, ScoreOf, ScorePart
from config.fields import Fields
from config.rules import read_optional_rule, read_rule
from config.strict_yaml import ListNode, Located, MapNode

if TYPE_CHECKING:
    from config.condition_file import Rule
    from config.strict_yaml import Node
    from market.errors import Problem

SCORE_KEYS = ("parts", "above", "below")
PART_KEYS = ("when", "weight", "otherwise", "unknown")


def read_when(fields: Fields, node: Node) -> Rule:
    """Return what must hold: `when`, `score`, or both of them."""
    score = fields.node("score")
    if score is None or not isinstance(node, MapNode):
        return read_rule(fields, "when")
    key = next(key for key, _ in node.entries if key.text == "score")
    found = _score(key, score, fields.problems)
    when = read_optional_rule(fields, "when")
    return found if when is None else AllOf((when, found), key)


def thresholds(node: MapNode) -> frozenset[str]:
    """Return which thresholds the score of a condition has: `above`, `below`."""
    score = node.get("score")
    keys = score.entries if isinstance(score, MapNode) else ()
    return frozenset(key.text for key, _ in keys if key.text in {"above", "below"})


def _score(key: Located, node: Node, problems: list[Problem]) -> ScoreOf:
    fields = Fields(node, SCORE_KEYS, problems)
    above, below = fields.optional_text("above"), fields.optional_text("below")
    if isinstance(node, MapNode) and fields.node("above") is None and fields.node("below") is None:
        problems.append(node.problem("a score needs 'above', 'below' or both: above: 0.2"))
    return ScoreOf(_parts(fields, node), above, below, key)


def _parts(fields: Fields, node: Node) -> tuple[ScorePart, ...]:
    parts = fields.node("parts")
    if isinstance(parts, ListNode) and parts.items:
        return tuple(_part(item, fields.problems) for item in parts.items)
    if isinstance(node, MapNode):
        message = "'parts' needs a list below it: - {when: close > open, weight: 0.4}"
        fields.problems.append((parts or node).problem(message))
    return ()


def _part(node: Node, problems: list[Problem]) -> ScorePart:
    fields = Fields(node, PART_KEYS, problems)
    return ScorePart(
        read_rule(fields, "when"),
        fields.text("weight"),
        fields.optional_text("otherwise"),
        fields.optional_text("unknown"),
    )
