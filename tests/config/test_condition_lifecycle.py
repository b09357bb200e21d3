"""The keys that say how often a condition fires, and what keeps it quiet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.condition_file import ConditionSpec, Muting, Unknown
from config.condition_reader import parse_condition
from config.strict_yaml import Located
from market.errors import ConfigError

HEAD = "name: a\nuniverse: all\ntimeframe: 5m\nwhen: close > 3\n"


def spec(text: str) -> ConditionSpec:
    return parse_condition(f"{HEAD}{text}\n", "x.yaml")


def test_without_the_keys_nothing_is_different() -> None:
    found = spec("")
    assert (found.keep_for, found.expires, found.fires_every_bar) == (timedelta(0), None, False)
    assert (found.on_unknown, found.muted_by) == (Unknown.HOLD, None)


def test_lengths_are_read() -> None:
    found = spec("keep_for: 10 minutes\nexpires: 2 hours")
    assert (found.keep_for, found.expires) == (timedelta(minutes=10), timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "policy", "bars"),
    [
        ("hold", Unknown.HOLD, 3),
        ("resolve", Unknown.RESOLVE, 3),
        ("alert", Unknown.ALERT, 3),
        ("alert after 12 bars", Unknown.ALERT, 12),
    ],
)
def test_what_unknown_does(text: str, policy: Unknown, bars: int) -> None:
    found = spec(f"on_unknown: {text}")
    assert (found.on_unknown, found.unknown_bars) == (policy, bars)


def test_every_bar_has_no_cooldown_of_its_own() -> None:
    assert spec("fire: once").cooldown == timedelta(minutes=30)
    assert spec("fire: every bar").cooldown == timedelta(0)
    found = spec("fire: every bar\ncooldown: 15 minutes")
    assert (found.fires_every_bar, found.cooldown) == (True, timedelta(minutes=15))


def test_bars_are_judged_when_they_have_closed_unless_it_says_otherwise() -> None:
    assert not spec("").is_intrabar
    assert not spec("intrabar: false").is_intrabar
    assert spec("intrabar: true").is_intrabar


def test_who_silences() -> None:
    assert spec("muted_by: crash").muted_by == Muting(Located("crash", "x.yaml", 5, 11))
    assert spec("muted_by: {condition: crash, on: 069500}").muted_by == Muting(
        Located("crash", "x.yaml", 5, 23), "KRX:069500"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keep_for: soon", "5:11: 'soon' is not a length of time"),
        ("expires: 0 minutes", "5:10: '0 minutes' must be longer than nothing"),
        ("fire: every bar\nexpires: 5m", "6:10: 'expires' does not go with fire: every bar"),
        ("on_unknown: alrt", "5:13: unknown on_unknown 'alrt'; did you mean 'alert'?"),
        ("on_unknown: alert after 0 bars", "5:13: '0 bars': from 1 to 400 bars"),
        ("fire: always", "5:7: unknown fire 'always'; known: every bar, once"),
        ("muted_by: [crash]", "5:11: must be a mapping with the keys condition, on"),
        ("muted_by: {on: 069500}", "5:11: key 'condition' is missing"),
        ("muted_by: {condition: crash, on: x}", "5:34: 'x' is not a code of 6 digits"),
        ("intrabar: perhaps", "5:11: 'perhaps' must be true or false"),
    ],
)
def test_what_cannot_be_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec(text)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"x.yaml:{expected}")
