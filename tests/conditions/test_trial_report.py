from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conditions.trial_report import failed_tests, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition


@pytest.fixture
def told(compiled: Callable[..., Condition]) -> Callable[..., list[str]]:
    """Return what is told of a condition with one test."""

    def make(when: str, close: str, expect: str, *lines: str) -> list[str]:
        test = f"  - {{name: t, bars: {{close: '{close}'}}, expect: {expect}}}"
        return [str(one) for one in failed_tests(compiled(when, *lines, "tests:", test))]

    return make


@pytest.mark.parametrize(
    "expect",
    [
        "{fires_at: [1]}",
        "{fires_at: [1], states: {0: inactive, 1..2: firing}}",
        "{unknown_at: [3]}",
    ],
)
def test_what_comes_as_expected_is_not_told(told: Callable[..., list[str]], expect: str) -> None:
    assert told("close > 5", "4 6 7 ?", expect) == []


def test_a_signal_that_did_not_come_is_told_with_the_values(
    told: Callable[..., list[str]],
) -> None:
    assert told("close > 5 and change(close) > 50%", "4 5.5", "{fires_at: [1]}") == [
        "example.yaml:6:59: test 't': expected to fire at slot 1, did not; at slot 1 (09:05) the "
        "verdict is false, it is inactive after it: 'close > 5' is true (5.5 > 5); "
        "'change(close) > 50%' is false (37.5% > 50%)"
    ]


def test_a_signal_that_was_not_expected_is_told_where_the_nearest_was(
    told: Callable[..., list[str]],
) -> None:
    (told_late,) = told("close > 5", "4 6 7", "{fires_at: [0, 2]}")
    assert told_late.startswith("example.yaml:6:59: test 't': expected to fire at slot 0, did not")
    (told_early,) = told("close > 5", "6 4", "{never: true}")
    assert "6:45: test 't': fired at slot 0, which was not expected" in told_early


def test_only_the_first_difference_of_a_test_is_told(told: Callable[..., list[str]]) -> None:
    (one,) = told("close > 5", "6 7", "{fires_at: [1], states: {1: cooling}, unknown_at: [0]}")
    assert "fired at slot 0" in one


def test_a_wrong_state_and_verdict_are_told(told: Callable[..., list[str]]) -> None:
    (state,) = told("close > 5", "6 7", "{states: {1: cooling}}", "clear: close < 3")
    assert "expected cooling after slot 1, is firing" in state
    assert state.endswith("'close > 5' is true (7 > 5); clear: 'close < 3' is false (7 < 3)")
    (verdict,) = told("close > 5", "6 7", "{unknown_at: [1]}")
    assert "expected to be unknown at slot 1, is true" in verdict
    assert "(09:05)" in verdict


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (float("nan"), "price", "unknown"),
        (0.0589, "ratio", "5.89%"),
        (106_000.0, "price", "106_000"),
        (9_999.5, "price", "9999.5"),
        (-12_345.0, "", "-12_345"),
        (28.57142857, "points", "28.5714"),
    ],
)
def test_values_are_shown_as_they_are_written(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text
