"""What an order must not do: pure checks, run when it is proposed and again when it is confirmed.

Exits, which only reduce a position (engine/risk_position.py), are not held back by the bounds on
money (engine/risk_money.py); what may be sent while trading is paused, disarmed or
halted is the table of engine/trading.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from engine import risk_market, risk_money, risk_position
from engine.risk_case import Case, Denial, same_instrument
from engine.trading import held_back
from market.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.risk_case import RiskView
    from market.orders import Order
    from market.types import Instrument

MINUTE = timedelta(minutes=1)

NEVER_SENT = frozenset(
    {
        OrderState.DENIED,
        OrderState.DECLINED,
        OrderState.LAPSED,
        OrderState.NOT_SENT,
        OrderState.REJECTED,
    }
)
"""States of orders that did nothing: they are neither duplicates nor counted."""


def check(order: Order, instrument: Instrument, view: RiskView) -> tuple[Denial, ...]:
    """Return every reason not to send the order, the plainest first; nothing means go."""
    case = Case(order, instrument, view)
    uncounted = risk_market.currency(case)
    if uncounted is not None:  # nothing else can be said of it: no bounds are set in its currency
        return (uncounted,)
    return tuple(denial for one in CHECKS if (denial := one(case)) is not None)


def _trading(case: Case) -> Denial | None:
    reason = held_back(case.order, case.view.trading)
    return Denial(reason) if reason else None


def _in_doubt(case: Case) -> Denial | None:
    is_blocked = any(
        other.state is OrderState.IN_DOUBT
        for other in same_instrument(case.order, case.view.others)
    )
    return Denial("risk.in_doubt") if is_blocked else None


def _duplicate(case: Case) -> Denial | None:
    window = timedelta(seconds=case.view.limits.duplicate_seconds)
    is_duplicate = any(
        (other.side, other.position) == (case.order.side, case.order.position)
        and other.quantity == case.order.quantity
        and other.proposed_at > case.order.proposed_at - window
        and other.proposed_at <= case.order.proposed_at
        and other.state not in NEVER_SENT
        for other in same_instrument(case.order, case.view.recent)
    )
    return (
        Denial("risk.duplicate", str(case.view.limits.duplicate_seconds)) if is_duplicate else None
    )


def _rate(case: Case) -> Denial | None:
    # Proposals count from the order's own time, so that those behind it in line do not stop it.
    proposed = sum(
        case.order.proposed_at - MINUTE < other.proposed_at <= case.order.proposed_at
        and other.state not in NEVER_SENT
        for other in case.view.recent
    )
    sent = sum(at > case.view.now - MINUTE for at in case.view.sent_at)
    count, limit = max(proposed, sent), case.view.limits.max_orders_per_minute
    return Denial("risk.rate", str(limit), str(count + 1)) if count >= limit else None


CHECKS: tuple[Callable[[Case], Denial | None], ...] = (
    risk_market.venue,
    _trading,
    _in_doubt,
    risk_market.session,
    risk_market.auction,
    risk_market.halted,
    risk_market.leveraged,
    risk_market.stale,
    risk_market.lot,
    risk_money.least,
    risk_market.tick,
    risk_market.price_limit,
    risk_market.away,
    risk_position.short,
    risk_position.opposite,
    risk_position.reduces,
    risk_money.of_order,
    risk_money.of_position,
    risk_money.of_market,
    risk_money.of_all,
    risk_money.of_day,
    risk_money.loss,
    risk_money.cash,
    _duplicate,
    _rate,
)
