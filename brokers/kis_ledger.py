"""Fills out of KIS's counts: orders say how much has traded in all, we note what is new."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from brokers.kis_book import Traded
from brokers.kis_estimate import guesses
from brokers.kis_match import row_of
from brokers.kis_rows import average
from market.known import recall
from market.money import fee_of, tax_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from brokers.kis_book import KisBook, Sent
    from brokers.kis_rows import DayOrder, Held
    from market.store import Transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What KIS told at a moment: orders, and the holdings where its list leaves orders out."""

    orders: Sequence[DayOrder]
    holdings: Sequence[Held] | None
    today: str
    at: datetime
    fee: Decimal


def unlisted(watched: Sequence[Sent], orders: Sequence[DayOrder], today: str) -> list[Sent]:
    """Return the orders of today that have a number, but no row in the list."""
    numbers = {order.number for order in orders if order.day == today}
    return [
        sent for sent in watched if sent.day == today and sent.number and sent.number not in numbers
    ]


def take_in(tx: Transaction, book: KisBook, told: Told) -> int:
    """Make fills of all that has traded since the last time; return how many.

    What is over is not watched any more: filled orders, and those of days before today.
    """
    watched = [sent for sent in book.watched() if sent.number]
    grown = [
        (row, sent)
        for sent in watched
        if (row := row_of(sent, told.orders)) is not None and row.filled > sent.told_quantity
    ]
    for row, sent in sorted(grown, key=lambda pair: (pair[0].is_told_at, pair[0].number)):
        _trade(tx, book, sent, row, told.fee)
    count = len(grown)
    if told.holdings is not None:
        count += _guess(tx, book, watched, told)
    for sent in book.watched():
        if sent.number and (sent.remaining <= 0 or sent.day < told.today):
            book.unwatch(sent.client_id)
    return count


def _trade(tx: Transaction, book: KisBook, sent: Sent, row: DayOrder, fee: Decimal) -> None:
    quantity = row.filled - sent.told_quantity
    price = average(row.amount - sent.told_amount, quantity)
    if sent.is_estimated or price <= 0:
        price = row.average_price
    cost = cost_of(tx, sent, row.amount, row.is_told_at, fee)
    book.trade(sent, quantity, price, Traded(row.amount, cost, row.is_told_at))


def _guess(tx: Transaction, book: KisBook, watched: Sequence[Sent], told: Told) -> int:
    missing = unlisted(watched, told.orders, told.today)
    found = guesses(missing, book.of_day(told.today), told.holdings or ())
    known = [guess for guess in found if guess.price > 0]
    for guess in known:
        sent = replace(guess.sent, is_estimated=True)
        logger.warning(
            "kis does not list order %s: %s of %s at %s is what the holdings say",
            *(sent.order_id, guess.quantity, sent.quantity, guess.price),
        )
        amount = sent.told_amount + guess.quantity * guess.price
        cost = cost_of(tx, sent, amount, told.at, told.fee)
        book.trade(sent, guess.quantity, guess.price, Traded(amount, cost, told.at))
    return len(known)


def cost_of(tx: Transaction, sent: Sent, amount: Decimal, at: datetime, fee: Decimal) -> Decimal:
    """Return fee and tax of all that an order has traded; KIS tells them for whole days only."""
    instrument = recall(tx, sent.instrument)
    return fee_of(amount, fee) + tax_of(amount, sent.side, instrument, at)
