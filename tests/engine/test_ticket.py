from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.ticket import Ticket, order_id
from market.orders import Side
from market.types import Instrument, Venue


def ticket(**changes: Any) -> Ticket:
    values: dict[str, Any] = {
        "key": "update:1",
        "instrument": Instrument(Venue.KRX, "005930", "Samsung"),
        "side": Side.BUY,
        "quantity": Decimal(1),
        "size": None,
        "price": None,
        "price_rule": None,
        "user_id": 1,
        "origin": "command",
        "within": timedelta(seconds=90),
        "max_drift": Decimal("0.003"),
    }
    return Ticket(**{**values, **changes})


def test_an_order_id_is_short_and_always_the_same() -> None:
    assert order_id("update:1") == order_id("update:1") == "5kjfmjrot7l7"
    ids = {order_id(f"update:{count}") for count in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("[a-z2-7]{12}", one) for one in ids)


def test_an_order_id_fits_into_a_button() -> None:
    assert len(f"oc:{order_id('signal:long ' * 20)}:999".encode()) <= 64


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": None},
        {"size": object()},
        {"price": Decimal(1), "price_rule": object()},
        {"quantity": Decimal("NaN")},
        {"quantity": Decimal("Infinity")},
        {"price": Decimal("NaN")},
    ],
)
def test_a_ticket_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ticket update:1"):
        ticket(**changes)
