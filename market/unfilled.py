"""What becomes of an order that rests unfilled for a while, as its condition asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Then(StrEnum):
    """What is done with what is left of an order: no more, a better price, or any price."""

    CANCEL = "cancel"
    REPRICE = "reprice"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Unfilled:
    """What follows so long `after` an order was sent; `times` is how often it may be repriced."""

    then: Then
    after: timedelta
    times: int = 0


def write_unfilled(unfilled: Unfilled | None) -> str:
    """Return the words in which the store keeps it, "" for none."""
    if unfilled is None:
        return ""
    return f"{unfilled.then} {unfilled.after // timedelta(milliseconds=1)} {unfilled.times}"


def read_unfilled(words: str) -> Unfilled | None:
    """Return what the store keeps in these words."""
    if not words:
        return None
    then, milliseconds, times = words.split()
    return Unfilled(Then(then), timedelta(milliseconds=int(milliseconds)), int(times))
