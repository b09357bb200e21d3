"""Tests of events, comparisons and what lasts on longer bars and of other instruments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_condition
from conditions.coverage import coverage
from conditions.engine import evaluate
from conditions.explain import explain
from conditions.larger import needs
from conditions.lint import lint
from conditions.near import near
from conditions.nodes import to_text
from conditions.trial_report import failed_tests
from conditions.waits import Moment, WaitFor
from conditions.why import replayed, why
from config.condition_reader import parse_condition
from market.bars import aggregate
from market.errors import ConfigError
from market.panel import Panel
from market.sessions import AlwaysOpen, KrxCalendar
from market.signals import LifecycleState
from market.types import Bar, Timeframe, Verdict
from tests.conditions.walked_market import NAMES, Step, condition_of, take, walked_steps

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=15)
CALENDAR = KrxCalendar({})
OPENING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LONGER = (Timeframe.H1, Timeframe.D1)
NAME, OTHER = NAMES[:2]


def bar(start: datetime, close: float, timeframe: Timeframe = Timeframe.M30) -> Bar:
    """Return a bar that opened at 100."""
    return Bar(NAME, timeframe, start, 100.0, max(close, 100.0), min(close, 100.0), close, 1.0, 1.0)


def days_panel(*closes: float, sessions: int = 1) -> Panel:
    """Return two own bars in each session from OPENING on; the closes are of the days before."""
    panel = Panel(Timeframe.M30, [NAME], 60, [Timeframe.D1])
    first = len(closes) - sessions + 1
    days = [OPENING + (place - first) * DAY for place in range(len(closes))]
    panel.larger[Timeframe.D1].append(
        bar(day, close, Timeframe.D1) for day, close in zip(days, closes, strict=True)
    )
    starts = [OPENING + day * DAY + half * HOUR for day in range(sessions) for half in (0, 1)]
    panel.append(bar(start, 50.0) for start in starts)
    return panel


def verdicts_of(when: str, panel: Panel, row: int = 0) -> list[int]:
    """Return the verdicts of all bars that a row has."""
    condition = condition_of(when, panel.timeframe)
    count = int(panel.counts[row])
    found: list[int] = condition.when.verdicts(condition.view(panel, None), count)[row].tolist()
    return found


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        # three sessions of two bars each, after days that closed at 90, 90, 110, 90
        ("d1.crosses_above(close, open)", [-1, -1, 1, 1, -1, -1]),
        ("d1.crosses_below(close, 95)", [-1, -1, -1, -1, 1, 1]),
        ("d1.(close > open)", [-1, -1, 1, 1, -1, -1]),
        ("d1.(close > open within 2 bars)", [-1, -1, 1, 1, 1, 1]),
        ("d1.(close < open for 2 bars)", [1, 1, -1, -1, -1, -1]),
        ("d1.(close > open) within 2 bars", [0, -1, 1, 1, 1, -1]),
        ("not d1.(close > open or close > 200)", [1, 1, -1, -1, 1, 1]),
        ("d1.in_range(close, 100, 120)", [-1, -1, 1, 1, -1, -1]),
        ("d1.(close - open) > 5 KRW", [-1, -1, 1, 1, -1, -1]),
        ("d1.(close - open)[1] > 5 KRW", [-1, -1, -1, -1, 1, 1]),
        ("d1.rising(close, 1)", [-1, -1, 1, 1, -1, -1]),
        ("d1.crosses_above(close, sma(close, 3))", [0, 0, 0, 0, -1, -1]),
    ],
)
def test_every_own_bar_sees_the_newest_day_that_is_over(when: str, expected: list[int]) -> None:
    assert verdicts_of(when, days_panel(90.0, 90.0, 110.0, 90.0, sessions=3)) == expected


def test_a_day_that_is_not_told_is_unknown_and_a_hole_between_two_is_too() -> None:
    panel = days_panel(90.0)
    daily = panel.larger[Timeframe.D1]
    assert verdicts_of("d1.crosses_above(close, open)", panel) == [0, 0]
    daily.mark_missing([0])
    assert verdicts_of("d1.(close < open)", panel) == [0, 0]
    daily.append([bar(OPENING, 110.0, Timeframe.D1)])
    panel.append([bar(OPENING + DAY, 50.0)])
    assert verdicts_of("d1.(close > open)", panel)[-1] == 1
    assert verdicts_of("d1.crosses_above(close, open)", panel)[-1] == 0
    assert verdicts_of("h1.doji()", panel) == [0, 0, 0]


EVENTS = (
    "crosses_above(close, sma(close, 3))",
    "crosses_below(close, open)",
    "engulfing_bullish()",
    "falling(close, 2)",
    "doji() within 3 bars",
    "breaks_above_band(3, 1)",
    "close > open for 2 bars",
    "rsi(3) < 40 or not (close > close[1])",
)


def walked(seed: int) -> Panel:
    """Return a panel with the longer bars that its own come to."""
    panel = Panel(Timeframe.M30, NAMES, 60, LONGER)
    steps = walked_steps(seed, is_mixed=False)
    for step in steps:
        take(panel, Step(step.bars, ()))
    bars = [one for step in steps for one in step.bars]
    for timeframe in LONGER:
        panel.larger[timeframe].append(aggregate(bars, timeframe, CALENDAR))
    return panel


@pytest.mark.parametrize("event", EVENTS)
@STEADY
@given(seed=st.integers(0, 10_000))
def test_an_hour_is_judged_as_a_condition_of_that_timeframe_judges_it(
    event: str, seed: int
) -> None:
    panel = walked(seed)
    hours = panel.larger[Timeframe.H1]
    there = condition_of(event, Timeframe.H1)
    judged = there.when.verdicts(there.view(hours, None), 60)
    count = int(panel.counts[0])
    ends = (panel.starts[0, -count:] + 1_800_000).tolist()
    expected = []
    for end in ends:
        closed = np.flatnonzero((hours.starts[0] > 0) & (hours.starts[0] + 3_600_000 <= end))
        expected.append(int(judged[0, closed[-1]]) if len(closed) else 0)
    assert verdicts_of(f"h1.({event})", panel) == expected


@pytest.mark.parametrize("event", EVENTS)
@STEADY
@given(seed=st.integers(0, 10_000))
def test_another_instrument_is_judged_as_it_judges_itself(event: str, seed: int) -> None:
    panel = Panel(Timeframe.M30, NAMES, 60)
    for step in walked_steps(seed):
        take(panel, step)
    own, other = (panel.starts[row].tolist() for row in (0, 1))
    there = condition_of(event).when
    judged = there.verdicts(condition_of(event).view(panel, None), 60)[1]
    found = verdicts_of(f"'of(\"{OTHER}\").({event})'", panel)
    count = int(panel.counts[0])
    for start, verdict in zip(own[60 - count :], found, strict=True):
        if start in other:
            assert verdict == judged[other.index(start)]


@pytest.mark.parametrize(
    ("when", "meaning"),
    [
        ("d1.crosses_above(close, sma(20))", "d1.crosses_above(close, sma(close, 20))"),
        ("h1.(close > open and rsi(14) < 30)", "h1.close > h1.open and h1.rsi(close, 14) < 30"),
        ("d1.breaks_above_band(20, 2)", "d1.crosses_above(close, bollinger(close, 20, 2).upper)"),
        ("d1.(close - open)[1] > 3", "d1.((close - open)[1]) > 3"),
        ("h1.doji() within 3 bars", "h1.doji() within 3 bars"),
        ("h1.(doji() within 3 bars)", "h1.(doji() within 3 bars)"),
        ("of('KRX:1').d1.doji()", 'of("KRX:1").d1.doji()'),
        ("of('KRX:1').(close > open for 3 bars)", 'of("KRX:1").(close > open for 3 bars)'),
        ("breadth(d1.doji()) > 50%", "breadth(d1.doji()) > 50%"),
        ("d1.(5) < close", "5 < close"),
    ],
)
def test_the_meaning_is_written_so_that_it_can_be_read_again(when: str, meaning: str) -> None:
    quoted = when.replace("'", '"')
    found = condition_of(f"'{quoted}'")
    assert to_text(found.when.node) == meaning
    assert condition_of(f"'{meaning}'").version == found.version


@pytest.mark.parametrize(
    ("when", "place", "message"),
    [
        ("close.(open > 3)", 1, "only a timeframe or of(...) stands in front of .( )"),
        ("d1.h1.doji()", 1, "'h1' stands inside a prefix already"),
        ("d1.(h1.close > 3)", 5, "'h1' stands inside a prefix already"),
        ("m5.doji()", 1, "'m5' is not longer than the condition's own bars"),
        ("d1.(doji()) > 3", 4, "expected a number, but 'doji' is true or false"),
        ("d1.doji", 1, "'doji' is called with ( )"),
        ("d1.(crosses_above(close, bogus))", 26, "unknown name 'bogus'"),
        ("d1.()", 5, "expected a number, a name or '('"),
        ("d1.3", 4, "expected a name or '(' after '.'"),
        ('d1.of("KRX:1").doji()', 1, "write of(...) first"),
        ("of(3).doji()", 4, "an instrument stands in quotation marks"),
        ("d1.rising(close, 900)", 18, "'bars' must be a whole number from 1 to"),
        ("d1.(rsi(14) > 5%)", 15, "points (0 to 100) cannot be compared with a ratio"),
    ],
)
def test_what_cannot_be_asked_is_a_mistake_at_its_place(
    when: str, place: int, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        condition_of(f"'{when}'")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.column == place + 7


def test_a_named_truth_stands_behind_a_prefix_in_parentheses() -> None:
    text = (
        "name: x\nuniverse: [KRX:000001]\ntimeframe: 5m\n"
        "let:\n  up: close > sma(close, 3)\nwhen: up and d1.(up)\n"
    )
    found = compile_condition(parse_condition(text, "x.yaml"))
    assert to_text(found.when.parts[1].node) == "d1.close > d1.sma(close, 3)"


def test_a_name_behind_a_prefix_without_parentheses_is_told_how_to_write_it() -> None:
    text = (
        "name: x\nuniverse: [KRX:000001]\ntimeframe: 5m\n"
        "let:\n  mean: sma(close, 3)\nwhen: d1.mean > 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        compile_condition(parse_condition(text, "x.yaml"))
    message = "'mean' is a named expression; behind a prefix it stands in ( ), like d1.(mean)"
    assert [str(one) for one in caught.value.problems] == [f"x.yaml:6:7: {message}"]


def test_it_asks_for_its_bars_and_tells_what_lacks() -> None:
    condition = condition_of("h1.(rsi(14) < 30 for 3 bars) and d1.rising(close, 3)")
    assert condition.larger == {Timeframe.H1, Timeframe.D1}
    assert needs(condition.when) == {Timeframe.H1: 16, Timeframe.D1: 4}
    assert (condition.warmup, condition.depth) == (1, 1)
    panel = days_panel(90.0, 90.0)
    moment = Moment(OPENING + 2 * HOUR, AlwaysOpen())
    found = why(condition_of("d1.rising(close, 3)"), panel, 0, LifecycleState(), moment)
    longer = [one for one in found.waits if one.reason is WaitFor.LONGER_WARM_UP]
    assert [(one.has, one.needs, one.name) for one in longer] == [(2, 4, "1d")]


def test_an_explanation_opens_what_is_seen_and_shows_the_day_before() -> None:
    panel = days_panel(90.0, 90.0, 110.0)
    condition = condition_of("d1.crosses_above(close, sma(close, 2))")
    tree = why(condition, panel, 0, LifecycleState(), Moment(OPENING + HOUR, AlwaysOpen())).when
    assert (tree.word, tree.verdict) == ("event", Verdict.TRUE)
    left, right = tree.operands
    assert (left.text, left.value, right.text, right.value) == (
        "d1.close",
        110.0,
        "d1.sma(close, 2)",
        100.0,
    )
    assert [(one.text, one.value) for one in right.parts] == [("d1.close", 110.0)]
    assert tree.before == (90.0, 90.0)
    assert explain(condition, panel, 0).leaves[0].text == "d1.crosses_above(close, sma(close, 2))"


def test_a_day_that_nobody_sees_has_no_day_before() -> None:
    panel = days_panel()
    found = why(
        condition_of("d1.crosses_above(close, open)"),
        panel,
        0,
        LifecycleState(),
        Moment(OPENING + HOUR, AlwaysOpen()),
    )
    assert all(map(isnan, found.when.before))
    lasting = condition_of("d1.(close > open within 3 bars)")
    seen = why(lasting, panel, 0, LifecycleState(), Moment(OPENING + HOUR, AlwaysOpen())).when
    assert (seen.verdict, seen.held, seen.held_at) == (Verdict.UNKNOWN, 0, None)


def test_what_held_within_some_days_is_shown_on_that_day() -> None:
    panel = days_panel(90.0, 112.0, 95.0)
    condition = condition_of("d1.(close > open within 3 bars)")
    tree = why(condition, panel, 0, LifecycleState(), Moment(OPENING + HOUR, AlwaysOpen())).when
    assert (tree.verdict, tree.held, tree.needs) == (Verdict.TRUE, 1, 3)
    assert tree.held_at == OPENING - 2 * DAY
    (part,) = tree.parts
    assert (part.text, part.verdict) == ("d1.(close > open)", Verdict.TRUE)
    assert [one.text for one in part.operands] == ["d1.close", "d1.open"]
    assert [one.value for one in part.operands] == [112.0, 100.0]
    (leaf,) = explain(condition, panel, 0).leaves
    assert (leaf.left, leaf.right, leaf.held_at) == (112.0, 100.0, OPENING - 2 * DAY)


def test_nearness_is_measured_on_the_bars_that_are_looked_at() -> None:
    closes = [100.0 + (place % 2) for place in range(40)]
    panel = days_panel(*closes)
    (found,) = near(condition_of("d1.close > 104"), panel, np.array([0])).nearest
    assert found.distance == pytest.approx((104.0 - 101.0) / 0.5)
    assert found.leaf is not None
    assert found.leaf.text == "d1.close > 104"
    (event,) = near(condition_of("d1.crosses_above(close, 104)"), panel, np.array([0])).nearest
    assert event.distance == pytest.approx(6.0)
    both = condition_of("volume > 0 and d1.(close > 102 within 3 bars) and close < 1000")
    (third,) = near(both, panel, np.array([0])).nearest
    assert third.leaf is not None
    assert third.leaf.text == "d1.(close > 102 within 3 bars)"


def test_without_longer_bars_nothing_is_near_or_known() -> None:
    panel = Panel(Timeframe.M30, [NAME], 20)
    panel.append([bar(OPENING, 50.0)])
    condition = condition_of("d1.crosses_above(close, open) or d1.(close > open for 2 bars)")
    ranking = near(condition, panel, np.array([0]))
    assert (ranking.ranked, ranking.unknown) == (0, 1)
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [0]
    assert replayed(condition, panel, 0).fired_ms == 0


def test_a_leaf_beyond_measure_is_still_the_leaf_that_keeps_it() -> None:
    panel = days_panel(*[100.0] * 40)
    ranking = near(condition_of("d1.doji()"), panel, np.array([0]))
    assert (ranking.ranked, ranking.unmeasured) == (0, 1)
    sure = near(condition_of("not d1.doji()"), panel, np.array([0])).nearest[0]
    assert sure.distance == -inf


@pytest.mark.parametrize(
    ("when", "found"),
    [
        (
            "d1.crosses_above(rsi(14), 101)",
            "x.yaml:4:8: error: 'd1.crosses_above(rsi(14), 101)' can never be true",
        ),
        (
            "d1.crosses_above(close, open) and d1.close < d1.open",
            "'d1.close < d1.open' can never be true together with 'd1.crosses_above(close, open)'",
        ),
        (
            "d1.(rsi(14) < 30 for 2 bars) and d1.rsi(14) < 40",
            "'d1.rsi(14) < 40' adds nothing: it is true wherever 'd1.(rsi(14) < 30 for 2 bars)' is",
        ),
        ("h1.in_range(rsi(14), 101, 105)", "x.yaml:4:8: error: '101 <= h1.rsi(close, 14)' can"),
        ("close > 1 and in_range(rsi(14), 101, 105)", "x.yaml:4:22: error: '101 <= rsi(14)' can"),
    ],
)
def test_lint_sees_through_it_and_says_where(when: str, found: str) -> None:
    shown = [str(one) for one in lint(condition_of(f"'{when}'"))]
    assert any(found in one for one in shown), shown


def test_a_file_tests_it_with_days_of_its_own_and_counts_what_that_reaches() -> None:
    text = """
name: x
universe: [KRX:000001]
timeframe: 1h
when: d1.crosses_above(close, sma(close, 2))
tests:
  - name: from the day after the crossing on
    d1: {close: "100x3 90"}
    bars: {close: "120x7 110x8"}
    expect: {fires_at: [7]}
"""
    condition = compile_condition(parse_condition(text, "x.yaml"))
    assert failed_tests(condition) == ()
    (branch,) = coverage(condition).branches
    assert branch.missing == (Verdict.UNKNOWN,)
