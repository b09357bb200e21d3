"""What is known of an instrument by the day: who bought it, what it is worth, what it earns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from market.types import Instrument, InstrumentId


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of a market's list; money in the venue's currency, None where it is not told.

    `listed` is how many shares there are, `change` the ratio against the close before.
    """

    instrument: Instrument
    price: float | None = None
    market_cap: float | None = None
    listed: float | None = None
    volume: float | None = None
    value: float | None = None
    change: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """Net buying of one day in shares, positive where more was bought than sold."""

    day: date
    institutions: float
    foreigners: float
    individuals: float | None = None
    close: float | None = None


@dataclass(frozen=True, slots=True)
class Fundamentals:
    """Figures of a company: won a share, shares, won; None where it is not told."""

    instrument: InstrumentId
    eps: float | None = None
    bps: float | None = None
    listed: float | None = None
    high_52w: float | None = None
    low_52w: float | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """One line of a ranking of net buying: shares and won, negative where more was sold."""

    instrument: InstrumentId
    name: str
    day: date
    shares: float
    value: float


@dataclass(frozen=True, slots=True)
class DailyFacts:
    """What is known of an instrument when a day is over; None where no source told.

    Net buying (`institutions_5`: of institutions over five days, this one the last) in shares;
    `market_cap` in the venue's currency; `listed_shares` a count; `eps`, `high_52w`, `low_52w` in
    currency a share; `per` and `pbr` are ratios of price to earnings and to book value.
    Conditions see them from the next session on.
    """

    instrument: InstrumentId
    day: date
    institutions_1: float | None = None
    institutions_5: float | None = None
    institutions_20: float | None = None
    foreigners_1: float | None = None
    foreigners_5: float | None = None
    foreigners_20: float | None = None
    individuals_1: float | None = None
    individuals_5: float | None = None
    individuals_20: float | None = None
    market_cap: float | None = None
    listed_shares: float | None = None
    per: float | None = None
    pbr: float | None = None
    eps: float | None = None
    high_52w: float | None = None
    low_52w: float | None = None


FACT_NAMES = tuple(one.name for one in fields(DailyFacts) if one.name not in {"instrument", "day"})
"""The names under which conditions (`facts.per`) and universes ask for them."""
