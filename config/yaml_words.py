"""What PyYAML complains about, in words that say how to mend it."""

from __future__ import annotations

import yaml

from config.yaml_places import Places
from market.errors import Problem

_HINTS = (
    ("found character '\\t'", "a tab; indent with spaces"),
    ("that cannot start any token", "a text cannot begin with this character; quote the text"),
    (
        "mapping values are not allowed",
        "':' does not fit here; mend the indentation, or quote a text with ': ' in it",
    ),
    ("could not find expected ':'", "a key without ':' after it"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("found undefined tag", "'!' is not taken; quote the text"),
    ("while scanning an alias", "a text cannot begin with '*'; quote the text"),
    ("while scanning an anchor", "a text cannot begin with '&'; quote the text"),
    ("while scanning a tag", "a text cannot begin with '!'; quote the text"),
    (
        "while scanning a block scalar",
        "after '|' or '>' a text begins on a new line; quote it",
    ),
    ("while parsing a flow", "a bracket that does not fit; quote expressions inside [ ] or { }"),
    ("while parsing a block mapping", "the indentation does not fit the lines above"),
    ("while parsing a block collection", "the indentation does not fit the lines above"),
)


def explain(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """Return the problem that a YAML error tells of, with its place and a hint."""
    if isinstance(error, yaml.reader.ReaderError):
        line, column = Places(text).at(error.position)
        return Problem(file, line, column, f"a character that cannot be: {_named(error.character)}")
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(file, 1, 1, f"not YAML: {error}")
    said = f"{error.problem or ''} {error.context or ''}".strip()
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    hint = next((words for sign, words in _HINTS if sign in said), "not YAML")
    return Problem(file, line, column, f"{hint} ({said})")


def _named(character: object) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else repr(character)
