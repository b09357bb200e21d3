"""Warnings about conditions that are judged while bars form."""

from __future__ import annotations

import pytest

from conditions.compile import compile_condition
from conditions.lint import lint
from config.condition_reader import parse_condition


def warned(when: str, key: str = "intrabar: true") -> list[str]:
    """Return the words before the explanation of every warning."""
    text = f"name: a\nuniverse: [KRX:005930]\ntimeframe: 5m\nwhen: '{when}'\n{key}\n"
    findings = lint(compile_condition(parse_condition(text, "a.yaml")))
    found = [str(one) for one in findings if "has no tests" not in str(one)]
    assert all("write volume[1] for" in one or "write value[1] for" in one for one in found)
    return [one.split(" asks for little")[0] for one in found]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("volume < sma(volume, 20)", "a.yaml:4:8: warning: 'volume < sma(volume, 20)'"),
        ("rsi(14) < 30 and value <= 5_000_000 KRW", "a.yaml:4:25: warning: 'value <="),
        ("sma(volume, 20)[1] > volume", "a.yaml:4:8: warning: 'sma(volume, 20)[1] > volume'"),
        ("not volume > 3 * sma(volume, 20)", "a.yaml:4:12: warning: 'volume > 3 *"),
        ("volume < 100 for 2 bars", "a.yaml:4:8: warning: 'volume < 100'"),
    ],
)
def test_little_of_what_has_only_begun_says_nothing(when: str, expected: str) -> None:
    (found,) = warned(when)
    assert found.startswith(expected)
    assert warned(when, "intrabar: false") == []


@pytest.mark.parametrize(
    "when",
    [
        "volume > 3 * sma(volume, 20)[1]",
        "volume[1] < sma(volume, 20)[1]",
        "not volume < 100",
        "close < sma(close, 20)",
        "volume == 100",
    ],
)
def test_what_grows_into_being_true_is_meant(when: str) -> None:
    assert warned(when) == []
