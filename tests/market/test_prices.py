"""Tick sizes, rounding, stepping, daily limits and taxes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.prices import (
    LOT,
    is_on_tick,
    price_limits,
    round_price,
    sell_tax,
    step_price,
    tick_size,
)
from market.types import Kind

SHARED = Path(__file__).parents[2].parent / "shared" / "fixtures"
KINDS = st.sampled_from(list(Kind))
PRICES = st.decimals(min_value="0.0001", max_value=3_000_000, places=8)


def read(name: str) -> Any:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside the repository")
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        ("1999", "1"),
        ("2000", "5"),
        ("4995", "5"),
        ("5000", "10"),
        ("20000", "50"),
        ("50000", "100"),
        ("199900", "100"),
        ("200000", "500"),
        ("500000", "1000"),
        ("1853000", "1000"),
    ],
)
def test_tick_size_of_shares(price: str, tick: str) -> None:
    assert tick_size(Decimal(price), Kind.STOCK) == Decimal(tick)


def test_tick_size_of_etfs_has_two_bands() -> None:
    found = [tick_size(Decimal(price), Kind.ETF) for price in (1999, 2000, 123_456)]
    assert found == [1, 5, 5]


@pytest.mark.parametrize(("key", "kind"), [("stock", Kind.STOCK), ("etf_etn", Kind.ETF)])
def test_tick_size_equals_the_published_krx_table(key: str, kind: Kind) -> None:
    for lowest, tick in read("rules/krx_tick_2023-01-25.json")[key]:
        assert tick_size(Decimal(lowest), kind) == tick


def test_tick_size_equals_upbit_s_published_table() -> None:
    for lowest, tick in read("upbit/krw_tick_2025-07-31.json"):
        assert tick_size(Decimal(lowest), Kind.COIN) == Decimal(tick)


def test_tick_size_refuses_a_negative_price() -> None:
    with pytest.raises(ValueError, match="negative: -1"):
        tick_size(Decimal(-1), Kind.STOCK)


@pytest.mark.parametrize(
    ("price", "down", "up"),
    [("70123", "70100", "70200"), ("1999.5", "1999", "2000"), ("4999", "4995", "5000")],
)
def test_round_price_between_ticks(price: str, down: str, up: str) -> None:
    assert round_price(Decimal(price), Kind.STOCK, up=False) == Decimal(down)
    assert round_price(Decimal(price), Kind.STOCK, up=True) == Decimal(up)


def test_round_price_below_the_lowest_price_is_the_lowest() -> None:
    assert round_price(Decimal("0.4"), Kind.STOCK, up=False) == 1


@given(price=PRICES, kind=KINDS)
def test_round_price_lands_on_the_nearest_ticks(price: Decimal, kind: Kind) -> None:
    up, down = (round_price(price, kind, up=up) for up in (True, False))
    assert is_on_tick(up, kind)
    assert is_on_tick(down, kind)
    assert down <= price <= up or price < down == up
    assert up == down or up == step_price(down, kind, 1)
    assert round_price(up, kind, up=False) == up
    assert round_price(down, kind, up=True) == down


@given(price=PRICES, kind=KINDS, ticks=st.integers(0, 60))
def test_step_price_back_is_where_it_began(price: Decimal, kind: Kind, ticks: int) -> None:
    price = round_price(price, kind, up=True)
    higher = step_price(price, kind, ticks)
    assert is_on_tick(higher, kind)
    assert step_price(higher, kind, -ticks) == price


@pytest.mark.parametrize(
    ("price", "ticks", "stepped"),
    [("2000", -1, "1999"), ("1999", 1, "2000"), ("2000", 1, "2005"), ("50000", -2, "49900")],
)
def test_step_price_uses_the_tick_of_the_band_it_crosses(
    price: str, ticks: int, stepped: str
) -> None:
    assert step_price(Decimal(price), Kind.STOCK, ticks) == Decimal(stepped)


def test_step_price_from_between_two_ticks_leads_to_the_next() -> None:
    assert step_price(Decimal("70123"), Kind.STOCK, 1) == 70200
    assert step_price(Decimal("70123"), Kind.STOCK, -1) == 70100


def test_step_price_refuses_to_reach_zero() -> None:
    with pytest.raises(ValueError, match="3 ticks lower"):
        step_price(Decimal(3), Kind.STOCK, -3)


@pytest.mark.parametrize(
    ("base", "lower", "upper"),
    [(269_000, 188_500, 349_500), (1_853_000, 1_298_000, 2_408_000), (244_000, 171_000, 317_000)],
)
def test_price_limits_of_recorded_days(base: int, lower: int, upper: int) -> None:
    assert price_limits(Decimal(base), Kind.STOCK) == (Decimal(lower), Decimal(upper))


def test_price_limits_equal_the_shared_vectors() -> None:
    for vector in read("rules/krx_price_limit_vectors.json"):
        found = price_limits(Decimal(vector["base"]), Kind.STOCK)
        assert found == (Decimal(vector["lower"]), Decimal(vector["upper"]))


@given(base=PRICES.filter(lambda price: price >= 10), kind=st.sampled_from([Kind.STOCK, Kind.ETF]))
def test_price_limits_are_ticks_within_thirty_percent(base: Decimal, kind: Kind) -> None:
    base = round_price(base, kind, up=True)
    lower, upper = price_limits(base, kind)
    assert is_on_tick(lower, kind)
    assert is_on_tick(upper, kind)
    assert base * Decimal("0.7") <= lower <= base <= upper <= base * Decimal("1.3")


def test_price_limits_do_not_bind_coins() -> None:
    lower, upper = price_limits(Decimal(1000), Kind.COIN)
    assert lower < Decimal("0.000001")
    assert upper > Decimal(10) ** 30


@pytest.mark.parametrize(
    ("kind", "year", "tax"),
    [
        (Kind.STOCK, 2025, "0.0015"),
        (Kind.STOCK, 2026, "0.0020"),
        (Kind.STOCK, 2019, "0.0025"),
        (Kind.STOCK, 2022, "0.0023"),
        (Kind.STOCK, 2024, "0.0018"),
        (Kind.STOCK, 2030, "0.0020"),
        (Kind.ETF, 2026, "0"),
        (Kind.COIN, 2026, "0"),
    ],
)
def test_sell_tax(kind: Kind, year: int, tax: str) -> None:
    assert sell_tax(kind, year) == Decimal(tax)


@pytest.mark.parametrize("market", ["KOSPI", "KOSDAQ"])
@pytest.mark.parametrize("year", ["2025", "2026"])
def test_sell_tax_equals_the_published_rates(market: str, year: str) -> None:
    rates = read("rules/sell_tax.json")[year][market]
    total = Decimal(rates["transaction"]) + Decimal(rates["agri"])
    assert sell_tax(Kind.STOCK, int(year)) == total


def test_lot_is_one_share() -> None:
    assert LOT == 1
