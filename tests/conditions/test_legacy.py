"""Converted rules mean what the older columns meant, which pandas tells here once more."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from conditions.compile import compile_condition
from conditions.engine import evaluate_columns
from conditions.legacy import convert_rules
from conditions.legacy_columns import COLUMNS, let_lines
from conditions.trial_report import failed_tests
from config.condition_reader import parse_condition
from config.legacy_rules import read_legacy_rules
from market.errors import ConfigError
from market.panel import Panel
from market.types import Bar, Timeframe, from_ms

if TYPE_CHECKING:
    from conditions.compile import Condition
    from conditions.legacy import Converted

PRODUCTION = (
    '{"production": {"PSMAR60": ["BIGGER", 0.02], "VSMAR20": ["BIGGER", 5], '
    '"TRADINGVALUE": ["BIGGER", 1]}}'
)
BARS = 300


def converted(text: str) -> tuple[Converted, ...]:
    return convert_rules(read_legacy_rules(text, "rules.py"))


def compiled(tests: str) -> Condition:
    (one,) = converted(f'{{"a": {{{tests}}}}}')
    return compile_condition(parse_condition(one.text))


def when_of(tests: str) -> list[str]:
    (one,) = converted(f'{{"a": {{{tests}}}}}')
    lines = one.text.partition("  all:\n")[2].partition("tests:")[0].splitlines()
    return [line.removeprefix("    - ") for line in lines]


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        converted(text)
    return [f"{one.line}:{one.column}: {one.message}" for one in caught.value.problems]


def market() -> pd.DataFrame:
    random = np.random.default_rng(5)
    close = np.round(10_000 * np.exp(random.normal(0, 0.01, BARS).cumsum()))
    spread = random.integers(1, 90, (2, BARS))
    opening = np.roll(close, 1)
    volume = random.integers(1, 900, BARS) * np.where(random.random(BARS) < 0.1, 20, 1)
    return pd.DataFrame(
        {
            "OPEN": opening,
            "HIGH": np.maximum(opening, close) + spread[0],
            "LOW": np.minimum(opening, close) - spread[1],
            "CLOSE": close,
            "VOLUME": volume,
        }
    ).astype(float)


def panel_of(bars: pd.DataFrame) -> Panel:
    panel = Panel(Timeframe.M5, ["KRX:005930"])
    for place, row in enumerate(bars.to_dict("records")):
        start = from_ms(1_767_571_200_000 + place * 300_000)
        prices = (row["OPEN"], row["HIGH"], row["LOW"], row["CLOSE"])
        value = row["CLOSE"] * row["VOLUME"]
        panel.append([Bar("KRX:005930", Timeframe.M5, start, *prices, row["VOLUME"], value)])
    return panel


def older(bars: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns as the reference of the older bot defines them."""
    close, volume = bars["CLOSE"], bars["VOLUME"]
    found = {str(name): bars[name] for name in bars}
    for window in (5, 20, 60):
        found[f"PSMAR{window}"] = close / close.rolling(window).mean() - 1
        found[f"VSMAR{window}"] = volume / volume.rolling(window).mean() - 1
    found["TRADINGVALUE"] = close * volume / 100_000_000
    mean, sigma = close.rolling(20).mean(), close.rolling(20).std(ddof=1)
    found |= {"BBU": mean + 2 * sigma, "BBL": mean - 2 * sigma, "BBS": 2 * sigma}
    found["BBW"] = 2 * sigma / mean
    found["BBP"] = (close - found["BBL"]) / (found["BBU"] - found["BBL"])
    low, high = bars["LOW"].rolling(12).min(), bars["HIGH"].rolling(12).max()
    found["K"] = (close - low) / (high - low)
    found["D"] = found["K"].rolling(5).mean()
    found["J"] = found["D"].rolling(5).mean()
    change = close.diff()
    gain, loss = change.clip(lower=0).rolling(14).mean(), (-change).clip(lower=0).rolling(14).mean()
    found["RSI"] = gain / (gain + loss)
    return found


MARKET = market()
PANEL = panel_of(MARKET)
OLDER = older(MARKET)


def verdicts(tests: str) -> list[int]:
    found: list[int] = (
        evaluate_columns(compiled(tests), PANEL, np.array([0]), BARS).when[0].tolist()
    )
    return found


def expected(known: pd.Series, true: pd.Series) -> list[int]:
    return [0 if np.isnan(one) else 1 if yes else -1 for one, yes in zip(known, true, strict=True)]


def test_every_column_is_compared_with_the_older_one() -> None:
    assert set(OLDER) == set(COLUMNS)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_means_what_it_meant(name: str) -> None:
    column = OLDER[name]
    ordered = np.sort(column.dropna().to_numpy())
    middle = len(ordered) // 2
    threshold = float(np.round((ordered[middle] + ordered[middle + 1]) / 2, 7))
    assert verdicts(f'"{name}": ["BIGGER", {threshold}]') == expected(column, column > threshold)
    assert verdicts(f'"{name}": ["SMALLER", {threshold}]') == expected(column, column < threshold)


def test_strength_is_taken_from_0_to_100_where_its_threshold_is() -> None:
    column = OLDER["RSI"]
    assert verdicts('"RSI": ["SMALLER", 41.23]') == expected(column, column < 0.4123)
    assert when_of('"RSI": ["BETWEEN", 30, 0.5]') == ["0.5% < simple_rsi < 30%"]


@pytest.mark.parametrize(
    ("test", "expression"),
    [
        ('"VSMAR20": ["BIGGER", 5]', "volume > 6 * sma(volume, 20)"),
        ('"VSMAR5": ["SMALLER", 0]', "volume < sma(volume, 5)"),
        ('"VSMAR5": ["BETWEEN", 2, -0.5]', "-50% < volume / sma(volume, 5) - 1 < 200%"),
        ('"PSMAR5": ["SMALLER", -0.015]', "close / sma(close, 5) - 1 < -1.5%"),
        ('"TRADINGVALUE": ["BIGGER", 0.5]', "value > 50_000_000 KRW"),
        ('"CLOSE": ["BIGGER", 10000]', "close > 10_000"),
        ('"CLOSE": ["BIGGER", "OPEN"]', "close > open"),
        ('"CLOSE": ["BETWEEN", "BBL", "BBU"]', None),
        ('"CLOSE": ["BETWEEN", "OPEN", 5000]', "min(open, 5_000) < close < max(open, 5_000)"),
        ('"CLOSE": ["BIGGER_P", 10000, 0.02]', "close > 10_200"),
        ('"CLOSE": ["SMALLER_P", "OPEN", 0.03]', "close < 0.97 * open"),
        ('"BBP": ["BIGGER_P", 0.5, 0.1]', "band_place > 55%"),
        ('"HIGH": ["BIGGER_MINMAX_P", 200, 100, 0.3]', "high > 130"),
        (
            '"CLOSE": ["SMALLER_MINMAX_P", "LOW", "HIGH", 0.9]',
            "close < min(low, high) + 0.9 * (max(low, high) - min(low, high))",
        ),
    ],
)
def test_a_test_becomes_a_comparison(test: str, expression: str | None) -> None:
    band = "min(lower_band, upper_band) < close < max(lower_band, upper_band)"
    assert when_of(test) == [expression or band]


def test_operators_mean_what_they_meant() -> None:
    close, low, high, opening = (MARKET[name] for name in ("CLOSE", "LOW", "HIGH", "OPEN"))
    assert verdicts('"CLOSE": ["BIGGER_P", "OPEN", 0.005]') == expected(
        close, close > opening * 1.005
    )
    assert verdicts('"CLOSE": ["SMALLER_MINMAX_P", "HIGH", "LOW", 0.4]') == expected(
        close, close < low + 0.4 * (high - low)
    )
    assert verdicts('"CLOSE": ["BETWEEN", "HIGH", "OPEN"]') == expected(
        close, (close > np.minimum(high, opening)) & (close < np.maximum(high, opening))
    )


def test_the_production_rule_is_the_shipped_condition() -> None:
    (one,) = converted(PRODUCTION)
    shipped = (files("config") / "conditions" / "volume_breakout.yaml").read_text(encoding="utf-8")
    ours, theirs = (compile_condition(parse_condition(text)) for text in (one.text, shipped))
    assert ours.when.node == theirs.when.node
    assert len(ours.spec.tests) == 2
    assert failed_tests(ours) == ()


def test_every_file_compiles_and_its_tests_pass() -> None:
    rules = ", ".join(f'"{name}": {{"{name}": ["BIGGER", 0.01]}}' for name in COLUMNS)
    found = converted(f"{{{rules}}}")
    assert [one.name for one in found] == list(COLUMNS)
    for one in found:
        condition = compile_condition(parse_condition(one.text))
        assert failed_tests(condition) == ()
    assert sum("tests:" in one.text for one in found) >= 5


def test_names_are_made_fit_and_kept_apart() -> None:
    test = '{"CLOSE": ["BIGGER", 5]}'
    text = f'{{"My rule!": {test}, "my-RULE": {test}, "??": {test}, "{"x" * 99}\\n": {test}}}'
    assert [one.name for one in converted(text)] == ["My-rule", "my-RULE-2", "rule", "x" * 36]


def test_what_differs_is_told_in_the_file() -> None:
    (one,) = converted(
        '{"a": {"RSI": ["BIGGER", 0.5], "BBP": ["SMALLER", 1], "CLOSE": ["BIGGER", "BBL"]}}'
    )
    assert one.text.count("# BB*: the sample standard deviation") == 1
    assert (
        "# RSI: simple means of 14 changes as in the older bot; rsi() here is Wilder's." in one.text
    )


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ('"01D_CLOSE": ["BIGGER", 5]', "'01D_CLOSE' has no source here: bars of days"),
        ('"60D_HIGH": ["BIGGER", 5]', "'60D_HIGH' has no source here: values over several days"),
        ('"20D_85QTILE_VOL": ["BIGGER", 5]', "'20D_85QTILE_VOL' has no source here: values over"),
        ('"I20": ["BIGGER", 0]', "'I20' has no source here: nobody tells what investors"),
        ('"SAMO": ["BIGGER", 0]', "'SAMO' has no source here: nobody tells what investors"),
        ('"CLOSE": ["BIGGER", "01D_HIGH"]', "'01D_HIGH' has no source here: bars of days"),
        ('"PSMAR61": ["BIGGER", 0]', "'PSMAR61' is not known; did you mean 'PSMAR60'?"),
        ('"CLOSE": ["TRUE"]', "'CLOSE' is a number here; TRUE asks for a text"),
        ('"CLOSE": ["BIGGER", "VOLUME"]', "'CLOSE': a price (money a share) cannot be compared"),
        ('"CLOSE": ["BIGGER_P", 5, "OPEN"]', "BIGGER_P needs a number for its ratio"),
    ],
)
def test_what_cannot_be_taken_over_is_told_with_its_place(test: str, message: str) -> None:
    (found,) = refused(f'{{"a": {{{test}}}}}')
    assert found.startswith("1:8: ")
    assert message in found


def test_only_what_is_needed_is_named() -> None:
    assert let_lines(["close > 5"]) == []
    assert [line.split(":")[0].strip() for line in let_lines(["slow_d > 0.5"])] == [
        "let",
        "fast_k",
        "fast_d",
        "slow_d",
    ]
