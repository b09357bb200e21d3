"""Where each character of a YAML scalar stands in its file."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_VISIBLE = {
    '"': re.compile(r"\\(?:x.{2}|u.{4}|U.{8}|\s+|.)|\S", re.DOTALL),
    "'": re.compile(r"''|\S"),
}
_ANY = re.compile(r"\S")
_BLANK_ESCAPE = re.compile(r"\\[\sabefnrtvNLP_0]")


class Places:
    """Finds lines and columns, both counted from 1 in characters, in one source text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = [0, *(found.end() for found in _BREAK.finditer(source))]

    def at(self, index: int) -> tuple[int, int]:
        """Return the line and column of the character with this index."""
        line = bisect_right(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def of(self, event: yaml.ScalarEvent) -> tuple[tuple[int, int], ...]:
        """Return the place of every character of a scalar, and of the one after its last.

        Empty where the scalar is plain and on one line: its characters simply run on. Visible
        characters are found exactly; white space stands after what is before it.
        """
        start, end = _span(event)
        if event.style is None and self.at(start)[0] == self.at(end)[0]:
            return ()
        visible = iter(self._visible(start, end, event.style))
        index = start
        places = []
        for character in event.value:
            index = index + 1 if character.isspace() else next(visible, index + 1)
            places.append(self.at(index))
        if not places:
            return (self.at(index),)
        return (*places, self.at(index + 1))

    def _visible(self, start: int, end: int, style: str | None) -> list[int]:
        """Return the index of what makes each visible character, in order."""
        if style in {"|", ">"}:
            header = _BREAK.search(self._source, start)
            start = header.end() if header else end
        elif style is not None:
            start, end = start + 1, end - 1
        found = _VISIBLE.get(style or "", _ANY).finditer(self._source, start, end)
        return [match.start() for match in found if not _is_blank(match.group(), style)]


def place_of(event: yaml.Event) -> tuple[int, int]:
    """Return the line and column where an event begins."""
    if event.start_mark is None:
        raise TypeError(f"an event without a place: {event}")
    return event.start_mark.line + 1, event.start_mark.column + 1


def _span(event: yaml.Event) -> tuple[int, int]:
    if event.start_mark is None or event.end_mark is None:
        raise TypeError(f"an event without a place: {event}")
    return event.start_mark.index, event.end_mark.index


def _is_blank(written: str, style: str | None) -> bool:
    return style == '"' and _BLANK_ESCAPE.match(written) is not None
