"""One attempt to send an order: a fresh quote, the account, the claim, and then the sending."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

from engine.desk_send import send
from engine.outcome import Outcome
from market.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.broker import Broker
    from engine.desk_book import DeskBook, Page
    from engine.desk_settle import Settlement
    from market.orders import Account
    from market.types import Tick

    Claim: TypeAlias = Callable[[Page, Tick, Account], Outcome | None]
    """Confirms an order within a transaction; None means that it is to be sent now."""

logger = logging.getLogger(__name__)


async def attempt(
    book: DeskBook, broker: Broker, settlement: Settlement, order_id: str, claim: Claim
) -> Outcome:
    """Claim an order with what is known right now, and send it once."""
    order = await book.order(order_id)
    if order is None:
        return Outcome(None, "order.unknown")
    try:
        # Half of the age is left for the account's answer: the claim takes no older quote.
        quote = await book.quotes.fresh(order.instrument, book.quote_age / 2)
    except SourceError as error:
        logger.warning("no fresh price of %s at a confirmation: %s", order.instrument, error)
        return Outcome(order, "order.no_price")
    account = await settlement.account()
    if account is None:
        return Outcome(order, "order.no_account")
    book.in_flight[order_id] += 1  # before the claim, so that settling leaves it alone
    try:
        outcome = await book.write(lambda page: claim(page, quote, account))
        if outcome is not None:
            return outcome
        age = (book.market_clock.now() - quote.seen_at).total_seconds()
        book.events.emit("sending", id=order_id, price_age_seconds=age)
        return await send(book, broker, order_id)
    finally:
        book.in_flight[order_id] -= 1
