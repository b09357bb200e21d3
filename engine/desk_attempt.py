"""One attempt to send an order: a fresh quote, the account, the claim, and then the sending."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeAlias

from engine.desk_confirm import stop_in_way, submit
from engine.desk_possible import too_much
from engine.desk_send import post
from engine.outcome import Outcome
from engine.trading import held_back
from market.errors import SourceError
from market.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.desk_book import DeskBook, Page
    from engine.desk_settle import Settlement
    from engine.desk_stops import StopDesk
    from market.orders import Account, Order
    from market.types import Tick

    Claim: TypeAlias = Callable[[Page, Tick, Account], Outcome | None]
    """Confirms an order within a transaction; None means that it is to be sent now."""

logger = logging.getLogger(__name__)


async def attempt(
    book: DeskBook, settlement: Settlement, stops: StopDesk, order_id: str, claim: Claim
) -> Outcome:
    """Claim an order with what is known right now, and send it once.

    A stop at the venue makes way for an exit first.
    """
    order = await book.order(order_id)
    if order is None:
        return Outcome(None, "order.unknown")
    hindered = await _hindered(book, stops, order)  # before the price, which is no older for it
    if hindered is not None:
        return hindered
    try:
        quote, account = await _ask(book, settlement, order)
    except SourceError as error:
        logger.warning("no fresh price of %s at a confirmation: %s", order.instrument, error)
        return Outcome(order, "order.no_price")
    if account is None:
        return Outcome(order, "order.no_account")

    def write_down(page: Page) -> Outcome | Order:
        """Confirm and submit in one: nothing can come between, and the disk is waited for once."""
        outcome = _stop_in_way(page, order_id) or claim(page, quote, account)
        return submit(page, order_id) if outcome is None else outcome

    book.in_flight[order_id] += 1  # before the claim, so that settling leaves it alone
    try:
        written = await book.write(write_down)
        if isinstance(written, Outcome):
            return written
        age = (book.market_clock.now() - quote.seen_at).total_seconds()
        book.events.emit("sending", id=order_id, price_age_seconds=age)
        return await post(book, written)
    finally:
        book.in_flight[order_id] -= 1


async def _hindered(book: DeskBook, stops: StopDesk, order: Order) -> Outcome | None:
    """Return why an order cannot go: its stop does not make way, or the broker takes less of it."""
    in_way = None
    if (
        not order.is_entry
    ):  # nothing stands in the way of a purchase, and a tap does not wait for it
        in_way = await book.read(lambda page: _stop_in_way(page, order.id))
    if in_way is not None and not await stops.free(order.instrument):
        return in_way
    return await too_much(book.brokers, order)


async def _ask(book: DeskBook, settlement: Settlement, order: Order) -> tuple[Tick, Account | None]:
    """Return a fresh price and the account, asked for at the same time; raises SourceError."""
    account = asyncio.create_task(
        settlement.account(order.instrument), name=f"account for {order.id}"
    )
    try:
        # Half of the age is left for the account's answer: the claim takes no older quote.
        quote = await book.quotes.fresh(order.instrument, book.quote_age / 2)
        return quote, await account
    finally:
        account.cancel()


def _stop_in_way(page: Page, order_id: str) -> Outcome | None:
    """Return the outcome of a sale for which a stop at the venue has not made way yet.

    What trading holds back anyway is left to the claim, and moves no stop.
    """
    order = page.tx.orders.get(order_id)
    if order is None or order.state is not OrderState.PROPOSED:
        return None
    if held_back(order, page.states_of(order)):
        return None
    code = stop_in_way(page, order)
    return Outcome(order, code) if code else None
