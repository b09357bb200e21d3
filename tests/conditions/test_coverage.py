from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.coverage import coverage
from conditions.leaves import leaves
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from conditions.coverage import Coverage


def covered(compiled: Callable[..., Condition], when: str, *lines: str) -> Coverage:
    return coverage(compiled(when, *lines))


def one(close: str) -> str:
    return f"  - {{name: '{close}', bars: {{close: '{close}'}}, expect: {{never: true}}}}"


def test_without_tests_nothing_is_reached(compiled: Callable[..., Condition]) -> None:
    found = covered(compiled, "close > 5 and volume > 3", "clear: close < 3")
    assert (found.tests, found.reached, found.outcomes) == (0, 0, 9)
    assert [(one.key, one.text) for one in found.branches] == [
        ("when", "close > 5"),
        ("when", "volume > 3"),
        ("clear", "close < 3"),
    ]


def test_tests_reach_together_what_each_reaches(compiled: Callable[..., Condition]) -> None:
    found = covered(compiled, "close > 5", "tests:", one("4"), one("6 _"))
    assert (found.tests, found.reached) == (2, 2)
    assert found.branches[0].missing == (Verdict.UNKNOWN,)


def test_a_missing_slot_makes_every_branch_unknown(compiled: Callable[..., Condition]) -> None:
    found = covered(compiled, "close > 5 or sma(close, 2) > 9", "tests:", one("?"), one("_"))
    assert [one.reached for one in found.branches] == [{Verdict.UNKNOWN}] * 2


def test_branches_are_as_the_author_wrote_them(compiled: Callable[..., Condition]) -> None:
    condition = compiled("not close > 5 for 2 bars and 3 < close < 9 within 2 bars or open > 1")
    assert [leaf.text for leaf in leaves(condition.when)] == [
        "close > 5 for 2 bars",
        "3 < close",
        "close < 9",
        "open > 1",
    ]


def test_long_tests_count_from_their_first_bar(compiled: Callable[..., Condition]) -> None:
    found = covered(compiled, "close > 5", "tests:", one("6 4x900"))
    assert found.branches[0].reached == {Verdict.TRUE, Verdict.FALSE}
