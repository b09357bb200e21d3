"""How much of what trades at a venue orders of ours may take: pure, counted from look to look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from market.money import floor_to_lot, to_decimal

if TYPE_CHECKING:
    from datetime import datetime

    from market.sessions import Calendar
    from market.types import Steps, Tick

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Look:
    """What was last seen of an instrument, by its tick.

    `at` is when it had traded, `count` the session's volume until then, None where a source tells
    single trades. `spare` is the part of our share that was too little for a lot.
    """

    at: datetime
    count: Decimal | None
    spare: Decimal = NOTHING


def look_at(tick: Tick) -> Look:
    """Return what a first tick shows."""
    return Look(tick.at, None if tick.day_volume is None else to_decimal(tick.day_volume))


def grown(look: Look | None, tick: Tick, calendar: Calendar) -> Decimal:
    """Return what has traded since a look as far as a tick tells, rather less than more.

    A count without one before it, and one that fell, tell nothing; a new session counts from zero.
    """
    if tick.day_volume is None:
        is_news = look is None or tick.at > look.at
        return to_decimal(tick.volume or 0.0) if is_news else NOTHING
    if look is None or look.count is None:
        return NOTHING
    count = to_decimal(tick.day_volume)
    if _is_next_session(look, tick, calendar):
        return count
    return max(NOTHING, count - look.count)


def following(look: Look | None, tick: Tick, calendar: Calendar) -> Look:
    """Return the look that a tick leaves; what is older than the last one leaves that."""
    newest = look_at(tick)
    if look is None:
        return newest
    if tick.at < look.at:
        return look
    if newest.count is None or look.count is None or _is_next_session(look, tick, calendar):
        return replace(newest, spare=look.spare)
    return Look(newest.at, max(newest.count, look.count), look.spare)


def room_in(
    volume: Decimal, share: Decimal, spare: Decimal, kind: Steps
) -> tuple[Decimal, Decimal]:
    """Return the lots that our share of a volume comes to, and what is left for the next time."""
    ours = volume * share + spare
    lots = floor_to_lot(ours, kind)
    return lots, ours - lots


def _is_next_session(look: Look, tick: Tick, calendar: Calendar) -> bool:
    return calendar.session_day(tick.at) > calendar.session_day(look.at)
