"""Tests of every indicator there is: blind to the future, true to its memory and warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.indicators import INDICATORS, warm_up
from conditions.indicators.registry import Indicator, Parameter, kernel
from tests.conditions.random_bars import (
    Array,
    Bars,
    coarse_bars,
    holed,
    memory_of,
    part,
    values_of,
    walked_bars,
    warm_up_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=30)
FAST = sorted(name for name in INDICATORS if not INDICATORS.get(name).is_slow)
FEW = 24
"""The largest window that is drawn: what holds for it holds for longer ones."""


def _value(parameter: Parameter) -> st.SearchStrategy[float]:
    high = min(parameter.high, FEW)
    if parameter.is_whole:
        return st.integers(int(parameter.low), int(high))
    return st.floats(parameter.low, min(high, 4.0)).map(lambda value: round(value, 2))


def parameters_of(indicator: Indicator) -> st.SearchStrategy[tuple[float, ...]]:
    """Return parameters as a call may give them: what is fast is faster than what is slow."""
    names = [one.name for one in indicator.parameters]
    fast = next((names.index(one) for one in names if one.endswith("fast")), None)
    slow = next((names.index(one) for one in names if one.endswith("slow")), None)
    drawn = st.tuples(*map(_value, indicator.parameters))
    if fast is None or slow is None:
        return drawn
    return drawn.filter(lambda values: values[fast] < values[slow])


def usual(indicator: Indicator) -> tuple[float, ...]:
    """Return the defaults, 5 where there is none."""
    return tuple(
        one.typed(5 if one.default is None else one.default) for one in indicator.parameters
    )


def spread(values: Array) -> float:
    """Return how large the known values are: what errors are measured by."""
    known = values[~np.isnan(values)]
    return float(np.abs(known).max()) if len(known) else 1.0


def holes(seed: int, bars: int) -> Array:
    """Return some places to be unknown, none to many."""
    random = np.random.default_rng(seed)
    return np.flatnonzero(random.random(bars) < random.choice([0.0, 0.005, 0.05]))


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000), st.integers(1, 380))
def test_a_prefix_gives_the_prefix_of_the_values(
    name: str, data: st.DataObject, seed: int, count: int
) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    bars = holed(walked_bars(seed, 400), holes(seed, 400))
    whole = values_of(indicator, bars, parameters)
    found = values_of(indicator, part(bars, 0, count), parameters)
    np.testing.assert_array_equal(found, whole[:, :count])


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000), st.sampled_from([walked_bars, coarse_bars]))
def test_a_window_of_its_memory_gives_the_full_history(
    name: str, data: st.DataObject, seed: int, made: Callable[[int, int], Bars]
) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    bars = holed(made(seed, 1_500), holes(seed, 1_500))
    whole = values_of(indicator, bars, parameters)
    for place, output in enumerate(indicator.outputs):
        memory = memory_of(indicator, output, parameters)
        assert warm_up_of(indicator, output, parameters) <= memory <= indicator.memory(*parameters)
        recent = values_of(indicator, part(bars, -memory), parameters)[place, -1]
        tolerance = 1e-6 * spread(whole[place, -400:])
        np.testing.assert_allclose(recent, whole[place, -1], rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000), st.integers(1, 100))
def test_fewer_columns_are_the_last_of_all(
    name: str, data: st.DataObject, seed: int, columns: int
) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    bars = holed(walked_bars(seed, 150), holes(seed, 150))
    whole = values_of(indicator, bars, parameters)
    found = values_of(indicator, bars, parameters, columns)
    np.testing.assert_array_equal(found, whole[:, -columns:])


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000))
def test_an_unknown_bar_begins_anew(name: str, data: st.DataObject, seed: int) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    bars = walked_bars(seed, 300)
    found = values_of(indicator, holed(bars, [120]), parameters)
    whole = values_of(indicator, bars, parameters)
    afresh = values_of(indicator, part(bars, 121), parameters)
    np.testing.assert_array_equal(found[:, :120], whole[:, :120])
    assert np.isnan(found[:, 120]).all()
    known = ~np.isnan(afresh)
    scale = spread(whole)
    np.testing.assert_allclose(found[:, 121:][known], afresh[known], rtol=1e-9, atol=1e-12 * scale)


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000))
def test_rows_do_not_touch_each_other(name: str, data: st.DataObject, seed: int) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    rows = [holed(walked_bars(seed + row, 90), holes(seed + row, 90)) for row in range(19)]
    stacked = [np.array([bars[field] for bars in rows]) for field in indicator.sources]
    together = indicator.kernel(*stacked, *parameters, 90).reshape(-1, 19, 90)
    for row, bars in enumerate(rows):
        np.testing.assert_array_equal(together[:, row], values_of(indicator, bars, parameters))


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000))
def test_values_are_known_from_the_warm_up_on(name: str, data: st.DataObject, seed: int) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    bars = walked_bars(seed, 200)
    bars["volume"] += 1.0
    jitter = np.random.default_rng(seed).random(200)
    for field in ("open", "high", "low", "close"):
        bars[field] += jitter  # what stands still for a whole window is unknown to some
    found = values_of(indicator, bars, parameters)
    for place, output in enumerate(indicator.outputs):
        warm = warm_up_of(indicator, output, parameters)
        assert np.isnan(found[place, : warm - 1]).all()
        assert not np.isnan(found[place, max(warm - 1, FEW * 3) :]).any()


@pytest.mark.parametrize("name", FAST)
def test_short_rows_are_unknown(name: str) -> None:
    indicator = INDICATORS.get(name)
    parameters = usual(indicator)
    for count in range(1, indicator.warm_up(*parameters)):
        found = values_of(indicator, walked_bars(1, count), parameters, columns=5)
        assert found.shape == (len(indicator.outputs), 5)
        for place, output in enumerate(indicator.outputs):
            if count < warm_up_of(indicator, output, parameters):
                assert np.isnan(found[place]).all()


@pytest.mark.parametrize("name", FAST)
@STEADY
@given(st.data(), st.integers(0, 10_000))
def test_values_stay_within_their_bounds(name: str, data: st.DataObject, seed: int) -> None:
    indicator = INDICATORS.get(name)
    parameters = data.draw(parameters_of(indicator))
    found = values_of(indicator, walked_bars(seed, 300), parameters)
    for place, output in enumerate(indicator.outputs):
        if output.bounds is not None:
            known = found[place][~np.isnan(found[place])]
            low, high = output.bounds
            assert low - 1e-9 <= known.min()
            assert known.max() <= high + 1e-9


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_every_declaration_is_complete(name: str) -> None:
    indicator = INDICATORS.get(name)
    assert indicator.definition.endswith(".")
    for parameter in indicator.parameters:
        assert parameter.low <= (parameter.default or parameter.low) <= parameter.high
    names = [one.name for one in indicator.outputs]
    assert len(set(names)) == len(names)
    assert all(names) if indicator.is_several else names == [""]
    assert all(one.meaning for one in indicator.outputs) or not indicator.is_several


@pytest.mark.parametrize("price", [0.1, 70_000.0, 1e-8])
def test_flat_prices_give_exact_values(price: float) -> None:
    bars = {name: np.full(300, price) for name in ("open", "high", "low", "close")}
    bars |= {"volume": np.full(300, 3.0), "openings": np.zeros(300)}
    bars["openings"][0] = 1.0
    levels = {"upper", "middle", "lower", ""}
    for name in FAST:
        indicator = INDICATORS.get(name)
        newest = values_of(indicator, bars, usual(indicator), columns=1)[:, 0]
        for value, output in zip(newest, indicator.outputs, strict=True):
            if output.is_level and output.name in levels:
                assert value == pytest.approx(price, rel=1e-15), name
    assert {
        name: values_of(INDICATORS.get(name), bars, usual(INDICATORS.get(name)), 1)[0, 0]
        for name in FLAT
    } == FLAT
    for name in ("rsi", "stochastic", "cci", "adx", "williams_r", "mfi"):
        indicator = INDICATORS.get(name)
        assert np.isnan(values_of(indicator, bars, usual(indicator))).all(), name


FLAT = {"stdev": 0.0, "change": 0.0, "roc": 0.0, "macd": 0.0, "atr": 0.0, "trix": 0.0, "obv": 900.0}
"""What does not move has no distance and no change; all volume counts as bought."""


def test_strength_is_unknown_once_nothing_moved_for_three_windows() -> None:
    bars = {
        name: np.concatenate([values, np.full(100, 1_000.0)])
        for name, values in walked_bars(1, 60).items()
    }
    strength = values_of(INDICATORS.get("rsi"), bars, (14,))[0]
    assert not np.isnan(strength[13 : 60 + 42]).any()
    assert np.isnan(strength[60 + 43 :]).all()
    direction = values_of(INDICATORS.get("adx"), bars, (14,))
    assert not np.isnan(direction[:, 28 : 60 + 42]).any()
    assert np.isnan(direction[:, 60 + 43 :]).all()


def test_rsi_reaches_both_ends() -> None:
    rising = {"close": np.arange(1.0, 50.0)}
    falling = {"close": np.arange(50.0, 1.0, -1.0)}
    assert values_of(INDICATORS.get("rsi"), rising, (14,))[0, -1] == 100.0
    assert values_of(INDICATORS.get("rsi"), falling, (14,))[0, -1] == 0.0


def test_change_from_nothing_is_unknown() -> None:
    found = values_of(INDICATORS.get("change"), {"close": np.array([0.0, 5.0, 6.0])}, (1,))
    np.testing.assert_allclose(found[0], [np.nan, np.nan, 0.2])


def test_session_sums_wait_for_a_session_to_begin() -> None:
    bars = part(walked_bars(4, 200), 10)
    first = 78 - 10
    for name in ("vwap", "obv"):
        found = values_of(INDICATORS.get(name), bars, ())[0]
        assert np.isnan(found[:first]).all()
        assert not np.isnan(found[first + 5 :]).any()


def test_a_kernel_without_a_place_to_be_kept_is_compiled_all_the_same() -> None:
    names: dict[str, Any] = {}
    exec("def double(value):\n    return 2 * value", names)  # noqa: S102  # belongs to no file
    assert kernel(names["double"])(4) == 8


def test_warm_up_compiles_every_kernel() -> None:
    warm_up()
    for name in FAST:
        assert INDICATORS.get(name).kernel.signatures, name  # type: ignore[attr-defined]  # numba's


def test_bars_that_reach_but_do_not_move_lose_their_direction() -> None:
    rise, rest = np.arange(10.0), np.full(40, 9.0)
    close = np.concatenate([rise, rest]) + 100.0
    bars = {"high": close + 1.0, "low": close - 1.0, "close": close}
    sources = [bars[name].reshape(1, -1) for name in INDICATORS.get("adx").sources]
    strength = INDICATORS.get("adx").kernel(*sources, 2, 50)[0][0]
    assert strength[12] == 100.0  # all of the movement that is remembered went up
    assert strength[-1] == pytest.approx(0.0, abs=1e-6)
