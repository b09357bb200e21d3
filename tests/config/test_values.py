"""Times, money, ratios and counts as users write them."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal

import pytest

from config.values import (
    read_bars,
    read_between,
    read_drift,
    read_duration,
    read_limit,
    read_money,
    read_name,
    read_number,
    read_ratio,
    read_timeframe,
    read_within,
)
from market.types import Timeframe


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30 minutes", 1800), ("5m", 300), ("2 hours", 7200), ("1 day", 86_400)],
)
def test_duration(text: str, seconds: int) -> None:
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "m", "1.5h", "-5m", "5 parsecs", "999999999999s", "٣m"])
def test_duration_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"length of time|too large|longer"):
        read_duration(text)


def test_duration_has_an_end() -> None:
    with pytest.raises(ValueError, match="longer than a year"):
        read_duration("400 days")


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("0.3%", "0.003"), ("0.003", "0.003"), ("0.015 %", "0.00015"), (".5", "0.5")],
)
def test_ratio(text: str, ratio: str) -> None:
    assert read_ratio(text) == Decimal(ratio)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e3", "1__0", "_1", "%", "", "1,000", "٣"])
def test_number_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        read_number(text)


@pytest.mark.parametrize("text", ["10_000_000", "10_000_000 KRW", "10000000KRW"])
def test_money(text: str) -> None:
    assert read_money(text) == Decimal(10_000_000)


def test_money_of_another_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="'100 USDT' must be in KRW"):
        read_money("100 USDT")


@pytest.mark.parametrize("text", ["0s", "2 hours"])
def test_wait_of_a_card_has_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="from 1 second to 1 hour"):
        read_within(text)


@pytest.mark.parametrize("text", ["-0.1%", "101%"])
def test_drift_has_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="between 0% and 100%"):
        read_drift(text)


def test_between() -> None:
    assert read_between("09:10 - 15:15") == (time(9, 10), time(15, 15))


@pytest.mark.parametrize("text", ["9-15", "09:10-25:00", "10:00-10:00", "15:00-09:00", "09:10"])
def test_between_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}'"):
        read_between(text)


def test_bars() -> None:
    assert read_bars("1 bar") == 1
    assert read_bars("2 bars") == 2


@pytest.mark.parametrize("text", ["2", "0 bars", "401 bars", "two bars", "2 bats"])
def test_bars_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}'"):
        read_bars(text)


def test_limit() -> None:
    assert read_limit("20 per day") == 20


@pytest.mark.parametrize("text", ["20", "20 per week", "0 per day", "20000 per day"])
def test_limit_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}'"):
        read_limit(text)


def test_timeframe() -> None:
    assert read_timeframe("5m") is Timeframe.M5


def test_timeframe_that_is_none() -> None:
    with pytest.raises(ValueError, match="unknown timeframe '5min'; did you mean '5m'"):
        read_timeframe("5min")


@pytest.mark.parametrize("text", ["volume-breakout", "거래량-돌파", "a", "5m_rsi"])
def test_name(text: str) -> None:
    assert read_name(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a b", "a:b", "a" * 41, "a\n"])
def test_name_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        read_name(text)
