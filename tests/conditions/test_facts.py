from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.facts import NOTHING, implies, joined
from conditions.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from conditions.truths import Truth
    from market.panel import Panel


@pytest.mark.parametrize(
    "text",
    [
        "close > 5 and close < 3",
        "close > 5 and close <= 5",
        "close >= 5 and close <= 5 and close != 5",
        "close == 5 and close != 5",
        "close == 5 and close == 6",
        "5 < close and 3 > close",
        "not close > 3 and close > 5",
        "close < open and open < close",
        "close < open and close >= open",
        "close == open and open != close",
        "close < close",
        "rsi(14) > rsi(7) + 200",
        "crosses_above(close, 5) and close < 5",
        "crosses_below(close, open) and close > open",
        "(close > 5 or close > 7) and close < 3",
        "(close > 5 for 3 bars) and close < 3",
        "not (close > 5 within 3 bars) and close > 6",
        "(rsi(14) > 100) within 3 bars",
        "not (rsi(14) <= 100 for 3 bars)",
        "close > 5 and (close < 3 or (close > 7 and close < 6))",
        "close > 5 for 1 bars and close < 3 within 1 bars",
    ],
)
def test_what_cannot_be(text: str, compiled: Callable[..., Condition]) -> None:
    assert joined(compiled(text).when, NOTHING) is None


@pytest.mark.parametrize(
    "text",
    [
        "close > 5 and close < 7",
        "close >= 5 and close <= 5",
        "close != 5 and close != 6",
        "close <= open and close >= open",
        "(close > 5 within 3 bars) and close < 3",
        "not (close > 5 for 3 bars) and close > 6",
        "not crosses_above(close, 5) and close < 5",
        "close > 5 or close < 3",
        "close > 5 and close[1] < 3",
        "rsi(14) >= 100",
        "rsi(14) < rsi(7)",
    ],
)
def test_what_can_be(text: str, compiled: Callable[..., Condition]) -> None:
    assert joined(compiled(text).when, NOTHING) is not None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("close > 5", "close > 3", True),
        ("close > 3", "close > 5", False),
        ("close > 5 and volume > 3", "close >= 5", True),
        ("close == 5", "close > 3 and close < 7", True),
        ("crosses_above(close, open)", "close > open", True),
        ("close > open", "crosses_above(close, open)", False),
        ("close > 5 for 3 bars", "close > 5", True),
        ("close > 5 within 3 bars", "close > 5", False),
        ("close > 5", "volume > 3", False),
        ("close > 5", "close > 5 or volume > 3", True),
    ],
)
def test_what_follows(
    one: str, other: str, expected: bool, compiled: Callable[..., Condition]
) -> None:
    assert implies(compiled(one).when, compiled(other).when) is expected


SIDES = ("close", "open", "rsi(2)")
SIGNS = ("<", "<=", ">", ">=", "==", "!=")


def any_rule(random: np.random.Generator, depth: int = 3) -> str:
    """Return a random rule over few series and numbers, so that parts often bear on each other."""
    kind = random.integers(0, 7 if depth else 2)
    if kind == 0:
        side = random.choice(SIDES)
        return f"{side} {random.choice(SIGNS)} {random.integers(0, 4)}"
    if kind == 1:
        one, other = random.choice(["close", "open", "high"], 2)
        return f"{one} {random.choice(SIGNS)} {other}"
    inner = any_rule(random, depth - 1)
    if kind == 2:
        return f"not ({inner})"
    if kind == 3:
        return f"({inner}) {random.choice(['for', 'within'])} {random.integers(1, 4)} bars"
    word = random.choice(["and", "or"])
    return f"({inner}) {word} ({any_rule(random, depth - 1)})"


def verdicts(truth: Truth, panel: Panel) -> np.ndarray:
    return truth.verdicts(View(panel, None, {}), 60)


def test_no_market_makes_true_what_cannot_be(
    compiled: Callable[..., Condition], panel_of: Callable[..., Panel]
) -> None:
    random = np.random.default_rng(11)
    panel = panel_of(*random.integers(1, 5, (40, 60)).astype(float).tolist())
    panel.open[:, -60:] = random.integers(1, 5, (40, 60))
    never = 0
    for _ in range(400):
        truth = compiled(any_rule(random)).when
        seen = set(np.unique(verdicts(truth, panel)).tolist())
        if joined(truth, NOTHING) is None:
            assert 1 not in seen, truth.text
            never += 1
        if joined(truth, NOTHING, is_denied=True) is None:
            assert -1 not in seen, truth.text
    assert never > 20


def test_no_market_parts_what_follows(
    compiled: Callable[..., Condition], panel_of: Callable[..., Panel]
) -> None:
    random = np.random.default_rng(12)
    panel = panel_of(*random.integers(1, 5, (40, 60)).astype(float).tolist())
    panel.open[:, -60:] = random.integers(1, 5, (40, 60))
    followed = 0
    for _ in range(600):
        one, other = (compiled(any_rule(random, 1)).when for _ in range(2))
        for is_denied, verdict in ((False, 1), (True, -1)):
            if implies(one, other, is_denied=is_denied):
                where = verdicts(one, panel) == verdict
                assert not (verdicts(other, panel)[where] == -verdict).any(), (one, other)
                followed += 1
    assert followed > 20
