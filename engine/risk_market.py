"""What the market would not take, or should not be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.risk_case import Denial, shown
from engine.trading import CONDITION, PROTECTION
from market.currency import COUNTED, currency_of
from market.leverage import leverage_of
from market.money import floor_to_lot, lot_of, to_decimal
from market.phases import REGULAR, Form, is_taken, next_taken
from market.prices import is_on_tick, price_limits, tick_size
from market.sessions import KST
from market.types import Kind

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.risk_case import Case
    from market.phases import Phase
    from market.types import Instrument


def currency_denial(instrument: Instrument) -> Denial | None:
    """Return why an instrument cannot be traded: no bounds are set in its currency."""
    currency = currency_of(instrument.id)
    return None if currency in COUNTED else Denial("risk.currency", ", ".join(COUNTED), currency)


def currency(case: Case) -> Denial | None:
    """Deny what is paid in money that nobody here counts."""
    return currency_denial(case.instrument)


def venue(case: Case) -> Denial | None:
    """Deny what the broker does not trade."""
    venues, asked = case.view.venues, case.instrument.venue
    return None if asked in venues else Denial("risk.venue", ", ".join(sorted(venues)), asked)


def leveraged(case: Case) -> Denial | None:
    """Deny entries of leveraged ETFs unless settings allow them.

    Brokers ask for a course and a deposit of ten million won before (KRX, leveraged ETPs).
    """
    is_free = case.view.limits.leveraged or not case.order.is_entry
    return None if is_free or leverage_of(case.instrument) == 1 else Denial("risk.leveraged")


def session(case: Case) -> Denial | None:
    """Deny orders while none is taken, and say when one is.

    Outside of the regular session only orders are sent that a person has typed.
    """
    phase = case.view.phase
    if phase in _phases(case) and (phase.is_auction or _is_taken(case)):
        return None
    return Denial("risk.session", _next_taken(case))


def auction(case: Case) -> Denial | None:
    """Deny market orders in auctions: nobody can say at what price they would trade."""
    is_blind = case.view.phase.is_auction and not _is_taken(case)
    return Denial("risk.auction", _next_taken(case)) if is_blind else None


def halted(case: Case) -> Denial | None:
    """Deny what is halted at the venue."""
    is_halted = case.view.quote is not None and case.view.quote.halted
    return Denial("risk.halted") if is_halted else None


def stale(case: Case) -> Denial | None:
    """Deny what has no fresh price."""
    limit = f"{case.view.quote_age.total_seconds():g}"
    if case.view.quote is None:
        return Denial("risk.stale", limit)
    age = case.view.market_now - case.view.quote.seen_at
    return (
        Denial("risk.stale", limit, f"{age.total_seconds():g}")
        if age > case.view.quote_age
        else None
    )


def lot(case: Case) -> Denial | None:
    """Deny quantities that cannot be traded."""
    whole = floor_to_lot(case.order.quantity, case.instrument.steps)
    if case.order.quantity > 0 and whole == case.order.quantity:
        return None
    return Denial("risk.lot", shown(lot_of(case.instrument.steps)), shown(case.order.quantity))


def tick(case: Case) -> Denial | None:
    """Deny limits between two ticks."""
    price = case.order.price
    if price is None or is_on_tick(price, case.instrument.steps):
        return None
    limit = shown(tick_size(price, case.instrument.steps)) if price > 0 else ""
    return Denial("risk.tick", limit, shown(price))


def price_limit(case: Case) -> Denial | None:
    """Deny limits outside the day's range of prices."""
    base = _base(case)
    if case.order.price is None or base is None or case.instrument.kind is Kind.COIN:
        return None
    lower, upper = price_limits(base, case.instrument.steps, leverage_of(case.instrument))
    if lower <= case.order.price <= upper:
        return None
    return Denial("risk.price_limit", f"{shown(lower)}-{shown(upper)}", shown(case.order.price))


def away(case: Case) -> Denial | None:
    """Deny limits so much worse than the last price that they look like a slip of the finger."""
    price, quote = case.order.price, case.view.quote
    if price is None or quote is None:
        return None
    last, most = to_decimal(quote.price), case.view.limits.max_away
    bound = last * (1 + most) if case.is_buy else last * (1 - most)
    if price <= bound if case.is_buy else price >= bound:
        return None
    return Denial("risk.away", shown(bound), shown(price))


def _phases(case: Case) -> frozenset[Phase]:
    is_automatic = case.order.origin.startswith((CONDITION, PROTECTION))
    return case.view.phases & REGULAR if is_automatic else case.view.phases


def _form(case: Case) -> Form:
    return Form.MARKET if case.order.price is None else Form.LIMIT


def _is_taken(case: Case) -> bool:
    return is_taken(case.view.phase, _form(case), case.instrument.kind)


def _next_taken(case: Case) -> str:
    """Return the Korean time from which such an order can be sent, "" where it is not known."""
    calendar, instrument = case.view.calendar, case.instrument
    if calendar is None:
        return ""
    at = case.view.market_now
    form = _form(case)
    found = next_taken(instrument.venue, calendar, at, _phases(case), form, instrument.kind)
    return "" if found is None else f"{found.astimezone(KST):%m-%d %H:%M}"


def _base(case: Case) -> Decimal | None:
    """Return the price that the day's limits are counted from, None where it is not known."""
    quote = case.view.quote
    if quote is None:
        return None
    # Before its first trade of the day the last price is the close of the day before.
    base = quote.previous_close if case.view.is_of_today else quote.price
    return None if base is None or base <= 0 else to_decimal(base)
