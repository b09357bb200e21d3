"""Tests of what a session has come to by each of its bars."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.days import session_bars
from market.panel import Panel
from market.sessions import KST
from market.types import Bar, Timeframe, from_ms
from tests.conditions.walked_market import (
    NAMES,
    Array,
    condition_of,
    panel_of,
    values_of,
    walked_steps,
)

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=20)


def told(panel: Panel, row: int) -> dict[str, list[float]]:
    """Return the fields of a row's bars as a person would work them out; its bars have no gap."""
    found: dict[str, list[float]] = defaultdict(list)
    first = panel.depth - int(panel.counts[row])
    days: dict[object, list[int]] = {}
    for place in range(first, panel.depth):
        at = from_ms(int(panel.starts[row, place])).astimezone(KST)
        day = days.setdefault(at.date(), [])
        day.append(place)
        is_known = len(days) > 1 or int(panel.starts[row, day[0]]) == OPENING_MS
        before = list(days.values())[-2][-1] if len(days) > 1 else None
        so_far = np.array(day)
        close = float(panel.close[row, place])
        found["open"].append(float(panel.open[row, day[0]]) if is_known else np.nan)
        found["high"].append(float(panel.high[row, so_far].max()) if is_known else np.nan)
        found["low"].append(float(panel.low[row, so_far].min()) if is_known else np.nan)
        found["volume"].append(float(panel.volume[row, so_far].sum()) if is_known else np.nan)
        found["value"].append(float(panel.value[row, so_far].sum()) if is_known else np.nan)
        last = np.nan if before is None else float(panel.close[row, before])
        found["prev_close"].append(last)
        found["change"].append(close / last - 1.0)
    return found


OPENING_MS = 1_767_571_200_000
"""2026-01-05 09:00 in Seoul, when the walked market begins."""


@STEADY
@given(st.integers(0, 10_000))
def test_every_field_is_what_a_person_would_work_out(seed: int) -> None:
    steps = walked_steps(seed)
    panel = panel_of([type(step)(step.bars, ()) for step in steps])
    for row in range(len(NAMES)):
        for name, expected in told(panel, row).items():
            found = values_of(f"day.{name}", panel)[row, panel.depth - len(expected) :]
            np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)


def walk(panel: Panel, skipped: set[int]) -> None:
    """Put in a single instrument's bars; slots that are skipped are missing."""
    for place, step in enumerate(walked_steps(1)):
        start = step.bars[0].start
        if place in skipped:
            panel.mark_missing([0])
            continue
        price = 1_000.0 + place
        panel.append([Bar(NAMES[0], Timeframe.M30, start, price, price, price, price, 1.0, price)])


def day(name: str, skipped: set[int]) -> Array:
    """Return a field of the second day's 13 bars where slots are missing."""
    panel = Panel(Timeframe.M30, NAMES[:1], 100)
    walk(panel, skipped)
    starts = [from_ms(int(one)).astimezone(KST).day for one in panel.starts[0]]
    found: Array = values_of(f"day.{name}", panel)[0][np.array(starts) == 6]
    return found


@pytest.mark.parametrize("name", ["high", "low", "volume", "value"])
def test_a_missing_slot_leaves_the_rest_of_the_session_unknown(name: str) -> None:
    assert np.isnan(day(name, {15})).tolist() == [False, False] + [True] * 10


@pytest.mark.parametrize("name", ["open", "prev_close", "change"])
def test_a_missing_slot_within_the_session_does_not_change_its_beginning(name: str) -> None:
    assert not np.isnan(day(name, {15})).any()


@pytest.mark.parametrize("name", ["open", "high", "volume", "prev_close", "change"])
@pytest.mark.parametrize("skipped", [{12}, {13}])
def test_a_missing_slot_at_the_turn_of_the_day_leaves_it_unknown(
    name: str, skipped: set[int]
) -> None:
    assert np.isnan(day(name, skipped)).all()


def test_a_session_that_the_panel_holds_in_part_is_unknown() -> None:
    panel = Panel(Timeframe.M30, NAMES[:1], 20)  # the last three bars of the first day
    walk(panel, set())
    known = ~np.isnan(values_of("day.open", panel)[0])
    days = np.array([from_ms(int(one)).astimezone(KST).day for one in panel.starts[0]])
    assert (known == (days > min(days))).all()


@pytest.mark.parametrize(
    ("timeframe", "bars"),
    [(Timeframe.M1, 381), (Timeframe.M5, 78), (Timeframe.H1, 7), (Timeframe.D1, 1), (None, 381)],
)
def test_a_session_has_so_many_bars(timeframe: Timeframe | None, bars: int) -> None:
    assert session_bars(timeframe) == bars


def test_a_condition_on_the_day_needs_a_session_of_bars() -> None:
    condition = condition_of("day.change > 3%", Timeframe.M5)
    assert (condition.warmup, condition.depth) == (2, 79)
    yesterday = condition_of("day.volume > 2 * day.volume[78]", Timeframe.M5)
    assert (yesterday.warmup, yesterday.depth) == (79, 156)
