"""What the raw record keeps: sweeps, candles as they form, what charts told, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from market.types import Bar, InstrumentId, Tick, Timeframe

CALLS = ("ticks", "updates", "bars", "days")
"""What a source is asked for, as an error names it."""


class Forming(Protocol):
    """Port. A candle as a source tells it: the bar, when it changed and when we saw that."""

    @property
    def bar(self) -> Bar:
        """Return the candle as it stands."""
        ...

    @property
    def at(self) -> datetime:
        """Return when it last changed by the venue's clock."""
        ...

    @property
    def seen_at(self) -> datetime:
        """Return when that was shown to us."""
        ...


@dataclass(frozen=True, slots=True)
class Candle:
    """A recorded candle as it stood `at` (the venue's time), shown to us at `seen_at`."""

    bar: Bar
    at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Sweep:
    """One answer to "what is the newest price of these", in order of instrument ids.

    `at`, here and below, is the market's time when it was recorded. `is_whole` is false after a
    damaged place of the file: ticks that it may have changed are left out until all is told again.
    """

    source: str
    at: datetime
    ticks: tuple[Tick, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Candles:
    """What had changed in forming candles."""

    source: str
    at: datetime
    candles: tuple[Candle, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a venue's chart told of an instrument: its bars with start <= bar.start < end."""

    source: str
    at: datetime
    instrument: InstrumentId
    timeframe: Timeframe
    start: datetime
    end: datetime
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A source gave no usable answer to a call (of `CALLS`).

    `about` is the instrument, of a sweep its venue. `is_changed` tells a changed layout from a
    source that only could not be had.
    """

    source: str
    at: datetime
    call: str
    about: str
    is_changed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Break:
    """Nothing was recorded between `since` and `at`, and why: a start, a full disk."""

    at: datetime
    since: datetime
    text: str
    source: str = ""


Event: TypeAlias = Sweep | Candles | Told | Failure | Break
