"""Tests of sizes and prices of orders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from conditions.scalar import (
    compile_price,
    compile_scalar,
    compile_size,
    compile_sold,
    everything,
)
from conditions.units import Unit
from config.strict_yaml import Located
from market.errors import ConfigError

VALUES = {
    "close": Decimal(70_000),
    "tick": Decimal(100),
    "equity": Decimal(10_000_000),
    "cash": Decimal(4_000_000),
    "buying_power": Decimal(3_000_000),
}


def located(text: str) -> Located:
    """Return a text with a place."""
    return Located(text, "x.yaml", 3, 9)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10", Unit.VOLUME, "10"),
        ("10 shares", Unit.VOLUME, "10"),
        ("500_000 KRW", Unit.VALUE, "500_000"),
        ("2% * equity", Unit.VALUE, "200_000"),
        ("min(2% * equity, 500_000 KRW)", Unit.VALUE, "200_000"),
        ("min(500_000 KRW, 50% * cash, equity)", Unit.VALUE, "500_000"),
        ("700_000 KRW / close", Unit.VOLUME, "10"),
        ("max(1, 10% * cash / close)", Unit.VOLUME, None),
        ("abs(-(3 + 4) - 1) / 2", Unit.VOLUME, "4"),
        ("10 * close", None, None),
        ("3 shares * close", Unit.VALUE, "210_000"),
        ("1 share", Unit.VOLUME, "1"),
        ("10% * buying_power", Unit.VALUE, "300_000"),
        ("risk(1% * equity, stop=4%)", Unit.VALUE, "2_500_000"),
        ("min(risk(100_000 KRW, stop=4%), 500_000 KRW)", Unit.VALUE, "500_000"),
        ("risk(1% * equity, stop=2_000 KRW)", Unit.VOLUME, "50"),
        ("risk(1% * equity, stop=20 ticks)", Unit.VOLUME, "50"),
        ("risk(1% * equity, stop=close - 69_000 KRW)", Unit.VOLUME, "100"),
    ],
)
def test_sizes_are_money_or_shares(text: str, unit: Unit | None, value: str | None) -> None:
    if unit is None:
        with pytest.raises(ConfigError, match=r"expected a volume \(shares\) or a value"):
            compile_size(located(text))
        return
    scalar = compile_size(located(text))
    assert scalar.unit is unit
    found = scalar.value(VALUES)
    expected = Decimal(value.replace("_", "")) if value else VALUES["cash"] / 10 / VALUES["close"]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("close + 1 tick", "70_100"),
        ("close - 2 ticks", "69_800"),
        ("close * 99.9%", "69930"),
        ("70_500 KRW", "70_500"),
        ("70_500", "70_500"),
        ("max(close, 71_000) + tick", "71_100"),
    ],
)
def test_prices_are_exact(text: str, value: str) -> None:
    scalar = compile_price(located(text))
    assert scalar.unit is Unit.PRICE
    assert scalar.value(VALUES) == Decimal(value.replace("_", ""))


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("2% * equty", 5, "unknown name 'equty'; did you mean 'equity'?"),
        ("5%", 0, "expected a volume (shares) or a value (money traded), found a ratio (%)"),
        ("equity + close", 9, "a value (money traded) cannot be added to a price"),
        ("equity - 1 shares", 9, "a volume (shares) cannot be subtracted from a value"),
        ("min(equity, 5 shares)", 12, "a value (money traded) cannot be compared with a volume"),
        ("min(equity)", 0, "'min' takes at least 2 arguments, by place"),
        ("risk(1% * equity)", 0, "'risk' takes money and a stop: risk(1% * equity, stop=3%)"),
        ("risk(1% * equity, 3%)", 0, "'risk' takes money and a stop"),
        ("risk(3%, stop=3%)", 5, "expected money to lose, found a ratio (%)"),
        ("risk(equity, stop=3)", 18, "expected a ratio or money a share for the stop"),
        ("sma(close, 5)", 0, "an order has no 'sma'; its functions are abs, min, max"),
        ("close[1]", 0, "expected one number; an order has no other bars to look at"),
        ("equity > 5", 0, "expected one number"),
        ("equity *", 8, "found the end of the expression"),
        ("5 minutes", 0, "found a length of time"),
    ],
)
def test_mistakes_have_their_place(text: str, offset: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_size(located(text))
    (problem,) = caught.value.problems
    assert message in problem.message
    assert (problem.file, problem.line, problem.column) == ("x.yaml", 3, 9 + offset)


def test_every_mistake_is_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_size(located("min(eqity, kash)"))
    assert [one.column for one in caught.value.problems] == [13, 20]


def test_an_account_is_not_known_to_a_price() -> None:
    with pytest.raises(ConfigError, match="unknown name 'equity'"):
        compile_price(located("equity"))


def test_value_is_unknown_without_its_names_or_by_zero() -> None:
    assert compile_size(located("equity / 2")).value({"cash": Decimal(1)}) is None
    assert compile_price(located("close + 1 tick")).value({"close": Decimal(1)}) is None
    assert compile_size(located("equity / (close - close) * 1")).value(VALUES) is None


def test_other_names_may_be_given() -> None:
    names = {"entry": Unit.PRICE}
    scalar = compile_scalar(located("entry * 97%"), names, Unit.PRICE)
    assert scalar.value({"entry": Decimal(100)}) == 97
    assert scalar.names == {"entry"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("all", "30"), ("all / 2", "15"), ("min(all, 10 shares)", "10"), ("50% * all", "15")],
)
def test_a_sale_may_be_of_all_that_is_held(text: str, value: str) -> None:
    scalar = compile_sold(located(text))
    assert scalar.unit is Unit.VOLUME
    assert scalar.value({"all": Decimal(30)}) == Decimal(value)
    assert scalar.value(VALUES) is None


def test_everything_is_all() -> None:
    assert everything() == compile_sold(located("all"))


def test_a_buy_and_a_price_know_no_all() -> None:
    for compiled in (compile_size, compile_price):
        with pytest.raises(ConfigError, match="'all' is what is held: only the size of a sale"):
            compiled(located("all"))
