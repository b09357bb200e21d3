"""Tests of sales that are sized by what is held."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from conditions.scalar import compile_sold
from config.strict_yaml import Located
from engine.sizing import SizeFacts, size
from engine.ticket import Ticket
from market.orders import Side
from market.types import Instrument, Kind, Venue

SHARE = Instrument(Venue.KRX, "005930", "Samsung")
COIN = Instrument(Venue.UPBIT, "KRW-XRP", "Ripple", kind=Kind.COIN)


def ticket(text: str, instrument: Instrument) -> Ticket:
    return Ticket(
        key="signal:x",
        instrument=instrument,
        side=Side.SELL,
        quantity=None,
        size=compile_sold(Located(text, "test.yaml", 1, 1)),
        price=None,
        price_rule=None,
        user_id=1,
        origin="condition:x",
        within=timedelta(seconds=90),
        max_drift=Decimal("0.003"),
    )


def facts(held: str) -> SizeFacts:
    some = Decimal(100)
    return SizeFacts(some, some, some, cash=some, buying_power=some, fee=some, held=Decimal(held))


@pytest.mark.parametrize(
    ("text", "instrument", "held", "quantity"),
    [
        ("all", SHARE, "30", "30"),
        ("all / 2", SHARE, "7", "3"),
        ("min(all, 10 shares)", SHARE, "30", "10"),
        ("all", COIN, "0.123", "0.123"),
    ],
)
def test_all_is_what_is_held_down_to_the_lot(
    text: str, instrument: Instrument, held: str, quantity: str
) -> None:
    sized = size(ticket(text, instrument), facts(held))
    assert (sized.quantity, sized.denial) == (Decimal(quantity), None)


def test_of_nothing_there_is_nothing_to_sell() -> None:
    sized = size(ticket("all", SHARE), facts("0"))
    assert sized.denial is not None
    assert sized.denial.code == "risk.no_position"


def test_half_of_a_single_share_is_too_small() -> None:
    sized = size(ticket("all / 2", SHARE), facts("1"))
    assert sized.denial is not None
    assert sized.denial.code == "risk.too_small"
