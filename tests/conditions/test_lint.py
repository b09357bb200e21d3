from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from conditions.findings import Severity
from conditions.lint import lint, lint_all
from config.condition_reader import parse_condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

    Found = Callable[..., list[str]]


@pytest.fixture
def found(compiled: Callable[..., Condition]) -> Found:
    """Return what lint finds in a condition, without the note on its tests."""

    def make(when: str, *lines: str) -> list[str]:
        findings = lint(compiled(when, *lines))
        return [
            str(one).removeprefix("example.yaml:")
            for one in findings
            if "has no tests" not in str(one)
        ]

    return make


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (
            "rsi(14) > 101",
            "4:8: error: 'rsi(14) > 101' can never be true; 'rsi(close, 14)' goes from 0 to 100",
        ),
        ("volume < 0", "4:8: error: 'volume < 0' can never be true; 'volume' is never below 0"),
        (
            "change(close) < -100%",
            "4:8: error: 'change(close) < -100%' can never be true; "
            "'change(close, 1)' is never below -1",
        ),
        ("close > 0", "4:8: warning: 'close > 0' is always true; 'close' is never 0 or less"),
        ("close > close", "4:8: error: 'close > close' can never be true: both sides are the same"),
        (
            "not rsi(14) < 101",
            "4:12: error: 'rsi(14) < 101' is always true; 'rsi(close, 14)' goes from 0 to 100",
        ),
        (
            "close > 50 and close > 5 and close < 3",
            "4:37: error: 'close < 3' can never be true together with 'close > 50'",
        ),
        (
            "volume > 3 or rsi(14) > 101",
            "4:22: warning: 'rsi(14) > 101' can never be true; 'rsi(close, 14)' goes from 0 to 100",
        ),
        (
            "close > 5 and (close < 3 or volume > 7)",
            "4:23: warning: 'close < 3' can never be true beside what else must hold",
        ),
        ("volume > 5 or volume > 5", "4:22: warning: 'volume > 5' is written twice"),
        (
            "close > 5 and close > 3",
            "4:22: warning: 'close > 3' adds nothing: it is true wherever 'close > 5' is",
        ),
        (
            "close > 5 or close > 3",
            "4:8: warning: 'close > 5' adds nothing: it is true only where 'close > 3' is",
        ),
        (
            "not (close > 5 or close <= 5)",
            "4:26: error: 'close <= 5' can never be false together with 'close > 5'",
        ),
        (
            "not (close > 5 and close > 3)",
            "4:27: warning: 'close > 3' adds nothing: it is true wherever 'close > 5' is",
        ),
        ("close > 5 or close <= 5", "4:8: warning: 'close > 5 or close <= 5' is always true"),
    ],
)
def test_what_is_found(found: Found, when: str, message: str) -> None:
    assert message in found(when)


@pytest.mark.parametrize(
    "when",
    [
        "close / sma(close, 60) - 1 > 2% and volume > 6 * sma(volume, 20)",
        "rsi(14) < 30 and rsi(7) < 30",
        "20 < rsi(14) < 30",
        "(close > 5 within 3 bars) and close < 3",
        "close > 5 and close[1] < 5",
        "crosses_above(rsi(14), 30) and rsi(14) < 40",
        "close > 5 or volume > 5",
        "not (close > 5 for 3 bars) and close > 6",
    ],
)
def test_what_may_well_be_meant_is_not_found(found: Found, when: str) -> None:
    assert found(when) == []


def test_contradictions_are_found_across_the_lines_of_a_file(
    compiled: Callable[..., Condition],
) -> None:
    lines = (
        "clear:",
        "  all:",
        "    - rsi(14) > 50",
        "    - not: volume > 3",
        "    - rsi(14) < 40",
    )
    findings = lint(compiled("close > 5", *lines))
    assert [str(one) for one in findings if one.severity is Severity.ERROR] == [
        "example.yaml:9:7: error: 'rsi(14) < 40' can never be true together with 'rsi(14) > 50'"
    ]


def test_parts_of_a_score_and_named_expressions_are_looked_at(
    compiled: Callable[..., Condition],
) -> None:
    lines = (
        "let: {calm: rsi(14) < 0}",
        "score:",
        "  above: 1",
        "  parts: [{when: calm, weight: 2}, {when: volume < 0, weight: 2}]",
    )
    found = [str(one) for one in lint(compiled("close > 5", *lines)) if "tests" not in str(one)]
    assert [one.partition(" can")[0] for one in found] == [
        "example.yaml:5:13: warning: 'rsi(14) < 0'",
        "example.yaml:8:43: warning: 'volume < 0'",
    ]


def test_a_clear_that_is_true_with_when_is_found(found: Found) -> None:
    assert found("rsi(14) < 30", "clear: rsi(14) < 50") == [
        "5:8: warning: 'rsi(14) < 50' is true wherever 'when' is, so it holds nothing back"
    ]
    assert found("rsi(14) < 30", "clear: rsi(14) > 50") == []


def test_a_clear_that_can_never_be_is_an_error(found: Found) -> None:
    assert found("close > 5", "clear: rsi(14) < 0") == [
        "5:8: error: 'rsi(14) < 0' can never be true; 'rsi(close, 14)' goes from 0 to 100"
    ]


def test_being_silenced_by_what_is_off_is_found(compiled: Callable[..., Condition]) -> None:
    silenced = compiled("close > 5", "muted_by: crash")
    crash = compiled("close < 5", "enabled: false")
    crash = replace(crash, name="crash")
    found = [str(one) for one in lint_all((silenced, crash)) if "tests" not in str(one)]
    assert found == [
        "example.yaml:5:11: warning: 'crash' is off (enabled: false), so that it silences nothing"
    ]
    on = replace(crash, spec=replace(crash.spec, is_enabled=True))
    assert all("tests" in str(one) for one in lint_all((silenced, on)))
    both = compiled("close > 5", "muted_by: crash", "enabled: false")
    assert all("tests" in str(one) for one in lint_all((both, crash)))


def test_a_score_that_can_never_be_is_found_where_it_is_written(found: Found) -> None:
    lines = ("score:", "  above: 1", "  parts:", "    - {when: rsi(14) < 0, weight: 2}")
    assert all(not one.startswith("1:1") for one in found("close > 5", *lines))


def test_what_must_have_held_once_and_never_can_is_an_error(found: Found) -> None:
    assert found("close > 5 and rsi(14) > 101 within 3 bars") == [
        "4:22: error: 'rsi(14) > 101' can never be true; 'rsi(close, 14)' goes from 0 to 100"
    ]
    assert "error" in found("not (rsi(14) <= 100 for 3 bars)")[0]


def test_a_condition_without_tests_is_noted(compiled: Callable[..., Condition]) -> None:
    (note,) = lint(compiled("close > 5"))
    assert str(note) == "example.yaml:1:7: note: condition 'example' has no tests"
    tests = "tests: [{name: a, bars: {close: 6}, expect: {fires_at: [0]}}]"
    assert lint(compiled("close > 5", tests)) == ()


def test_hours_outside_the_session_are_an_error(found: Found) -> None:
    assert found("close > 5", "between: 16:00-17:00") == [
        "5:10: error: never true: no 5m bar ends between 16:00-17:00: they end from 09:05 to 15:30"
    ]
    assert "no 5m bar ends between 09:00-09:04" in found("close > 5", "between: 09:00-09:04")[0]
    assert found("close > 5", "between: 09:00-09:05", "cooldown: 5 minutes") == []
    assert found("close > 5", "between: 15:30-15:31", "cooldown: 1 minutes") == []


def test_a_cooldown_longer_than_the_hours_is_noted(found: Found) -> None:
    assert found("close > 5", "between: 09:00-10:00", "cooldown: 2 hours") == [
        "6:11: note: the cooldown is longer than 09:00-10:00: "
        "one signal a day at most on an instrument"
    ]


def test_coins_trade_at_every_hour() -> None:
    text = "name: a\nuniverse: [UPBIT:KRW-BTC]\ntimeframe: 5m\nwhen: close > 5\n"
    night = compile_condition(parse_condition(text + "between: 20:00-23:00\n"))
    assert all("never true" not in str(one) for one in lint(night))
