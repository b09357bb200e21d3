"""In which part of a day a moment lies, and which orders a venue takes then.

Hours of KRX since 2026-09-14 (its notice of 2026-09-09): an after-market for shares, 16:00-20:00,
stands in place of the single prices after hours. Nextrade (NXT) is another exchange with hours of
its own; nothing here is about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from market.sessions import AUCTION_LENGTH, KST, REGULAR_HOURS
from market.types import Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from market.sessions import Calendar, Window

OPENING_LENGTH: Final = timedelta(minutes=30)
"""Orders for the opening auction are taken for so long before it (KRX: from 08:30 on)."""

AFTER_MARKET_SINCE: Final = date(2026, 9, 14)
_AFTER_CLOSE = (time(15, 40), time(16, 0))
_AFTER_MARKET = (time(16, 0), time(20, 0))
_LONGEST_REST_DAYS = 30


class Phase(StrEnum):
    """A part of a day; in an auction all that is collected trades at once at its end."""

    CLOSED = "closed"
    OPENING = "opening"
    CONTINUOUS = "continuous"
    CLOSING = "closing"
    AFTER_CLOSE = "after_close"
    AFTER_MARKET = "after_market"

    @property
    def is_auction(self) -> bool:
        """Tell whether orders are only collected."""
        return self in {Phase.OPENING, Phase.CLOSING}

    @property
    def is_in_session(self) -> bool:
        """Tell whether the regular session goes on, from the open to the close."""
        return self in {Phase.CONTINUOUS, Phase.CLOSING}


class Form(StrEnum):
    """What kind of price an order has."""

    LIMIT = "limit"
    MARKET = "market"


REGULAR: Final = frozenset({Phase.OPENING, Phase.CONTINUOUS, Phase.CLOSING})
"""The phases in which orders for the regular session are taken."""

TAKES: Final = {
    Phase.CLOSED: frozenset[Form](),
    Phase.OPENING: frozenset({Form.LIMIT}),
    Phase.CONTINUOUS: frozenset({Form.LIMIT, Form.MARKET}),
    Phase.CLOSING: frozenset({Form.LIMIT}),
    # at the day's close only, under a code of its own: no broker here sends it
    Phase.AFTER_CLOSE: frozenset[Form](),
    Phase.AFTER_MARKET: frozenset({Form.LIMIT}),
}
"""The literal table of what we send in which phase, where the broker at hand takes part in it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A phase of one day, [begin, end)."""

    begin: datetime
    end: datetime
    phase: Phase


def is_taken(phase: Phase, form: Form, kind: Kind) -> bool:
    """Tell whether an order may be sent in a phase; funds have no after-market (KRX)."""
    is_listed = phase is not Phase.AFTER_MARKET or kind is Kind.STOCK
    return is_listed and form in TAKES[phase]


def phase_at(venue: Venue, calendar: Calendar, at: datetime) -> Phase:
    """Return the phase of a venue at a moment; only KRX has any beside its session."""
    if venue is not Venue.KRX:
        return Phase.CONTINUOUS if calendar.is_open(at) else Phase.CLOSED
    parts = _parts(calendar, at.astimezone(KST).date())
    return next((one.phase for one in parts if one.begin <= at < one.end), Phase.CLOSED)


def next_taken(
    venue: Venue, calendar: Calendar, at: datetime, phases: Set[Phase], form: Form, kind: Kind
) -> datetime | None:
    """Return the first moment from `at` on at which one of some phases takes an order."""
    if venue is not Venue.KRX:
        return calendar.next_open(at)
    first = at.astimezone(KST).date()
    for number in range(_LONGEST_REST_DAYS):
        for one in _parts(calendar, first + timedelta(days=number)):
            if at < one.end and one.phase in phases and is_taken(one.phase, form, kind):
                return max(at, one.begin)
    return None


def _parts(calendar: Calendar, day: date) -> Iterator[Part]:
    """Yield the phases of a day at KRX in their order; between them it is closed."""
    window = calendar.window(day)
    if window is None:
        return
    auction = window.close - AUCTION_LENGTH
    yield Part(window.open - OPENING_LENGTH, window.open, Phase.OPENING)
    yield Part(window.open, auction, Phase.CONTINUOUS)
    yield Part(auction, window.close, Phase.CLOSING)
    if _has_usual_close(window, day):
        yield _part(day, _AFTER_CLOSE, Phase.AFTER_CLOSE)
        if day >= AFTER_MARKET_SINCE:
            yield _part(day, _AFTER_MARKET, Phase.AFTER_MARKET)


def _has_usual_close(window: Window, day: date) -> bool:
    """Tell whether a day closes as ever; what follows a later close is not known for certain."""
    return window.close.astimezone(KST) == _moment(day, REGULAR_HOURS[1])


def _part(day: date, hours: tuple[time, time], phase: Phase) -> Part:
    return Part(_moment(day, hours[0]), _moment(day, hours[1]), phase)


def _moment(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, KST)
