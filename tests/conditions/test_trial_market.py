"""Tests of facts and other instruments in conditions' tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conditions.coverage import coverage
from conditions.trial import Course, run_trial
from conditions.trial_report import failed_tests
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

    Compiled = Callable[..., Condition]

FALSE, UNKNOWN, TRUE = Verdict.FALSE, Verdict.UNKNOWN, Verdict.TRUE
TWO_DAYS = 'bars: {close: "5x79"}'


def condition_of(compiled: Compiled, when: str, test: str) -> Condition:
    return compiled(when, "tests:", f"  - {{name: t, {test}, expect: {{never: true}}}}")


def course(compiled: Compiled, when: str, test: str) -> Course:
    condition = condition_of(compiled, when, test)
    return run_trial(condition, condition.spec.tests[0])


@pytest.mark.parametrize("restart", ["", "restart_at: 78, "])
def test_a_session_knows_what_was_told_before_it(compiled: Compiled, restart: str) -> None:
    test = f'{restart}facts: {{per: "8 12"}}, {TWO_DAYS}'
    found = course(compiled, "facts.per < 10", test)
    assert found.verdicts == (*[TRUE] * 77, FALSE, FALSE)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ('{per: "8 _"}', TRUE),
        ('{per: "8 ?"}', UNKNOWN),
        ('{per: "_ 8"}', TRUE),
        ('{per: "8"}', TRUE),
        ("{pbr: 8}", UNKNOWN),
    ],
)
def test_on_the_second_day_it_is_known_or_not(
    compiled: Compiled, facts: str, expected: Verdict
) -> None:
    found = course(compiled, "facts.per < 10", f"facts: {facts}, {TWO_DAYS}")
    assert found.verdicts[-1] is expected


def test_facts_grow_old_after_five_sessions(compiled: Compiled) -> None:
    test = f'facts: {{per: "8 _x5"}}, bars: {{close: "5x{77 * 5 + 1}"}}'
    found = course(compiled, "facts.per < 10", test)
    assert found.verdicts[77 * 5 - 1] is TRUE
    assert found.verdicts[77 * 5] is UNKNOWN


def test_they_may_be_told_of_the_days_before(compiled: Compiled) -> None:
    when = "d1.lowest(facts.institutions_1, 2) > 0"
    test = 'd1: {close: "5x9"}, facts: {institutions_1: "-1 2 3 9"}, bars: {close: 5}'
    assert course(compiled, when, test).verdicts == (TRUE,)
    test = 'd1: {close: "5x3"}, facts: {institutions_1: "1 -2 3 9"}, bars: {close: 5}'
    assert course(compiled, when, test).verdicts == (FALSE,)


def test_another_instrument_is_seen_by_its_own_bars_days_and_facts(compiled: Compiled) -> None:
    other = '{KRX:069500: {close: "4 _ 6 ? 6", d1: {close: "3 7"}, facts: {per: 9}}}'
    test = f'bars: {{close: "5x5"}}, others: {other}'
    of = 'of("KRX:069500")'
    found = course(compiled, f"{of}.close < close", test)
    assert found.verdicts == (TRUE, TRUE, FALSE, UNKNOWN, FALSE)
    assert set(course(compiled, f"{of}.facts.per == 9", test).verdicts) == {TRUE}
    assert course(compiled, f"{of}.d1.close == 7", test).verdicts[0] is TRUE
    assert set(course(compiled, 'of("KRX:000660").close > 1', test).verdicts) == {UNKNOWN}


def test_a_longer_bar_of_another_is_made_of_its_slots(compiled: Compiled) -> None:
    test = 'bars: {close: "5x13"}, others: {KRX:069500: {close: "1x11 3 4"}}'
    found = course(compiled, 'of("KRX:069500").h1.close == 3', test)
    assert found.verdicts == (*[UNKNOWN] * 11, TRUE, TRUE)


def test_the_universe_is_all_but_who_is_named(compiled: Compiled) -> None:
    others = '{KRX:000660: {close: "4 6"}, KRX:000270: {close: "9 1"}, KRX:069500: {close: "9x2"}}'
    test = f'facts: {{per: 8}}, bars: {{close: "5x2"}}, others: {others}'
    assert course(compiled, "rank(close) == 3", test).verdicts == (TRUE, TRUE)
    named = 'rank(close) == 2 and of("KRX:069500").close > 1'
    assert course(compiled, named, test).verdicts == (TRUE, TRUE)
    share = 'breadth(close > 4) > 60% and of("KRX:069500").close > 1'
    assert course(compiled, share, test).verdicts == (TRUE, TRUE)
    told = "breadth(facts.per > 1) == 100%"
    assert course(compiled, told, test).verdicts == (TRUE, TRUE)


def test_without_others_the_judged_one_is_alone(compiled: Compiled) -> None:
    found = course(compiled, "rank(close) == 1 and breadth(close > 4) == 100%", "bars: {close: 5}")
    assert found.verdicts == (TRUE,)


def test_only_the_judged_one_is_judged(compiled: Compiled) -> None:
    test = 'bars: {close: "5 _ ?"}, others: {KRX:000660: {close: "9x3"}}'
    found = course(compiled, "close > 6", test)
    assert found.verdicts == (FALSE, FALSE, UNKNOWN)
    assert found.fires == ()


def test_coverage_and_report_see_the_same_market(compiled: Compiled) -> None:
    test = 'facts: {per: "8 ?"}, bars: {close: "5x78"}, others: {KRX:000660: {close: "9x77 1"}}'
    condition = condition_of(compiled, "rank(close) == 2 and facts.per < 10", test)
    found = coverage(condition)
    assert [one.missing for one in found.branches] == [(UNKNOWN,), (FALSE,)]
    problems = failed_tests(condition)
    assert [one.message for one in problems] == [
        "test 't': fired at slot 0, which was not expected; at slot 0 (09:00) the verdict is true, "
        "it is firing after it: 'rank(close) == 2' is true (2 == 2); "
        "'facts.per < 10' is true (8 < 10)"
    ]
