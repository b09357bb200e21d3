"""Tests of explanations and of the lines for a chart."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.explain import explain, overlays
from market.signals import Explanation, Leaf
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from market.panel import Panel

    Compiled = Callable[..., Condition]
    PanelOf = Callable[..., Panel]

RISING = [10.0, 11.0, 12.0, 13.0]


def test_every_comparison_is_a_leaf_as_written(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close  >  12_000 KRW or not (1 < close/close[3] - 1 <= 31%)")
    found = explain(condition, panel_of(RISING), 0)
    assert found == Explanation(
        Verdict.TRUE,
        (
            Leaf("close > 12_000 KRW", 13.0, ">", 12_000.0, "price", Verdict.FALSE),
            Leaf("1 < close/close[3] - 1", 1.0, "<", 13 / 10 - 1, "ratio", Verdict.FALSE),
            Leaf("close/close[3] - 1 <= 31%", 13 / 10 - 1, "<=", 0.31, "ratio", Verdict.TRUE),
        ),
    )


@pytest.mark.parametrize(
    ("when", "unit"),
    [
        ("close > 12", "price"),
        ("volume > 12", "volume"),
        ("value > 12 KRW", "value"),
        ("rsi(close, 2) > 50", "points"),
        ("change(close, 1) > 1%", "ratio"),
        ("day.change > 1%", "ratio"),
        ("upper_limit > 12", "price"),
        ("day.volume > 12", "volume"),
        ("rank(close) <= 3", ""),
        ("breadth(close > open) > 1%", "ratio"),
        ("time > 09:30", "clock"),
        ("minutes_to_close > 1 h", "time"),
        ("2 > 1", ""),
    ],
)
def test_leaves_tell_their_unit(
    when: str, unit: str, compiled: Compiled, panel_of: PanelOf
) -> None:
    (leaf,) = explain(compiled(when), panel_of(RISING), 0).leaves
    assert leaf.unit == unit


def test_what_held_within_some_bars_is_told_by_the_values_of_then(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    condition = compiled("(close < 11 or close < 12 for 2 bars) within 3 bars and close > 5")
    found = explain(condition, panel_of(RISING), 0)
    then = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
    assert found.leaves == (
        Leaf("close < 11", 11.0, "<", 11.0, "price", Verdict.FALSE, then),
        Leaf("close < 12 for 2 bars", 11.0, "<", 12.0, "price", Verdict.TRUE, then),
        Leaf("close > 5", 13.0, ">", 5.0, "price", Verdict.TRUE),
    )


def test_what_lasts_is_shown_with_its_newest_values(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > 11 for 3 bars or crosses_above(close, 12) within 2 bars")
    found = explain(condition, panel_of(RISING), 0)
    assert found.leaves == (
        Leaf("close > 11 for 3 bars", 13.0, ">", 11.0, "price", Verdict.FALSE),
        Leaf(
            "crosses_above(close, 12) within 2 bars",
            13.0,
            "crosses above",
            12.0,
            "price",
            Verdict.TRUE,
        ),
    )


def test_unknown_values_are_shown_as_nan(compiled: Compiled, panel_of: PanelOf) -> None:
    (leaf,) = explain(compiled("sma(close, 9) > 1"), panel_of(RISING), 0).leaves
    assert isnan(leaf.left)
    assert leaf.verdict is Verdict.UNKNOWN


def test_a_missing_newest_slot_makes_every_leaf_unknown(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    found = explain(compiled("close > 1"), panel_of(RISING, missing=[3]), 0)
    assert (found.verdict, found.leaves[0].verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert found.leaves[0].left == 12.0


def test_overlays_are_series_that_lie_where_prices_do(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    condition = compiled(
        "close / sma(close, 2) > 1 and close[1] > 1 and sma(volume, 2) > 1 and rsi(close, 3) > 1 "
        "and close > ema(2)[1] + 2 * stdev(close, 2) and open - sma(close, 3) > 1",
        "clear: close < sma(close, 2)",
    )
    drawn = overlays(condition, panel_of(RISING), 0, 3)
    assert list(drawn) == [
        "sma(close, 2)",
        "ema(close, 2)[1] + 2 * stdev(close, 2)",
        "sma(close, 3)",
    ]
    assert drawn["sma(close, 2)"].tolist() == [10.5, 11.5, 12.5]
    np.testing.assert_array_equal(drawn["sma(close, 3)"], [np.nan, 11.0, 12.0])


def test_lines_of_the_day_are_drawn(compiled: Compiled, panel_of: PanelOf) -> None:
    condition = compiled("close > day.open + 1 and high[1] < upper_limit and close > day.low[1]")
    drawn = overlays(condition, panel_of(RISING), 0, 3)
    assert list(drawn) == ["day.open + 1", "upper_limit", "day.low[1]"]
    assert drawn["day.open + 1"].tolist() == [11.0, 11.0, 11.0]


def test_overlays_are_at_most_four_and_fit_a_snapshot(
    compiled: Compiled, panel_of: PanelOf
) -> None:
    panel = panel_of(RISING)
    condition = compiled(" and ".join(f"close > sma(close, {bars})" for bars in range(2, 9)))
    drawn = overlays(condition, panel, 0, 60)
    assert list(drawn) == [f"sma(close, {bars})" for bars in (2, 3, 4, 5)]
    snapshot = panel.snapshot(0, 60, drawn)
    assert snapshot.overlays["sma(close, 2)"][1:] == (10.5, 11.5, 12.5)
