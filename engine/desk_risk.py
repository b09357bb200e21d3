"""What surrounds an order, read from the store for the risk checks; and the log of sendings."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.risk import MINUTE, RiskView
from engine.trading import read_trading
from market.orders import AT_BROKER, OrderState
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import Page
    from market.orders import Account, Order
    from market.store import Transaction
    from market.types import Instrument, Tick

GOING = AT_BROKER | {OrderState.CONFIRMED}
"""States of orders that are at the broker or about to be."""

_SENDINGS = "desk/sendings"


def risk_view(
    page: Page,
    order: Order,
    instrument: Instrument,
    quote: Tick | None,
    quote_age: timedelta,
    account: Account | None,
) -> RiskView:
    """Return what the risk checks look at, as it is within this transaction."""
    book, orders = page.book, page.tx.orders
    market_now = book.market_clock.now()
    limits = book.settings.risk
    window = max(MINUTE, timedelta(seconds=limits.duplicate_seconds))
    position = orders.position(instrument.id)
    return RiskView(
        limits=limits,
        fee=book.settings.broker.fee,
        now=book.now(),
        market_now=market_now,
        quote=quote,
        quote_age=quote_age,
        is_open=book.calendars[instrument.venue].is_open(market_now),
        trading=read_trading(page.tx),
        buying_power=None if account is None else account.buying_power,
        held=Decimal(0) if position is None else position.quantity,
        others=tuple(one for one in orders.in_states(GOING) if one.id != order.id),
        recent=tuple(one for one in orders.since(order.proposed_at - window) if one.id != order.id),
        sent_at=_sent_at(page.tx),
    )


def note_sending(page: Page) -> None:
    """Remember that an order is being sent now; only the last minute is kept."""
    now = page.book.now()
    kept = [at for at in _sent_at(page.tx) if at > now - MINUTE]
    page.tx.documents.put(_SENDINGS, {"at": [to_ms(at) for at in (*kept, now)]})


def _sent_at(tx: Transaction) -> tuple[datetime, ...]:
    value = tx.documents.get(_SENDINGS)
    return () if value is None else tuple(from_ms(int(at)) for at in value["at"])
