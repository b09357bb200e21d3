"""Tests of events: every one is blind to the future and unknown beside what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.indicators import EVENTS
from tests.conditions.random_bars import Array, Bars, holed, part, walked_bars

if TYPE_CHECKING:
    from conditions.indicators.events import Event

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=40)
Candle = tuple[float, float, float, float]
"""Open, high, low, close."""


def sources(event: Event, bars: Bars) -> list[Array]:
    """Return what the event takes: fields, and for its series the close and its mean."""
    series = [bars["close"], 50_000.0 + 0.0 * bars["close"]]
    taken = [bars[name] for name in event.fields] + series[: len(event.series)]
    return [np.ascontiguousarray(one.reshape(1, -1)) for one in taken]


def verdicts(
    event: Event, bars: Bars, gaps: Array, parameters: tuple[float, ...], columns: int
) -> Array:
    """Return the verdicts of the newest columns of one row, padded as a panel would be."""
    wanted = columns + event.bars(*parameters) - 1
    arrays = [
        np.pad(one, ((0, 0), (max(0, wanted - one.shape[1]), 0)), constant_values=np.nan)
        for one in sources(event, bars)
    ]
    found: Array = event.verdicts(arrays, parameters, gaps.reshape(1, -1), columns)[0]
    return found


def usual(event: Event) -> tuple[float, ...]:
    return tuple(one.typed(3) for one in event.parameters)


def told(name: str, *candles: Candle, before: str = "") -> int:
    """Return the verdict on the newest of these candles, after a decline or an advance."""
    event = EVENTS.get(name)
    step = {"decline": -10.0, "advance": 10.0}.get(before, 0.0)
    first = candles[0][0]
    lead = [
        (first - step * back, first - step * back + 1, first - step * back - 1, first - step * back)
        for back in range(8, 0, -1)
    ]
    table = np.array([*lead, *candles])
    bars = {field: table[:, place] for place, field in enumerate(("open", "high", "low", "close"))}
    no_gaps = np.zeros(len(table), dtype=bool)
    return int(verdicts(event, bars, no_gaps, usual(event), 1)[0])


@pytest.mark.parametrize("name", sorted(EVENTS))
@STEADY
@given(st.integers(0, 10_000), st.integers(1, 119))
def test_a_prefix_gives_the_prefix_of_the_verdicts(name: str, seed: int, count: int) -> None:
    event = EVENTS.get(name)
    random = np.random.default_rng(seed)
    bars = holed(walked_bars(seed, 120), np.flatnonzero(random.random(120) < 0.02))
    gaps = random.random(120) < 0.05
    whole = verdicts(event, bars, gaps, usual(event), 120)
    found = verdicts(event, part(bars, 0, count), gaps[:count], usual(event), count)
    np.testing.assert_array_equal(found, whole[:count])
    few = verdicts(event, bars, gaps, usual(event), 7)
    np.testing.assert_array_equal(few, whole[-7:])


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_unknown_beside_what_is_unknown_and_across_a_gap(name: str) -> None:
    event, bars = EVENTS.get(name), walked_bars(1, 60)
    reach = event.bars(*usual(event))
    no_gaps = np.zeros(60, dtype=bool)
    gap = no_gaps.copy()
    gap[30] = True
    unknown = verdicts(event, holed(bars, [30]), no_gaps, usual(event), 60) == 0
    assert np.flatnonzero(unknown).tolist() == [*range(reach - 1), *range(30, 30 + reach)]
    unknown = verdicts(event, bars, gap, usual(event), 60) == 0
    assert np.flatnonzero(unknown).tolist() == [*range(reach - 1), *range(30, 29 + reach)]


def test_events_are_complete() -> None:
    for name in EVENTS:
        event = EVENTS.get(name)
        assert event.definition.endswith("."), name
        assert bool(event.series) != bool(event.fields), name


def test_crossings_are_unknown_at_gaps_and_unknown_values() -> None:
    left = np.array([[1.0, 3.0, 1.0, 3.0, np.nan, 3.0, 3.0]])
    right = np.full((1, 7), 2.0)
    gap = np.array([[False, False, False, True, False, False, False]])
    above = EVENTS.get("crosses_above").verdicts([left, right], (), gap, 6)[0]
    below = EVENTS.get("crosses_below").verdicts([left, right], (), gap, 6)[0]
    assert above.tolist() == [1, -1, 0, 0, 0, -1]
    assert below.tolist() == [-1, 1, 0, 0, 0, -1]


def test_a_touch_is_no_crossing_but_leaving_it_is() -> None:
    left, right = np.array([[1.0, 2.0, 3.0]]), np.full((1, 3), 2.0)
    no_gaps = np.zeros((1, 3), dtype=bool)
    assert EVENTS.get("crosses_above").verdicts([left, right], (), no_gaps, 2).tolist() == [[-1, 1]]


def test_a_run_is_as_long_as_it_is_asked_for() -> None:
    series, no_gaps = np.array([[1.0, 2.0, 3.0, 3.0, 4.0, 2.0, 1.0]]), np.zeros((1, 7), dtype=bool)
    rising, falling = EVENTS.get("rising"), EVENTS.get("falling")
    assert rising.verdicts([series], (2,), no_gaps, 5).tolist() == [[1, -1, -1, -1, -1]]
    assert rising.verdicts([series], (1,), no_gaps, 6).tolist() == [[1, 1, -1, 1, -1, -1]]
    assert falling.verdicts([series], (2,), no_gaps, 5).tolist() == [[-1, -1, -1, -1, 1]]


PATTERNS: dict[str, tuple[str, list[Candle]]] = {
    "doji": ("", [(100.0, 105.0, 95.0, 101.0)]),
    "hammer": ("decline", [(100.0, 103.2, 92.0, 103.0)]),
    "hanging_man": ("advance", [(100.0, 103.2, 92.0, 103.0)]),
    "inverted_hammer": ("decline", [(100.0, 110.0, 99.5, 102.0)]),
    "shooting_star": ("advance", [(100.0, 110.0, 99.5, 102.0)]),
    "engulfing_bullish": ("", [(100.0, 101.0, 95.0, 96.0), (96.0, 103.0, 95.0, 102.0)]),
    "engulfing_bearish": ("", [(96.0, 101.0, 95.0, 100.0), (100.0, 101.0, 93.0, 94.0)]),
    "harami_bullish": ("", [(100.0, 101.0, 89.0, 90.0), (92.0, 96.0, 91.0, 95.0)]),
    "harami_bearish": ("", [(90.0, 101.0, 89.0, 100.0), (98.0, 99.0, 93.0, 94.0)]),
    "piercing_line": ("", [(100.0, 101.0, 89.0, 90.0), (89.0, 98.0, 88.0, 97.0)]),
    "dark_cloud_cover": ("", [(90.0, 101.0, 89.0, 100.0), (101.0, 102.0, 92.0, 93.0)]),
    "morning_star": (
        "",
        [(100.0, 101.0, 89.0, 90.0), (89.0, 90.5, 87.0, 88.0), (89.0, 98.5, 88.5, 98.0)],
    ),
    "evening_star": (
        "",
        [(90.0, 101.0, 89.0, 100.0), (101.0, 103.0, 99.5, 102.0), (101.0, 101.5, 91.5, 92.0)],
    ),
    "three_white_soldiers": (
        "",
        [(90.0, 95.5, 89.5, 95.0), (93.0, 99.5, 92.5, 99.0), (97.0, 104.5, 96.5, 104.0)],
    ),
    "three_black_crows": (
        "",
        [(104.0, 104.5, 98.5, 99.0), (101.0, 101.5, 94.5, 95.0), (97.0, 97.5, 89.5, 90.0)],
    ),
}


def test_every_candle_pattern_has_its_picture() -> None:
    assert set(PATTERNS) == {name for name in EVENTS if EVENTS.get(name).fields}


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_is_seen_in_its_picture(name: str) -> None:
    before, candles = PATTERNS[name]
    assert told(name, *candles, before=before) == 1


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_is_not_seen_in_its_mirror(name: str) -> None:
    before, candles = PATTERNS[name]
    turned = {"decline": "advance", "advance": "decline"}.get(before, "")
    mirrored = [(200.0 - o, 200.0 - low, 200.0 - high, 200.0 - c) for o, high, low, c in candles]
    assert told(name, *mirrored, before=turned) == (1 if name == "doji" else -1)


@pytest.mark.parametrize("name", ["hammer", "hanging_man", "inverted_hammer", "shooting_star"])
def test_a_shape_means_nothing_after_the_other_trend(name: str) -> None:
    before, candles = PATTERNS[name]
    assert told(name, *candles, before=before) == 1
    assert told(name, *candles, before="advance" if before == "decline" else "decline") == -1
    assert told(name, *candles) == -1


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_bars_of_one_price_are_no_pattern(name: str) -> None:
    assert told(name, (100.0, 100.0, 100.0, 100.0), (100.0, 100.0, 100.0, 100.0)) == -1


@pytest.mark.parametrize(
    ("name", "candles"),
    [
        ("doji", [(100.0, 105.0, 95.0, 101.1)]),  # body over a tenth of the range
        ("engulfing_bullish", [(100.0, 101.0, 95.0, 96.0), (96.1, 103.0, 95.0, 102.0)]),
        ("engulfing_bullish", [(100.0, 101.0, 95.0, 96.0), (96.0, 103.0, 95.0, 99.9)]),
        ("engulfing_bullish", [(100.0, 101.0, 95.0, 96.0), (96.0, 103.0, 95.0, 100.0)]),  # as large
        ("engulfing_bearish", [(96.0, 101.0, 95.0, 100.0), (100.0, 101.0, 93.0, 96.0)]),
        ("engulfing_bearish", [(96.0, 101.0, 95.0, 100.0), (99.9, 101.0, 93.0, 94.0)]),
        ("harami_bullish", [(100.0, 101.0, 89.0, 90.0), (91.0, 98.0, 90.5, 97.0)]),
        ("harami_bullish", [(100.0, 120.0, 80.0, 90.0), (92.0, 96.0, 91.0, 95.0)]),  # no long body
        ("harami_bearish", [(90.0, 101.0, 89.0, 100.0), (99.0, 99.5, 92.0, 93.0)]),
        ("harami_bearish", [(90.0, 110.0, 80.0, 100.0), (98.0, 99.0, 93.0, 94.0)]),
        ("piercing_line", [(100.0, 101.0, 89.0, 90.0), (89.0, 98.0, 88.0, 95.0)]),
        ("piercing_line", [(100.0, 101.0, 89.0, 90.0), (90.1, 98.0, 88.0, 97.0)]),
        ("piercing_line", [(100.0, 120.0, 80.0, 90.0), (89.0, 98.0, 88.0, 97.0)]),
        ("piercing_line", [(100.0, 101.0, 89.0, 90.0), (89.0, 101.0, 88.0, 100.0)]),  # engulfs
        ("dark_cloud_cover", [(90.0, 101.0, 89.0, 100.0), (101.0, 102.0, 92.0, 95.0)]),
        ("dark_cloud_cover", [(90.0, 101.0, 89.0, 100.0), (99.9, 102.0, 92.0, 93.0)]),
        ("dark_cloud_cover", [(90.0, 110.0, 80.0, 100.0), (101.0, 102.0, 92.0, 93.0)]),
        ("dark_cloud_cover", [(90.0, 101.0, 89.0, 100.0), (101.0, 102.0, 89.0, 90.0)]),
        (
            "three_white_soldiers",  # the last one ends far under its high
            [(90.0, 95.5, 89.5, 95.0), (93.0, 99.5, 92.5, 99.0), (97.0, 109.0, 96.5, 104.0)],
        ),
        (
            "morning_star",  # the last one does not come back over the middle
            [(100.0, 101.0, 89.0, 90.0), (89.0, 90.5, 87.0, 88.0), (89.0, 95.5, 88.5, 94.9)],
        ),
    ],
)
def test_what_is_almost_a_pattern_is_none(name: str, candles: list[Candle]) -> None:
    assert told(name, *candles) == -1


def test_patterns_are_found_on_random_bars() -> None:
    count, random = 20_000, np.random.default_rng(2)
    bars = walked_bars(11, count)
    bars["open"] = np.concatenate([[50_000.0], bars["close"][:-1]]) + random.normal(0, 30, count)
    reach = random.exponential(random.choice([5.0, 200.0], (2, count)))
    bars["high"] = np.maximum(bars["open"], bars["close"]) + reach[0]
    bars["low"] = np.minimum(bars["open"], bars["close"]) - reach[1]
    no_gaps = np.zeros(count, dtype=bool)
    for name in sorted(PATTERNS):
        found = verdicts(EVENTS.get(name), bars, no_gaps, (), count - 10)
        assert 0 < (found == 1).mean() < 0.3, name
