"""Where a condition stands on each instrument: inactive, pending, firing, cooling.

Pure: `step` returns new states and never changes those it was given. An instrument fires when its
verdict has been true on `for` own bars and the last of them ended within `between`. It then waits
for `clear` (or, without one, for a false verdict) to hold for `keep_for`, or for `expires`, and for
its cooldown, counted from the end of the bar that fired. An unknown verdict leaves everything as it
is, unless `on_unknown` says otherwise; time goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from config.condition_file import Unknown
from market.signals import LifecycleState, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import time, timedelta

    from conditions.compile import Condition
    from conditions.engine import Verdicts
    from config.condition_file import ConditionSpec
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
    clear_ms: Array
    unknown: Array

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
            clear_ms=np.array([one.clear_ms for one in known], dtype=np.int64),
            unknown=np.array([one.unknown for one in known], dtype=np.int32),
        )

    def pick(self, rows: Array) -> States:
        """Return the states of these rows, in their order."""
        return States(*(getattr(self, one.name)[rows] for one in fields(self)))

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
                int(self.clear_ms[row]),
                int(self.unknown[row]),
            )
            for row in rows.tolist()
        }


@dataclass(frozen=True, slots=True)
class Step:
    """The states after a bar, and the rows (numbers of the panel) that fired on it.

    `muted` would have fired but were silenced. On those in `unknown` the verdict has now been
    unknown for as many bars as the owner wants to hear of, each time once. Those in `early` had
    fired on the bar while it was forming; `early_when` are their verdicts now.
    """

    states: States
    fired: Array
    muted: Array
    unknown: Array
    early: Array
    early_when: Array


def step(
    condition: Condition,
    states: States,
    rows: Array,
    verdicts: Verdicts,
    bar_starts_ms: Array,
    bar_ends_ms: Array,
    *,
    is_muted: bool = False,
) -> Step:
    """Return the states after these rows' newest bars; a bar judged before is not judged again.

    `verdicts` and the bars' starts and ends (UTC ms) are in order of `rows`.
    """
    fresh = np.flatnonzero(bar_starts_ms > states.bar_ms[rows])
    picked = rows[fresh]
    before = states.pick(picked)
    spec, when, ends = condition.spec, verdicts.when[fresh], bar_ends_ms[fresh]
    after, fires = _advance(spec, before, when, verdicts.clear[fresh], ends)
    unknown, is_long = _unknown(spec, before, when)
    after = replace(after, bar_ms=bar_starts_ms[fresh], unknown=unknown)
    fired, nothing = picked[fires], picked[:0]
    is_early = (before.phase == Phase.FIRING) & (before.fired_ms == ends)
    return Step(
        put(states, picked, after),
        nothing if is_muted else fired,
        fired if is_muted else nothing,
        picked[is_long],
        picked[is_early],
        when[is_early],
    )


def changed(before: States, after: States, hold_bars: int) -> Array:
    """Return the rows that differ in more than the bar they were judged on last.

    Bars that a verdict has held beyond `hold_bars` decide nothing, so they make no difference.
    """
    before_held, after_held = (np.minimum(one.held, hold_bars) for one in (before, after))
    return np.flatnonzero(
        (before.phase != after.phase)
        | (before_held != after_held)
        | (before.fired_ms != after.fired_ms)
        | (before.clear_ms != after.clear_ms)
        | (before.unknown != after.unknown)
    )


def is_firing(states: States, rows: Array, end_ms: int) -> bool:
    """Tell whether one of these rows fires, and began to at a bar that had ended by then."""
    firing = states.phase[rows] == Phase.FIRING
    return bool(np.any(firing & (states.fired_ms[rows] <= end_ms)))


def within(between: tuple[time, time] | None, moments: Array) -> Array:
    """Tell which moments (UTC ms) lie within these hours of the Korean day, ends included."""
    if between is None:
        return np.ones(len(moments), dtype=bool)
    clock = (moments + _KOREA_MS) % _DAY_MS
    first, last = (_of_day_ms(one) for one in between)
    if first <= last:
        return (clock >= first) & (clock <= last)
    return (clock >= first) | (clock <= last)  # over midnight


def put(states: States, rows: Array, changed: States) -> States:
    """Return the states with those of these rows in their places."""

    def written(old: Array, new: Array) -> Array:
        copy = old.copy()
        copy[rows] = new
        return copy

    names = (one.name for one in fields(states))
    return States(*(written(getattr(states, name), getattr(changed, name)) for name in names))


def _advance(
    spec: ConditionSpec, states: States, when: Array, clear: Array, ends: Array
) -> tuple[States, Array]:
    """Move each row by one bar; the second value tells which rows fire."""
    was_firing = states.phase == Phase.FIRING
    is_cool = ends >= states.fired_ms + _ms(spec.cooldown)
    rearms, clear_ms = _rearmed(spec, states, clear, ends)
    # what fired while the bar was forming, rightly, stands as if the close had fired it
    is_settled = was_firing & (states.fired_ms == ends) & (when == 1)
    rearms, clear_ms = rearms & ~is_settled, np.where(is_settled, states.clear_ms, clear_ms)
    held = np.where(when == 1, states.held + 1, np.where(when == -1, 0, states.held))
    held = np.where(rearms, 0, held)
    is_armed = ~was_firing & ((states.phase != Phase.COOLING) | is_cool)
    may_fire = is_armed
    if spec.fires_every_bar:
        is_next = states.fired_ms < ends  # it may have fired on this bar while it was forming
        may_fire = is_armed | (was_firing & ~rearms & is_cool & is_next)
    fires = may_fire & (when == 1) & (held >= spec.hold_bars) & within(spec.between, ends)
    waits = np.where(when == 1, Phase.PENDING, Phase.INACTIVE)
    phase = np.where(is_armed & (when != 0), waits, states.phase)
    phase = np.where(rearms, np.where(is_cool, Phase.INACTIVE, Phase.COOLING), phase)
    phase = np.where(fires, Phase.FIRING, phase)
    moved = replace(
        states,
        phase=phase.astype(np.int8),
        held=held.astype(np.int32),
        fired_ms=np.where(fires, ends, states.fired_ms),
        clear_ms=clear_ms,
    )
    return moved, fires


def _rearmed(spec: ConditionSpec, states: States, clear: Array, ends: Array) -> tuple[Array, Array]:
    """Return which rows stop firing, and since when the others could."""
    was_firing = states.phase == Phase.FIRING
    if spec.on_unknown is Unknown.RESOLVE:
        clear = np.where(clear == 0, 1, clear)
    is_clear = was_firing & (clear == 1)
    since = np.where(is_clear & (states.clear_ms == 0), ends, states.clear_ms)
    since = np.where(clear == -1, 0, since)
    rearms = is_clear & (ends >= since + _ms(spec.keep_for))
    if spec.expires is not None:
        rearms |= was_firing & (ends >= states.fired_ms + _ms(spec.expires))
    return rearms, np.where(rearms | ~was_firing, 0, since)


def _unknown(spec: ConditionSpec, states: States, when: Array) -> tuple[Array, Array]:
    """Return how long each verdict has been unknown, and where that is to be told now.

    What was never known, such as an indicator that warms up, does not count.
    """
    if spec.on_unknown is not Unknown.ALERT:
        return states.unknown, np.zeros(len(when), dtype=bool)
    counted = np.minimum(states.unknown + 1, spec.unknown_bars)
    longer = np.where(states.unknown < 0, states.unknown, counted)
    lasting = np.where(when == 0, longer, 0).astype(np.int32)
    return lasting, (lasting == spec.unknown_bars) & (states.unknown < spec.unknown_bars)


def _ms(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)


def _of_day_ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000
