from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.bar_series import Absence
from config.condition_reader import parse_condition
from config.trial_bars import TrialBar
from market.errors import ConfigError
from market.signals import Phase

if TYPE_CHECKING:
    from config.condition_tests import Trial

HEAD = "name: a\nuniverse: [KRX:005930]\ntimeframe: 5m\nwhen: close > 3\ntests:\n"


def trials(text: str) -> tuple[Trial, ...]:
    return parse_condition(HEAD + text, "x.yaml").tests


def trial(bars: str, expect: str = "{never: true}", more: str = "") -> Trial:
    text = f"  - name: one\n    bars: {bars}\n    expect: {expect}\n"
    return trials(text + (f"    {more}\n" if more else ""))[0]


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        trials(text)
    return [f"{one.line}:{one.column}: {one.message}" for one in caught.value.problems]


def refused_trial(bars: str, expect: str = "{never: true}") -> list[str]:
    return refused(f"  - name: one\n    bars: {bars}\n    expect: {expect}\n")


def test_bars_are_flat_unless_told_otherwise() -> None:
    assert trial("{close: 5 _ 6}").slots == (
        TrialBar(5, 5, 5, 5, 1, 5),
        Absence.NO_TRADE,
        TrialBar(6, 6, 6, 6, 1, 6),
    )


def test_value_is_close_times_volume_unless_given() -> None:
    assert trial('{close: "5 6", volume: 10}').slots[1] == TrialBar(6, 6, 6, 6, 10, 60)
    assert trial('{close: "5 6", volume: "1 2", value: "7 0"}').slots == (
        TrialBar(5, 5, 5, 5, 1, 7),
        TrialBar(6, 6, 6, 6, 2, 0),
    )


def test_high_and_low_enclose_open_and_close() -> None:
    assert trial('{close: "5 6", open: "7 5"}').slots == (
        TrialBar(7, 7, 5, 5, 1, 5),
        TrialBar(5, 6, 5, 6, 1, 6),
    )
    given = trial('{close: "5 _", open: "6 _", high: "9 _", low: "4 ?"}')
    assert given.slots[0] == TrialBar(6, 9, 4, 5, 1, 5)


def test_expectations_are_read_with_their_places() -> None:
    expect = "{fires_at: [1, 2..3], states: {1: firing, 2..3: cooling}, unknown_at: 0}"
    found = trial("{close: 5x4}", expect, "restart_at: 2")
    assert found.restart_at == 2
    assert found.expect.fires_at is not None
    assert [slot for slot, _ in found.expect.fires_at] == [1, 2, 3]
    assert [(one.line, one.column) for _, one in found.expect.fires_at] == [
        (8, 25),
        (8, 28),
        (8, 28),
    ]
    assert [(slot, phase) for slot, phase, _ in found.expect.states] == [
        (1, Phase.FIRING),
        (2, Phase.COOLING),
        (3, Phase.COOLING),
    ]
    assert [slot for slot, _ in found.expect.unknown_at] == [0]


def test_never_expects_no_slot_and_silence_expects_nothing() -> None:
    assert trial("{close: 5}").expect.fires_at == ()
    assert trial("{close: 5}", "{states: {0: firing}}").expect.fires_at is None


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ("{volume: 5}", "7:11: key 'close' is missing in the bars"),
        ("5x3", "7:11: must be a mapping with the keys close, open, high, low, volume, value"),
        ("{close: 5y}", "7:19: '5y' is no piece of a series; write 100, 100x60, 100..110, _ or ?"),
        ("{close: 5 0}", "7:21: 'close' must be more than 0; write _ for no trade"),
        (
            "{close: 5 6, volume: 1 2 3}",
            "7:32: 'volume' has 3 slots, 'close' has 2; a single number is for all",
        ),
        (
            "{close: 5 6, volume: 1 _}",
            "7:34: 'volume' of slot 1 is missing, but its close is given",
        ),
        ("{close: '5 ?', volume: 1 2}", "7:36: slot 1 has no close; write ? here too"),
        ("{close: 5 6, high: 5}", "7:30: slot 1: its high 5 is not the highest price"),
        ("{close: 12_000, low: 13_000, high: 14_000}", None),
        (
            "{close: 5, d1: {close: 5}}",
            "7:22: unknown key 'd1'; known: close, high, low, open, value, volume",
        ),
        (
            "{close: 5, facts: {per: 5}}",
            "7:22: unknown key 'facts'; known: close, high, low, open, value, volume",
        ),
        ("{close: 5 -6}", "7:21: 'close' must be more than 0; write _ for no trade"),
    ],
)
def test_bars_that_cannot_be_are_told(bars: str, message: str | None) -> None:
    expected = message or "7:32: slot 0: its low 13_000 is not the lowest price"
    assert refused_trial(bars) == [expected]


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{}", "8:13: expect one of fires_at, never, states, unknown_at"),
        ("{never: false}", "8:21: 'never' can only be true; else write fires_at"),
        ("{never: true, fires_at: [1]}", "8:21: give either 'never' or 'fires_at'"),
        ("{fires_at: []}", "8:24: 'fires_at' names no slot; for no signal: never: true"),
        ("{fires_at: [2]}", "8:25: '2': slots go from 0 to 1"),
        ("{fires_at: [x]}", "8:25: 'x' is no slot; write 61 or 0..58"),
        ("{fires_at: [1..0]}", "8:25: '1..0': slots go from 0 to 1"),
        ("{unknown_at: [[1]]}", "8:27: 'unknown_at' is a list of slots: [3, 10..12]"),
        ("{states: {0: fired}}", None),
        ("{states: [1]}", None),
        ("{sates: {0: firing}}", "8:14: unknown key 'sates'; did you mean 'states'?"),
    ],
)
def test_expectations_that_cannot_be_are_told(expect: str, message: str | None) -> None:
    found = refused_trial("{close: 5 6}", expect)
    if message is not None:
        assert found == [message]
    elif "fired" in expect:
        assert found == ["8:26: unknown state 'fired'; known: inactive, pending, firing, cooling"]
    else:
        assert found[0].startswith("8:22: 'states' are written {61: firing}; one of inactive ")


def test_the_form_of_tests_is_told() -> None:
    assert refused("  close: 5\n") == ["6:3: 'tests' is a list of {name, bars, expect}"]
    assert refused("  - {name: a}\n") == [
        "6:12: key 'bars' is missing in this test",
        "6:12: key 'expect' is missing in this test",
    ]
    assert refused("  - {bars: {close: 5}, expect: {never: true}}\n") == [
        "6:5: key 'name' is missing"
    ]


def test_a_name_and_a_restart_are_checked() -> None:
    one = "  - {name: a, bars: {close: 5 6}, expect: {never: true}"
    assert refused(f"{one}}}\n{one}}}\n") == ["7:12: a test named 'a' is already there"]
    assert refused(f"{one}, restart_at: 5}}\n") == ["6:70: '5': slots go from 0 to 1"]
    assert refused(f"{one}, restart_at: 0..1}}\n") == ["6:70: '0..1' is a range; write one slot"]


def test_days_before_it_are_read_like_bars() -> None:
    assert trial("{close: 5}", "{never: true}", "d1: {close: 5 6, high: 7}").days == (
        TrialBar(5, 7, 5, 5, 1, 5),
        TrialBar(6, 7, 6, 6, 1, 6),
    )
    assert trial("{close: 5}").days == ()
