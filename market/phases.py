"""In which part of a session a moment lies: what orders may be sent then."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from market.sessions import AUCTION_LENGTH, KST
from market.types import Venue

if TYPE_CHECKING:
    from datetime import datetime

    from market.sessions import Calendar

OPENING_LENGTH: Final = timedelta(minutes=30)
"""Orders for the opening auction are taken for so long before it (KRX: from 08:30 on)."""


class Phase(StrEnum):
    """A part of a session; in an auction all that is collected trades at once at its end."""

    CLOSED = "closed"
    OPENING = "opening"
    CONTINUOUS = "continuous"
    CLOSING = "closing"

    @property
    def is_auction(self) -> bool:
        """Tell whether orders are only collected."""
        return self in {Phase.OPENING, Phase.CLOSING}


def phase_at(venue: Venue, calendar: Calendar, at: datetime) -> Phase:
    """Return the phase of a venue at a moment; only KRX has auctions."""
    if venue is not Venue.KRX:
        return Phase.CONTINUOUS if calendar.is_open(at) else Phase.CLOSED
    window = calendar.window(at.astimezone(KST).date())
    if window is None or not window.open - OPENING_LENGTH <= at < window.close:
        return Phase.CLOSED
    if at < window.open:
        return Phase.OPENING
    return Phase.CLOSING if at >= window.close - AUCTION_LENGTH else Phase.CONTINUOUS
