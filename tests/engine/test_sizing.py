from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conditions.scalar import Scalar, compile_price, compile_size, compile_sold
from config.strict_yaml import Located
from engine.risk_case import Denial, with_fee
from engine.sizing import SizeFacts, size
from engine.ticket import Ticket
from market.orders import Side
from market.prices import is_on_tick
from market.types import Instrument, Kind, Venue

SAMSUNG = Instrument(Venue.KRX, "005930", "Samsung")
COIN = Instrument(Venue.UPBIT, "KRW-XRP", "Ripple", kind=Kind.COIN)
FACTS = SizeFacts(
    close=Decimal(70_000),
    last=Decimal(70_200),
    equity=Decimal(10_000_000),
    cash=Decimal(4_500_000),
    buying_power=Decimal(4_000_000),
    fee=Decimal("0.00015"),
)


def amount(text: str) -> Scalar:
    return compile_size(Located(text, "test.yaml", 1, 1))


def rule(text: str) -> Scalar:
    return compile_price(Located(text, "test.yaml", 1, 1))


def ticket(**changes: Any) -> Ticket:
    made = Ticket(
        key="signal:x",
        instrument=SAMSUNG,
        side=Side.BUY,
        quantity=None,
        size=amount("500_000 KRW"),
        price=None,
        price_rule=None,
        user_id=1,
        origin="condition:x",
        within=timedelta(seconds=90),
        max_drift=Decimal("0.003"),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "quantity", "price"),
    [
        ({}, 7, None),
        ({"size": amount("min(2% * equity, 500_000 KRW)")}, 2, None),
        ({"size": amount("50% * buying_power")}, 28, None),
        ({"price_rule": rule("close + 1 tick")}, 7, 70_100),
        ({"price_rule": rule("close - 2 tick")}, 7, 69_800),
        ({"price_rule": rule("close * 1.0009")}, 7, 70_000),
        ({"price_rule": rule("close * 1.0009"), "side": Side.SELL}, 7, 70_100),
        ({"price": Decimal(69_950)}, 7, 69_950),
        ({"quantity": Decimal(3), "size": None}, 3, None),
        ({"size": amount("12")}, 12, None),
        ({"size": amount("7 / 2"), "side": Side.SELL}, 3, None),
        ({"quantity": Decimal("0.5"), "size": None}, Decimal("0.5"), None),
    ],
)
def test_a_ticket_comes_to_a_quantity_and_a_limit(
    changes: dict[str, Any], quantity: Decimal, price: Decimal | None
) -> None:
    sized = size(ticket(**changes), FACTS)
    assert (sized.quantity, sized.price, sized.denial) == (quantity, price, None)


def test_the_fee_is_left_room_for_when_buying_but_not_when_selling() -> None:
    exact = {"size": amount("700_000 KRW"), "price": Decimal(70_000)}
    assert size(ticket(**exact), FACTS).quantity == 9
    assert size(ticket(side=Side.SELL, **exact), FACTS).quantity == 10
    assert size(ticket(**{**exact, "size": amount("700_105 KRW")}), FACTS).quantity == 10


def test_less_than_one_share_is_too_small() -> None:
    sized = size(ticket(size=amount("1 / 2")), FACTS)
    assert sized.quantity == 0
    assert sized.denial == Denial("risk.too_small", "1", "0.5")


def test_an_amount_below_one_share_is_too_small() -> None:
    sized = size(ticket(size=amount("70_000 KRW"), price=Decimal(70_000)), FACTS)
    assert sized.quantity == 0
    assert sized.denial is not None
    assert sized.denial.code == "risk.too_small"
    assert (sized.denial.limit, sized.denial.asked) == ("70,010.5", "70,000")


@pytest.mark.parametrize(
    "changes",
    [
        {"size": amount("cash / (close - close)")},
        {"size": amount("-1 * 5_000 KRW")},
        {"size": amount("0 * cash")},
        {"price_rule": rule("close - close")},
        {"price_rule": rule("close - 2 * close")},
    ],
)
def test_a_rule_without_a_usable_value_is_denied(changes: dict[str, Any]) -> None:
    sized = size(ticket(**changes), FACTS)
    assert sized.denial is not None
    assert sized.denial.code == "risk.size"
    assert sized.quantity == 0


def test_a_coin_is_bought_in_fractions() -> None:
    facts = replace(FACTS, close=Decimal(3_000), last=Decimal(3_000))
    sized = size(ticket(instrument=COIN), facts)
    assert sized.quantity == Decimal("166.64167041")


@given(
    won=st.integers(1, 10**9),
    close=st.integers(100, 2_000_000),
    side=st.sampled_from(Side),
    has_rule=st.booleans(),
)
def test_what_is_bought_never_costs_more_than_was_meant(
    *, won: int, close: int, side: Side, has_rule: bool
) -> None:
    facts = replace(FACTS, close=Decimal(close), last=Decimal(close), buying_power=Decimal(10**12))
    price_rule = rule("close * 1.0123") if has_rule else None
    sized = size(ticket(size=amount(f"{won} KRW"), side=side, price_rule=price_rule), facts)
    price = Decimal(close) if sized.price is None else sized.price
    assert sized.quantity == int(sized.quantity)
    assert (sized.denial is None) == (sized.quantity > 0)
    assert sized.price is None or is_on_tick(sized.price, Kind.STOCK)
    if side is Side.BUY:
        assert with_fee(sized.quantity * price, facts.fee) <= won + 1
        assert with_fee((sized.quantity + 1) * price, facts.fee) > won


@given(
    won=st.integers(1, 10**9),
    price=st.integers(1, 2_000_000),
    power=st.integers(-(10**6), 10**8),
    fee=st.integers(0, 1_000).map(lambda n: Decimal(n) / 10_000),
    instrument=st.sampled_from([SAMSUNG, COIN]),
)
def test_nothing_is_sized_that_cannot_be_paid_with_its_fee(
    *, won: int, price: int, power: int, fee: Decimal, instrument: Instrument
) -> None:
    facts = replace(FACTS, last=Decimal(price), buying_power=Decimal(power), fee=fee)
    sized = size(ticket(size=amount(f"{won} KRW"), instrument=instrument), facts)
    assert (sized.denial is None) == (sized.quantity > 0)
    assert sized.quantity == 0 or with_fee(sized.quantity * price, fee) <= power


def test_money_is_cut_down_to_what_can_be_paid_but_shares_are_not() -> None:
    poor = replace(FACTS, buying_power=Decimal(300_000))
    assert size(ticket(), poor).quantity == 4
    assert size(ticket(size=amount("12")), poor).quantity == 12
    assert size(ticket(side=Side.SELL), poor).quantity == 7


def test_what_cannot_be_paid_at_all_says_so() -> None:
    sized = size(ticket(), replace(FACTS, buying_power=Decimal(70_000)))
    assert sized.denial == Denial("risk.cash", "70,000", "70,211.53")


@pytest.mark.parametrize(
    ("written", "quantity"),
    [
        ("risk(1% * equity, stop=4%)", 35),
        ("risk(1% * equity, stop=2_500 KRW)", 40),
        ("min(risk(1% * equity, stop=4%), 500_000 KRW)", 7),
    ],
)
def test_a_size_can_be_what_the_stop_may_cost(written: str, quantity: int) -> None:
    assert size(ticket(size=amount(written)), FACTS).quantity == quantity


def test_of_a_holding_a_part_can_be_sold() -> None:
    half = compile_sold(Located("50% * all", "test.yaml", 1, 1))
    sized = size(ticket(size=half, side=Side.SELL), replace(FACTS, held=Decimal(7)))
    assert sized.quantity == 3
    sized = size(ticket(size=half, side=Side.SELL), replace(FACTS, held=Decimal(1)))
    assert sized.denial == Denial("risk.too_small", "1", "0.5")
