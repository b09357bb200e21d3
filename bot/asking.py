"""What a person asks about: which condition, on which instrument."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.incoming import cut
from market.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from market.directory import Directory
    from market.types import Instrument

MOST_SUGGESTED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A condition by name ("" where none was named) and an instrument, or one of the two."""

    condition: str
    instrument: Instrument | None


class UnknownCondition(UsageError):
    """No condition has this name; `near` are like it, `rest` is what was typed behind it."""

    def __init__(self, name: str, near: tuple[str, ...], rest: str) -> None:
        code = "condition.did_you_mean" if near else "condition.unknown"
        super().__init__(code, name=cut(name), names=", ".join(near))
        self.near = near
        self.rest = rest


class UnknownName(UsageError):
    """No instrument has this name; `near` are like it, `condition` was asked about."""

    def __init__(self, name: str, near: tuple[Instrument, ...], condition: str) -> None:
        code = "instrument.did_you_mean" if near else "instrument.unknown"
        super().__init__(code, name=cut(name))
        self.near = near
        self.condition = condition


def read_question(args: str, names: Collection[str], directory: Directory) -> Question:
    """Return what is asked about; UsageError says what is not known, and what is like it.

    The condition comes first; an instrument alone is a question without a condition.
    """
    words = unicodedata.normalize("NFKC", args[:400]).split()
    if not words:
        return Question("", None)
    name = find_condition(words[0], names)
    if name is None:
        alone = directory.find(" ".join(words))
        if alone is not None:
            return Question("", alone)
        raise UnknownCondition(words[0], near_conditions(words[0], names), " ".join(words[1:]))
    rest = " ".join(words[1:])
    if not rest:
        return Question(name, None)
    instrument = directory.find(rest)
    if instrument is None:
        raise UnknownName(rest, tuple(directory.suggest(rest, MOST_SUGGESTED)), name)
    return Question(name, instrument)


def find_condition(word: str, names: Collection[str]) -> str | None:
    """Return the condition of this name; small and large letters are the same."""
    return next((name for name in names if name.casefold() == word.casefold()), None)


def near_conditions(word: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the conditions whose names are like a word, or all where there are few."""
    by_small = {name.casefold(): name for name in names}
    near = get_close_matches(word.casefold(), by_small, n=MOST_SUGGESTED, cutoff=0.5)
    found = [by_small[one] for one in near]
    return tuple(found or (sorted(names) if len(names) <= MOST_SUGGESTED else ()))
