"""Bounds on money; exits pass them, as they only reduce what is there. Shorts count like longs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.risk_case import (
    ZERO,
    Denial,
    expected_price,
    notional,
    same_instrument,
    shown,
    with_fee,
    worth_left,
)
from market.currency import cent_of, currency_of
from market.orders import GOING, OrderState
from market.prices import least_order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from engine.risk_case import Case
    from market.orders import Order

UNANSWERED = frozenset({OrderState.CONFIRMED, OrderState.SUBMITTED, OrderState.IN_DOUBT})
"""States in which the broker's buying power may not yet know of an order."""


def least(case: Case) -> Denial | None:
    """Deny what the venue would not take as it is worth too little."""
    worth, bound = notional(case.order), least_order(case.instrument.steps)
    return Denial("risk.least", shown(bound), shown(worth)) if bound and worth < bound else None


def of_order(case: Case) -> Denial | None:
    """Deny an order that is worth too much."""
    return _over(case, "risk.notional", case.bounds.max_order, notional(case.order))


def of_day(case: Case) -> Denial | None:
    """Deny what would make a day's entries too many."""
    bought = sum((_bought(other) for other in _entries(case.view.today)), ZERO)
    return _over(case, "risk.day", case.bounds.max_day, notional(case.order) + bought)


def of_position(case: Case) -> Denial | None:
    """Deny what would make a position too large, together with all that is being added."""
    buying = worth_left(_entries(same_instrument(case.order, case.view.others)))
    worth = abs(case.view.held) * case.order.reference_price
    total = notional(case.order) + buying + worth
    return _over(case, "risk.position", case.bounds.max_position, total)


def of_market(case: Case) -> Denial | None:
    """Deny what would put too much into one venue."""
    asked = _exposure(case, f"{case.instrument.venue}:")
    return _over(case, "risk.market", case.bounds.max_market, asked)


def of_all(case: Case) -> Denial | None:
    """Deny what would put too much into the markets."""
    return _over(case, "risk.total", case.bounds.max_total, _exposure(case, ""))


def loss(case: Case) -> Denial | None:
    """Deny entries on a day that has cost too much already."""
    lost, bound = -case.view.day_profit, case.bounds.max_daily_loss
    if not case.order.is_entry or lost < bound:
        return None
    return Denial("risk.daily_loss", shown(bound), shown(lost))


def cash(case: Case) -> Denial | None:
    """Deny what cannot be paid, its fee and what was sent a moment ago included."""
    if case.view.buying_power is None:
        return Denial("risk.no_account")
    if not case.order.is_entry:
        return None
    power = case.view.buying_power - unanswered(case.view.sharing, case.view.fee)
    cent = cent_of(currency_of(case.instrument.id))
    needed = with_fee(notional(case.order), case.view.fee, cent)
    return Denial("risk.cash", shown(power), shown(needed)) if needed > power else None


def unanswered(others: Iterable[Order], fee: Decimal) -> Decimal:
    """Return what entries will take that the broker's buying power may not know of yet."""
    unknown = (one for one in _entries(others) if one.state in UNANSWERED)
    return sum((_needed(one, fee) for one in unknown), ZERO)


def _needed(order: Order, fee: Decimal) -> Decimal:
    cent = cent_of(currency_of(order.instrument))
    return with_fee(order.remaining * expected_price(order), fee, cent)


def _over(case: Case, code: str, bound: Decimal, asked: Decimal) -> Denial | None:
    if not case.order.is_entry or asked <= bound:
        return None
    return Denial(code, shown(bound), shown(asked))


def _exposure(case: Case, venue: str) -> Decimal:
    """Return what a venue's positions, entries on their way and this order come to."""
    held = (worth for name, worth in case.view.worths.items() if name.startswith(venue))
    buying = (one for one in _entries(case.view.others) if one.instrument.startswith(venue))
    return notional(case.order) + worth_left(buying) + sum(held, ZERO)


def _bought(order: Order) -> Decimal:
    """Return what an order has spent and may still spend."""
    left = order.remaining * expected_price(order) if order.state in GOING else ZERO
    return order.filled_quantity * order.average_price + left


def _entries(orders: Iterable[Order]) -> list[Order]:
    return [one for one in orders if one.is_entry]
