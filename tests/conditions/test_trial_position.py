"""Tests of conditions' own tests with a position: what each slot knows, coverage, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.coverage import coverage
from conditions.lint import lint
from conditions.trial import run_trial
from conditions.trial_report import failed_tests
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

    Compiled = Callable[..., Condition]

T, F, U = Verdict.TRUE, Verdict.FALSE, Verdict.UNKNOWN


def with_test(
    compiled: Compiled, when: str, position: str, closes: str = "100x3 110x3"
) -> Condition:
    told = f"position: {position}, " if position else ""
    text = f"  - {{name: a, {told}bars: {{close: '{closes}'}}, expect: {{never: true}}}}"
    return compiled(when, "tests:", text)


def verdicts(condition: Condition) -> tuple[Verdict, ...]:
    return run_trial(condition, condition.spec.tests[0]).verdicts


def test_the_slot_that_it_is_opened_in_is_the_first_to_know(compiled: Compiled) -> None:
    held = with_test(compiled, "position.profit > 5%", "{price: 100, opened: 2}")
    assert verdicts(held) == (U, U, F, T, T, T)
    aged = with_test(compiled, "position.age > 5 minutes", "{price: 100, opened: 2}")
    assert verdicts(aged) == (U, U, F, T, T, T)


def test_once_it_is_closed_the_quantity_alone_is_known(compiled: Compiled) -> None:
    position = "{price: 100, quantity: 7, opened: 1, closed: 4}"
    held = with_test(compiled, "position.quantity == 7", position)
    assert verdicts(held) == (F, T, T, T, F, F)
    gained = with_test(compiled, "position.profit > 5%", position)
    assert verdicts(gained) == (U, F, F, T, U, U)


def test_a_short_position_gains_as_the_price_falls(compiled: Compiled) -> None:
    sold = "{price: 100, quantity: -7, opened: 1}"
    gained = with_test(compiled, "position.profit > 5%", sold, "100x3 90x3")
    assert verdicts(gained) == (U, F, F, T, T, T)
    lost = with_test(compiled, "position.profit < -5% and position.quantity < 0", sold)
    assert verdicts(lost) == (F, F, F, T, T, T)


def test_without_a_position_nothing_is_held(compiled: Compiled) -> None:
    assert verdicts(with_test(compiled, "position.quantity == 0", "")) == (T,) * 6
    assert verdicts(with_test(compiled, "position.profit > 0%", "")) == (U,) * 6


def test_outcomes_count_before_and_after_it_is_sold(compiled: Compiled) -> None:
    position = "{price: 100, opened: 1, closed: 4}"
    (branch,) = coverage(with_test(compiled, "position.profit > 5%", position)).branches
    assert branch.missing == ()


def test_what_no_test_tells_is_noted_where_it_is_asked_for(compiled: Compiled) -> None:
    when = "close > 5 and position.profit > 5%"
    (note,) = lint(with_test(compiled, when, ""))
    assert str(note).endswith("note: no test tells what is held: position: {price: ...}")
    assert note.problem.column == len("when: 'close > 5 and ") + 1
    assert lint(with_test(compiled, when, "{price: 100}")) == ()


def test_a_failed_test_shows_what_is_held(compiled: Compiled) -> None:
    condition = with_test(compiled, "position.profit > 5%", "{price: 100, opened: 2}")
    (problem,) = failed_tests(condition)
    assert "'position.profit > 5%' is true (10% > 5%)" in problem.message
