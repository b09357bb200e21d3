"""Tests of asking why: the tree, what is waited for, and that it says what the bot decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from math import isnan
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from conditions.waits import Moment, Wait, WaitFor
from conditions.why import Why, replayed, why
from config.condition_reader import parse_condition
from market.fact_panel import FactPanel, day_start
from market.facts import DailyFacts
from market.panel import Panel
from market.sessions import KrxCalendar
from market.signals import LifecycleState, Phase
from market.types import Bar, Timeframe, Verdict, to_ms
from tests.conditions.why_texts import SCORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from conditions.tree import Branch

    Compiled = Callable[..., Condition]
    PanelOf = Callable[..., Panel]

OPENING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
"""Nine o'clock of a Monday in Seoul, where the makers of panels begin."""
SLOT = timedelta(minutes=5)
NAME = "KRX:005930"
RISING = [10.0, 11.0, 12.0, 13.0]
NEW = LifecycleState()


def after(bars: int, **facts: object) -> Moment:
    """Return the moment in which that many slots have closed and been judged."""
    now = OPENING + bars * SLOT
    return Moment(now, KrxCalendar({}), to_ms(now - SLOT), **facts)  # type: ignore[arg-type]  # named facts of a test


def asked(condition: Condition, panel: Panel, state: LifecycleState = NEW, bars: int = 4) -> Why:
    """Return why on the first row after that many slots."""
    return why(condition, panel, 0, state, after(bars))


def kinds(found: Why) -> list[WaitFor]:
    """Return what is waited for."""
    return [wait.reason for wait in found.waits]


def failing(branch: Branch) -> list[Branch]:
    """Return the leaves that are not true."""
    if not branch.parts:
        return [] if branch.verdict is Verdict.TRUE else [branch]
    return [leaf for part in branch.parts for leaf in failing(part)]


def test_the_tree_has_the_verdict_of_every_node(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > 12 and (close < 5 or not close > 20)")
    tree = asked(condition, panel_of(RISING)).when
    assert (tree.word, tree.verdict) == ("all", Verdict.TRUE)
    first, second = tree.parts
    assert (first.word, first.text, first.verdict) == ("compare", "close > 12", Verdict.TRUE)
    assert (second.word, second.verdict) == ("any", Verdict.TRUE)
    low, opposite = second.parts
    assert (low.verdict, opposite.word, opposite.verdict) == (Verdict.FALSE, "not", Verdict.TRUE)
    assert opposite.parts[0].verdict is Verdict.FALSE


def test_operands_show_the_numbers_they_are_made_of(compiled: Compiled, panel_of: PanelOf) -> None:
    leaf = asked(compiled("close / sma(close, 2) - 1 > 2%"), panel_of(RISING)).when
    left, right = leaf.operands
    assert (left.text, left.unit, left.needs) == ("close / sma(close, 2) - 1", "ratio", 2)
    assert left.value == pytest.approx(13 / 12.5 - 1)
    ratio, one = left.parts
    assert ratio.value == pytest.approx(1.04)
    assert one.is_written
    assert [(part.text, part.value, part.unit) for part in ratio.parts] == [
        ("close", 13.0, "price"),
        ("sma(close, 2)", 12.5, "price"),
    ]
    assert (right.value, right.is_written) == (0.02, True)


@pytest.mark.parametrize(
    ("when", "gap", "ratio"),
    [
        ("close > 14", 1.0, 1 / 14),
        ("close >= 10", -3.0, -3 / 10),
        ("close < 10", 3.0, 3 / 10),
        ("close <= 14", -1.0, -1 / 14),
        ("close == 15", 2.0, 2 / 15),
        ("close != 15", -2.0, -2 / 15),
        ("crosses_above(close, 15)", 2.0, 2 / 15),
        ("crosses_below(close, 12.5)", 0.5, 0.5 / 12.5),
        ("close - close > 0", 0.0, float("nan")),
        ("sma(close, 9) > 1", float("nan"), float("nan")),
    ],
)
def test_a_leaf_tells_by_how_much(
    when: str, gap: float, ratio: float, compiled: Compiled, panel_of: PanelOf
) -> None:
    leaf = asked(compiled(when), panel_of(RISING)).when
    assert leaf.gap == pytest.approx(gap, nan_ok=True)
    assert leaf.gap_ratio == pytest.approx(ratio, nan_ok=True)


def test_an_event_shows_the_bar_before(compiled: Compiled, panel_of: PanelOf) -> None:
    leaf = asked(compiled("crosses_above(close, 12.5)"), panel_of(RISING)).when
    assert (leaf.word, leaf.verdict, leaf.operator) == ("event", Verdict.TRUE, "crosses above")
    assert leaf.before == (12.0, 12.5)


@pytest.mark.parametrize(
    ("when", "verdict", "held"),
    [
        ("close > 10 for 3 bars", Verdict.TRUE, 3),
        ("close > 11 for 3 bars", Verdict.FALSE, 2),
        ("close < 12 within 3 bars", Verdict.TRUE, 1),
        ("close < 11 within 3 bars", Verdict.FALSE, 0),
    ],
)
def test_what_lasts_counts_its_bars(
    when: str, verdict: Verdict, held: int, compiled: Compiled, panel_of: PanelOf
) -> None:
    node = asked(compiled(when), panel_of(RISING)).when
    assert (node.word, node.verdict) == (when.split()[3], verdict)
    assert (node.held, node.needs) == (held, 3)


@pytest.mark.parametrize(
    ("when", "value", "bar"),
    [
        ("close < 12 within 3 bars", 11.0, 1),
        ("(close < 12 or close < 1) within 4 bars", 11.0, 1),
        ("(close < 12 within 2 bars) within 3 bars", 11.0, 1),
        ("close > 12 within 3 bars", 13.0, None),  # it holds on the newest bar
        ("close < 11 within 3 bars", 13.0, None),  # it does not at all
        ("close < 12 for 3 bars", 13.0, None),
    ],
)
def test_what_held_within_some_bars_is_shown_where_it_held_last(
    when: str, value: float, bar: int | None, compiled: Compiled, panel_of: PanelOf
) -> None:
    node = asked(compiled(when), panel_of(RISING)).when
    start = None if bar is None else OPENING + bar * SLOT
    leaf = node
    while leaf.parts:
        leaf = leaf.parts[0]
    assert leaf.operands[0].value == value
    inner = node.parts[0].held_at or node.held_at
    assert inner == start


def test_nothing_is_known_of_within_while_a_slot_is_missing(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of(RISING, missing=[4])
    panel.mark_missing([0])
    node = asked(compiled("close < 12 within 3 bars"), panel, bars=5).when
    assert (node.verdict, node.held_at) == (Verdict.UNKNOWN, None)
    assert node.parts[0].operands[0].value == 13.0


def test_the_openings_that_an_indicator_is_anchored_to_are_not_shown(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    right = asked(compiled("close > vwap()"), panel_of(RISING)).when.operands[1]
    assert [part.text for part in right.parts] == ["high", "low", "close", "volume"]


def test_it_fires_and_then_waits_for_clear_and_cooldown(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    condition = compiled("close > 12", "clear: close < 5")
    found = asked(condition, panel_of(RISING))
    assert (found.fires, found.state.phase, found.held) == (True, Phase.FIRING, 1)
    until = OPENING + 4 * SLOT + timedelta(minutes=30)
    assert found.waits == (Wait(WaitFor.CLEAR), Wait(WaitFor.COOLDOWN, at=until))
    assert found.clear is not None
    assert (found.clear.text, found.clear.gap) == ("close < 5", 8.0)


def test_a_state_from_after_the_bar_gives_the_same_answer(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    condition, panel = compiled("close > 12"), panel_of(RISING)
    first = asked(condition, panel)
    assert asked(condition, panel, first.state) == first


def test_a_false_condition_names_the_leaves_that_fail(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    found = asked(compiled("close > 12 and volume > 12"), panel_of(RISING))
    assert kinds(found) == [WaitFor.FALSE]
    (leaf,) = failing(found.when)
    assert (leaf.text, leaf.gap) == ("volume > 12", 2.0)
    assert leaf.gap_ratio == pytest.approx(1 / 6)


def test_it_waits_to_hold(compiled: Compiled, panel_of: PanelOf) -> None:
    condition, panel = compiled("close > 11", "for: 3 bars"), panel_of(RISING)
    found = asked(condition, panel, replayed(condition, panel, 0))
    assert (found.held, found.state.phase) == (2, Phase.PENDING)
    assert found.waits == (Wait(WaitFor.HOLD, 2, 3),)


def test_it_waits_for_its_indicators_to_warm_up(compiled: Compiled, panel_of: PanelOf) -> None:
    found = asked(compiled("close > sma(close, 9)"), panel_of(RISING))
    assert found.verdict is Verdict.UNKNOWN
    assert found.waits == (Wait(WaitFor.WARM_UP, 4, 9),)
    assert found.when.operands[1].needs == 9


def test_a_division_by_zero_is_unknown_without_a_warm_up(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    found = asked(compiled("close / (close - close) > 1"), panel_of(RISING))
    assert kinds(found) == [WaitFor.UNKNOWN]


def test_missing_bars_leave_everything_unknown(compiled: Compiled, panel_of: PanelOf) -> None:
    panel = panel_of(RISING, missing=[3])
    found = asked(compiled("close > 1 and volume > 1"), panel)
    assert kinds(found) == [WaitFor.MISSING]
    assert {part.verdict for part in found.when.parts} == {Verdict.UNKNOWN}
    assert (found.when.parts[0].operands[0].value, found.held) == (12.0, 0)
    held_back = why(compiled("close > 1"), panel, 0, NEW, after(4, is_held_back=True))
    assert kinds(held_back) == [WaitFor.CHART]


def test_it_waits_for_its_hours(compiled: Compiled, panel_of: PanelOf) -> None:
    found = asked(compiled("close > 1", "between: 09:30-15:00"), panel_of(RISING))
    assert (found.fires, found.state.phase) == (False, Phase.PENDING)
    hours = (time(9, 30), time(15))
    assert found.waits == (Wait(WaitFor.HOURS, at=OPENING + 4 * SLOT, hours=hours),)


@pytest.mark.parametrize(
    "hours",
    [(time(9, 20), time(15)), (time(9), time(9, 20)), (time(23), time(9, 20))],
    ids=["first", "last", "over midnight"],
)
def test_both_ends_of_the_hours_are_included(
    hours: tuple[time, time], compiled: Compiled, panel_of: PanelOf
) -> None:
    plain = compiled("close > 1")
    condition = replace(plain, spec=replace(plain.spec, between=hours))
    found = asked(condition, panel_of(RISING))
    assert found.fires
    assert WaitFor.HOURS not in kinds(found)


def test_it_waits_for_tomorrow_when_its_limit_is_reached(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    condition = compiled("close > 20", "limit: 2 per day")
    found = why(condition, panel_of(RISING), 0, NEW, after(4, fired_today=2))
    assert found.waits[-1] == Wait(WaitFor.LIMIT, 2, 2)


def test_a_silenced_condition_does_not_fire(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > 12")
    found = why(condition, panel_of(RISING), 0, NEW, after(4, muted_by="crash"))
    assert (found.fires, found.state.phase) == (False, Phase.FIRING)
    assert Wait(WaitFor.MUTED, name="crash") in found.waits
    again = why(condition, panel_of(RISING), 0, found.state, after(4, muted_by="crash"))
    assert not again.fires


def test_it_waits_to_stay_clear_and_to_expire(compiled: Compiled, panel_of: PanelOf) -> None:
    keys = ("keep_for: 15 minutes", "expires: 1 hour", "cooldown: 0 minutes")
    condition = compiled("close > 12", *keys)
    first = asked(condition, panel_of(RISING))
    panel = panel_of([*RISING, 5.0])
    found = asked(condition, panel, first.state, 5)
    end = OPENING + 4 * SLOT
    assert (found.state.phase, first.waits[0]) == (Phase.FIRING, Wait(WaitFor.CLEAR))
    assert found.waits[1:] == (
        Wait(WaitFor.KEEP, at=end + SLOT + timedelta(minutes=15)),
        Wait(WaitFor.EXPIRES, at=end + timedelta(hours=1)),
    )


def test_what_fires_every_bar_waits_only_for_its_cooldown(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    condition = compiled("close > 11", "fire: every bar", "cooldown: 10 minutes")
    fires, state = [], NEW
    for bars in range(1, 8):
        found = asked(condition, panel_of([*RISING, 14.0, 15.0, 16.0][:bars]), state, bars)
        fires.append(found.fires)
        state = found.state
    assert fires == [False, False, True, False, True, False, True]
    assert kinds(found) == [WaitFor.COOLDOWN]


def test_a_score_tells_its_sum_and_what_each_part_adds(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    text = f"name: x\nuniverse: [{NAME}]\ntimeframe: 5m\n{SCORE}"
    condition = compile_condition(parse_condition(text))
    score = asked(condition, panel_of([10.0, 11.0, 12.0, 13.0, 14.0]), bars=5).when
    assert (score.word, score.verdict, score.operator) == ("score", Verdict.FALSE, ">")
    assert [one.value for one in score.operands] == [pytest.approx(0.3), 0.5]
    assert score.gap == pytest.approx(0.2)
    assert [part.adds for part in score.parts] == [0.4, -0.1, 0.0]
    assert score.parts[1].word == "all"


def test_slots_without_a_trade_are_counted(compiled: Compiled, panel_of: PanelOf) -> None:
    found = asked(compiled("close > 20"), panel_of(RISING), bars=6)
    newest = OPENING + 3 * SLOT
    assert found.waits[-1] == Wait(WaitFor.NO_TRADE, 2, at=newest)


def test_slots_that_nobody_has_judged_are_counted(compiled: Compiled, panel_of: PanelOf) -> None:
    moment = Moment(OPENING + 6 * SLOT, KrxCalendar({}), to_ms(OPENING + 3 * SLOT))
    found = why(compiled("close > 20"), panel_of(RISING), 0, NEW, moment)
    assert found.waits[-1] == Wait(WaitFor.BEHIND, 2, at=OPENING + 3 * SLOT)


def test_it_waits_for_the_next_session(compiled: Compiled, panel_of: PanelOf) -> None:
    evening = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    slots = KrxCalendar({}).slots(OPENING, evening, Timeframe.M5)
    moment = Moment(evening, KrxCalendar({}), to_ms(slots[-1]))
    found = why(compiled("close > 20"), panel_of(RISING), 0, NEW, moment)
    tomorrow = OPENING + timedelta(days=1)
    assert found.waits[-1] == Wait(WaitFor.SESSION, at=tomorrow)
    assert WaitFor.BEHIND not in kinds(found)


def test_it_waits_for_longer_bars(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > d1.sma(close, 3) and h1.close > 1")
    found = asked(condition, panel_of(RISING))
    assert found.waits == (
        Wait(WaitFor.LONGER_CHART, name="1d"),
        Wait(WaitFor.LONGER_WARM_UP, 0, 3, name="1d"),
        Wait(WaitFor.LONGER_CHART, name="1h"),
        Wait(WaitFor.LONGER_WARM_UP, 0, 1, name="1h"),
    )


def test_it_waits_for_facts(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > 1 and facts.per < 10 and facts.eps > facts.per")
    panel = panel_of(RISING)
    untold = Wait(WaitFor.FACTS, name="facts.per, facts.eps")
    assert asked(condition, panel).waits == (untold,)
    panel.facts = FactPanel([NAME])
    friday = date(2026, 1, 2)
    panel.facts.put(day_start(NAME, friday), [DailyFacts(NAME, friday, per=8.0)])
    assert asked(condition, panel).waits == (Wait(WaitFor.FACTS, name="facts.eps"),)
    panel.facts.put(day_start(NAME, friday), [DailyFacts(NAME, friday, per=8.0, eps=9.0)])
    assert WaitFor.FACTS not in kinds(asked(condition, panel))


def test_a_longer_bar_that_goes_on_does_not_count(compiled: Compiled) -> None:
    panel = Panel(Timeframe.M5, [NAME], 9, [Timeframe.H1])
    panel.append([Bar(NAME, Timeframe.M5, OPENING, 5.0, 5.0, 5.0, 5.0, 1.0, 5.0)])
    hour = Bar(NAME, Timeframe.H1, OPENING, 5.0, 5.0, 5.0, 5.0, 1.0, 5.0)
    panel.larger[Timeframe.H1].append([hour])
    found = asked(compiled("close > h1.close"), panel)
    assert found.waits[0] == Wait(WaitFor.LONGER_WARM_UP, 0, 1, name="1h")


def test_an_instrument_without_bars_is_warming_up(compiled: Compiled, panel_of: PanelOf) -> None:
    found = asked(compiled("close > sma(close, 9)"), panel_of([]))
    assert (found.bar_start, found.verdict, found.held) == (None, Verdict.UNKNOWN, 0)
    assert isnan(found.close)
    assert replayed(compiled("close > 1"), panel_of([]), 0) == NEW
    assert found.waits[0] == Wait(WaitFor.WARM_UP, 0, 9)
