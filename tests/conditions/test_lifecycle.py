"""Tests of the lifecycle, told as stories."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.engine import Verdicts
from conditions.lifecycle import States, changed, is_firing, step
from config.condition_file import Unknown
from market.signals import LifecycleState, Phase
from tests.conditions.lives import BAR_MS, OPENING_MS, minutes, phases, run, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

    Compiled = Callable[..., Condition]


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


@pytest.mark.parametrize(
    ("changes", "when", "clear", "phases_after", "fires"),
    [
        # stays firing until it has been false for 10 minutes
        ({"keep_for": minutes(10)}, "TFFFT", "", "FFFiF", [0, 4]),
        ({"keep_for": minutes(10)}, "TFTFFFT", "", "FFFFFiF", [0, 6]),
        ({"keep_for": minutes(10)}, "TF?FFT", "", "FFFiiF", [0, 5]),
        ({"keep_for": minutes(10)}, "TF??F", "", "FFFFi", [0]),
        ({"keep_for": minutes(10), "cooldown": 30}, "TFFFFTT", "", "FFFcccF", [0, 6]),
        ({"keep_for": minutes(5)}, "TTTTT", "FTFTT", "FFFFi", [0]),
        # ends after 15 minutes though it is still true
        ({"expires": minutes(15)}, "TTTTTTTTT", "", "FFFiFFFiF", [0, 4, 8]),
        ({"expires": minutes(15)}, "TFTTT", "FFFFF", "FFFiF", [0, 4]),
        ({"expires": minutes(15)}, "T????T", "", "FFFiiF", [0, 5]),
        ({"expires": minutes(5), "cooldown": 20}, "TTTTTT", "", "FcccFc", [0, 4]),
        ({"expires": minutes(15), "keep_for": minutes(60)}, "TFFFT", "", "FFFiF", [0, 4]),
        # unknown counts as false where it can re-arm, and only there
        ({"on_unknown": Unknown.RESOLVE}, "T?TT", "", "FiFF", [0, 2]),
        ({"on_unknown": Unknown.RESOLVE}, "TTTT", "F?FF", "FiFF", [0, 2]),
        ({"on_unknown": Unknown.RESOLVE, "hold_bars": 2}, "T?T", "", "ppF", [2]),
        # tells it anew on every bar
        ({"fires_every_bar": True}, "TTFTT", "", "FFiFF", [0, 1, 3, 4]),
        ({"fires_every_bar": True}, "TT?TF", "", "FFFFi", [0, 1, 3]),
        ({"fires_every_bar": True, "hold_bars": 2}, "TTTFTT", "", "pFFipF", [1, 2, 5]),
        ({"fires_every_bar": True, "cooldown": 10}, "TTTTT", "", "FFFFF", [0, 2, 4]),
        ({"fires_every_bar": True}, "TFTTT", "FFFTF", "FFFiF", [0, 2, 4]),
        ({"fires_every_bar": True, "keep_for": minutes(10)}, "TFTF", "", "FFFF", [0, 2]),
        (
            {"fires_every_bar": True, "between": (time(9, 10), time(9, 15))},
            "TTTTT",
            "",
            "pFFFF",
            [1, 2],
        ),
    ],
)
def test_what_the_further_keys_do(
    changes: dict[str, object],
    when: str,
    clear: str,
    phases_after: str,
    fires: list[int],
    living: Compiled,
) -> None:
    condition = living(**changes)
    assert phases(condition, told(when, clear)) == phases_after
    assert run(condition, told(when, clear))[1] == fires


def lasting(condition: Condition, when: str) -> list[int]:
    """Return the places of the bars at which an unknown verdict is told."""
    states, places = States.from_mapping({}, ["x"]), []
    for place, one, clear in told(when):
        start = np.array([OPENING_MS + place * BAR_MS])
        verdicts = Verdicts(np.array([one], np.int8), np.array([clear], np.int8))
        found = step(condition, states, np.array([0]), verdicts, start, start + BAR_MS)
        states = found.states
        places += [place] * len(found.unknown)
    return places


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("T???F", [3]),
        ("T?????????", [3]),
        ("T??F???F???", [6, 10]),
        ("?????", []),
        ("?????F???", [8]),
        ("T??T??", []),
    ],
)
def test_a_verdict_that_stays_unknown_is_told_once(
    when: str, expected: list[int], living: Compiled
) -> None:
    condition = living(on_unknown=Unknown.ALERT, unknown_bars=3)
    assert lasting(condition, when) == expected
    assert lasting(living(unknown_bars=3), when) == []


def test_one_unknown_bar_may_be_enough(living: Compiled) -> None:
    condition = living(on_unknown=Unknown.ALERT, unknown_bars=1)
    assert lasting(condition, "?F??T?") == [2, 5]


def test_a_muted_condition_moves_on_without_firing(living: Compiled) -> None:
    states, starts = States.from_mapping({}, ["a", "b"]), np.array([OPENING_MS] * 2)
    verdicts = Verdicts(np.array([1, -1], np.int8), np.array([-1, 1], np.int8))
    rows, ends = np.array([0, 1]), starts + BAR_MS
    loud = step(living(), states, rows, verdicts, starts, ends)
    quiet = step(living(), states, rows, verdicts, starts, ends, is_muted=True)
    assert (loud.fired.tolist(), loud.muted.tolist()) == ([0], [])
    assert (quiet.fired.tolist(), quiet.muted.tolist()) == ([], [0])
    assert quiet.states.to_mapping(["a", "b"]) == loud.states.to_mapping(["a", "b"])


def test_who_fires_is_asked_as_of_a_bar(living: Compiled) -> None:
    states, _ = run(living(), told("FT"))
    end = OPENING_MS + 2 * BAR_MS
    assert is_firing(states, np.array([0]), end)
    assert not is_firing(states, np.array([0]), end - 1)
    assert not is_firing(states, np.array([], dtype=np.int64), end)
    assert not is_firing(run(living(), told("TF"))[0], np.array([0]), end)


def test_a_state_is_kept_when_anything_that_decides_has_changed() -> None:
    same = States.from_mapping({}, ["a", "b"])
    for change in (
        LifecycleState(Phase.PENDING),
        LifecycleState(held=1),
        LifecycleState(fired_ms=1),
        LifecycleState(clear_ms=1),
        LifecycleState(unknown=0),
    ):
        other = States.from_mapping({"b": change}, ["a", "b"])
        assert changed(same, other, 2).tolist() == [1]
    assert (
        changed(same, States.from_mapping({"b": LifecycleState(bar_ms=9)}, ["a", "b"]), 2).size == 0
    )
