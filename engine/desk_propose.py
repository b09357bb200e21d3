"""From a ticket to a proposed or denied order with its card."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.desk_risk import risk_view
from engine.desk_tap import may_trade
from engine.holdings import closable
from engine.protect_book import ask_protection
from engine.risk import check
from engine.risk_case import Denial
from engine.risk_market import currency_denial
from engine.risk_money import UNANSWERED, unanswered
from engine.sizing import Sized, SizeFacts, size
from engine.ticket import order_id
from market.errors import SourceError
from market.known import recall, remember
from market.money import to_decimal
from market.orders import Order, OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import DeskBook, Page
    from engine.ticket import Ticket
    from market.orders import Account
    from market.types import InstrumentId, Tick

logger = logging.getLogger(__name__)


async def proposal_quote(book: DeskBook, ticket: Ticket) -> Tick | None:
    """Return a fresh quote, or the newest there is where the source gives none."""
    try:
        return await book.quotes.fresh(ticket.instrument.id, book.quote_age)
    except SourceError as error:
        logger.warning("no fresh price of %s for a proposal: %s", ticket.instrument.id, error)
        return book.quotes.last(ticket.instrument.id)


def propose(
    page: Page, ticket: Ticket, quote: Tick | None, quoted_at: datetime, account: Account | None
) -> Order:
    """Store the order that a ticket asks for, proposed or denied; a known one stays as it is.

    `quoted_at` is the market time at which the quote came.
    """
    known = page.tx.orders.get(order_id(ticket.key))
    if known is not None:
        return known
    remember(page.tx, ticket.instrument)
    ticket = replace(ticket, instrument=recall(page.tx, ticket.instrument.id))  # with its steps
    sized = _sized(page, ticket, quote)
    order = _order(page, ticket, sized, quote)
    denial = _denial(page, ticket, order, sized, quote, quoted_at, account)
    if denial is not None:
        logger.info("order %s is denied: %s", order.id, denial)
        order = replace(order, state=OrderState.DENIED, code=denial.code, facts=denial.told)
    elif ticket.protect is not None:
        ask_protection(page.tx, order.id, ticket.protect)
    return page.put(order)


def spendable(page: Page, instrument: InstrumentId) -> Decimal:
    """Return what can be spent on an instrument, without what was sent a moment ago."""
    book = page.book
    going = page.tx.orders.in_states(UNANSWERED)
    alike = [one for one in going if book.are_paid_alike(one.instrument, instrument)]
    fee = book.settings.broker.fee_at(instrument)
    return book.account_of(instrument).buying_power - unanswered(alike, fee)


def _sized(page: Page, ticket: Ticket, quote: Tick | None) -> Sized:
    if quote is None:
        return Sized(ticket.quantity or Decimal(0), ticket.price, Denial("risk.stale"))
    signal = None if ticket.signal_id is None else page.tx.signals.get(ticket.signal_id)
    last, name = to_decimal(quote.price), ticket.instrument.id
    facts = SizeFacts(
        close=last if signal is None else to_decimal(signal.price),
        last=last,
        equity=page.equity(name),
        cash=page.book.account_of(name).cash,
        buying_power=spendable(page, name),
        fee=page.book.settings.broker.fee_at(name),
        held=closable(page.tx, name, ticket.position),
    )
    return size(ticket, facts)


def _order(page: Page, ticket: Ticket, sized: Sized, quote: Tick | None) -> Order:
    now = page.book.now()
    return Order(
        id=order_id(ticket.key),
        version=1,
        instrument=ticket.instrument.id,
        side=ticket.side,
        quantity=sized.quantity,
        price=sized.price,
        state=OrderState.PROPOSED,
        user_id=ticket.user_id,
        origin=ticket.origin,
        proposed_at=now,
        expires_at=now + ticket.within,
        reference_price=Decimal(0) if quote is None else to_decimal(quote.price),
        reference_at=now,
        max_drift=ticket.max_drift,
        signal_id=ticket.signal_id,
        otherwise=ticket.otherwise,
        unfilled=ticket.unfilled,
        position=ticket.position,
    )


def _denial(
    page: Page,
    ticket: Ticket,
    order: Order,
    sized: Sized,
    quote: Tick | None,
    quoted_at: datetime,
    account: Account | None,
) -> Denial | None:
    if not may_trade(page.tx.people.get(ticket.user_id)):
        return Denial("order.not_allowed")
    denial = currency_denial(ticket.instrument) or sized.denial
    if denial is not None:
        return denial
    # A quote of the last sweeps will do for a proposal: the card shows its age, and Confirm
    # insists on a fresh one.
    sweeps = timedelta(seconds=2 * page.book.settings.crawl.every_seconds)
    age = max(page.book.quote_age, sweeps)
    view = risk_view(page, order, ticket.instrument, quote, age, account)
    view = replace(view, market_now=quoted_at)
    return next(iter(check(order, ticket.instrument, view)), None)
