"""Tests of the instruments beside the judged one in conditions' tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.bar_series import Absence
from config.strict_yaml import parse_yaml
from config.trial_bars import TrialBar
from config.trial_others import MOST_OTHERS, TrialOther, read_others

if TYPE_CHECKING:
    from market.errors import Problem

FLAT = TrialBar(5, 5, 5, 5, 1, 5)


def read(text: str, count: int = 3) -> tuple[tuple[TrialOther, ...], list[str]]:
    problems: list[Problem] = []
    found = read_others(parse_yaml(text, "x.yaml"), count, problems)
    return found, [str(one) for one in problems]


def test_each_has_its_own_bars_days_and_facts() -> None:
    fund_text = '{close: "5 _ 5", d1: {close: "5x2"}, facts: {per: 8}}'
    (fund, coin), problems = read(f"{{KRX:069500: {fund_text}, UPBIT:KRW-BTC: {{close: 5}}}}")
    assert problems == []
    assert (fund.id, fund.slots, fund.days) == (
        "KRX:069500",
        (FLAT, Absence.NO_TRADE, FLAT),
        (FLAT, FLAT),
    )
    assert fund.facts is not None
    assert fund.facts.seen_in(0, 1) == {"per": 8}
    assert coin == TrialOther("UPBIT:KRW-BTC", (FLAT,) * 3)


def test_without_any_there_are_none() -> None:
    assert read_others(None, 3, []) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "1:1: 'others' are written {KRX:069500: {close: 100x60}}"),
        ("{069500: {close: 5}}", "1:2: '069500' is no instrument; expected VENUE:CODE"),
        ("{NYSE:KO: {close: 5}}", "1:2: 'NYSE:KO' is no instrument; expected VENUE:CODE"),
        ("{KRX:005930: {close: 5}}", "1:2: 'KRX:005930' is the one judged; its bars are 'bars'"),
        ("{KRX:069500: {open: 5}}", "1:14: key 'close' is missing in the bars"),
        ("{KRX:069500: {close: 5, clsoe: 5}}", "1:25: unknown key 'clsoe'; did you mean 'close'?"),
        ("{KRX:069500: {close: 5, facts: {pre: 5}}}", "1:33: unknown key 'pre'; did you mean"),
        (
            "{KRX:069500: {close: 5 6}}",
            "1:22: 'KRX:069500' has 2 slots, the test has 3; a single number is for all",
        ),
    ],
)
def test_what_cannot_be_says_why_and_where(text: str, message: str) -> None:
    problems = read(text)[1]
    assert len(problems) == 1
    assert problems[0].startswith(f"x.yaml:{message}")


def test_a_test_has_no_more_than_so_many() -> None:
    many = ", ".join(f"KRX:{number:06d}: {{close: 5}}" for number in range(MOST_OTHERS + 1))
    assert read(f"{{{many}}}")[1] == [f"x.yaml:1:1: at most {MOST_OTHERS} other instruments"]
