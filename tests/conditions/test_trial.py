from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conditions.trial import Course, run_trial
from conditions.trial_market import slot_starts
from market.sessions import KST
from market.signals import Phase
from market.types import Timeframe, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

INACTIVE, PENDING, FIRING, COOLING = Phase
FALSE, UNKNOWN, TRUE = Verdict.FALSE, Verdict.UNKNOWN, Verdict.TRUE


@pytest.fixture
def course(compiled: Callable[..., Condition]) -> Callable[..., Course]:
    """Return a maker of the course of one test."""

    def make(when: str, close: str, *lines: str, restart_at: int | None = None) -> Course:
        restart = "" if restart_at is None else f", restart_at: {restart_at}"
        test = f"  - {{name: t, bars: {{close: '{close}'}}{restart}, expect: {{never: true}}}}"
        condition = compiled(when, *lines, "tests:", test)
        return run_trial(condition, condition.spec.tests[0])

    return make


def test_each_slot_has_a_verdict_and_a_standing(course: Callable[..., Course]) -> None:
    found = course("close > 5", "4 6 7 3 6", "cooldown: 10 minutes")
    assert found.verdicts == (FALSE, TRUE, TRUE, FALSE, TRUE)
    assert found.phases == (INACTIVE, FIRING, FIRING, INACTIVE, FIRING)
    assert found.fires == (1, 4)


def test_a_slot_without_trade_keeps_verdict_and_standing(course: Callable[..., Course]) -> None:
    found = course("close > 5", "_ 6 _ 7", "for: 2 bars")
    assert found.verdicts == (UNKNOWN, TRUE, TRUE, TRUE)
    assert found.phases == (INACTIVE, PENDING, PENDING, FIRING)
    assert found.fires == (3,)


def test_a_missing_slot_is_unknown_until_the_next_bar(course: Callable[..., Course]) -> None:
    found = course("close > 5", "6 ? _ 4")
    assert found.verdicts == (TRUE, UNKNOWN, UNKNOWN, FALSE)
    assert found.phases == (FIRING, FIRING, FIRING, COOLING)


def test_a_crossing_over_a_missing_slot_is_unknown(course: Callable[..., Course]) -> None:
    found = course("crosses_above(close, 5)", "4 6 4 ? 6 4 _ 6")
    assert found.verdicts == (UNKNOWN, TRUE, FALSE, UNKNOWN, UNKNOWN, FALSE, FALSE, TRUE)


@pytest.mark.parametrize("restart_at", range(12))
def test_a_restart_changes_nothing(course: Callable[..., Course], restart_at: int) -> None:
    rule = "ema(close, 3) > 5 and crosses_above(close, 5)"
    close = "4x3 6 4 ? 6 _ 4 7 4 8"
    lines = ("clear: close < 5", "cooldown: 15 minutes")
    whole = course(rule, close, *lines)
    assert course(rule, close, *lines, restart_at=restart_at) == whole
    assert whole.fires == (9,)


def test_hours_are_those_of_the_session(course: Callable[..., Course]) -> None:
    assert course("close > 5", "6x4", "between: 09:10-15:15").fires == (1,)
    assert course("close > 5", "6x4", "between: 09:11-15:15").fires == (2,)


def test_slots_go_on_in_the_next_session() -> None:
    starts = [start.astimezone(KST) for start in slot_starts(Timeframe.M5, 400)]
    assert f"{starts[0]:%a %H:%M} {starts[76]:%a %H:%M} {starts[77]:%a %H:%M}" == (
        "Mon 09:00 Mon 15:25 Tue 09:00"
    )
    assert f"{starts[-1]:%a %d %H:%M}" == "Mon 12 10:10"


def test_a_slot_of_a_day_is_a_day() -> None:
    assert [f"{start.astimezone(KST):%d}" for start in slot_starts(Timeframe.D1, 6)] == [
        "05",
        "06",
        "07",
        "08",
        "09",
        "12",
    ]


def longer_course(compiled: Callable[..., Condition], when: str, test: str) -> Course:
    """Return the course of a test that is written out."""
    condition = compiled(when, "tests:", f"  - {{name: t, {test}, expect: {{never: true}}}}")
    return run_trial(condition, condition.spec.tests[0])


def test_days_before_the_first_slot_are_seen(compiled: Callable[..., Condition]) -> None:
    test = "d1: {close: '1 5 7', high: '9 9 8'}, bars: {close: '6 8'}"
    assert longer_course(compiled, "close > d1.close", test).verdicts == (FALSE, TRUE)
    assert longer_course(compiled, "close < d1.high", test).verdicts == (TRUE, FALSE)
    assert longer_course(compiled, "d1.close[2] == 1", test).verdicts == (TRUE, TRUE)
    assert longer_course(compiled, "d1.close[3] == 1", test).verdicts == (UNKNOWN, UNKNOWN)


def test_a_day_without_trade_is_skipped_and_one_not_told_is_unknown(
    compiled: Callable[..., Condition],
) -> None:
    untraded = "d1: {close: '5 _'}, bars: {close: '6'}"
    assert longer_course(compiled, "close > d1.close", untraded).verdicts == (TRUE,)
    untold = "d1: {close: '5 ?'}, bars: {close: '6'}"
    assert longer_course(compiled, "close > d1.close", untold).verdicts == (UNKNOWN,)


@pytest.mark.parametrize("restart", ["", "restart_at: 78, "])
def test_the_days_of_the_test_itself_count_from_the_next_one_on(
    compiled: Callable[..., Condition], restart: str
) -> None:
    test = f"{restart}d1: {{close: '5'}}, bars: {{close: '6x76 9 8x2'}}"
    found = longer_course(compiled, "close > d1.close", test)
    assert found.verdicts == (*[TRUE] * 77, FALSE, FALSE)


def test_a_longer_bar_with_a_slot_that_could_not_be_read_is_unknown(
    compiled: Callable[..., Condition],
) -> None:
    test = "bars: {close: '1x11 2 3x11 ? 4'}"
    found = longer_course(compiled, "close > h1.close", test)
    assert found.verdicts[10:13] == (UNKNOWN, FALSE, TRUE)
    assert found.verdicts[22:] == (TRUE, UNKNOWN, UNKNOWN)
