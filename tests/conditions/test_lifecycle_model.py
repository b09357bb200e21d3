"""Tests of the lifecycle against a plain model of it, and across restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.engine import Verdicts
from conditions.lifecycle import States, step
from config.condition_file import Unknown
from market.signals import LifecycleState, Phase
from market.types import from_ms
from tests.conditions.lives import BAR_MS, OPENING_MS, minutes, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conditions.compile import Condition
    from config.condition_file import ConditionSpec

    Compiled = Callable[..., Condition]

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=400)


def model(
    spec: ConditionSpec, state: LifecycleState, start: int, when: int, clear: int
) -> tuple[LifecycleState, bool]:
    """Return what one bar makes of one state, told plainly, and whether it fires."""
    if start <= state.bar_ms:
        return state, False
    end = start + BAR_MS
    state = replace(state, bar_ms=start, unknown=model_unknown(spec, state, when))
    is_over = end - state.fired_ms >= spec.cooldown.total_seconds() * 1000
    if state.phase is Phase.FIRING:
        state, has_ended = model_end(spec, state, end, clear)
        if has_ended:
            phase = Phase.INACTIVE if is_over else Phase.COOLING
            return replace(state, phase=phase, held=0, clear_ms=0), False
    if when == 0:
        return state, False
    return model_known(spec, replace(state, held=state.held + 1 if when == 1 else 0), end, is_over)


def model_known(
    spec: ConditionSpec,
    state: LifecycleState,
    end: int,
    is_over: bool,
) -> tuple[LifecycleState, bool]:
    """Return what a known verdict makes of a state that goes on as it was."""
    is_waiting = state.phase is Phase.COOLING and not is_over
    is_done = state.phase is Phase.FIRING and not (spec.fires_every_bar and is_over)
    if is_waiting or is_done:
        return state, False
    if state.held >= spec.hold_bars and is_open(spec, end):
        return replace(state, phase=Phase.FIRING, fired_ms=end), True
    if state.phase is Phase.FIRING:
        return state, False
    return replace(state, phase=Phase.PENDING if state.held else Phase.INACTIVE), False


def model_end(
    spec: ConditionSpec, state: LifecycleState, end: int, clear: int
) -> tuple[LifecycleState, bool]:
    """Return a firing state with since when it is clear, and whether it stops firing."""
    if spec.expires is not None and end - state.fired_ms >= spec.expires.total_seconds() * 1000:
        return state, True
    if clear == 0 and spec.on_unknown is Unknown.RESOLVE:
        clear = 1
    if clear == -1:
        return replace(state, clear_ms=0), False
    if clear == 0:
        return state, False
    state = replace(state, clear_ms=state.clear_ms or end)
    return state, end - state.clear_ms >= spec.keep_for.total_seconds() * 1000


def model_unknown(spec: ConditionSpec, state: LifecycleState, when: int) -> int:
    """Return how many bars the verdict has been unknown, -1 before it was ever known."""
    if spec.on_unknown is not Unknown.ALERT:
        return state.unknown
    if when != 0:
        return 0
    return -1 if state.unknown == -1 else min(state.unknown + 1, spec.unknown_bars)


def is_open(spec: ConditionSpec, end: int) -> bool:
    """Tell whether a bar that ends then lies in the hours of the condition."""
    if spec.between is None:
        return True
    at = (from_ms(end) + timedelta(hours=9)).time()
    return spec.between[0] <= at <= spec.between[1]


LENGTHS = st.sampled_from([0, 5, 12, 30]).map(minutes)
CONDITIONS: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "bars": st.integers(1, 3),
        "cooldown": st.sampled_from([0, 5, 12, 30]),
        "between": st.sampled_from([None, (time(9, 10), time(9, 40))]),
    },
    optional={
        "keep_for": LENGTHS,
        "expires": LENGTHS.filter(bool),
        "on_unknown": st.sampled_from(Unknown),
        "unknown_bars": st.integers(1, 3),
        "fires_every_bar": st.booleans(),
    },
)
VERDICT = st.sampled_from([-1, 0, 1, 1])
STORIES = st.lists(
    st.lists(st.tuples(st.booleans(), VERDICT, VERDICT), min_size=3, max_size=3), max_size=20
)
"""For every slot and each of three instruments: does it trade, and with which verdicts."""


@STEADY
@given(CONDITIONS, STORIES)
def test_many_rows_at_once_do_what_the_plain_model_does(
    living: Compiled,
    condition: dict[str, object],
    story: Sequence[Sequence[tuple[bool, int, int]]],
) -> None:
    chosen, names = living(**condition), ["a", "b", "c"]
    states, plain = States.from_mapping({}, names), dict.fromkeys(names, LifecycleState())
    for place, slot in enumerate(story):
        start = OPENING_MS + place * BAR_MS
        rows = np.array([row for row, (trades, _, _) in enumerate(slot) if trades], dtype=np.int64)
        whens, clears = (np.array([slot[row][side] for row in rows], np.int8) for side in (1, 2))
        starts = np.full(len(rows), start)
        found = step(chosen, states, rows, Verdicts(whens, clears), starts, starts + BAR_MS)
        states, fired = found.states, []
        for row in rows.tolist():
            after = model(chosen.spec, plain[names[row]], start, slot[row][1], slot[row][2])
            plain[names[row]] = after[0]
            fired += [row] if after[1] else []
        assert found.fired.tolist() == fired
        assert states.to_mapping(names) == {
            name: state for name, state in plain.items() if state.bar_ms
        }


@STEADY
@given(CONDITIONS, st.lists(st.tuples(VERDICT, VERDICT), min_size=1, max_size=30), st.data())
def test_a_restart_anywhere_gives_the_same_fires(
    living: Compiled,
    condition: dict[str, object],
    story: list[tuple[int, int]],
    data: st.DataObject,
) -> None:
    chosen = living(**condition)
    bars = [(place, *pair) for place, pair in enumerate(story)]
    whole, fires = run(chosen, bars)
    cut = data.draw(st.integers(0, len(bars)))
    before, first = run(chosen, bars[:cut])
    kept = before.to_mapping(["KRX:005930"])
    after, rest = run(chosen, bars[max(cut - 3, 0) :], States.from_mapping(kept, ["KRX:005930"]))
    assert first + rest == fires
    assert after.to_mapping(["x"]) == whole.to_mapping(["x"])
