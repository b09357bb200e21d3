"""Conditions that silence others while they fire, both judged on the same slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import is_firing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.lifecycle import Step
    from engine.series import Watch
    from market.panel import Panel

Judged = tuple["Watch", "Step"]
"""A condition and its step on the slot that is being judged."""


def muters_first(watches: Sequence[Watch]) -> list[Watch]:
    """Return the watches with those that silence before those that are silenced."""
    named = {watch.condition.name: watch for watch in watches}

    def depth(watch: Watch) -> int:
        chain = [watch.condition.name]
        muting = watch.condition.spec.muted_by
        while muting is not None and (name := muting.condition.text) in named:
            if name in chain:
                break
            chain.append(name)
            muting = named[name].condition.spec.muted_by
        return len(chain)

    return sorted(watches, key=depth)


def is_muted(watch: Watch, judged: Mapping[str, Judged], panel: Panel, end_ms: int) -> bool:
    """Tell whether the condition that silences this one fires as of a bar's end.

    One that is not judged at this venue, or is switched off, silences nobody.
    """
    muting = watch.condition.spec.muted_by
    if muting is None or muting.condition.text not in judged:
        return False
    muter, step = judged[muting.condition.text]
    rows = muter.rows
    if muting.instrument is not None:
        row = panel.row(muting.instrument) if panel.has(muting.instrument) else -1
        rows = np.intersect1d(rows, [row])
    return is_firing(step.states, rows, end_ms)
