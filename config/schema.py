"""JSON Schemas for editors, made from what the readers themselves go by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from config.condition_folder import SHARED
from config.schema_condition import condition_schema, shared_schema
from config.schema_shapes import SCALAR, Shape, described, mapped
from config.schema_universe import universe_schema
from config.settings import Settings, keys_of
from config.settings_file import SECRETS, SECTIONS
from market.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = "schema"
"""The folder of the schemas, beside settings.yaml."""

_NUMBER_TEXT = r"^\s*[+-]?[0-9][0-9_]*(\.[0-9]+)?\s*(%|KRW|USDT)?\s*$"
"""Numbers as texts: digits in groups, per cent, money."""

_KEPT = ("default", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def schemas() -> dict[str, Shape]:
    """Return the schema of each sort of file by its name: condition, settings, shared, universe."""
    bodies = {
        "condition": ("A condition of ticktalk", condition_schema()),
        "settings": ("The settings of ticktalk", _settings_schema()),
        "shared": (f"What conditions share: {SHARED}.yaml", shared_schema()),
        "universe": ("A universe of ticktalk", universe_schema()),
    }
    return {
        name: {"$schema": DIALECT, "title": title, **body} for name, (title, body) in bodies.items()
    }


def schema_text(schema: Shape) -> str:
    """Return a schema as the file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write the schemas into a folder, over older ones; raises ConfigError where that fails."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas().items():
            path = folder / f"{name}.json"
            path.write_text(schema_text(schema), encoding="utf-8")
            written.append(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problem = Problem.about(str(error.filename or folder), f"cannot be written: {reason}")
        raise ConfigError((problem,)) from error
    return written


def _settings_schema() -> Shape:
    whole = Settings.model_json_schema()
    sections = {}
    for name in SECTIONS:
        definition = whole["$defs"][whole["properties"][name]["$ref"].rpartition("/")[2]]
        keys = [key for key in keys_of(name) if (name, key) not in SECRETS]
        shapes = {key: _setting(definition["properties"][key]) for key in keys}
        shape = mapped(keys, shapes, definition.get("description", ""))
        sections[name] = {**shape, "type": ["object", "null"]}
    return mapped(SECTIONS, sections)


def _setting(written: Mapping[str, Any]) -> Shape:
    """Return the shape of a setting: its own, and text that reads as such, or nothing."""
    kept: Shape = {}
    for part in (written, *written.get("anyOf", ())):
        kept |= {key: part[key] for key in _KEPT if key in part}
    if "enum" in kept:
        kept |= {"enum": [*kept["enum"], None]}
    is_number = not {"integer", "number"}.isdisjoint(_types(written))
    shape = {"type": ["number", "string", "null"], "pattern": _NUMBER_TEXT} if is_number else {}
    return described({"type": [*SCALAR, "null"], **shape, **kept}, written.get("description", ""))


def _types(written: Mapping[str, Any]) -> Iterator[str]:
    for part in (written, *written.get("anyOf", ())):
        if "type" in part:
            yield part["type"]
