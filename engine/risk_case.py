"""What risk checks look at, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

from engine.trading import TradingState
from market.currency import WON, currency_of
from market.orders import Side
from market.phases import REGULAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from config.settings import RiskSettings
    from config.settings_risk import Bounds
    from market.orders import Order
    from market.phases import Phase
    from market.sessions import Calendar
    from market.types import Instrument, InstrumentId, Tick, Venue

ZERO = Decimal(0)


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

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """Return those of the facts that there are, as an order keeps them."""
        return tuple((name, fact) for name, fact in self.facts.items() if fact)


@dataclass(frozen=True, slots=True)
class RiskView:
    """What surrounds an order: `now` is wall clock, `market_now` market clock.

    `venues` are those at which somebody trades for us, `phases` those in which orders for this one
    are taken; `calendar` tells when they come. `quote` may be `quote_age` old at most;
    `is_of_today` tells whether it traded in the session that goes on. `trading` is all that holds
    for the order. `held` is the position (below 0: short), `worths` are the positions at last
    prices, short ones as much as long ones, `day_profit` what they and the day's exits have gained
    since the Korean midnight. `others` are the other orders that are confirmed or at the broker,
    `sharing` those of them that the same purse pays for, `recent` the other orders of the last
    minutes, `today` those of the Korean day; `sent_at` (wall clock) the last sendings. What other
    bounds hold for, by currency or because it is not real, is in none of `worths`, `day_profit`,
    `others` and `today`.
    """

    limits: RiskSettings
    fee: Decimal
    now: datetime
    market_now: datetime
    quote: Tick | None
    quote_age: timedelta
    phase: Phase
    venues: frozenset[Venue]
    buying_power: Decimal | None
    held: Decimal
    trading: frozenset[TradingState] = frozenset({TradingState.ACTIVE})
    is_of_today: bool = True
    phases: frozenset[Phase] = REGULAR
    calendar: Calendar | None = None
    worths: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    day_profit: Decimal = ZERO
    others: tuple[Order, ...] = ()
    sharing: tuple[Order, ...] = ()
    recent: tuple[Order, ...] = ()
    today: tuple[Order, ...] = ()
    sent_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """An order with all that a check may look at."""

    order: Order
    instrument: Instrument
    view: RiskView

    @property
    def bounds(self) -> Bounds:
        """Return the bounds on money in the instrument's currency."""
        return self.view.limits.bounds(currency_of(self.instrument.id))

    @property
    def is_buy(self) -> bool:
        """Tell whether it is a purchase: for it a higher price is the worse one."""
        return self.order.side is Side.BUY


def expected_price(order: Order) -> Decimal:
    """Return the limit, or the reference price of a market order."""
    return order.reference_price if order.price is None else order.price


def notional(order: Order) -> Decimal:
    """Return what the order is worth at its limit, or at its reference price without one."""
    return order.quantity * expected_price(order)


def worth_left(orders: Iterable[Order]) -> Decimal:
    """Return what orders may still spend."""
    return sum((one.remaining * expected_price(one) for one in orders), ZERO)


def with_fee(worth: Decimal, ratio: Decimal, cent: Decimal = WON) -> Decimal:
    """Return what a purchase takes from the buying power; the fee is rounded up, to be safe.

    `cent` is the least amount of the currency.
    """
    return worth + (worth * ratio / cent).to_integral_value(rounding=ROUND_UP) * cent


def same_instrument(order: Order, others: Iterable[Order]) -> list[Order]:
    """Return those of the other orders that trade the same."""
    return [other for other in others if other.instrument == order.instrument]


def shown(amount: Decimal) -> str:
    """Return a number for people: thousands separated, no needless zeros."""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
