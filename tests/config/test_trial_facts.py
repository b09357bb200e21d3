"""Tests of what conditions' tests tell by the day: the notation and its mistakes."""

from __future__ import annotations

import pytest

from config.strict_yaml import parse_yaml
from config.trial_facts import TrialFacts, read_facts


def facts(text: str) -> TrialFacts:
    problems: list[object] = []
    found = read_facts(parse_yaml(text, "x.yaml"), problems)  # type: ignore[arg-type]  # only looked at
    assert problems == []
    assert found is not None
    return found


def refused(text: str) -> list[str]:
    problems: list[object] = []
    assert read_facts(parse_yaml(text, "x.yaml"), problems) is None  # type: ignore[arg-type]  # only looked at
    return [str(one) for one in problems]


def seen(text: str, sessions: int) -> list[dict[str, float] | None]:
    found = facts(text)
    return [found.seen_in(session, sessions) for session in range(sessions)]


def test_a_single_number_is_told_of_every_day() -> None:
    assert seen("{per: 8, institutions_5: -1_000}", 3) == [{"per": 8, "institutions_5": -1_000}] * 3


def test_the_last_number_is_for_the_last_session_and_what_is_before_is_not_told() -> None:
    assert seen('{per: 8, eps: "1 -2..0"}', 5) == [
        None,
        {"per": 8, "eps": 1},
        {"per": 8, "eps": -2},
        {"per": 8, "eps": -1},
        {"per": 8, "eps": 0},
    ]
    assert seen('{eps: "1 2 3"}', 2) == [{"eps": 2}, {"eps": 3}]


def test_a_day_that_tells_nothing_is_not_one_that_does_not_tell_this() -> None:
    assert seen('{per: "8 _ ?", pbr: "1 _ 2"}', 3) == [{"per": 8, "pbr": 1}, None, {"pbr": 2}]
    assert seen('{per: "?"}', 1) == [{}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{pre: 8}", "1:2: unknown key 'pre'; did you mean 'per'?"),
        ("{}", "1:1: 'facts' names no fact: {per: 8, institutions_5: 1_000 _ -5}"),
        ("8", "1:1: must be a mapping with the keys institutions_1, institutions_5"),
        ("{per: 8 x}", "1:9: 'x' is no piece of a series"),
        ("{per: [8]}", "1:7: 'per' must be a text, not a list or mapping"),
        ("{per: _}", "1:7: 'per' of no day at all; leave it out"),
        ("{market_cap: 5 -5}", "1:16: 'market_cap' must be more than 0"),
        ("{high_52w: 0}", "1:12: 'high_52w' must be more than 0"),
        (
            "{institutions_5: 1 2 3, per: 1 2}",
            "1:30: 'per' has 2 days, 'institutions_5' has 3; a single number is for all",
        ),
        (
            "{institutions_5: 1 _ 3, per: 1 2 3}",
            "1:32: of day 1 either all facts are told or none (_); write ? for one that is not",
        ),
    ],
)
def test_what_cannot_be_told_says_why_and_where(text: str, message: str) -> None:
    found = refused(text)
    assert len(found) == 1
    assert found[0].startswith(f"x.yaml:{message}")
