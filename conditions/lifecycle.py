"""Where a condition stands on each instrument: inactive, pending, firing, cooling.

Pure: `step` returns new states and never changes those it was given. An instrument fires when its
verdict has been true on `for` own bars and the last of them ended within `between`. It then waits
for `clear` (or, without one, for a false verdict), and for its cooldown, counted from the end of
the bar that fired. An unknown verdict leaves everything as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from market.signals import LifecycleState, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import time

    from conditions.compile import Condition
    from conditions.engine import Verdicts
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]

_DAY_MS = 86_400_000
_KOREA_MS = 9 * 3_600_000
"""Korea is nine hours ahead of UTC all year."""


@dataclass(frozen=True, slots=True)
class States:
    """The standing of many instruments, one a row; fields as in LifecycleState."""

    phase: Array
    held: Array
    fired_ms: Array
    bar_ms: Array

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[InstrumentId, LifecycleState], instruments: Sequence[InstrumentId]
    ) -> States:
        """Return the states in order of `instruments`, inactive where the mapping has none."""
        fresh = LifecycleState()
        known = [mapping.get(instrument, fresh) for instrument in instruments]
        return cls(
            phase=np.array([one.phase for one in known], dtype=np.int8),
            held=np.array([one.held for one in known], dtype=np.int32),
            fired_ms=np.array([one.fired_ms for one in known], dtype=np.int64),
            bar_ms=np.array([one.bar_ms for one in known], dtype=np.int64),
        )

    def to_mapping(
        self, instruments: Sequence[InstrumentId], rows: Array | None = None
    ) -> dict[InstrumentId, LifecycleState]:
        """Return the states of these rows, by default of those that were ever judged."""
        rows = np.flatnonzero(self.bar_ms) if rows is None else rows
        return {
            instruments[row]: LifecycleState(
                Phase(int(self.phase[row])),
                int(self.held[row]),
                int(self.fired_ms[row]),
                int(self.bar_ms[row]),
            )
            for row in rows.tolist()
        }


@dataclass(frozen=True, slots=True)
class Step:
    """The states after a bar, and the rows (numbers of the panel) that fired on it."""

    states: States
    fired: Array


def step(
    condition: Condition,
    states: States,
    rows: Array,
    verdicts: Verdicts,
    bar_starts_ms: Array,
    bar_ends_ms: Array,
) -> Step:
    """Return the states after these rows' newest bars; a bar judged before is not judged again.

    `verdicts` and the bars' starts and ends (UTC ms) are in order of `rows`.
    """
    fresh = np.flatnonzero(bar_starts_ms > states.bar_ms[rows])
    picked = rows[fresh]
    before = _pick(states, picked)
    after, fires = _advance(
        condition, before, verdicts.when[fresh], verdicts.clear[fresh], bar_ends_ms[fresh]
    )
    after = replace(after, bar_ms=bar_starts_ms[fresh])
    return Step(_put(states, picked, after), picked[fires])


def changed(before: States, after: States, hold_bars: int) -> Array:
    """Return the rows that differ in more than the bar they were judged on last.

    Bars that a verdict has held beyond `hold_bars` decide nothing, so they make no difference.
    """
    before_held, after_held = (np.minimum(one.held, hold_bars) for one in (before, after))
    return np.flatnonzero(
        (before.phase != after.phase)
        | (before_held != after_held)
        | (before.fired_ms != after.fired_ms)
    )


def _advance(
    condition: Condition, states: States, when: Array, clear: Array, ends: Array
) -> tuple[States, Array]:
    """Move each row by one bar; the second value tells which rows fire."""
    spec = condition.spec
    cooldown_ms = int(spec.cooldown.total_seconds() * 1000)
    was_firing = states.phase == Phase.FIRING
    is_cool = ends >= states.fired_ms + cooldown_ms
    rearms = was_firing & (clear == 1)
    held = np.where(when == 1, states.held + 1, np.where(when == -1, 0, states.held))
    held = np.where(rearms, 0, held)
    is_known = when != 0
    is_armed = ~was_firing & ((states.phase != Phase.COOLING) | is_cool)
    fires = is_armed & (when == 1) & (held >= spec.hold_bars) & _within(spec.between, ends)
    waits = np.where(when == 1, Phase.PENDING, Phase.INACTIVE)
    phase = np.where(is_armed & is_known, waits, states.phase)
    phase = np.where(rearms, np.where(is_cool, Phase.INACTIVE, Phase.COOLING), phase)
    phase = np.where(fires, Phase.FIRING, phase)
    moved = States(
        phase.astype(np.int8),
        held.astype(np.int32),
        np.where(fires, ends, states.fired_ms),
        states.bar_ms,
    )
    return moved, fires


def _within(between: tuple[time, time] | None, ends: Array) -> Array:
    """Tell which bars end within these hours of the Korean day, both ends included."""
    if between is None:
        return np.ones(len(ends), dtype=bool)
    clock = (ends + _KOREA_MS) % _DAY_MS
    first, last = (_of_day_ms(one) for one in between)
    if first <= last:
        return (clock >= first) & (clock <= last)
    return (clock >= first) | (clock <= last)  # over midnight


def _of_day_ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000


def _pick(states: States, rows: Array) -> States:
    return States(states.phase[rows], states.held[rows], states.fired_ms[rows], states.bar_ms[rows])


def _put(states: States, rows: Array, changed: States) -> States:
    def put(old: Array, new: Array) -> Array:
        copy = old.copy()
        copy[rows] = new
        return copy

    return States(
        put(states.phase, changed.phase),
        put(states.held, changed.held),
        put(states.fired_ms, changed.fired_ms),
        put(states.bar_ms, changed.bar_ms),
    )
