"""Orders and what surrounds them, for tests of risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from config.settings import RiskSettings
from engine.risk_case import RiskView
from market.orders import Order, OrderState, Side
from market.phases import Phase
from market.types import Instrument, Kind, Tick, Venue

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SAMSUNG = Instrument(Venue.KRX, "005930", "Samsung")
HYNIX = Instrument(Venue.KRX, "000660", "SK hynix")
COIN = Instrument(Venue.UPBIT, "KRW-XRP", "Ripple", kind=Kind.COIN)


def order(**changes: Any) -> Order:
    """Return a proposed purchase of ten shares at 70,000."""
    made = Order(
        id="one",
        version=1,
        instrument=SAMSUNG.id,
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(70_000),
        state=OrderState.PROPOSED,
        user_id=1,
        origin="command",
        proposed_at=NOON,
        expires_at=NOON + timedelta(seconds=90),
        reference_price=Decimal(70_000),
        reference_at=NOON,
        max_drift=Decimal("0.003"),
    )
    return replace(made, **changes)


def other(**changes: Any) -> Order:
    """Return another order, of seven shares, which rests at the broker."""
    return order(**{"id": "two", "state": OrderState.ACCEPTED, "quantity": Decimal(7), **changes})


def sell(**changes: Any) -> Order:
    """Return a proposed sale."""
    return order(**{"side": Side.SELL, **changes})


def quote(**changes: Any) -> Tick:
    """Return a fresh tick at 70,000."""
    made = Tick(SAMSUNG.id, NOON, NOON, 70_000, day_volume=1, previous_close=70_000)
    return replace(made, **changes)


def view(**changes: Any) -> RiskView:
    """Return surroundings in which nothing is against an order."""
    made = RiskView(
        venues=frozenset({Venue.KRX, Venue.UPBIT}),
        limits=RiskSettings(max_away=Decimal(1)),
        fee=Decimal("0.00015"),
        now=NOON,
        market_now=NOON,
        quote=quote(),
        quote_age=timedelta(seconds=3),
        phase=Phase.CONTINUOUS,
        buying_power=Decimal(10_000_000),
        held=Decimal(0),
    )
    return replace(made, **{"sharing": changes.get("others", ()), **changes})
