"""Tests of every indicator: equal to `ta`, blind to the future, true to its memory and warm-up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ta.momentum import ROCIndicator, RSIIndicator
from ta.trend import EMAIndicator, SMAIndicator
from ta.volatility import BollingerBands, DonchianChannel

from conditions.indicators import EVENTS, INDICATORS, warm_up
from conditions.indicators.registry import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.indicators.registry import Indicator

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=60)
RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "market" / "xrp_eth_1m.csv.gz"

Array = np.ndarray[Any, Any]


def _bollinger(closes: pd.Series, window: int) -> pd.Series:
    bands = BollingerBands(closes, window, 1)
    difference: pd.Series = bands.bollinger_hband() - bands.bollinger_mavg()
    return difference


def _channel(closes: pd.Series, window: int) -> DonchianChannel:
    return DonchianChannel(closes, closes, closes, window)


TWINS: dict[str, Callable[[pd.Series, int], pd.Series]] = {
    "sma": lambda closes, window: SMAIndicator(closes, window).sma_indicator(),
    "ema": lambda closes, window: EMAIndicator(closes, window).ema_indicator(),
    "stdev": _bollinger,
    "rsi": lambda closes, window: RSIIndicator(closes, window).rsi(),
    "highest": lambda closes, window: _channel(closes, window).donchian_channel_hband(),
    "lowest": lambda closes, window: _channel(closes, window).donchian_channel_lband(),
    "change": lambda closes, bars: ROCIndicator(closes, bars).roc() / 100,
}


def walk(seed: int, bars: int, start: float = 50_000.0) -> Array:
    """Return a price path of whole won with some bars that do not move."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.004, bars) * (random.random(bars) > 0.2)
    return np.round(start * np.exp(np.cumsum(moves)))


def values(indicator: Indicator, source: Array, parameter: int, columns: int = 0) -> Array:
    """Return the indicator's values on one row."""
    row = np.ascontiguousarray(source.reshape(1, -1))
    found: Array = indicator.kernel(row, parameter, columns or row.shape[1]).ravel()
    return found


def test_every_indicator_has_its_twin_or_is_an_event() -> None:
    assert set(INDICATORS) == set(TWINS)
    assert set(EVENTS) == {"crosses_above", "crosses_below"}


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("window", [2, 3, 14, 60])
def test_values_equal_ta_on_random_walks(name: str, window: int) -> None:
    indicator = INDICATORS.get(name)
    for seed in range(5):
        closes = walk(seed, 300)
        ours = values(indicator, closes, window)
        theirs = TWINS[name](pd.Series(closes), window).to_numpy()
        known = np.arange(300) >= indicator.warm_up(window) - 1
        if name == "rsi":  # flat from the start: `ta` says 100, we say unknown
            known &= np.abs(closes - closes[0]).cumsum() > 0
        # pandas' moving variance keeps a rest of older bars: a billionth of the price
        np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-9, atol=5e-5)
        assert np.isnan(ours[~known]).all()


@pytest.mark.parametrize("name", TWINS)
def test_values_equal_ta_on_recorded_bars(name: str) -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded trades are not beside this checkout")
    closes = pd.read_csv(RECORDED)["close"].to_numpy(dtype=float)
    indicator = INDICATORS.get(name)
    ours = values(indicator, closes, 20)
    theirs = TWINS[name](pd.Series(closes), 20).to_numpy()
    known = ~np.isnan(ours)
    assert known.mean() > 0.9
    np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(TWINS))
@STEADY
@given(st.integers(0, 10_000), st.integers(2, 24), st.integers(1, 380))
def test_a_prefix_gives_the_prefix_of_the_values(
    name: str, seed: int, window: int, bars: int
) -> None:
    indicator, closes = INDICATORS.get(name), walk(seed, 400)
    whole = values(indicator, closes, window)
    np.testing.assert_array_equal(values(indicator, closes[:bars], window), whole[:bars])


@pytest.mark.parametrize("name", sorted(TWINS))
@STEADY
@given(st.integers(0, 10_000), st.integers(2, 24))
def test_a_window_of_its_memory_gives_the_full_history(name: str, seed: int, window: int) -> None:
    indicator, closes = INDICATORS.get(name), walk(seed, 1_000)
    memory = indicator.memory(window)
    whole, recent = (values(indicator, one, window) for one in (closes, closes[-memory:]))
    assert memory >= indicator.warm_up(window)
    np.testing.assert_allclose(recent[-1], whole[-1], rtol=1e-6)


@pytest.mark.parametrize("name", sorted(TWINS))
@STEADY
@given(st.integers(0, 10_000), st.integers(2, 24), st.integers(1, 100))
def test_fewer_columns_are_the_last_of_all(name: str, seed: int, window: int, columns: int) -> None:
    indicator, closes = INDICATORS.get(name), walk(seed, 150)
    whole = values(indicator, closes, window)
    few = values(indicator, closes, window, columns)
    np.testing.assert_array_equal(few, whole[-columns:])


@pytest.mark.parametrize("name", sorted(TWINS))
def test_an_unknown_value_makes_the_window_unknown_and_no_more(name: str) -> None:
    indicator, closes = INDICATORS.get(name), walk(3, 120)
    broken = closes.copy()
    broken[60] = np.nan
    found = values(indicator, broken, 5)
    warm = indicator.warm_up(5)
    assert np.isnan(found[60])
    assert not np.isnan(found[:60][warm - 1 :]).any()
    assert not np.isnan(found[60 + warm + 1 :]).any()
    afresh = values(indicator, closes[61:], 5)
    known = ~np.isnan(afresh)
    np.testing.assert_allclose(found[61:][known], afresh[known], rtol=1e-12)


@pytest.mark.parametrize("price", [0.1, 70_000.0, 1e-8])
def test_flat_prices_give_exact_values(price: float) -> None:
    flat = np.full(100, price)
    for name in ("sma", "ema", "highest", "lowest"):
        assert (values(INDICATORS.get(name), flat, 20)[19:] == price).all()
    assert (values(INDICATORS.get("stdev"), flat, 20)[19:] == 0).all()
    assert (values(INDICATORS.get("change"), flat, 20)[20:] == 0).all()
    assert np.isnan(values(INDICATORS.get("rsi"), flat, 14)).all()


def test_rsi_is_unknown_once_nothing_moved_for_three_windows() -> None:
    closes = np.concatenate([walk(1, 60), np.full(100, 1_000.0)])
    found = values(INDICATORS.get("rsi"), closes, 14)
    assert not np.isnan(found[13 : 60 + 42]).any()
    assert np.isnan(found[60 + 43 :]).all()


def test_rsi_reaches_both_ends() -> None:
    rising = np.arange(1.0, 50.0)
    assert values(INDICATORS.get("rsi"), rising, 14)[-1] == 100.0
    assert values(INDICATORS.get("rsi"), rising[::-1].copy(), 14)[-1] == 0.0


def test_change_from_nothing_is_unknown() -> None:
    found = values(INDICATORS.get("change"), np.array([0.0, 5.0, 6.0]), 1)
    np.testing.assert_allclose(found, [np.nan, np.nan, 0.2])


@pytest.mark.parametrize("name", sorted(TWINS))
def test_short_rows_are_unknown(name: str) -> None:
    indicator = INDICATORS.get(name)
    for bars in range(1, indicator.warm_up(5)):
        assert np.isnan(values(indicator, walk(1, bars), 5)).all()


def test_every_declaration_is_complete() -> None:
    for name in INDICATORS:
        indicator = INDICATORS.get(name)
        assert indicator.definition.endswith("."), name
        assert replace(indicator, kernel=np.abs) != indicator
        for parameter in indicator.parameters:
            assert parameter.low <= (parameter.default or parameter.low) <= parameter.high


def test_crossings_are_unknown_at_gaps_and_unknown_values() -> None:
    left = np.array([[1.0, 3.0, 1.0, 3.0, np.nan, 3.0, 3.0]])
    right = np.full((1, 7), 2.0)
    gap = np.array([[False, False, False, True, False, False, False]])
    above = EVENTS.get("crosses_above").kernel(left, right, gap, 7)[0]
    below = EVENTS.get("crosses_below").kernel(left, right, gap, 7)[0]
    assert above.tolist() == [0, 1, -1, 0, 0, 0, -1]
    assert below.tolist() == [0, -1, 1, 0, 0, 0, -1]


def test_a_kernel_without_a_place_to_be_kept_is_compiled_all_the_same() -> None:
    names: dict[str, Any] = {}
    exec("def double(value):\n    return 2 * value", names)  # noqa: S102  # belongs to no file
    assert kernel(names["double"])(4) == 8


def test_warm_up_compiles_every_kernel() -> None:
    warm_up()
    for name in INDICATORS:
        assert INDICATORS.get(name).kernel.signatures, name  # type: ignore[attr-defined]  # numba's
