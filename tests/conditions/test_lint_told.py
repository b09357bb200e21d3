"""Tests of what lint finds in what a condition asks beside its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conditions.lint import lint
from conditions.lint_told import KEPT_DAYS, fact_days
from market.types import Timeframe
from tests.conditions.walked_market import condition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

    Compiled = Callable[..., Condition]

OF = 'of("KRX:069500")'


def a_test(more: str = "") -> str:
    return f"  - {{name: a, bars: {{close: 5}}, {more}expect: {{never: true}}}}"


def found(compiled: Compiled, when: str, *tests: str) -> list[str]:
    condition = compiled(when, "tests:", *(one or a_test() for one in tests))
    return [str(one).removeprefix("example.yaml:") for one in lint(condition)]


def test_facts_that_no_test_tells_are_found(compiled: Compiled) -> None:
    when = "facts.per < 10 and facts.eps > 100"
    told = a_test("facts: {per: 8}, ")
    assert found(compiled, when, "") == [
        "4:8: note: no test tells 'facts.per': facts: {per: ...}",
        "4:27: note: no test tells 'facts.eps': facts: {eps: ...}",
    ]
    assert found(compiled, when, told) == [
        "4:27: note: no test tells 'facts.eps': facts: {eps: ...}"
    ]
    assert found(compiled, when, a_test("facts: {per: 8, eps: '?'}, ")) == [
        "4:27: note: no test tells 'facts.eps': facts: {eps: ...}"
    ]
    assert found(compiled, when, a_test("facts: {per: 8, eps: '? 120'}, ")) == []


def test_instruments_that_no_test_gives_are_found_and_so_are_their_facts(
    compiled: Compiled,
) -> None:
    when = f"{OF}.facts.per < 10 and {OF}.close > 1"
    assert found(compiled, when, a_test("facts: {per: 8}, ")) == [
        "1:7: note: no test gives bars of 'KRX:069500': others: {KRX:069500: ...}",
        f"4:8: note: no test tells '{OF}.facts.per': facts: {{per: ...}}",
    ]
    other = "others: {KRX:069500: {close: 5, facts: {per: 8}}}, "
    assert found(compiled, when, a_test(other)) == []


def test_facts_of_the_universe_may_be_those_of_others(compiled: Compiled) -> None:
    other = "others: {KRX:000660: {close: 5, facts: {per: 8}}}, "
    assert found(compiled, "breadth(facts.per < 10) > 50%", a_test(other)) == []


@pytest.mark.parametrize(
    ("when", "timeframe", "days"),
    [
        ("close > sma(close, 60)", Timeframe.D1, 0),
        ("facts.per < 10 and close > sma(close, 60)", Timeframe.D1, 1),
        ("facts.per + sma(close, 60) * 0 < 10", Timeframe.D1, 1),
        ("facts.per[3] < sma(facts.per, 20)", Timeframe.D1, 20),
        ("sma(facts.per[3], 20) < 9", Timeframe.D1, 23),
        ("facts.per < 10 for 5 bars", Timeframe.D1, 5),
        ("crosses_above(sma(facts.per, 5), 3)", Timeframe.D1, 6),
        ("rank(sma(facts.per, 20)) < 9", Timeframe.D1, 20),
        ("breadth(sma(facts.per, 20) > 9) < 9%", Timeframe.D1, 20),
        ("breadth(facts.per > 9 for 3 bars) < 9%", Timeframe.D1, 3),
        ("sma(facts.per, 14) > 1", Timeframe.M30, 2),
        ("d1.sma(facts.per, 14) > 1", Timeframe.M30, 14),
        ("d1.(facts.per > 1 for 14 bars)", Timeframe.M30, 14),
        ("d1.crosses_above(facts.per, 3)", Timeframe.M30, 2),
        (f"{OF}.sma(facts.per, 20) > 1", Timeframe.D1, 20),
        (f"{OF}.facts.per > 1", Timeframe.D1, 1),
    ],
)
def test_how_many_days_of_facts_are_needed(when: str, timeframe: Timeframe, days: int) -> None:
    assert fact_days(condition_of(f"'{when}'", timeframe).when, timeframe) == days


def test_more_days_than_are_kept_is_an_error() -> None:
    when = f"close > 1 and d1.sma(facts.per, {KEPT_DAYS + 1}) < 9"
    assert [str(one) for one in lint(condition_of(when))][1:] == [
        f"x.yaml:4:21: error: never known: 'd1.sma(facts.per, {KEPT_DAYS + 1}) < 9' needs the "
        f"facts of {KEPT_DAYS + 1} days, {KEPT_DAYS} are kept"
    ]
    assert len(lint(condition_of(f"d1.sma(facts.per, {KEPT_DAYS}) < 9"))) == 1
