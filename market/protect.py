"""How a position is protected, as the condition that bought it asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of a ladder: at a gain of `at` (ratio) the share `sell` of the position is sold."""

    at: Decimal
    sell: Decimal


@dataclass(frozen=True, slots=True)
class Protect:
    """What ends a position; all ratios are of its average price, but for the trailing stop.

    `stop_loss` is a fall below it, `ladder` the rungs above it, lowest first, `trailing_stop` a
    fall below the highest price since it was opened, `time_stop` how long it is held at most.
    `at_venue` lets the stop-loss rest at the venue too, where its broker can do that.
    """

    stop_loss: Decimal | None = None
    ladder: tuple[Rung, ...] = ()
    trailing_stop: Decimal | None = None
    time_stop: timedelta | None = None
    at_venue: bool = True


def write_protect(protect: Protect) -> dict[str, Any]:
    """Return the document that keeps it."""
    stop, trailing, time_stop = protect.stop_loss, protect.trailing_stop, protect.time_stop
    return {
        "stop_loss": None if stop is None else str(stop),
        "ladder": [[str(rung.at), str(rung.sell)] for rung in protect.ladder],
        "trailing_stop": None if trailing is None else str(trailing),
        "time_stop": None if time_stop is None else time_stop // timedelta(seconds=1),
        "at_venue": protect.at_venue,
    }


def read_protect(value: Mapping[str, Any]) -> Protect:
    """Return what a document keeps."""
    stop, trailing, seconds = value["stop_loss"], value["trailing_stop"], value["time_stop"]
    return Protect(
        stop_loss=None if stop is None else Decimal(stop),
        ladder=tuple(Rung(Decimal(at), Decimal(sell)) for at, sell in value["ladder"]),
        trailing_stop=None if trailing is None else Decimal(trailing),
        time_stop=None if seconds is None else timedelta(seconds=int(seconds)),
        at_venue=bool(value.get("at_venue", True)),  # not kept by those who could not choose
    )
