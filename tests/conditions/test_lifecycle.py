"""Tests of the lifecycle: told stories, a plain model to compare with, and restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.engine import Verdicts
from conditions.lifecycle import States, step
from market.signals import LifecycleState, Phase
from market.types import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conditions.compile import Condition
    from config.condition_file import ConditionSpec

    Compiled = Callable[..., Condition]

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=200)
BAR_MS = 300_000
OPENING_MS = 1_767_571_200_000
"""2026-01-05 09:00 in Seoul."""
LETTERS = {"T": 1, "F": -1, "?": 0}
PHASES = {Phase.INACTIVE: "i", Phase.PENDING: "p", Phase.FIRING: "F", Phase.COOLING: "c"}

Bars = list[tuple[int, int, int]]
"""Places (5-minute slots from the opening), verdicts of `when`, verdicts of `clear`."""


def told(when: str, clear: str = "") -> Bars:
    """Return one bar a letter; without `clear` it is the opposite of `when`."""
    verdicts = [LETTERS[letter] for letter in when]
    clears = [LETTERS[letter] for letter in clear] if clear else [-one for one in verdicts]
    return [(place, *pair) for place, pair in enumerate(zip(verdicts, clears, strict=True))]


def run(condition: Condition, bars: Bars, states: States | None = None) -> tuple[States, list[int]]:
    """Step one instrument through bars; return its last states and the places that fired."""
    states = states or States.from_mapping({}, ["KRX:005930"])
    fires = []
    for place, when, clear in bars:
        start = np.array([OPENING_MS + place * BAR_MS])
        verdicts = Verdicts(np.array([when], np.int8), np.array([clear], np.int8))
        found = step(condition, states, np.array([0]), verdicts, start, start + BAR_MS)
        states = found.states
        fires += [place] * len(found.fired)
    return states, fires


def phases(condition: Condition, bars: Bars) -> str:
    """Return the phase after each bar as a letter; a capital F is firing."""
    states, shown = States.from_mapping({}, ["KRX:005930"]), ""
    for one in bars:
        states, _ = run(condition, [one], states)
        shown += PHASES[Phase(int(states.phase[0]))]
    return shown


@pytest.fixture(scope="session")
def living(compiled: Compiled) -> Callable[..., Condition]:
    """Return a maker of conditions of which only the lifecycle matters."""
    plain = compiled("close > 0")

    def make(
        bars: int = 1, cooldown: int = 0, between: tuple[time, time] | None = None
    ) -> Condition:
        spec = replace(
            plain.spec, hold_bars=bars, cooldown=timedelta(minutes=cooldown), between=between
        )
        return replace(plain, spec=spec)

    return make


@pytest.mark.parametrize(
    ("bars", "cooldown", "when", "clear", "expected"),
    [
        (1, 0, "FTTFT", "", "iFFiF"),
        (3, 0, "TTFTTTT", "", "ppippFF"),
        (3, 0, "TT?T", "", "pppF"),
        (1, 0, "?T?F?T", "", "iFFiiF"),
        (1, 0, "TFFTT", "FFFFT", "FFFFi"),
        (1, 0, "TFTFT", "FF?TF", "FFFiF"),
        (2, 0, "TTTTT", "FFTFF", "pFipF"),
        (1, 15, "TFTTT", "", "FccFF"),
        (1, 15, "TFFFF", "", "Fccii"),
        (1, 15, "TTTTTFT", "", "FFFFFiF"),
        (2, 20, "TTFTTTT", "", "pFcccFF"),
        (1, 15, "TF???T", "", "FccccF"),
    ],
)
def test_phases_after_each_bar(
    bars: int, cooldown: int, when: str, clear: str, expected: str, living: Compiled
) -> None:
    assert phases(living(bars, cooldown), told(when, clear)) == expected


def test_it_fires_once_until_it_was_cleared(living: Compiled) -> None:
    when, clear = "TTTTFFFTTT", "FFFFFTFFFF"
    assert run(living(cooldown=10), told(when, clear))[1] == [0, 7]
    assert run(living(cooldown=10), told(when, "F" * 10))[1] == [0]


def test_cooldown_is_counted_from_the_end_of_the_bar_that_fired(living: Compiled) -> None:
    assert run(living(cooldown=30), told("TFTTTTTT"))[1] == [0, 6]
    assert run(living(cooldown=31), told("TFTTTTTT"))[1] == [0, 7]
    assert run(living(cooldown=31), [*told("TF"), (7, 1, -1)])[1] == [0, 7]


def test_it_fires_only_for_bars_that_end_within_its_hours(living: Compiled) -> None:
    condition = living(between=(time(9, 10), time(9, 20)))
    assert run(condition, told("TT"))[1] == [1]
    assert run(condition, told("FFFT"))[1] == [3]
    assert run(condition, told("FFFFT"))[1] == []
    assert phases(condition, told("FFFFTT")) == "iiiipp"
    assert phases(condition, told("FTTTTF")) == "iFFFFi"


def test_hours_may_go_over_midnight(living: Compiled) -> None:
    condition = living(between=(time(23, 0), time(9, 5)))
    assert run(condition, told("TT"))[1] == [0]
    assert run(condition, told("FT"))[1] == []


def test_a_bar_is_never_judged_twice(living: Compiled) -> None:
    condition = living()
    states, _ = run(condition, told("TF"))
    assert run(condition, [(1, 1, -1), (0, 1, -1)], states)[1] == []
    again, fires = run(condition, [(2, 1, -1)], states)
    assert fires == [2]
    assert again.bar_ms.tolist() == [OPENING_MS + 2 * BAR_MS]


def test_step_changes_nothing_it_was_given(living: Compiled) -> None:
    states = States.from_mapping({}, ["a", "b"])
    before = states.to_mapping(["a", "b"])
    start = np.array([OPENING_MS])
    verdicts = Verdicts(np.array([1], np.int8), np.array([-1], np.int8))
    once = step(living(), states, np.array([1]), verdicts, start, start + BAR_MS)
    twice = step(living(), states, np.array([1]), verdicts, start, start + BAR_MS)
    assert once.fired.tolist() == twice.fired.tolist() == [1]
    assert states.to_mapping(["a", "b"]) == before == {}
    assert once.states.to_mapping(["a", "b"]) == {
        "b": LifecycleState(Phase.FIRING, 1, OPENING_MS + BAR_MS, OPENING_MS)
    }


def model(
    spec: ConditionSpec, state: LifecycleState, start: int, when: int, clear: int
) -> tuple[LifecycleState, bool]:
    """Return what one bar makes of one state, told plainly, and whether it fires."""
    if start <= state.bar_ms:
        return state, False
    state, end = replace(state, bar_ms=start), start + BAR_MS
    is_over = end - state.fired_ms >= spec.cooldown.total_seconds() * 1000
    if state.phase is Phase.FIRING and clear == 1:
        return replace(state, phase=Phase.INACTIVE if is_over else Phase.COOLING, held=0), False
    if when == 0:
        return state, False
    state = replace(state, held=state.held + 1 if when == 1 else 0)
    if state.phase is Phase.FIRING or (state.phase is Phase.COOLING and not is_over):
        return state, False
    if when == 1 and state.held >= spec.hold_bars and is_open(spec, end):
        return replace(state, phase=Phase.FIRING, fired_ms=end), True
    return replace(state, phase=Phase.PENDING if when == 1 else Phase.INACTIVE), False


def is_open(spec: ConditionSpec, end: int) -> bool:
    """Tell whether a bar that ends then lies in the hours of the condition."""
    if spec.between is None:
        return True
    at = (from_ms(end) + timedelta(hours=9)).time()
    return spec.between[0] <= at <= spec.between[1]


CONDITIONS = st.tuples(
    st.integers(1, 3),
    st.sampled_from([0, 5, 12, 30]),
    st.sampled_from([None, (time(9, 10), time(9, 40))]),
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
    condition: tuple[int, int, tuple[time, time] | None],
    story: Sequence[Sequence[tuple[bool, int, int]]],
) -> None:
    chosen, names = living(*condition), ["a", "b", "c"]
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
    condition: tuple[int, int, tuple[time, time] | None],
    story: list[tuple[int, int]],
    data: st.DataObject,
) -> None:
    chosen = living(*condition)
    bars = [(place, *pair) for place, pair in enumerate(story)]
    whole, fires = run(chosen, bars)
    cut = data.draw(st.integers(0, len(bars)))
    before, first = run(chosen, bars[:cut])
    kept = before.to_mapping(["KRX:005930"])
    after, rest = run(chosen, bars[max(cut - 3, 0) :], States.from_mapping(kept, ["KRX:005930"]))
    assert first + rest == fires
    assert after.to_mapping(["x"]) == whole.to_mapping(["x"])
