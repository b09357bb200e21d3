"""Tests of series of longer timeframes, taken as far as their bars have closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.engine import evaluate, evaluate_columns
from conditions.explain import explain, overlays
from conditions.larger import needs
from conditions.ready import make_ready
from market.bars import aggregate
from market.panel import Panel
from market.sessions import KrxCalendar
from market.types import Bar, Timeframe
from tests.conditions.walked_market import (
    MEMBERS,
    NAMES,
    Step,
    condition_of,
    take,
    values_of,
    walked_steps,
)

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=25)
CALENDAR = KrxCalendar({})
OPENING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAN = float("nan")
NAME = NAMES[0]


def bar(timeframe: Timeframe, start: datetime, close: float, name: str = NAME) -> Bar:
    return Bar(name, timeframe, start, close, close + 1, close - 1, close, 1.0, close)


def panel_of(starts: list[datetime], longer: Timeframe, closes: dict[datetime, float]) -> Panel:
    """Return a panel of 30-minute bars that begin then, and the longer bars."""
    panel = Panel(Timeframe.M30, [NAME], 20, [longer])
    panel.append(bar(Timeframe.M30, start, 50.0) for start in starts)
    panel.larger[longer].append(bar(longer, start, close) for start, close in closes.items())
    return panel


def seen(number: str, panel: Panel) -> list[float]:
    """Return what the instrument's bars see."""
    count = int(panel.counts[0])
    found: list[float] = values_of(number, panel)[0, panel.depth - count :].tolist()
    return found


def test_a_day_counts_from_the_next_day_on() -> None:
    starts = [OPENING, OPENING + 6 * HOUR, OPENING + DAY, OPENING + 3 * DAY]
    days = {OPENING - 3 * DAY: 90.0, OPENING: 100.0, OPENING + DAY: 110.0}
    panel = panel_of(starts, Timeframe.D1, days)
    assert seen("d1.close", panel) == [90.0, 90.0, 100.0, 110.0]
    np.testing.assert_equal(seen("d1.close[1]", panel), [NAN, NAN, 90.0, 100.0])
    np.testing.assert_equal(seen("d1.sma(close, 2)", panel), [NAN, NAN, 95.0, 105.0])


def test_an_hour_counts_from_the_bar_on_with_which_it_ends() -> None:
    starts = [OPENING + place * HOUR / 2 for place in range(5)]
    hours = {OPENING: 1.0, OPENING + HOUR: 2.0, OPENING + 2 * HOUR: 3.0}
    panel = panel_of(starts, Timeframe.H1, hours)
    np.testing.assert_equal(seen("h1.close", panel), [NAN, 1.0, 1.0, 2.0, 2.0])


def test_the_last_hour_of_a_session_counts_from_the_next_session_on() -> None:
    last = OPENING + 6 * HOUR
    starts = [last - HOUR / 2, last, OPENING + DAY]
    panel = panel_of(starts, Timeframe.H1, {last - HOUR: 1.0, last: 2.0})
    assert seen("h1.close", panel) == [1.0, 1.0, 2.0]


def test_a_day_that_never_closes_counts_from_the_next_one_on_all_the_same() -> None:
    midnight = datetime(2026, 1, 6, tzinfo=UTC)
    panel = Panel(Timeframe.M30, ["UPBIT:KRW-BTC"], 20, [Timeframe.D1])
    starts = [midnight - HOUR / 2, midnight]
    panel.append(bar(Timeframe.M30, one, 50.0, "UPBIT:KRW-BTC") for one in starts)
    days = {midnight - 2 * DAY: 1.0, midnight - DAY: 2.0}
    panel.larger[Timeframe.D1].append(
        bar(Timeframe.D1, one, close, "UPBIT:KRW-BTC") for one, close in days.items()
    )
    view = condition_of("close > 1").view(panel, None)
    condition = condition_of("d1.close > 1")
    found = condition.when.operands[0].values(view, 2)[0, -2:]
    assert found.tolist() == [1.0, 2.0]


def test_what_is_not_told_is_unknown_and_a_gap_stays_so() -> None:
    starts = [OPENING, OPENING + DAY, OPENING + 2 * DAY]
    panel = panel_of(starts, Timeframe.D1, {OPENING - DAY: 1.0})
    panel.larger[Timeframe.D1].mark_missing([0])
    panel.larger[Timeframe.D1].append([bar(Timeframe.D1, OPENING + DAY, 3.0)])
    np.testing.assert_equal(seen("d1.close", panel), [NAN, NAN, 3.0])
    panel.larger[Timeframe.D1].mark_missing([0])
    np.testing.assert_equal(seen("d1.close", panel), [NAN, NAN, NAN])


def test_a_panel_without_longer_bars_knows_nothing_of_them() -> None:
    panel = Panel(Timeframe.M30, [NAME], 20)
    panel.append([bar(Timeframe.M30, OPENING, 50.0)])
    assert np.isnan(values_of("d1.close", panel)).all()


def test_it_is_explained_drawn_and_asks_for_its_bars() -> None:
    condition = condition_of("close > d1.sma(close, 2) and h1.rsi(14) < 30")
    assert condition.larger == {Timeframe.D1, Timeframe.H1}
    assert needs(condition.when) == {Timeframe.D1: 2, Timeframe.H1: 14}
    days = {OPENING - 2 * DAY: 10.0, OPENING - DAY: 12.0}
    panel = panel_of([OPENING], Timeframe.D1, days)
    leaf = explain(condition, panel, 0).leaves[0]
    assert (leaf.text, leaf.right) == ("close > d1.sma(close, 2)", 11.0)
    assert overlays(condition, panel, 0, 1)["d1.sma(close, 2)"].tolist() == [11.0]
    make_ready([condition])


NUMBERS = (
    "d1.close",
    "d1.sma(close, 2)",
    "d1.ema(close, 2)[1]",
    "h1.close",
    "h1.rsi(3)",
    "h1.highest(high, 3) - d1.low",
    "rank(d1.close)",
    "d1.rank(change(1))",
    "h1.breadth(close > open)",
    "breadth(close > d1.close)",
    "breadth(h1.crosses_above(close, sma(close, 2)))",
    "breadth(h1.(close > open within 2 bars) and d1.(not falling(close, 1)))",
    f'of("{NAMES[1]}").d1.close',
)
LONGER = (Timeframe.H1, Timeframe.D1)


def market(steps: list[Step], until: int) -> Panel:
    """Return the panel as it stands once that many slots have closed."""
    panel = Panel(Timeframe.M30, NAMES, 60, LONGER)
    for step in steps[:until]:
        take(panel, step)
    bars = [one for step in steps[:until] for one in step.bars]
    for timeframe in LONGER:
        panel.larger[timeframe].append(aggregate(bars, timeframe, CALENDAR))
    return panel


@pytest.mark.parametrize("number", NUMBERS)
@STEADY
@given(seed=st.integers(0, 10_000), until=st.integers(1, 30))
def test_no_bar_sees_what_has_not_closed(number: str, seed: int, until: int) -> None:
    steps = walked_steps(seed, is_mixed=False)
    steps = [Step(step.bars, ()) for step in steps]
    now, later = market(steps, until), market(steps, len(steps))
    starts = now.starts[:, -1]
    live, hindsight = values_of(number, now)[:, -1], values_of(number, later)
    for row in range(len(NAMES)):
        if starts[row]:
            column = int(np.flatnonzero(later.starts[row] == starts[row])[0])
            np.testing.assert_allclose(live[row], hindsight[row, column], rtol=1e-12)


@STEADY
@given(seed=st.integers(0, 10_000), picked=st.lists(st.integers(0, 3), min_size=1, unique=True))
def test_few_rows_have_the_verdicts_that_they_have_among_all(seed: int, picked: list[int]) -> None:
    condition = condition_of("close > d1.close and rank(h1.close) < 3")
    panel = market(walked_steps(seed), 30)
    rows = np.array(picked, dtype=np.int64)
    few, whole = (evaluate(condition, panel, one).when for one in (rows, np.arange(len(MEMBERS))))
    assert few.tolist() == whole[rows].tolist()
    columns = evaluate_columns(condition, panel, rows, 5).when
    assert columns[:, -1].tolist() == few.tolist()
