"""One mistake in an expression, by the character at which it was noticed."""

from __future__ import annotations

from market.errors import TicktalkError


class Mistake(TicktalkError):
    """An expression cannot be understood; `offset` counts its characters from 0.

    It becomes a Problem of a ConfigError where the file and line are known.
    """

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


class NoTruth(Mistake):
    """An expression is understood but is a number, where true or false was expected."""
