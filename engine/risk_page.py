"""What the surroundings of an order are read from: the part of the desk's book that risk needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from decimal import Decimal

    from config.settings import Settings
    from engine.brokers import Brokers
    from engine.quotes import Quotes
    from engine.trading import TradingState
    from market.clock import Clock
    from market.orders import Account, Order
    from market.sessions import Calendar
    from market.store import Transaction
    from market.types import InstrumentId, Venue


class RiskBook(Protocol):
    """Port. Promises what is known at the moment: settings, hours, prices and the account."""

    settings: Settings
    quotes: Quotes
    calendars: Mapping[Venue, Calendar]
    market_clock: Clock
    brokers: Brokers

    @property
    def quote_age(self) -> timedelta:
        """Return how old a quote may be when an order is sent."""
        ...

    def now(self) -> datetime:
        """Return the wall clock's time."""
        ...

    def account_of(self, instrument: InstrumentId) -> Account:
        """Return the account that pays for an instrument, as it was told last."""
        ...

    def are_paid_alike(self, one: InstrumentId, other: InstrumentId) -> bool:
        """Tell whether the same purse of the same broker pays for two instruments."""
        ...

    def are_counted_alike(self, one: InstrumentId, other: InstrumentId) -> bool:
        """Tell whether the same bounds hold for two instruments together."""
        ...

    def last_price(self, instrument: InstrumentId) -> Decimal | None:
        """Return the newest price, None if there never was one."""
        ...


class RiskPage(Protocol):
    """Port. Promises one transaction on that book."""

    tx: Transaction

    @property
    def book(self) -> RiskBook:
        """Return what does not change within the transaction."""
        ...

    def states_of(self, order: Order) -> frozenset[TradingState]:
        """Return all that holds for an order now."""
        ...
