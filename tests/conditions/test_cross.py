"""Tests of one instrument among its universe, against the plain way to work it out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_condition
from conditions.engine import evaluate
from conditions.explain import explain
from conditions.reference import Reference
from config.condition_reader import parse_condition
from market.panel import Panel
from market.sessions import KST
from market.types import Timeframe, from_ms
from tests.conditions.walked_market import (
    MEMBERS,
    NAMES,
    condition_of,
    panel_of,
    values_of,
    walked_steps,
)

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=20)


@STEADY
@given(st.integers(0, 10_000))
def test_a_rank_counts_who_is_larger_in_the_same_slot(seed: int) -> None:
    panel = panel_of(walked_steps(seed))
    change = values_of("change(1)", panel)
    found = values_of("rank(change(1))", panel)
    for row, column in zip(*np.nonzero(panel.starts), strict=True):
        own, slot = change[row, column], panel.starts[row, column]
        rivals = change[: len(MEMBERS)][panel.starts[: len(MEMBERS)] == slot]
        expected = np.nan if np.isnan(own) else 1 + (rivals > own).sum()
        np.testing.assert_equal(found[row, column], expected)


@STEADY
@given(st.integers(0, 10_000))
def test_a_breadth_is_the_share_of_the_known(seed: int) -> None:
    steps = [type(one)(one.bars, ()) for one in walked_steps(seed)]
    panel = panel_of(steps)
    verdicts = np.sign(values_of("change(1)", panel) - 1e-9)
    found = values_of("breadth(change(1) > 0.0000001%)", panel)
    for row, column in zip(*np.nonzero(panel.starts), strict=True):
        at = from_ms(int(panel.starts[row, column])).astimezone(KST)
        known = []
        for member in range(len(MEMBERS)):
            held = np.flatnonzero(panel.starts[member] <= panel.starts[row, column])[-1]
            day = from_ms(int(panel.starts[member, held])).astimezone(KST).date()
            if day == at.date() and not np.isnan(verdicts[member, held]):
                known.append(verdicts[member, held] > 0)
        expected = np.mean(known) if known else np.nan
        np.testing.assert_allclose(found[row, column], expected)


def one_slot(closes: list[float | None], missing: list[int]) -> Panel:
    """Return a panel of two slots; in the second one some do not trade or are missing."""
    first, second = walked_steps(0)[:2]
    bar = first.bars[0]
    panel = Panel(Timeframe.M30, NAMES, 10)
    for row, (name, close) in enumerate(zip(NAMES, closes, strict=True)):
        start = first.bars[0].start
        panel.append([type(bar)(name, bar.timeframe, start, 5.0, 5.0, 5.0, 5.0, 1.0, 5.0)])
        if row in missing:
            panel.mark_missing([row])
        elif close is not None:
            start = second.bars[0].start
            numbers = (5.0, max(close, 5.0), min(close, 5.0), close, 1.0, 5.0)
            panel.append([type(bar)(name, bar.timeframe, start, *numbers)])
    return panel


def newest(number: str, panel: Panel) -> list[float]:
    values: list[float] = values_of(number, panel)[:, -1].tolist()
    return values


def test_equal_values_share_a_place_and_outsiders_are_ranked_among_the_universe() -> None:
    panel = one_slot([7.0, 9.0, 7.0, 2.0, 8.0], [])
    assert newest("rank(close)", panel) == [2.0, 1.0, 2.0, 4.0, 2.0]


def test_who_has_no_bar_in_the_slot_takes_no_place() -> None:
    panel = one_slot([7.0, None, 6.0, 9.0, 5.0], [3])
    assert newest("rank(close)", panel)[0] == 1.0
    assert newest("rank(close)", panel)[2] == 2.0


def test_who_does_not_trade_keeps_its_verdict_and_who_is_missing_is_left_out() -> None:
    panel = one_slot([7.0, None, 6.0, 9.0, 4.0], [3])
    assert newest("breadth(close > open)", panel)[0] == pytest.approx(2 / 3)


def test_nothing_known_makes_no_share() -> None:
    panel = one_slot([7.0, 7.0, 7.0, 7.0, 7.0], [])
    assert np.isnan(newest("breadth(close > sma(close, 9))", panel)).all()


def test_few_rows_are_judged_among_the_whole_universe() -> None:
    panel = one_slot([7.0, 9.0, 8.0, 2.0, 10.0], [])
    condition = condition_of("rank(close) <= 2")
    whole = evaluate(condition, panel, np.arange(4)).when
    assert whole.tolist() == [-1, 1, 1, -1]
    for row in range(4):
        assert evaluate(condition, panel, np.array([row])).when.tolist() == [whole[row]]
        assert explain(condition, panel, row).leaves[0].left == [3, 1, 2, 4][row]


def test_two_universes_do_not_mix_in_what_is_shared() -> None:
    panel = one_slot([7.0, 9.0, 8.0, 2.0, 10.0], [])
    reference = Reference({}, None, {"small": NAMES[:1], "large": NAMES})
    shared: dict[object, np.ndarray] = {}
    found = []
    for universe in ("small", "large"):
        text = f"name: x\nuniverse: {universe}\ntimeframe: 30m\nwhen: sma(rank(close), 1) < 2\n"
        condition = compile_condition(parse_condition(text, "x.yaml"), reference=reference)
        found.append(int(evaluate(condition, panel, np.array([0]), shared).when[0]))
    assert found == [1, -1]


def test_a_panel_of_others_stands_for_the_universe() -> None:
    """So that a test inside a condition file, which has one instrument, can be run."""
    panel = one_slot([7.0, 9.0, 8.0, 2.0, 10.0], []).part(np.array([4]))
    assert newest("rank(close)", panel) == [1.0]
