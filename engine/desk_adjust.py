"""Buttons that change a proposal: half, double, a tick up or down, limit or market.

What is changed is asked anew: the same order as its next version, so that an old button does
nothing. Nothing is sent; Confirm sends what the card then shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.desk_confirm import refuse
from engine.desk_propose import spendable
from engine.holdings import closable
from engine.outcome import Outcome
from engine.risk_case import Denial, expected_price, notional, shown, with_fee
from market.currency import WON, cent_of, currency_of
from market.known import recall
from market.money import floor_to_lot, lot_of
from market.orders import OrderState, Otherwise, PositionSide, Side, advance
from market.prices import least_order, round_price, step_price

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import Page
    from engine.desk_tap import Tap
    from market.orders import Order
    from market.types import Steps

LONGEST = timedelta(minutes=10)
"""How long after its proposal a card can be kept waiting by changing it."""


class Change(StrEnum):
    """What a button changes of a proposal; the word stands in the button."""

    HALF = "half"
    DOUBLE = "double"
    UP = "up"
    DOWN = "down"
    MARKET = "market"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Means:
    """What a change is measured by: the `last` price, money to spend and what can be closed."""

    last: Decimal
    power: Decimal
    closable: Decimal
    fee: Decimal
    cent: Decimal = WON


def adjust(page: Page, tap: Tap, change: Change) -> Outcome:
    """Change a proposal and ask for it anew, unless the tap does not count or it cannot be."""
    refused = refuse(page, tap)
    if refused is not None:
        return refused
    order = page.tx.orders.get(tap.order_id)
    if order is None:
        return Outcome(None, "order.unknown")
    changed = change_order(
        order, change, recall(page.tx, order.instrument).steps, _means(page, order)
    )
    if isinstance(changed, Denial):
        return Outcome(order, changed.code, changed.facts)
    asked = page.put(_asked_anew(order, changed, page.book.now()))
    return Outcome(asked, asked.code, dict(asked.facts))


def change_order(order: Order, change: Change, kind: Steps, means: Means) -> Order | Denial:
    """Return a proposal as it is after a change, or why there is no such change.

    Its code and facts tell what was changed.
    """
    order = replace(order, reference_price=means.last)
    match change:
        case Change.HALF:
            return _halved(order, kind)
        case Change.DOUBLE:
            return _doubled(order, kind, means)
        case Change.UP | Change.DOWN:
            return _affordable(order, _stepped(order, change, kind), means)
        case Change.MARKET | Change.LIMIT:
            return _affordable(order, _priced(order, change, kind), means)


def _halved(order: Order, kind: Steps) -> Order | Denial:
    quantity = floor_to_lot(order.quantity / 2, kind)
    if quantity <= 0:
        return Denial("adjust.smallest", shown(lot_of(kind)))
    half, least = replace(order, quantity=quantity), least_order(kind)
    if notional(half) < least:
        return Denial("risk.least", shown(least), shown(notional(half)))
    return _told(half, "adjust.half", order.quantity, quantity)


def _doubled(order: Order, kind: Steps, means: Means) -> Order | Denial:
    double = replace(order, quantity=order.quantity * 2)
    most = _most(order, kind, means)
    if double.quantity <= most:
        return _told(double, "adjust.double", order.quantity, double.quantity)
    if most > order.quantity:
        return _told(replace(order, quantity=most), "adjust.most", order.quantity, most)
    if not order.is_entry:
        code = "risk.no_short" if order.position is PositionSide.SHORT else "risk.no_position"
        return Denial(code, shown(means.closable), shown(double.quantity))
    needed = with_fee(notional(double), means.fee, means.cent)
    return Denial("risk.cash", shown(means.power), shown(needed))


def _most(order: Order, kind: Steps, means: Means) -> Decimal:
    """Return the largest quantity that can be paid with its fee, or that can be closed."""
    if not order.is_entry:
        return floor_to_lot(means.closable, kind)
    price = expected_price(order)
    for power in (means.power, means.power - means.cent):  # the fee is rounded up by less
        most = floor_to_lot(max(Decimal(0), power) / (price * (1 + means.fee)), kind)
        if with_fee(most * price, means.fee, means.cent) <= means.power:
            break
    return most


def _stepped(order: Order, change: Change, kind: Steps) -> Order | Denial:
    if order.price is None:
        return Denial("adjust.no_price")
    try:
        price = step_price(order.price, kind, 1 if change is Change.UP else -1)
    except ValueError:
        return Denial("adjust.lowest", shown(order.price))
    code = "adjust.up" if change is Change.UP else "adjust.down"
    return _told(replace(order, price=price), code, order.price, price)


def _priced(order: Order, change: Change, kind: Steps) -> Order | Denial:
    if (order.price is None) is (change is Change.MARKET):
        return Denial("adjust.same")
    if order.price is not None:
        return _told(replace(order, price=None), "adjust.market", order.price, order.price)
    # Passive: a buy never pays more than the price on the card, a sell never takes less.
    price = round_price(order.reference_price, kind, up=order.side is Side.SELL)
    return _told(replace(order, price=price), "adjust.limit", price, price)


def _affordable(order: Order, changed: Order | Denial, means: Means) -> Order | Denial:
    """Return what was changed, unless it costs more than before and more than there is."""
    if isinstance(changed, Denial) or not order.is_entry:
        return changed
    needed = with_fee(notional(changed), means.fee, means.cent)
    if needed <= means.power or notional(changed) <= notional(order):
        return changed
    return Denial("risk.cash", shown(means.power), shown(needed))


def _told(order: Order, code: str, old: Decimal, new: Decimal) -> Order:
    return replace(order, code=code, facts=(("old", shown(old)), ("new", shown(new))))


def _asked_anew(order: Order, changed: Order, now: datetime) -> Order:
    """Return a changed proposal as its next version, with as much time as before."""
    until = min(now + (order.expires_at - order.reference_at), order.proposed_at + LONGEST)
    return advance(
        changed,
        OrderState.PROPOSED,
        version=order.version + 1,
        reference_at=now,
        expires_at=max(order.expires_at, until),
        # Somebody has it in hand now: what was not asked for at first goes by a tap only.
        otherwise=Otherwise.DROP,
    )


def _means(page: Page, order: Order) -> Means:
    last = page.book.last_price(order.instrument)
    return Means(
        last=order.reference_price if last is None else last,
        power=spendable(page, order.instrument),
        closable=closable(page.tx, order.instrument, order.position),
        fee=page.book.settings.broker.fee_at(order.instrument),
        cent=cent_of(currency_of(order.instrument)),
    )
