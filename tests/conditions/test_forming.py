"""Tests of what conditions do on bars that are still forming."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_condition
from conditions.engine import Verdicts, evaluate
from conditions.forming import as_seen, step_forming
from conditions.lifecycle import States, step
from config.condition_file import Unknown
from config.condition_reader import parse_condition
from market.panel import Panel
from market.signals import LifecycleState, Phase
from market.types import Bar, Timeframe, from_ms
from tests.conditions.lives import BAR_MS, LETTERS, OPENING_MS, PHASES, minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conditions.compile import Condition
    from conditions.lifecycle import Array

    Compiled = Callable[..., Condition]

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=300)
SAMSUNG = "KRX:005930"


class Life:
    """One instrument under one condition; each bar is told as it forms, then as it closes.

    `TF-T` is true, then false, and true at the close.
    """

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.states = States.from_mapping({}, [SAMSUNG])
        self.fired: list[str] = []
        self.early: list[tuple[int, int]] = []
        self.place = 0

    def go(self, told: str, clears: str = "") -> str:
        """Live through bars; return the phase after each verdict, bars separated by spaces."""
        shown = []
        for bar, clear in zip(told.split(), clears.split() or told.split(), strict=True):
            opposite = -1 if not clears else 1
            *forming, closing = [LETTERS[one] for one in bar.replace("-", "")]
            *cleared, clears_at = [LETTERS[one] * opposite for one in clear.replace("-", "")]
            phases = ""
            for number, pair in enumerate(zip(forming, cleared, strict=True)):
                seen = self.start + (number + 1) * BAR_MS // (len(forming) + 1)
                phases += self._form(*pair, seen)
            shown.append(phases + self._close(closing, clears_at))
            self.place += 1
        return " ".join(shown)

    @property
    def start(self) -> int:
        return OPENING_MS + self.place * BAR_MS

    def state(self) -> LifecycleState:
        return self.states.to_mapping([SAMSUNG], np.array([0]))[SAMSUNG]

    def _form(self, when: int, clear: int, seen_ms: int) -> str:
        found = step_forming(self.condition, *self._bar(when, clear), seen_ms)
        if len(found.fired):
            self.fired.append(f"{self.place} early")
        return self._take(found.states)

    def _close(self, when: int, clear: int) -> str:
        found = step(self.condition, *self._bar(when, clear))
        if len(found.fired):
            self.fired.append(f"{self.place}")
        self.early += [(self.place, int(one)) for one in found.early_when]
        return self._take(found.states)

    def _bar(self, when: int, clear: int) -> tuple[States, Array, Verdicts, Array, Array]:
        start = np.array([self.start])
        verdicts = Verdicts(np.array([when], np.int8), np.array([clear], np.int8))
        return self.states, np.array([0]), verdicts, start, start + BAR_MS

    def _take(self, states: States) -> str:
        self.states = states
        return PHASES[Phase(int(states.phase[0]))]


def test_it_fires_while_the_bar_forms_and_not_again_at_its_close(living: Compiled) -> None:
    life = Life(living())
    assert life.go("FTTFT-T T-T F-F T-F") == "iFFFFF FF Fi Fi"
    assert life.fired == ["0 early", "3 early"]
    assert life.early == [(0, 1), (3, -1)]


def test_what_is_gone_at_the_close_is_over_as_after_any_false_bar(living: Compiled) -> None:
    life = Life(living(cooldown=10))
    assert life.go("T-F T-T T-T T-T") == "Fc cc cF FF"
    assert life.fired == ["0 early", "2"], "the cooldown ends with the bar at whose close it fires"


def test_nothing_but_firing_moves_before_the_close(living: Compiled) -> None:
    life = Life(living(2))
    assert life.go("T-F TTT-T F-F") == "ii iiip pi"
    assert life.state().held == 0
    assert life.fired == []


def test_the_forming_bar_counts_as_the_last_of_those_it_must_hold(living: Compiled) -> None:
    life = Life(living(2))
    assert life.go("T-T T-T") == "ip FF"
    assert life.fired == ["1 early"]
    assert life.state().held == 2
    assert life.go("F-F") == "Fi"


def test_fire_every_bar_is_once_a_bar(living: Compiled) -> None:
    life = Life(living(fires_every_bar=True))
    life.go("TTT-T F-T TF-F T-T")
    assert life.fired == ["0 early", "1", "2 early", "3 early"]


def test_every_bar_keeps_its_cooldown_by_the_clock(living: Compiled) -> None:
    life = Life(living(fires_every_bar=True, cooldown=10))
    life.go("T-T TTTT-T TTTT-T TTTT-T")
    assert life.fired == ["0 early", "2"]


def test_hours_count_now_and_at_the_end_of_the_bar(living: Compiled) -> None:
    late = Life(living(between=(time(9, 5), time(9, 10))))
    late.go("TTT-F TTT-T T-F TT-T")
    assert late.fired == ["1 early"], "the first bar ends within the hours but forms before them"
    soon = Life(living(between=(time(9, 0), time(9, 8))))
    soon.go("F-F T-T")
    assert soon.fired == [], "the second bar ends after the hours"


def test_a_firing_expires_at_a_close(living: Compiled) -> None:
    life = Life(living(expires=minutes(10)))
    assert life.go("T-T TT-T TT-T TT-T") == "FF FFF FFi FFF"
    assert life.fired == ["0 early", "3 early"]


def test_an_unknown_close_leaves_it_firing_unless_it_resolves(living: Compiled) -> None:
    life = Life(living())
    assert life.go("?T-? T-T") == "iFF FF"
    assert (life.fired, life.early) == (["0 early"], [(0, 0)])
    resolving = Life(living(on_unknown=Unknown.RESOLVE))
    assert resolving.go("T-?") == "Fi"


def test_unknown_bars_are_counted_at_closes(living: Compiled) -> None:
    life = Life(living(on_unknown=Unknown.ALERT, unknown_bars=2))
    life.go("F-F ????-? F-F")
    assert life.state().unknown == 0
    life.go("??-? ?-?")
    assert life.state().unknown == 2


def test_what_is_silenced_stays_as_it_was(living: Compiled) -> None:
    life = Life(living())
    found = step_forming(life.condition, *life._bar(1, -1), OPENING_MS + 1, is_muted=True)
    assert not len(found.fired)
    assert found.states.to_mapping([SAMSUNG]) == {}


VERDICT = st.sampled_from("TF?")
BARS = st.lists(st.tuples(st.text(VERDICT, max_size=3), VERDICT, VERDICT), max_size=12)


@STEADY
@given(bars=BARS, hold=st.integers(1, 3), cooldown=st.sampled_from((0, 5, 12)), every=st.booleans())
def test_no_bar_fires_twice_and_only_firing_is_brought_forward(
    bars: Sequence[tuple[str, str, str]], hold: int, cooldown: int, every: bool, living: Compiled
) -> None:
    life = Life(living(hold, cooldown, fires_every_bar=every))
    for forming, closing, clear in bars:
        before = life.state()
        told = " ".join([f"{forming}-{closing}"])
        life.go(told, f"{clear * len(forming)}-{clear}")
        after = life.state()
        assert after.bar_ms == life.start - BAR_MS
        if after.fired_ms != before.fired_ms:
            assert after.fired_ms == life.start
    places = [one.split()[0] for one in life.fired]
    assert len(places) == len(set(places))


@STEADY
@given(
    closes=st.lists(st.tuples(VERDICT, VERDICT), max_size=12),
    hold=st.integers(1, 3),
    cooldown=st.sampled_from((0, 5, 12)),
    keep=st.sampled_from((0, 10)),
)
def test_a_bar_that_forms_as_it_closes_leaves_all_as_its_close_does(
    closes: Sequence[tuple[str, str]], hold: int, cooldown: int, keep: int, living: Compiled
) -> None:
    options = {"keep_for": minutes(keep)}
    plain, early = Life(living(hold, cooldown, **options)), Life(living(hold, cooldown, **options))
    for when, clear in closes:
        plain.go(f"-{when}", f"-{clear}")
        early.go(f"{when}-{when}", f"{clear}-{clear}")
        assert early.state() == plain.state()
    assert [one.split()[0] for one in early.fired] == plain.fired


def five_minutes(when: str) -> Condition:
    text = f"name: a\nuniverse: [{SAMSUNG}]\ntimeframe: 5m\nwhen: '{when}'\n"
    return compile_condition(parse_condition(text))


def forming_panel(*closes: float) -> Panel:
    panel = Panel(Timeframe.M5, [SAMSUNG], 10, [Timeframe.M15])
    for place, close in enumerate(closes):
        at = from_ms(OPENING_MS + place * BAR_MS)
        panel.append([Bar(SAMSUNG, Timeframe.M5, at, close, close, close, close, 1.0, close)])
    for place, close in ((0, 1.0), (3, 2.0)):
        at = from_ms(OPENING_MS + place * BAR_MS)
        bar = Bar(SAMSUNG, Timeframe.M15, at, close, close, close, close, 1.0, close)
        panel.larger[Timeframe.M15].append([bar])
    return panel


@pytest.mark.parametrize(
    ("when", "seen", "expected"),
    [
        ("time >= 09:30", 27, -1),
        ("time >= 09:30", 30, 1),
        ("time >= 09:26", 27, 1),
        ("minutes_since_open > 26 minutes", 26, -1),
        ("minutes_since_open > 26 minutes", 27, 1),
        ("m15.close == 2", 29, -1),
        ("m15.close == 2", 30, 1),
        ("m15.close == 1", 29, 1),
    ],
)
def test_the_clock_of_a_forming_bar_shows_now(when: str, seen: int, expected: int) -> None:
    """The newest bar is that from 09:25 to 09:30."""
    panel = forming_panel(*[100.0] * 6)
    condition = as_seen(five_minutes(when), OPENING_MS + seen * 60_000)
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [expected]


def test_closed_bars_keep_their_clock() -> None:
    panel = forming_panel(*[100.0] * 6)
    condition = as_seen(five_minutes("time >= 09:25 for 2 bars"), OPENING_MS + 27 * 60_000)
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [1]
