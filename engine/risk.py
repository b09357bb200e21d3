"""What an order must not do: pure checks, run when it is proposed and again when it is confirmed.

Exits that only reduce a position (every sell, as nothing is sold short) are not held back by the
bounds on money and go on while trading is paused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

from engine.trading import TradingState
from market.currency import KRW, currency_of
from market.money import floor_to_lot, lot_of, to_decimal
from market.orders import OrderState, Side
from market.prices import is_on_tick, least_order, price_limits, tick_size
from market.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from config.settings import RiskSettings
    from market.orders import Order
    from market.types import Instrument, Tick

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

UNANSWERED = frozenset({OrderState.CONFIRMED, OrderState.SUBMITTED, OrderState.IN_DOUBT})
"""States in which the broker's buying power may not yet know of an order."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A reason not to send; `limit` and `asked` are texts for people, "" if there is none."""

    code: str
    limit: str = ""
    asked: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """Return the facts for the catalogue's text."""
        return {"limit": self.limit, "asked": self.asked}


@dataclass(frozen=True, slots=True)
class RiskView:
    """What surrounds an order: `now` is wall clock, `market_now` market clock.

    `quote` may be `quote_age` old at most. `held` is the position; `others` are the other orders
    that are confirmed or at the broker, `recent` the other orders of the last minutes, `sent_at`
    (wall clock) the last sendings.
    """

    limits: RiskSettings
    fee: Decimal
    now: datetime
    market_now: datetime
    quote: Tick | None
    quote_age: timedelta
    is_open: bool
    trading: TradingState
    buying_power: Decimal | None
    held: Decimal
    others: tuple[Order, ...] = ()
    recent: tuple[Order, ...] = ()
    sent_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """An order with all that a check may look at."""

    order: Order
    instrument: Instrument
    view: RiskView


def check(order: Order, instrument: Instrument, view: RiskView) -> tuple[Denial, ...]:
    """Return every reason not to send the order, the plainest first; nothing means go."""
    case = Case(order, instrument, view)
    return tuple(denial for one in CHECKS if (denial := one(case)) is not None)


def notional(order: Order) -> Decimal:
    """Return what the order is worth at its limit, or at its reference price without one."""
    return order.quantity * expected_price(order)


def expected_price(order: Order) -> Decimal:
    """Return the limit, or the reference price of a market order."""
    return order.reference_price if order.price is None else order.price


def shown(amount: Decimal) -> str:
    """Return a number for people: thousands separated, no needless zeros."""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def currency_denial(instrument: Instrument) -> Denial | None:
    """Return why an instrument cannot be traded: money here is won, and nothing is exchanged."""
    currency = currency_of(instrument.id)
    return None if currency == KRW else Denial("risk.currency", KRW, currency)


def _currency(case: Case) -> Denial | None:
    return currency_denial(case.instrument)


def _paused(case: Case) -> Denial | None:
    is_held_back = case.view.trading is TradingState.PAUSED and case.order.side is Side.BUY
    return Denial("risk.paused") if is_held_back else None


def _in_doubt(case: Case) -> Denial | None:
    is_blocked = any(
        other.state is OrderState.IN_DOUBT
        for other in _same_instrument(case.order, case.view.others)
    )
    return Denial("risk.in_doubt") if is_blocked else None


def _session(case: Case) -> Denial | None:
    return None if case.view.is_open else Denial("risk.session")


def _halted(case: Case) -> Denial | None:
    is_halted = case.view.quote is not None and case.view.quote.halted
    return Denial("risk.halted") if is_halted else None


def _stale(case: Case) -> Denial | None:
    limit = f"{case.view.quote_age.total_seconds():g}"
    if case.view.quote is None:
        return Denial("risk.stale", limit)
    age = case.view.market_now - case.view.quote.seen_at
    return (
        Denial("risk.stale", limit, f"{age.total_seconds():g}")
        if age > case.view.quote_age
        else None
    )


def _lot(case: Case) -> Denial | None:
    whole = floor_to_lot(case.order.quantity, case.instrument.kind)
    if case.order.quantity > 0 and whole == case.order.quantity:
        return None
    return Denial("risk.lot", shown(lot_of(case.instrument.kind)), shown(case.order.quantity))


def _least(case: Case) -> Denial | None:
    worth, least = notional(case.order), least_order(case.instrument.kind)
    return Denial("risk.least", shown(least), shown(worth)) if least and worth < least else None


def _tick(case: Case) -> Denial | None:
    price = case.order.price
    if price is None or is_on_tick(price, case.instrument.kind):
        return None
    limit = shown(tick_size(price, case.instrument.kind)) if price > 0 else ""
    return Denial("risk.tick", limit, shown(price))


def _price_limit(case: Case) -> Denial | None:
    base = None if case.view.quote is None else case.view.quote.previous_close
    if case.order.price is None or base is None or base <= 0 or case.instrument.kind is Kind.COIN:
        return None
    lower, upper = price_limits(to_decimal(base), case.instrument.kind)
    if lower <= case.order.price <= upper:
        return None
    return Denial("risk.price_limit", f"{shown(lower)}-{shown(upper)}", shown(case.order.price))


def _no_position(case: Case) -> Denial | None:
    if case.order.side is Side.BUY:
        return None
    selling = _remaining(_same_instrument(case.order, case.view.others), Side.SELL)
    sellable = max(Decimal(0), case.view.held - selling)
    if case.order.quantity <= sellable:
        return None
    return Denial("risk.no_position", shown(sellable), shown(case.order.quantity))


def _notional(case: Case) -> Denial | None:
    worth, limit = notional(case.order), case.view.limits.max_order
    if case.order.side is Side.SELL or worth <= limit:
        return None
    return Denial("risk.notional", shown(limit), shown(worth))


def _position(case: Case) -> Denial | None:
    if case.order.side is Side.SELL:
        return None
    buying = sum(
        (
            other.remaining * expected_price(other)
            for other in _same_instrument(case.order, case.view.others)
            if other.side is Side.BUY
        ),
        Decimal(0),
    )
    worth = (
        notional(case.order) + buying + max(Decimal(0), case.view.held) * case.order.reference_price
    )
    limit = case.view.limits.max_position
    return Denial("risk.position", shown(limit), shown(worth)) if worth > limit else None


def _cash(case: Case) -> Denial | None:
    if case.view.buying_power is None:
        return Denial("risk.no_account")
    if case.order.side is Side.SELL:
        return None
    unanswered = sum(
        (
            with_fee(other.remaining * expected_price(other), case.view.fee)
            for other in case.view.others
            if other.side is Side.BUY and other.state in UNANSWERED
        ),
        Decimal(0),
    )
    power = case.view.buying_power - unanswered
    needed = with_fee(notional(case.order), case.view.fee)
    return Denial("risk.cash", shown(power), shown(needed)) if needed > power else None


def _duplicate(case: Case) -> Denial | None:
    window = timedelta(seconds=case.view.limits.duplicate_seconds)
    is_duplicate = any(
        other.side is case.order.side
        and other.quantity == case.order.quantity
        and other.proposed_at > case.order.proposed_at - window
        and other.proposed_at <= case.order.proposed_at
        and other.state not in NEVER_SENT
        for other in _same_instrument(case.order, case.view.recent)
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
    _currency,
    _paused,
    _in_doubt,
    _session,
    _halted,
    _stale,
    _lot,
    _least,
    _tick,
    _price_limit,
    _no_position,
    _notional,
    _position,
    _cash,
    _duplicate,
    _rate,
)


def with_fee(worth: Decimal, ratio: Decimal) -> Decimal:
    """Return what a purchase takes from the buying power; the fee is rounded up, to be safe."""
    return worth + (worth * ratio).to_integral_value(rounding=ROUND_UP)


def _same_instrument(order: Order, others: Iterable[Order]) -> list[Order]:
    return [other for other in others if other.instrument == order.instrument]


def _remaining(orders: Iterable[Order], side: Side) -> Decimal:
    return sum((order.remaining for order in orders if order.side is side), Decimal(0))
