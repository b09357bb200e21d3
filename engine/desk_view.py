"""The facts around an order that its card shows: pure, from what is known at the moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.ports import OrderView
from engine.risk_case import notional
from market.currency import cent_of, currency_of
from market.money import fee_of, tax_of
from market.orders import OrderState

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from engine.risk_case import Denial
    from market.orders import Account, Order
    from market.signals import Signal
    from market.types import Instrument, Tick


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a card is drawn from: `now` is wall clock, `market_now` market clock.

    `hold` keys the text that tells why the order may not be sent, "" where it may; `touched` are
    the limits that it would break.
    """

    now: datetime
    market_now: datetime
    quote: Tick | None
    account: Account
    equity: Decimal
    fee: Decimal
    signal: Signal | None
    hold: str = ""
    touched: tuple[Denial, ...] = ()


def view_of(order: Order, instrument: Instrument, around: Surroundings) -> OrderView:
    """Return the facts for an order's card; without a quote the price on the card is its own."""
    worth = notional(order)
    fee = fee_of(worth, around.fee, cent_of(currency_of(order.instrument)))
    tax = tax_of(worth, order.side, instrument, around.market_now)
    power = around.account.buying_power
    if order.state is OrderState.PROPOSED:
        power += -(worth + fee) if order.is_entry else worth - fee - tax
    quote = around.quote
    age = around.now - order.reference_at
    if quote is not None:
        age = around.market_now - quote.seen_at
    left = (order.expires_at - around.now).total_seconds()
    return OrderView(
        price=float(order.reference_price) if quote is None else quote.price,
        price_age_seconds=max(0.0, age.total_seconds()),
        cost=worth,
        fee=fee,
        tax=tax,
        equity=around.equity,
        buying_power_after=power,
        seconds_left=max(0, math.ceil(left)),
        signal=around.signal,
        hold=around.hold if order.state is OrderState.PROPOSED else "",
        touched=around.touched,
    )
