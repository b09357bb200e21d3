"""The port of brokers, and the registry they enter by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    import httpx

    from config.settings import Settings
    from market.clock import Clock
    from market.orders import Account, Fill, Order, OrderState
    from market.sessions import Calendar
    from market.store import Store
    from market.types import Tick, Venue


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """What the broker knows about an order of ours."""

    broker_order_id: str
    state: OrderState
    filled_quantity: Decimal
    average_price: Decimal


class Broker(Protocol):
    """Port. Promises one attempt per call: it never sends an order or a cancel twice."""

    async def place(self, order: Order) -> str:
        """Send once; return the broker's order id; raise OrderRejected or OutcomeUnknown."""
        ...

    async def cancel(self, order: Order) -> None:
        """Ask once to cancel what is left; raise OrderRejected or OutcomeUnknown."""
        ...

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return the broker's view; None means that it surely does not have the order."""
        ...

    async def fills(self, after: str) -> list[Fill]:
        """Return fills with an id greater than `after` ("" for all), oldest first."""
        ...

    async def account(self) -> Account:
        """Return cash and buying power."""
        ...


@runtime_checkable
class MarketFed(Protocol):
    """Port. A broker that trades against the ticks we crawl (paper)."""

    async def observe(self, ticks: Sequence[Tick]) -> None:
        """Let resting orders meet the newest ticks."""
        ...


@dataclass(frozen=True, slots=True)
class BrokerParts:
    """What a broker is made of; everything outside the process comes in here.

    Signatures and ids go by the wall clock, sessions and paper trades by the market clock.
    """

    store: Store
    http: httpx.AsyncClient
    settings: Settings
    market_clock: Clock
    wall_clock: Clock
    calendars: Mapping[Venue, Calendar]


BrokerFactory: TypeAlias = "Callable[[BrokerParts], Broker]"

BROKERS: Registry[BrokerFactory] = Registry("broker")
"""Factories by name: `parts -> Broker`."""
