"""Why a condition fires on an instrument or does not: its tree with every value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import Verdicts, evaluate, evaluate_columns
from conditions.forming import as_seen
from conditions.lifecycle import States, step
from conditions.spot import Spot
from conditions.tree import branch, in_a_row
from conditions.waits import Standing, waits
from market.signals import LifecycleState, Phase
from market.types import Verdict, from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.tree import Branch
    from conditions.waits import Moment, Wait
    from market.panel import Panel
    from market.types import InstrumentId, Timeframe


@dataclass(frozen=True, slots=True)
class Why:
    """Why a condition fires on an instrument's newest bar, or does not.

    `verdict` is that of `when`, `state` the standing after the bar, `fires` whether the condition
    fired on it. `held` is how many own bars in a row `when` has been true. `bar_start` is None
    where there is no bar. With `is_forming` the bar has not closed yet: all of it may change.
    """

    condition: str
    instrument: InstrumentId
    timeframe: Timeframe
    bar_start: datetime | None
    close: float
    verdict: Verdict
    when: Branch
    clear: Branch | None
    held: int
    state: LifecycleState
    fires: bool
    waits: tuple[Wait, ...]
    is_forming: bool = False


def why(condition: Condition, panel: Panel, row: int, state: LifecycleState, moment: Moment) -> Why:
    """Return the reasons for what the condition does on a row's newest bar.

    `state` may be from before that bar or from after it.
    """
    seen_ms = to_ms(moment.now) if moment.is_forming else 0
    condition = as_seen(condition, seen_ms)
    verdicts = evaluate(condition, panel, np.array([row], dtype=np.int64))
    start_ms = int(panel.starts[row, -1])
    end_ms = start_ms + int(panel.timeframe.length.total_seconds() * 1000)
    after, is_fresh = stepped(condition, state, verdicts, start_ms, end_ms)
    if moment.is_forming:  # only what has fired is in force before the close
        after, is_fresh = replace(state, held=after.held), state.fired_ms == end_ms
    verdict = Verdict(int(verdicts.when[0]))
    standing = Standing(condition, panel, row, verdict, after, start_ms, end_ms, seen_ms)
    view = condition.view(panel, np.array([row], dtype=np.int64))
    spot = Spot(view, is_missing=bool(panel.missing[row]))
    return Why(
        condition=condition.name,
        instrument=panel.instruments[row],
        timeframe=panel.timeframe,
        bar_start=from_ms(start_ms) if start_ms else None,
        close=float(panel.close[row, -1]),
        verdict=verdict,
        when=branch(condition.when, spot),
        clear=branch(condition.clear, spot) if condition.clear is not None else None,
        held=_held(condition, panel, row),
        state=after,
        fires=is_fresh and not moment.muted_by,
        waits=waits(standing, moment),
        is_forming=moment.is_forming,
    )


def stepped(
    condition: Condition, state: LifecycleState, verdicts: Verdicts, start_ms: int, end_ms: int
) -> tuple[LifecycleState, bool]:
    """Return the state after the bar that starts then, and whether the condition fired on it.

    A state that has seen the bar stays as it is. Silence by another condition is left out.
    """
    if start_ms <= state.bar_ms:
        return state, state.phase is Phase.FIRING and state.fired_ms == end_ms
    states = States.from_mapping({"": state}, [""])
    start, end = (np.array([at], dtype=np.int64) for at in (start_ms, end_ms))
    found = step(condition, states, np.array([0]), verdicts, start, end)
    return found.states.to_mapping([""], np.array([0]))[""], bool(len(found.fired))


def replayed(condition: Condition, panel: Panel, row: int) -> LifecycleState:
    """Return the state after all bars that the panel holds of a row, begun before the first."""
    count = int(panel.counts[row])
    state = LifecycleState()
    if not count:
        return state
    columns = evaluate_columns(condition, panel, np.array([row], dtype=np.int64), count)
    starts = panel.starts[row, panel.depth - count :].tolist()
    length_ms = int(panel.timeframe.length.total_seconds() * 1000)
    for place, start in enumerate(starts):
        verdicts = Verdicts(columns.when[:, place], columns.clear[:, place])
        state, _ = stepped(condition, state, verdicts, start, start + length_ms)
    return state


def _held(condition: Condition, panel: Panel, row: int) -> int:
    count = int(panel.counts[row])
    if not count:
        return 0
    verdicts = evaluate_columns(condition, panel, np.array([row], dtype=np.int64), count).when[0]
    return in_a_row(verdicts)
