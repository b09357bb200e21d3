"""Signals: the fact that a condition fired, why, and the snapshot it was decided on."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from market.types import InstrumentId, Timeframe, Verdict


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison of a condition with the values of its sides.

    `text` is the comparison as written; `unit` is `ratio`, `price`, `volume`, `value`, `points`,
    `time` (minutes), `clock` (minutes since midnight) or `` and tells how the values are shown. NaN
    means unknown. `held_at` is when the bar began whose values these are where that is an earlier
    one: the last on which something held that had to hold within some bars.
    """

    text: str
    left: float
    operator: str
    right: float
    unit: str
    verdict: Verdict
    held_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a condition has its verdict on one instrument's newest bar: its leaves in order."""

    verdict: Verdict
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last bars a decision saw, oldest first; all tuples have the same length.

    `starts` are UTC milliseconds; `overlays` are named price series of the condition for a chart.
    """

    timeframe: Timeframe
    starts: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]
    overlays: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """A condition fired on an instrument's bar; `fired_at` is market time, `price` the bar's close.

    `id` is deterministic, `condition:version:instrument:bar start in ms`, so that the same firing
    can never be recorded twice. With `is_intrabar` the bar was still forming, and `price` is what
    it stood at; `has_held` tells whether the condition held at its close (None: not told so far).
    """

    id: str
    condition: str
    version: str
    instrument: InstrumentId
    timeframe: Timeframe
    bar_start: datetime
    fired_at: datetime
    price: float
    explanation: Explanation
    snapshot: Snapshot
    is_late: bool = False
    is_intrabar: bool = False
    has_held: bool | None = None

    @property
    def reference(self) -> str:
        """Return the short name of the signal, which fits into a button."""
        return reference_of(self.id)


def signal_id(condition: str, version: str, instrument: InstrumentId, start_ms: int) -> str:
    """Return the id of what a version of a condition fires on the bar that starts then."""
    return f"{condition}:{version}:{instrument}:{start_ms}"


def reference_of(signal_id: str) -> str:
    """Return ten letters and digits that stand for the signal with this id."""
    digest = hashlib.sha256(signal_id.encode()).digest()
    return b32encode(digest).decode()[:10].lower()


class Phase(IntEnum):
    """Where a condition stands on one instrument."""

    INACTIVE = 0
    PENDING = 1
    FIRING = 2
    COOLING = 3


@dataclass(frozen=True, slots=True)
class LifecycleState:
    """A condition's standing on one instrument, as it survives a restart.

    `held` counts the instrument's own bars the verdict has been true in a row; `fired_ms` is the
    end (UTC ms) of the bar that fired last (0: never), `bar_ms` the start of the last judged one.
    `clear_ms` is the end of the bar since which it could stop firing (0: it could not), `unknown`
    counts own bars with an unknown verdict in a row, -1 before the first known one. Only conditions
    that ask for it keep these two.
    """

    phase: Phase = Phase.INACTIVE
    held: int = 0
    fired_ms: int = 0
    bar_ms: int = 0
    clear_ms: int = 0
    unknown: int = -1
