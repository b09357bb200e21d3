"""Telegram HTML as text: how long it is once parsed, without its markup, and in pieces."""

from __future__ import annotations

import re
from html import escape, unescape

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_OPENING = re.compile(r"<([a-zA-Z][\w-]*)([^<>]*)>")
_PIECE = re.compile(r"</?[a-zA-Z][^<>]*>|&#?\w+;|.", re.DOTALL)


def to_plain(html: str) -> str:
    """Return what a person reads: markup gone, entities resolved."""
    return unescape(_TAG.sub("", html))


def to_safe(html: str) -> str:
    """Return the same words as HTML without any tag, which cannot be refused."""
    return escape(to_plain(html), quote=False)


def length(html: str) -> int:
    """Return the length as Telegram counts it: UTF-16 units after parsing."""
    return units(to_plain(html))


def units(text: str) -> int:
    """Return the number of UTF-16 units of a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(html: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Return pieces within the limit, cut at line breaks, each with its own tags closed.

    A line that alone is too long is cut where it must be, never inside a tag or an entity.
    """
    if length(html) <= limit:
        return [html]
    pieces: list[str] = []
    present = ""
    for line in _lines(html, limit):
        joined = f"{present}\n{line}" if present else line
        if length(joined) > limit:
            pieces.append(present)
            joined = line
        present = joined
    return _balanced([piece for piece in [*pieces, present] if to_plain(piece).strip()])


def _lines(html: str, limit: int) -> list[str]:
    lines: list[str] = []
    for line in html.split("\n"):
        lines.extend([line] if length(line) <= limit else _cut(line, limit))
    return lines


def _cut(line: str, limit: int) -> list[str]:
    pieces, present, used = [], "", 0
    for match in _PIECE.finditer(line):
        piece = match.group()
        size = length(piece)
        if used + size > limit:
            pieces.append(present)
            present, used = "", 0
        present += piece
        used += size
    return [*pieces, present]


def _balanced(pieces: list[str]) -> list[str]:
    balanced: list[str] = []
    carried: list[str] = []
    for piece in pieces:
        whole = "".join(carried) + piece
        carried = _unclosed(whole)
        names = [tag.strip("<>").split()[0] for tag in reversed(carried)]
        balanced.append(whole + "".join(f"</{name}>" for name in names))
    return balanced


def _unclosed(html: str) -> list[str]:
    waiting: list[str] = []
    for tag in _TAG.findall(html):
        if _OPENING.fullmatch(tag):
            waiting.append(tag)
        elif waiting:
            waiting.pop()
    return waiting
