"""Conditions on bars that are still forming: what they see, and what fires before the close."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import Step, put, step, within
from market.signals import Phase

if TYPE_CHECKING:
    from conditions.compile import Condition
    from conditions.engine import Verdicts
    from conditions.lifecycle import Array, States


def as_seen(condition: Condition, seen_ms: int) -> Condition:
    """Return a condition for bars that were seen up to a moment and may not be over.

    Its clock shows that moment, and of longer bars those count that had closed by then.
    """
    return replace(condition, reference=replace(condition.reference, seen_ms=seen_ms))


def step_forming(
    condition: Condition,
    states: States,
    rows: Array,
    verdicts: Verdicts,
    bar_starts_ms: Array,
    bar_ends_ms: Array,
    seen_ms: int,
    *,
    is_muted: bool = False,
) -> Step:
    """Return what would fire if these rows' forming bars closed as they stand.

    What fires stands as firing since the bar's end, so that it does not fire on this bar again.
    Nothing else moves before the close: no count, nothing that clears. Hours and cooldown must
    allow it at the moment up to which the bars were seen too.
    """
    closed = step(condition, states, rows, verdicts, bar_starts_ms, bar_ends_ms, is_muted=is_muted)
    moments = np.full(len(closed.fired), seen_ms, dtype=np.int64)
    cooldown_ms = int(condition.spec.cooldown.total_seconds() * 1000)
    is_cool = moments >= states.fired_ms[closed.fired] + cooldown_ms
    fired, nothing = closed.fired[is_cool & within(condition.spec.between, moments)], rows[:0]
    firing = replace(
        states.pick(fired),
        phase=np.full(len(fired), Phase.FIRING, dtype=states.phase.dtype),
        fired_ms=closed.states.fired_ms[fired],
    )
    return Step(
        states=put(states, fired, firing),
        fired=fired,
        muted=nothing,
        unknown=nothing,
        early=nothing,
        early_when=nothing,
    )
