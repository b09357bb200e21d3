"""The nouns everybody shares: instruments, ticks, bars and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TypeAlias

from market.grid import FINEST, Grid

InstrumentId: TypeAlias = str
"""Venue, colon, the venue's own code: `KRX:005930`. Codes are text and may contain letters."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(at: datetime) -> int:
    """Return an aware time as whole UTC milliseconds."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of whole UTC milliseconds."""
    return EPOCH + timedelta(milliseconds=milliseconds)


class Venue(StrEnum):
    """A market place."""

    KRX = "KRX"
    UPBIT = "UPBIT"
    BINANCE = "BINANCE"


class Kind(StrEnum):
    """What is traded; decides tick size, price limits and tax."""

    STOCK = "stock"
    ETF = "etf"
    COIN = "coin"


class Timeframe(StrEnum):
    """The length of a bar, as users write it."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    D1 = "1d"

    @property
    def length(self) -> timedelta:
        """The nominal time from a bar's start to its end."""
        return _LENGTHS[self]


_LENGTHS = {
    Timeframe.M1: timedelta(minutes=1),
    Timeframe.M5: timedelta(minutes=5),
    Timeframe.M15: timedelta(minutes=15),
    Timeframe.M30: timedelta(minutes=30),
    Timeframe.H1: timedelta(hours=1),
    Timeframe.D1: timedelta(days=1),
}


class Verdict(IntEnum):
    """Three-valued truth; unknown is not false. all = min, any = max, not = minus."""

    FALSE = -1
    UNKNOWN = 0
    TRUE = 1


Steps: TypeAlias = Kind | Grid
"""What tells which prices and quantities can be ordered: the tables of a kind, or a grid."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something that can be traded: `segment` is the venue's market (KOSPI, KOSDAQ, KRW).

    `grid` are its own steps of prices and quantities, None where nobody has told them.
    """

    venue: Venue
    code: str
    name: str
    segment: str = ""
    kind: Kind = Kind.STOCK
    grid: Grid | None = None

    @property
    def steps(self) -> Steps:
        """Return what tells which prices and quantities can be ordered: its own, or its kind's."""
        if self.grid is not None or self.venue is not Venue.BINANCE:
            return self.grid or self.kind
        return FINEST

    @property
    def id(self) -> InstrumentId:
        """Return the id under which everything about the instrument is kept."""
        return f"{self.venue}:{self.code}"


@dataclass(frozen=True, slots=True)
class Tick:
    """One observed price: `at` when it traded, `seen_at` when the source showed it to us.

    Exactly one of `volume` (this trade) and `day_volume` (cumulative count of the session) is set;
    `value` or `day_value` (venue's currency) goes with it where the source gives it.
    `day_open`, `day_high`, `day_low` are the session's so far, `previous_close` is yesterday's.
    """

    instrument: InstrumentId
    at: datetime
    seen_at: datetime
    price: float
    volume: float | None = None
    day_volume: float | None = None
    value: float | None = None
    day_value: float | None = None
    day_open: float | None = None
    day_high: float | None = None
    day_low: float | None = None
    previous_close: float | None = None
    halted: bool = False

    def __post_init__(self) -> None:
        if (self.volume is None) == (self.day_volume is None):
            raise ValueError(f"tick of {self.instrument}: give volume or day_volume, not both")


@dataclass(frozen=True, slots=True)
class Bar:
    """What traded in [start, start + timeframe): prices and value in the venue's currency.

    `is_complete` is false where we did not watch the whole slot (started in its middle).
    """

    instrument: InstrumentId
    timeframe: Timeframe
    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float
    is_complete: bool = True
