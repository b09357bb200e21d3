"""The notation in which tests of conditions write numbers: `100_000x60 106_000 _ 107_000`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from config.strict_yaml import Located
    from market.errors import Problem

MOST_SLOTS = 4_000
"""Slots that one test may have."""
LARGEST = 1e15


class Absence(StrEnum):
    """Why a slot has no bar: nothing traded in it, or it could not be read.

    Of a day's facts: nothing was told of the day, or not this one.
    """

    NO_TRADE = "_"
    MISSING = "?"


Placed: TypeAlias = "tuple[float | Absence, int]"
"""What is in a slot, and the character of the text that says so."""

_NUMBER = r"-?\d+(?:_\d+)*(?:\.\d+)?"
_PIECE = re.compile(
    rf"(?P<first>{_NUMBER}|[_?])(?:\.\.(?P<last>{_NUMBER}))?(?:x(?P<count>\d+))?", re.ASCII
)


def read_series(located: Located, problems: list[Problem]) -> tuple[Placed, ...]:
    """Return what is in each slot; where that cannot be read, a problem is added and () returned.

    Pieces stand between spaces: a number, `_` (no trade) or `?` (missing), each with `xN` for N of
    it; `100..110` counts in steps of 1, `100..200x5` is five numbers at equal distances.
    """
    slots: list[Placed] = []
    for match in re.finditer(r"\S+", located.text):
        room = MOST_SLOTS - len(slots)
        try:
            slots += [(one, match.start()) for one in _piece(match.group(), room)]
        except ValueError as error:
            problems.append(located.problem(str(error), match.start()))
            return ()
    return tuple(slots)


def _piece(text: str, room: int) -> list[float | Absence]:
    """Return the slots of one piece; more than `room` of them are a ValueError."""
    slots = _slots(text)
    if len(slots) > room:
        raise ValueError(f"more than {MOST_SLOTS:_} slots")
    return slots


def _slots(text: str) -> list[float | Absence]:
    found = _PIECE.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no piece of a series; write 100, 100x60, 100..110, _ or ?")
    count = _count(found["count"], text)
    if found["first"] in set(Absence):
        if found["last"]:
            raise ValueError(f"'{text}': a run goes from a number to a number")
        return [Absence(found["first"])] * (count or 1)
    first = _number(found["first"], text)
    if found["last"] is None:
        return [first] * (count or 1)
    return _run(first, _number(found["last"], text), count, text)


def _run(first: float, last: float, count: int | None, text: str) -> list[float | Absence]:
    if count is None:
        count = int(abs(last - first)) + 1
        if abs(last - first) != count - 1:
            raise ValueError(f"'{text}' does not end on a step of 1; say how many: {text}x5")
    if not 2 <= count <= MOST_SLOTS:
        raise ValueError(f"'{text}': a run has from 2 to {MOST_SLOTS} slots")
    # Rounded, so that a run such as 1..2x11 gives 1.1 and not its neighbour.
    return [round(first + (last - first) * place / (count - 1), 9) for place in range(count)]


def _count(digits: str | None, text: str) -> int | None:
    if digits is None:
        return None
    if len(digits) > 9 or not 1 <= int(digits) <= MOST_SLOTS:
        raise ValueError(f"'{text}': from 1 to {MOST_SLOTS} slots")
    return int(digits)


def _number(digits: str, text: str) -> float:
    number = float(digits.replace("_", ""))
    if abs(number) > LARGEST:
        raise ValueError(f"'{text}' is far too large")
    return number
