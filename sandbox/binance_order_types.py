"""What the pretend Binance keeps of orders: wishes, orders, trades, and where prices come from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.coin_market import CoinTrade

NOTHING = Decimal(0)


class Prices(Protocol):
    """Port. What trades in the market around us; `CoinMarket` is one."""

    def last(self, symbol: str, at: datetime) -> CoinTrade | None:
        """Return the newest trade shown at a time."""
        ...

    def shown(self, symbol: str, after: datetime, until: datetime) -> list[CoinTrade]:
        """Return the trades that came to be shown with after < moment <= until, oldest first."""
        ...


@dataclass
class VenueOrder:
    """An order of our account; `price` None is a market order.

    With `trigger` it is a stop of spot, which `is_waiting` until a price reaches that.
    """

    id: int
    client_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal | None
    is_reduce_only: bool
    at_ms: int
    trigger: Decimal | None = None
    is_waiting: bool = False
    status: str = "NEW"
    filled: Decimal = NOTHING
    paid: Decimal = NOTHING
    updated_ms: int = 0

    @property
    def base(self) -> str:
        """Return the coin."""
        return self.symbol.removesuffix("USDT")

    def is_reached(self, price: Decimal) -> bool:
        """Tell whether a price reaches its trigger, where it has one."""
        if self.trigger is None:
            return False
        return price <= self.trigger if self.side == "SELL" else price >= self.trigger

    @property
    def kind(self) -> str:
        """Return its type."""
        if self.trigger is not None:
            return "STOP_LOSS" if self.price is None else "STOP_LOSS_LIMIT"
        return "MARKET" if self.price is None else "LIMIT"

    @property
    def left(self) -> Decimal:
        """Return what has not traded."""
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        """Return the average price so far."""
        return self.paid / self.filled if self.filled else NOTHING


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """A trade of our account."""

    id: int
    order: VenueOrder
    quantity: Decimal
    price: Decimal
    commission: Decimal
    asset: str
    gained: Decimal
    is_maker: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A new order as it was asked for."""

    symbol: str
    side: str
    quantity: Decimal
    price: Decimal | None
    client_id: str
    is_reduce_only: bool = False
    trigger: Decimal | None = None
