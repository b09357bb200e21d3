"""Tests that kernels mean what `ta` means: on random walks, recorded markets, after holes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from ta import momentum, trend, volatility, volume

from conditions.indicators import INDICATORS
from tests.conditions.random_bars import (
    SESSION,
    Array,
    Bars,
    holed,
    part,
    values_of,
    walked_bars,
    warm_up_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "market"
FILES = (
    "krx_079940_2020-08-06_5m.csv",
    "xrp_eth_5m.csv.gz",
    "xrp_eth_1m.csv.gz",
    "eth_btc_5m.csv.gz",
    "btc_perp_1m.csv.gz",
)
MOST_BARS = 2_000
Series = dict[str, pd.Series]


def _macd(of: Series, fast: int, slow: int, signal: int) -> list[pd.Series]:
    made = trend.MACD(of["close"], slow, fast, signal)
    return [made.macd(), made.macd_signal(), made.macd_diff()]


def _bollinger(of: Series, window: int, deviations: float) -> list[pd.Series]:
    made = volatility.BollingerBands(of["close"], window, deviations)
    return [
        made.bollinger_hband(),
        made.bollinger_mavg(),
        made.bollinger_lband(),
        made.bollinger_pband(),
        made.bollinger_wband(),
    ]


def _stdev(of: Series, window: int) -> list[pd.Series]:
    made = volatility.BollingerBands(of["close"], window, 1)
    return [made.bollinger_hband() - made.bollinger_mavg()]


def _stochastic(of: Series, window: int, smooth: int) -> list[pd.Series]:
    made = momentum.StochasticOscillator(of["high"], of["low"], of["close"], window, smooth)
    return [made.stoch(), made.stoch_signal()]


def _donchian(of: Series, window: int) -> list[pd.Series]:
    made = volatility.DonchianChannel(of["high"], of["low"], of["close"], window)
    return [
        made.donchian_channel_hband(),
        made.donchian_channel_mband(),
        made.donchian_channel_lband(),
    ]


def _keltner(of: Series, window: int, reach: int, multiplier: float) -> list[pd.Series]:
    bars = (of["high"], of["low"], of["close"])
    made = volatility.KeltnerChannel(*bars, window, reach, False, False, multiplier)
    return [
        made.keltner_channel_hband(),
        made.keltner_channel_mband(),
        made.keltner_channel_lband(),
    ]


def _adx(of: Series, window: int) -> list[pd.Series]:
    made = trend.ADXIndicator(of["high"], of["low"], of["close"], window)
    return [made.adx(), made.adx_pos(), made.adx_neg()]


def _aroon(of: Series, window: int) -> list[pd.Series]:
    made = trend.AroonIndicator(of["high"], of["low"], window)
    return [made.aroon_up(), made.aroon_down(), made.aroon_indicator()]


def _channel(of: Series, field: str, window: int) -> volatility.DonchianChannel:
    return volatility.DonchianChannel(of[field], of[field], of[field], window)


def _by_session(of: Series, made: Callable[[Series], pd.Series]) -> list[pd.Series]:
    count = len(of["close"])
    days = [
        made({name: one[start : start + SESSION] for name, one in of.items()})
        for start in range(0, count, SESSION)
    ]
    return [pd.concat(days)]


def _session_vwap(of: Series) -> pd.Series:
    bars = (of["high"], of["low"], of["close"], of["volume"])
    made = volume.VolumeWeightedAveragePrice(*bars, len(of["close"]), fillna=True)
    found: pd.Series = made.volume_weighted_average_price()
    return found.where(of["volume"].cumsum() > 0)  # ta fills in what nothing traded at


def _session_obv(of: Series) -> pd.Series:
    made = volume.OnBalanceVolumeIndicator(of["close"], of["volume"])
    found: pd.Series = made.on_balance_volume()
    return found


def _of_bars(made: Any, method: str, *fields: str) -> Callable[..., list[pd.Series]]:
    """Return the twin with one output that is made of these fields and whole parameters."""

    def twin(of: Series, *parameters: int) -> list[pd.Series]:
        return [getattr(made(*(of[field] for field in fields), *parameters), method)()]

    return twin


BARS = ("high", "low", "close")
TWINS: dict[str, Callable[..., list[pd.Series]]] = {
    "sma": _of_bars(trend.SMAIndicator, "sma_indicator", "close"),
    "ema": _of_bars(trend.EMAIndicator, "ema_indicator", "close"),
    "wma": _of_bars(trend.WMAIndicator, "wma", "close"),
    "rsi": _of_bars(momentum.RSIIndicator, "rsi", "close"),
    "roc": _of_bars(momentum.ROCIndicator, "roc", "close"),
    "trix": _of_bars(trend.TRIXIndicator, "trix", "close"),
    "cci": _of_bars(trend.CCIIndicator, "cci", *BARS),
    "atr": _of_bars(volatility.AverageTrueRange, "average_true_range", *BARS),
    "williams_r": _of_bars(momentum.WilliamsRIndicator, "williams_r", *BARS),
    "mfi": _of_bars(volume.MFIIndicator, "money_flow_index", *BARS, "volume"),
    "rolling_vwap": _of_bars(
        volume.VolumeWeightedAveragePrice, "volume_weighted_average_price", *BARS, "volume"
    ),
    "change": lambda of, bars: [momentum.ROCIndicator(of["close"], bars).roc() / 100],
    "highest": lambda of, window: [_channel(of, "close", window).donchian_channel_hband()],
    "lowest": lambda of, window: [_channel(of, "close", window).donchian_channel_lband()],
    "stdev": _stdev,
    "macd": _macd,
    "bollinger": _bollinger,
    "stochastic": _stochastic,
    "donchian": _donchian,
    "keltner": _keltner,
    "adx": _adx,
    "aroon": _aroon,
    "vwap": lambda of: _by_session(of, _session_vwap),
    "obv": lambda of: _by_session(of, _session_obv),
}
WINDOWS = [(2,), (5,), (14,), (60,)]
CHOICES: dict[str, list[tuple[float, ...]]] = {
    "macd": [(12, 26, 9), (3, 10, 16), (1, 2, 1)],
    "bollinger": [(20, 2.0), (20, 2.5), (5, 0.5)],
    "stochastic": [(14, 3), (5, 1), (1, 2), (9, 30)],
    "keltner": [(20, 10, 2.0), (10, 20, 1.5)],
    "vwap": [()],
    "obv": [()],
}


def choices() -> list[tuple[str, tuple[float, ...]]]:
    return [(name, one) for name in TWINS for one in CHOICES.get(name, WINDOWS)]


def recorded(name: str) -> Bars:
    """Return recorded bars with sessions of SESSION bars; the test is skipped without them."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip("the recorded markets are not beside this checkout")
    table = pd.read_csv(path).rename(columns=str.lower)[:MOST_BARS]
    fields = ("open", "high", "low", "close", "volume")
    bars = {field: table[field].to_numpy(dtype=float) for field in fields}
    openings = np.zeros(len(table))
    openings[::SESSION] = 1.0
    return {**bars, "value": bars["close"] * bars["volume"], "openings": openings}


def compare(name: str, parameters: tuple[float, ...], bars: Bars, shift: int = 0) -> None:
    """Compare what follows `shift` bars with what `ta` says of those alone."""
    indicator = INDICATORS.get(name)
    ours = values_of(indicator, bars, parameters)[:, shift:]
    alone = part(bars, shift)
    count = len(alone["close"])
    with np.errstate(all="ignore"):
        theirs = TWINS[name]({one: pd.Series(alone[one]) for one in alone}, *parameters)
    for values, twin, output in zip(ours, theirs, indicator.outputs, strict=True):
        expected = twin.to_numpy(dtype=float)
        warm_up = warm_up_of(indicator, output, parameters)
        known = ~np.isnan(values) & (np.arange(count) >= warm_up - 1)
        doubtful = still(name, alone, int(max(parameters, default=1)))
        assert (known | doubtful | ~np.isfinite(expected))[warm_up - 1 :].all()
        compared = known & ~doubtful
        assert compared.sum() > 0.5 * (count - warm_up)
        size = float(np.abs(values[compared]).max(initial=0.0))
        np.testing.assert_allclose(
            values[compared], expected[compared], rtol=1e-7, atol=1e-8 * size
        )


def still(name: str, bars: Bars, window: int) -> Array:
    """Return where hardly anything moved for a window: what `ta` then has is rest of older bars.

    pandas updates its moving sums, so that a rest of what left the window stays; a strength, a
    deviation or a place in a range is then that rest divided by another. Ours is unknown or exact.
    """
    if name not in {"rsi", "stdev", "bollinger", "stochastic", "williams_r", "cci", "adx", "mfi"}:
        return np.zeros(len(bars["close"]), dtype=bool)
    table = pd.DataFrame({field: bars[field] for field in ("open", *BARS)})
    reach = table.max(axis=1).rolling(window, min_periods=1).max()
    reach -= table.min(axis=1).rolling(window, min_periods=1).min()
    moved = np.abs(np.diff(bars["close"], prepend=bars["close"][0]))
    changed = pd.Series(moved).rolling(window, min_periods=1).sum()
    price = bars["close"]
    return ((reach < 1e-5 * price) | (changed < 1e-5 * price)).to_numpy()


def test_every_kernel_has_its_twin() -> None:
    fast = {name for name in INDICATORS if not INDICATORS.get(name).is_slow}
    assert fast == set(TWINS)


@pytest.mark.parametrize(("name", "parameters"), choices())
def test_values_equal_ta_on_random_walks(name: str, parameters: tuple[float, ...]) -> None:
    for seed in range(3):
        compare(name, parameters, walked_bars(seed, 300))


@pytest.mark.parametrize(("name", "parameters"), choices())
def test_values_equal_ta_after_a_hole(name: str, parameters: tuple[float, ...]) -> None:
    bars = holed(walked_bars(9, 2 * SESSION + 300), [40, 2 * SESSION - 1])
    compare(name, parameters, bars, shift=2 * SESSION)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", TWINS)
def test_values_equal_ta_on_recorded_bars(name: str, file: str) -> None:
    bars = recorded(file)
    for parameters in CHOICES.get(name, [(14,)])[:2]:
        compare(name, parameters, bars)
