"""Tests of what `ta` computes for us: all of it can be called, and none of it sees the future."""

from __future__ import annotations

from importlib import import_module
from inspect import Parameter, getmembers, isclass, signature

import numpy as np
import pandas as pd
import pytest
from ta.utils import IndicatorMixin

from conditions.indicators import INDICATORS
from conditions.indicators.registry import OPENINGS, Indicator
from conditions.indicators.ta_bridge import Twin
from tests.conditions.random_bars import (
    Array,
    holed,
    memory_of,
    part,
    values_of,
    walked_bars,
    warm_up_of,
)

SLOW = sorted(name for name in INDICATORS if INDICATORS.get(name).is_slow)
MODULES = ("momentum", "trend", "volatility", "volume", "others")
NOT_OFFERED = {
    "fillna": "fills what is unknown with numbers",
    "visual": "shifts the spans of ichimoku forward, so that the mean of the future fills in",
    "smoothing_factor": "sma(volume_price_trend(), n) says the same",
    "dropnans": "takes bars away",
}
"""Parameters of `ta` that cannot be given, and why."""
OTHERS = {"kama": (10, 2, 9), "psar": (0.05, 0.3), "stc": (8, 17, 6, 2, 3), "dpo": (7,)}
"""Parameters to try beside the usual ones."""


def classes() -> dict[str, type[IndicatorMixin]]:
    return {
        f"ta.{name}.{member}": found
        for name in MODULES
        for member, found in getmembers(import_module(f"ta.{name}"), isclass)
        if issubclass(found, IndicatorMixin) and found.__module__ == f"ta.{name}"
    }


def usual(indicator: Indicator) -> tuple[float, ...]:
    return tuple(one.typed(one.default or 0) for one in indicator.parameters)


def choices() -> list[tuple[str, tuple[float, ...]]]:
    usually = [(name, usual(INDICATORS.get(name))) for name in SLOW]
    return [*usually, *OTHERS.items()]


def test_everything_of_ta_can_be_called() -> None:
    twins = {INDICATORS.get(name).twin.split(",")[0].split(" ")[0] for name in INDICATORS}
    assert set(classes()) <= twins


@pytest.mark.parametrize("name", SLOW)
def test_an_indicator_takes_what_its_class_takes(name: str) -> None:
    indicator = INDICATORS.get(name)
    twin = indicator.kernel
    assert isinstance(twin, Twin)
    given = signature(classes()[twin.path]).parameters.values()
    series = {one.name for one in given if one.default is Parameter.empty}
    assert series == set(indicator.sources) - {OPENINGS}
    tuned = {one.name: one.default for one in given if one.default is not Parameter.empty}
    ours = {one.name: one.default for one in indicator.parameters}
    assert ours == {word: value for word, value in tuned.items() if word not in NOT_OFFERED}
    for parameter in indicator.parameters:
        assert parameter.is_whole == (
            signature(classes()[twin.path]).parameters[parameter.name].annotation is int
        )


@pytest.mark.parametrize(("name", "parameters"), choices())
@pytest.mark.parametrize("seed", [1, 2])
def test_a_prefix_gives_the_prefix_of_the_values(
    name: str, parameters: tuple[float, ...], seed: int
) -> None:
    indicator = INDICATORS.get(name)
    bars = holed(walked_bars(seed, 240), [90] if seed == 1 else [])
    whole = values_of(indicator, bars, parameters)
    first = min(warm_up_of(indicator, one, parameters) for one in indicator.outputs)
    for count in (1, 2, first, first + 1, first + 2, 89, 91, 160, 239):
        found = values_of(indicator, part(bars, 0, count), parameters)
        tolerance = 1e-9 * scale(whole)
        np.testing.assert_allclose(found, whole[:, :count], rtol=1e-9, atol=tolerance)


def scale(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(np.abs(known).max()) if len(known) else 1.0


@pytest.mark.parametrize(("name", "parameters"), choices())
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_window_of_its_memory_gives_the_full_history(
    name: str, parameters: tuple[float, ...], seed: int
) -> None:
    indicator = INDICATORS.get(name)
    longest = indicator.memory(*parameters)
    bars = walked_bars(seed, longest + 300)
    whole = values_of(indicator, bars, parameters)
    for place, output in enumerate(indicator.outputs):
        memory = memory_of(indicator, output, parameters)
        assert warm_up_of(indicator, output, parameters) <= memory
        recent = values_of(indicator, part(bars, -memory), parameters)[place, -1]
        tolerance = 1e-6 * scale(whole[place, -300:])
        np.testing.assert_allclose(recent, whole[place, -1], rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize(("name", "parameters"), choices())
def test_values_are_those_of_ta_once_warm(name: str, parameters: tuple[float, ...]) -> None:
    indicator, bars = INDICATORS.get(name), walked_bars(6, 70)
    twin = indicator.kernel
    assert isinstance(twin, Twin)
    words = dict(zip([one.name for one in indicator.parameters], parameters, strict=True))
    series = {one: pd.Series(bars[one]) for one in indicator.sources if one != OPENINGS}
    made = classes()[twin.path](**series, **words)
    found = values_of(indicator, bars, parameters)
    for values, method, output in zip(found, twin.methods, indicator.outputs, strict=True):
        warm_up = warm_up_of(indicator, output, parameters)
        assert np.isnan(values[: warm_up - 1]).all()
        theirs = getattr(made, method)().to_numpy(dtype=float)
        np.testing.assert_array_equal(values[warm_up - 1 :], theirs[warm_up - 1 :])
        assert not np.isnan(values[warm_up - 1 :]).all() or warm_up > 70


@pytest.mark.parametrize("name", SLOW)
def test_few_columns_short_and_flat_rows_are_no_trouble(name: str) -> None:
    indicator = INDICATORS.get(name)
    parameters = OTHERS.get(name, usual(indicator))
    bars = holed(walked_bars(7, 150), [60])
    whole = values_of(indicator, bars, parameters)
    for columns in (1, 40, 100):
        found = values_of(indicator, bars, parameters, columns)
        np.testing.assert_array_equal(found, whole[:, -columns:])
    wider = values_of(indicator, part(bars, 140), parameters, columns=30)
    assert np.isnan(wider[:, :20]).all()
    flat = {field: np.full(120, 7.0) for field in bars}
    flat[OPENINGS][:] = 0.0
    flat[OPENINGS][0] = 1.0
    assert values_of(indicator, flat, parameters).shape == (len(indicator.outputs), 120)


def test_what_is_summed_up_begins_anew_with_a_session() -> None:
    bars = walked_bars(8, 200)
    for name in ("acc_dist_index", "cumulative_return", "negative_volume_index"):
        indicator = INDICATORS.get(name)
        whole = values_of(indicator, bars, ())
        second = values_of(indicator, part(bars, 78, 156), ())
        np.testing.assert_array_equal(whole[:, 78:156], second)
        assert np.isnan(values_of(indicator, part(bars, 10, 70), ())).all()
