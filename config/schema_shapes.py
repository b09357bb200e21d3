"""Small pieces of JSON Schema: what YAML's core types make of the texts that our readers take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Shape: TypeAlias = "dict[str, Any]"

SCALAR = ["string", "number", "boolean"]
"""Every scalar is text to us, but an editor takes `5930` for a number."""


def text(describe: str = "", *, examples: Iterable[str] = (), pattern: str = "") -> Shape:
    """Return the shape of one line of text."""
    shape: Shape = {"type": SCALAR}
    if pattern:
        shape |= {"pattern": pattern}
    if examples:
        shape |= {"examples": list(examples)}
    return described(shape, describe)


def choice(values: Iterable[str], describe: str = "") -> Shape:
    """Return the shape of one of some words; `true` and `false` may come as truth values."""
    words = [str(value) for value in values]
    truths = [word == "true" for word in words if word in {"true", "false"}]
    return described({"enum": [*words, *truths]}, describe)


def listed(item: Shape, describe: str = "", *, least: int = 1) -> Shape:
    """Return the shape of a list."""
    return described({"type": "array", "items": item, "minItems": least}, describe)


def mapped(
    known: Collection[str],
    shapes: Mapping[str, Shape],
    describe: str = "",
    required: Collection[str] = (),
) -> Shape:
    """Return the shape of a mapping with exactly the `known` keys; one without a shape is free."""
    shape: Shape = {
        "type": "object",
        "properties": {key: shapes.get(key, {}) for key in known},
        "additionalProperties": False,
    }
    if required:
        shape |= {"required": list(required)}
    return described(shape, describe)


def either(*shapes: Shape, describe: str = "") -> Shape:
    """Return the shape of what fits one of several."""
    return described({"anyOf": list(shapes)}, describe)


def referred(name: str, describe: str = "") -> Shape:
    """Return a reference to a definition of the same schema."""
    return described({"$ref": f"#/$defs/{name}"}, describe)


def named(value: Shape, describe: str = "") -> Shape:
    """Return the shape of a mapping with names of the user's own."""
    shape: Shape = {"type": "object", "additionalProperties": value, "minProperties": 1}
    return described(shape, describe)


def described(shape: Shape, describe: str) -> Shape:
    """Return the shape with its description."""
    return {**shape, "description": describe} if describe else shape
