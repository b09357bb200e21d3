"""Invented facts of the pretend market: figures of companies, and who bought and sold each day.

Figures depend on the code alone. The flows of a day depend on the code, the day and what traded on
it, and so on the seed: the same market tells the same flows, in whatever order it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from market.sessions import KST
from market.types import Kind
from sandbox.market_prices import footing

if TYPE_CHECKING:
    from datetime import date, datetime

    from market.types import Instrument
    from sandbox.market import Quote, Simulator
    from sandbox.market_days import Day

_CALENDAR_DAYS_A_SESSION = 1.6
_LONGEST_REST_DAYS = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a company: shares, won a share; None for funds."""

    listed: int
    eps: int | None
    bps: float | None
    high_52w: int
    low_52w: int


@dataclass(frozen=True, slots=True)
class Bought:
    """What was bought more than sold in a day, in shares; and what foreigners hold since."""

    day: Day
    institutions: int
    foreigners: int
    individuals: int
    held_ratio: float

    def of(self, investor: str) -> int:
        """Return the net buying of foreigners or institutions."""
        return self.foreigners if investor == "foreigners" else self.institutions


def figures(quote: Quote) -> Figures:
    """Return the figures of an instrument; what it trades at now lies within its year."""
    instrument = quote.instrument
    usual, part = footing(instrument.code), _parts(instrument.code)
    listed = int(usual.daily_volume * (120 + 480 * part[0])) // 1000 * 1000
    high = max(int(usual.price * (1.14 + 0.3 * part[1])), int(quote.high))
    low = min(int(usual.price * (0.6 + 0.24 * part[2])), int(quote.low) or 10**12)
    if instrument.kind is Kind.ETF:
        return Figures(listed, None, None, high, low)
    bps = round(usual.price * (0.3 + 1.4 * part[3]), 5)
    return Figures(listed, int(bps * (0.3 * part[4] - 0.04)), bps, high, low)


def market_cap(quote: Quote) -> int:
    """Return what all shares are worth at the present price (KRW)."""
    return int(quote.price) * figures(quote).listed


def bought(instrument: Instrument, day: Day) -> Bought:
    """Return who bought and sold in a day: slow waves of favour, and noise."""
    code, ordinal = instrument.code, day.day.toordinal()
    part = _parts(code)
    random = np.random.default_rng((crc32(code.encode()), ordinal, day.volume))
    noise = random.normal(0, 0.035, 3)
    waves = [np.sin(2 * np.pi * (ordinal / length + part[5])) for length in (17, 29)]
    shares = np.clip(0.05 * np.array(waves) + noise[:2], -0.3, 0.3)
    institutions, foreigners = (int(day.volume * share) for share in shares)
    others = int(day.volume * 0.1 * noise[2])
    held = 0.05 + 0.45 * part[6] + 0.01 * float(np.sin(ordinal / 40))
    return Bought(day, institutions, foreigners, -(institutions + foreigners + others), held)


def sessions(simulator: Simulator, code: str, count: int, last: date, at: datetime) -> list[Day]:
    """Return the newest sessions up to a day as known at a moment, newest first."""
    last = min(last, at.astimezone(KST).date())
    reach = timedelta(days=int(count * _CALENDAR_DAYS_A_SESSION) + _LONGEST_REST_DAYS)
    return simulator.days(code, last - reach, last, at)[::-1][:count]


def is_over(simulator: Simulator, day: date, at: datetime) -> bool:
    """Tell whether a session that has begun is over."""
    is_today = day == at.astimezone(KST).date()
    (quote,) = simulator.snapshot(simulator.codes[:1], at)
    return not is_today or quote.status == "CLOSE"


def _parts(code: str) -> list[float]:
    """Return seven numbers from 0 to 1 that belong to a code."""
    return [float(each) for each in np.random.default_rng(crc32(code.encode())).random(7)]
