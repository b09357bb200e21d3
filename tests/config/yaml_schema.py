"""The part of JSON Schema 2020-12 that our schemas use, and YAML as an editor reads it."""

from __future__ import annotations

import re
from typing import Any

from config.strict_yaml import ListNode, Located, Node

_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TRUTHS = {"true": True, "false": False}
_TYPES: dict[str, Any] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}
KEYWORDS = {
    "$schema", "title", "description", "default", "examples", "$defs", "$ref", "type", "enum",
    "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "properties",
    "additionalProperties", "required", "minProperties", "maxProperties", "items", "minItems",
    "anyOf", "not", "if", "then",
}  # fmt: skip


def as_editor(node: Node) -> Any:
    """Return what YAML 1.2 makes of a node: plain numbers and truth values are such."""
    if isinstance(node, ListNode):
        return [as_editor(item) for item in node.items]
    if not isinstance(node, Located):
        return {key.text: as_editor(value) for key, value in node.entries}
    if node.places:  # quoted
        return node.text
    if not node.text:
        return None
    if _NUMBER.fullmatch(node.text):
        return float(node.text)
    return _TRUTHS.get(node.text, node.text)


def errors(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "") -> list[str]:
    """Return where a value does not fit a schema, each with a word."""
    assert schema.keys() <= KEYWORDS, schema.keys() - KEYWORDS
    found = [f"{path}: {word}" for word in _simple(value, schema)]
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        found += errors(value, target, root, path)
    options = schema.get("anyOf", [])
    if options and all(errors(value, option, root, path) for option in options):
        found.append(f"{path}: none of the options")
    if "not" in schema and not errors(value, schema["not"], root, path):
        found.append(f"{path}: must not")
    if "if" in schema and not errors(value, schema["if"], root, path):
        found += errors(value, schema["then"], root, path)
    if isinstance(value, dict):
        found += _object(value, schema, root, path)
    if isinstance(value, list):
        for place, item in enumerate(value):
            found += errors(item, schema.get("items", {}), root, f"{path}[{place}]")
    return found


def _simple(value: Any, schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    found = []
    if kinds and not any(_is(value, kind) for kind in kinds):
        found.append(f"not {kinds}")
    if "enum" in schema and value not in schema["enum"]:
        found.append("not one of the words")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append("does not match")
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        found.append("too few")
    return found + (_bounds(value, schema) if _is(value, "number") else [])


def _bounds(value: float, schema: dict[str, Any]) -> list[str]:
    fits = (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", value - 1)
        and value < schema.get("exclusiveMaximum", value + 1)
    )
    return [] if fits else ["out of bounds"]


def _object(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str
) -> list[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    found = [f"{path}: {key} is missing" for key in schema.get("required", []) if key not in value]
    count = len(value)
    if not schema.get("minProperties", 0) <= count <= schema.get("maxProperties", count):
        found.append(f"{path}: {count} keys")
    for key, inner in value.items():
        if key in properties:
            found += errors(inner, properties[key], root, f"{path}.{key}")
        elif others is False:
            found.append(f"{path}: unknown {key}")
        elif isinstance(others, dict):
            found += errors(inner, others, root, f"{path}.{key}")
    return found


def _is(value: Any, kind: str) -> bool:
    if kind == "number" and isinstance(value, bool):
        return False
    return isinstance(value, _TYPES[kind])
