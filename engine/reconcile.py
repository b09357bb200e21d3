"""Our book against the broker's: where they differ, and orders that are not ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.brokers import orders_of, paying
from engine.cash import agree, compare_cash, differing
from engine.difference import (
    Difference,
    all_differences,
    facts_of,
    forget_difference,
    put_difference,
    read_difference,
)
from engine.exact import venue_of
from engine.holdings import note_correction
from engine.open_orders import read_open_order, write_open_order
from market.orders import AT_BROKER, Position
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brokers.broker import OpenOrder
    from engine.brokers import Seat
    from engine.cash import CashBook
    from engine.desk_book import Page
    from market.orders import Account
    from market.store import Transaction
    from market.types import InstrumentId, Venue

MOST_TOLD = 5
"""So many differences are told one by one; of more only their number."""

LATELY = timedelta(days=1)
ZERO = Decimal(0)
_CORRECTION = "reconcile/correction/"
_FOREIGN = "reconcile/foreign/"


def compare(
    ours: Iterable[Position], theirs: Iterable[Position]
) -> dict[InstrumentId, tuple[Decimal, Position]]:
    """Return our quantity and the broker's position wherever the quantities differ."""
    mine = {one.instrument: one.quantity for one in ours}
    told: dict[InstrumentId, Position] = {}
    for one in theirs:  # a broker may keep one instrument in several rows: cash and credit
        known = told.get(one.instrument)
        told[one.instrument] = one if known is None else _joined(known, one)
    names = sorted({*mine, *told})
    found = {
        name: (mine.get(name, ZERO), told.get(name, Position(name, ZERO, ZERO))) for name in names
    }
    return {name: both for name, both in found.items() if both[0] != both[1].quantity}


def note_positions(
    page: Page,
    venues: frozenset[Venue],
    theirs: Sequence[Position],
    moving: frozenset[InstrumentId],
) -> list[Difference]:
    """Keep where positions differ now, forget what agrees again, and tell the owner what is new.

    `venues` are those of the broker that was asked, `moving` the instruments with an order of ours
    on its way.
    """

    def is_there(name: InstrumentId) -> bool:
        return venue_of(name) in venues

    ours = [one for one in page.tx.orders.positions() if is_there(one.instrument)]
    differing = compare(ours, [one for one in theirs if is_there(one.instrument)])
    for known in all_differences(page.tx):
        if is_there(known.instrument) and known.instrument not in differing:
            forget_difference(page.tx, known.instrument)
            if known.is_told:
                page.tell_owner("notice.difference_over", **facts_of(known))
    found = [_noted(page, name, *both, moving) for name, both in differing.items()]
    _tell(page, [one for one in found if not (one.is_told or one.is_suspicion)])
    return found


def adopt(page: Page, instrument: InstrumentId, user_id: int) -> Difference | None:
    """Take the broker's position as ours, and keep who did it and when; None if nothing differs.

    No fill is made up: what was gained or lost by what we did not see is not known.
    """
    difference = read_difference(page.tx, instrument)
    if difference is None or difference.is_suspicion:
        return None
    before = page.tx.orders.position(instrument) or Position(instrument, ZERO, ZERO)
    if before.quantity != difference.ours:  # our book has moved since the look
        return None
    price = difference.average_price or before.average_price
    after = replace(before, quantity=difference.theirs, average_price=price)
    if not after.quantity:
        after = replace(after, average_price=ZERO)
    now = page.book.now()
    page.tx.orders.put_position(after)
    note_correction(page.tx, before, after, page.book.market_clock.now())
    forget_difference(page.tx, instrument)
    page.tx.documents.put(
        f"{_CORRECTION}{to_ms(now):015d}/{instrument}",
        {
            "instrument": instrument,
            "user_id": user_id,
            "at": to_ms(now),
            "before": [str(before.quantity), str(before.average_price)],
            "after": [str(after.quantity), str(after.average_price)],
        },
    )
    return difference


def note_cash(page: Page, seat: Seat, accounts: Sequence[Account]) -> None:
    """Compare what a broker's accounts hold with what we expect; tell the owner what is new."""
    if page.tx.people.owner() is None:
        return
    going = orders_of(seat, page.tx.orders.in_states(AT_BROKER))
    for account in accounts:
        is_moving = any(paying(accounts, one.instrument) is account for one in going)
        code, one = compare_cash(page.tx, seat.name, account, page.book.now(), is_moving=is_moving)
        if code:
            page.tell_owner(code, **one.facts)


def adopt_cash(page: Page, user_id: int) -> list[CashBook]:
    """Take the brokers' money as agreed wherever it differs, and keep who did it and when."""
    now = to_ms(page.book.now())
    found = differing(page.tx)
    for one in found:
        agreed = agree(page.tx, one)
        page.tx.documents.put(
            f"{_CORRECTION}{now:015d}/cash/{one.broker}/{one.currency}/{one.purse}",
            {
                "user_id": user_id,
                "at": now,
                "before": str(one.expected),
                "after": str(agreed.cash),
            },
        )
    return found


def corrections(tx: Transaction) -> list[dict[str, Any]]:
    """Return what was ever adopted, oldest first, as it was kept."""
    return [value for _, value in tx.documents.items(_CORRECTION)]


def note_orders(page: Page, seat: Seat, theirs: Iterable[OpenOrder]) -> list[OpenOrder]:
    """Keep a broker's open orders that are not ours, and return them."""
    lately = page.tx.orders.since(page.book.now() - LATELY)  # a list may lag behind an end
    ours = orders_of(seat, [*page.tx.orders.in_states(AT_BROKER), *lately])
    known = {(one.instrument, one.broker_order_id) for one in ours}
    foreign = [
        one
        for one in theirs
        if (one.instrument, one.broker_order_id) not in known
        and page.tx.orders.get(one.client_order_id.removeprefix("tt-")) is None
    ]
    write_foreign(page.tx, seat.name, foreign)
    return foreign


def write_foreign(tx: Transaction, broker: str, foreign: Iterable[OpenOrder]) -> None:
    """Keep a broker's open orders that are not ours in place of those before."""
    value = {"orders": [write_open_order(one) for one in foreign]}
    if tx.documents.get(_FOREIGN + broker) != value:
        tx.documents.put(_FOREIGN + broker, value)


def read_foreign(tx: Transaction) -> list[OpenOrder]:
    """Return the brokers' open orders that are not ours, as they were at the last look."""
    kept = [value for _, value in tx.documents.items(_FOREIGN)]
    return [read_open_order(one) for value in kept for one in value["orders"]]


def _noted(
    page: Page,
    name: InstrumentId,
    ours: Decimal,
    theirs: Position,
    moving: frozenset[InstrumentId],
) -> Difference:
    known = read_difference(page.tx, name)
    price = theirs.average_price
    found = Difference(name, ours, theirs.quantity, price, page.book.now())
    if found.agrees_with(known) and known is not None:
        # Twice the same: no fill on its way explains it.
        found = replace(found, since=known.since, is_told=known.is_told)
    else:
        was_certain = known is not None and not known.is_suspicion
        found = replace(found, is_suspicion=name in moving and not was_certain)
    put_difference(page.tx, found)
    return found


def _tell(page: Page, new: Sequence[Difference]) -> None:
    if not new or page.tx.people.owner() is None:
        return
    for one in new:
        put_difference(page.tx, replace(one, is_told=True))
        page.fail("notice.difference", **facts_of(one))
    if len(new) > MOST_TOLD:
        page.tell_owner("notice.differences", count=str(len(new)))
        return
    for one in new:
        page.tell_owner("notice.difference", **facts_of(one))


def _joined(one: Position, other: Position) -> Position:
    quantity = one.quantity + other.quantity
    worth = one.quantity * one.average_price + other.quantity * other.average_price
    return replace(one, quantity=quantity, average_price=worth / quantity if quantity else ZERO)
