"""Tests of facts on random markets: nothing is seen early, live as in hindsight, and restarts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.engine import evaluate, evaluate_columns
from conditions.lifecycle import States, step
from market.types import Timeframe
from tests.conditions.told_market import Told, empty, panel_of, tell, told_steps
from tests.conditions.walked_market import MEMBERS, NAMES, condition_of, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.compile import Condition
    from market.panel import Panel

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=12)
OWN = (
    "facts.per",
    "facts.institutions_1[2]",
    "sma(facts.per, 3)",
    "highest(facts.foreigners_5, 2) - facts.individuals_1",
    "facts.institutions_5 / facts.listed_shares",
    "close - facts.high_52w",
    "rank(facts.market_cap)",
    "breadth(facts.per > 2)",
    "breadth(rank(facts.pbr) <= 2)",
    'of("KRX:000004").facts.per',
    'of("KRX:000001").facts.per[1]',
)
LONGER = ("d1.lowest(facts.institutions_1, 2)", "d1.sma(facts.per, 1)", "rank(d1.facts.per[1])")
TIMEFRAMES = (Timeframe.M30, Timeframe.D1)
SEEDS = st.integers(0, 10_000)


@pytest.mark.parametrize("number", OWN)
@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@STEADY
@given(seed=SEEDS)
def test_a_bar_has_the_value_that_it_had_when_it_was_the_newest(
    number: str, timeframe: Timeframe, seed: int
) -> None:
    steps = told_steps(seed, timeframe)
    if (
        "breadth" in number or "of(" in number
    ):  # of a gap in which some slots are missing a panel does not keep which
        steps = [_without_loss(one) for one in steps]
    whole = panel_of(steps, timeframe)
    hindsight, panel = values_of(number, whole), empty(timeframe)
    for one in steps:
        rows = tell(panel, one)
        live = values_of(number, panel, columns=1)[rows, -1]
        is_now = whole.starts[rows] == panel.starts[rows, -1:]
        np.testing.assert_allclose(live, hindsight[rows][is_now], rtol=1e-12)


@pytest.mark.parametrize("number", LONGER)
@STEADY
@given(seed=SEEDS, until=st.integers(1, 33))
def test_longer_bars_do_not_see_later_facts(number: str, seed: int, until: int) -> None:
    steps = [_without_loss(one) for one in told_steps(seed)]
    now, later = (panel_of(part, longer=[Timeframe.D1]) for part in (steps[:until], steps))
    live, hindsight = values_of(number, now)[:, -1], values_of(number, later)
    for row in range(len(NAMES)):
        if now.starts[row, -1]:
            column = int(np.flatnonzero(later.starts[row] == now.starts[row, -1])[0])
            np.testing.assert_allclose(live[row], hindsight[row, column], rtol=1e-12)


@pytest.mark.parametrize("number", OWN)
@STEADY
@given(seed=SEEDS, picked=st.lists(st.integers(0, 4), min_size=1, unique=True))
def test_few_rows_have_the_values_that_they_have_among_all(
    number: str, seed: int, picked: list[int]
) -> None:
    panel, rows = panel_of(told_steps(seed)), np.array(picked, dtype=np.int64)
    np.testing.assert_array_equal(values_of(number, panel, rows), values_of(number, panel)[rows])
    part = panel.part(np.arange(len(NAMES)))
    np.testing.assert_array_equal(values_of(number, part), values_of(number, panel))


@pytest.mark.parametrize("number", OWN)
def test_nothing_is_known_of_an_empty_panel(number: str) -> None:
    assert np.isnan(values_of(number, empty(Timeframe.M30))).all()


@STEADY
@given(seed=SEEDS, moved=st.integers(1, 9))
def test_only_the_facts_of_days_that_are_over_count(seed: int, moved: int) -> None:
    """Facts of the day that goes on, or of a later one, change nothing."""
    steps = told_steps(seed, Timeframe.D1)
    panel = panel_of(steps, Timeframe.D1)
    before = values_of("facts.per", panel)
    assert panel.facts is not None
    ahead = int(panel.starts.max()) // 86_400_000 * 86_400_000 + (moved - 1) * 86_400_000
    told = [replace(one, per=99.0) for told in steps for one in told.facts][:5]
    for one in told:
        day = np.datetime64(ahead, "ms").astype("datetime64[D]").item()
        panel.facts.put(ahead - 9 * 3_600_000, [replace(one, day=day)])
    np.testing.assert_array_equal(values_of("facts.per", panel), before)


RULES = (
    "facts.institutions_1 > 0 and close > open",
    "facts.per > 2 for 2 bars or rank(facts.foreigners_5) == 1",
    "crosses_above(facts.institutions_5, facts.foreigners_5) within 3 bars",
    "not facts.per[1] > facts.per and breadth(facts.eps > 0) > 40%",
)


class Watched:
    """A condition on the universe, slot by slot."""

    def __init__(self, condition: Condition, steps: Sequence[Told] = ()) -> None:
        self.condition = condition
        self.panel: Panel = panel_of(steps)
        self.states = States.from_mapping({}, NAMES)
        self.fires: list[tuple[int, int]] = []

    def see(self, steps: Sequence[Told]) -> Watched:
        """Move on over these slots."""
        for one in steps:
            rows = tell(self.panel, one)
            rows = rows[rows < len(MEMBERS)]
            verdicts = evaluate(self.condition, self.panel, rows)
            starts = self.panel.starts[rows, -1]
            made = step(self.condition, self.states, rows, verdicts, starts, starts + 30 * 60_000)
            self.states = made.states
            self.fires += [(int(self.panel.starts[row, -1]), row) for row in made.fired.tolist()]
        return self


@pytest.mark.parametrize("rule", RULES)
@STEADY
@given(seed=SEEDS, data=st.data())
def test_a_restart_anywhere_changes_nothing(rule: str, seed: int, data: st.DataObject) -> None:
    condition, steps = condition_of(rule), told_steps(seed)
    whole = Watched(condition).see(steps)
    cut = data.draw(st.integers(0, len(steps)))
    before = Watched(condition).see(steps[:cut])
    after = Watched(condition, steps[:cut])
    after.states = States.from_mapping(before.states.to_mapping(NAMES), NAMES)
    after.see(steps[cut:])
    assert before.fires + after.fires == whole.fires
    assert after.states.to_mapping(NAMES) == whole.states.to_mapping(NAMES)


@pytest.mark.parametrize("rule", RULES)
@STEADY
@given(seed=SEEDS, columns=st.integers(1, 40))
def test_few_columns_are_the_last_of_all(rule: str, seed: int, columns: int) -> None:
    condition, panel = condition_of(rule), panel_of(told_steps(seed))
    rows = np.arange(len(MEMBERS))
    whole = evaluate_columns(condition, panel, rows, panel.depth).when
    few = evaluate_columns(condition, panel, rows, columns).when
    np.testing.assert_array_equal(few, whole[:, -columns:])


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_all_outcomes(rule: str) -> None:
    condition, seen = condition_of(rule), set[int]()
    for seed in range(30):
        panel = panel_of(told_steps(seed))
        columns = evaluate_columns(condition, panel, np.arange(len(MEMBERS)), 30).when
        seen |= set(columns.ravel().tolist())
    assert seen == {-1, 0, 1}


def _without_loss(told: Told) -> Told:
    return replace(told, step=replace(told.step, missing=()))
