"""Cuts an expression into numbers, names and symbols, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from conditions.mistake import Mistake

LONGEST = 2_000
"""Characters an expression may have."""

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n\u3000]+)"
    r"|(?P<clock>[0-9]{1,2}:[0-9]{2})"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<number>[0-9](?:_?[0-9])*(?:\.[0-9](?:_?[0-9])*)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<symbol><=|>=|==|!=|[-+*/%<>=()\[\],.])"
)
_AFTER_NUMBER = re.compile(r"_|\.[0-9]|\d")
_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?![\w:])")
_ADVICE = {
    "&": "write 'and'",
    "|": "write 'or'",
    "!": "write 'not'",
    "≥": "write '>='",
    "≤": "write '<='",
    "≠": "write '!='",
    "×": "write '*'",
    "÷": "write '/'",
    "−": "write '-'",
    "–": "write '-'",
    "％": "write '%'",
    "（": "write '('",
    "）": "write ')'",
    "，": "write ','",
    "^": "powers are not part of the language",
    "{": "write '('",
    "}": "write ')'",
    '"': "the text does not end; close it with the same sign",
    "'": "the text does not end; close it with the same sign",
    "“": "write '\"'",
    "”": "write '\"'",
    ":": 'a time of day is written 09:30, an instrument "KRX:005930"',
    "#": "comments belong behind the expression, after a space",
}


class Sort(StrEnum):
    """What a token is."""

    NUMBER = "number"
    CLOCK = "clock"
    TEXT = "text"
    NAME = "name"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression: its characters are [start, end)."""

    sort: Sort
    text: str
    start: int
    end: int

    def is_symbol(self, text: str) -> bool:
        """Return whether this is that symbol."""
        return self.sort is Sort.SYMBOL and self.text == text

    def is_word(self, text: str) -> bool:
        """Return whether this is that word."""
        return self.sort is Sort.NAME and self.text == text

    def __str__(self) -> str:
        return "the end of the expression" if self.sort is Sort.END else f"'{self.text}'"


def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of an expression with an end token last; raises Mistake."""
    if len(text) > LONGEST:
        message = f"an expression of {len(text)} characters; at most {LONGEST} are allowed"
        raise Mistake(LONGEST, message)
    found: list[Token] = []
    place = 0
    while place < len(text):
        token = _next(text, place)
        place = token.end if token else _skip(text, place)
        if token:
            found.append(token)
    return (*found, Token(Sort.END, "", len(text), len(text)))


def _skip(text: str, place: int) -> int:
    match = _TOKEN.match(text, place)
    return match.end() if match else place


def _next(text: str, place: int) -> Token | None:
    match = _TOKEN.match(text, place)
    if match is None:
        raise _unexpected(text, place)
    if match.lastgroup == "space":
        return None
    if match.lastgroup == "number":
        _check_number(text, match.end())
    if match.lastgroup == "clock" and not _CLOCK.match(text, place):
        raise Mistake(place, "malformed time of day; write 09:30, from 00:00 to 23:59")
    return Token(Sort(match.lastgroup or ""), match.group(), place, match.end())


def _check_number(text: str, end: int) -> None:
    """Refuse what runs on behind a number: `1__0`, `1.2.3`."""
    if _AFTER_NUMBER.match(text, end):
        raise Mistake(end, "malformed number; write 1_000 or 1000.5")


def _unexpected(text: str, place: int) -> Mistake:
    sign = text[place]
    shown = sign if sign.isprintable() else f"\\u{ord(sign):04x}"
    advice = _ADVICE.get(sign)
    return Mistake(place, f"unexpected character '{shown}'" + (f"; {advice}" if advice else ""))
