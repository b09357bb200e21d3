"""The pretend Upbit's orders and balances: shapes and arithmetic, all in Decimal."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from market.sessions import KST
from market.types import to_ms

if TYPE_CHECKING:
    from datetime import datetime

Row = dict[str, Any]

ZERO = Decimal(0)
FEE = Decimal("0.0005")
STEP = Decimal("0.00000001")


@dataclass(slots=True)
class Balance:
    """What an account has of a currency: free, and set aside by open orders."""

    free: Decimal = ZERO
    locked: Decimal = ZERO
    average_price: Decimal = ZERO

    def row(self, currency: str) -> Row:
        """Return a line of `/v1/accounts`."""
        return {
            "currency": currency,
            "balance": plain(self.free),
            "locked": plain(self.locked),
            "avg_buy_price": plain(self.average_price),
            "avg_buy_price_modified": False,
            "unit_currency": "KRW",
        }


@dataclass(frozen=True, slots=True)
class Trade:
    """A part of an order that traded."""

    uuid: str
    price: Decimal
    volume: Decimal
    fee: Decimal
    at: datetime
    is_maker: bool


@dataclass(slots=True)
class BookOrder:
    """An order at the venue: a market buy has `price` in money, and no `volume`."""

    uuid: str
    market: str
    side: str
    kind: str
    price: Decimal | None
    volume: Decimal | None
    identifier: str | None
    time_in_force: str | None
    created_at: datetime
    state: str = "wait"
    executed: Decimal = ZERO
    paid_fee: Decimal = ZERO
    locked: Decimal = ZERO
    spent: Decimal = ZERO
    trades: list[Trade] = field(default_factory=list)
    ends_at: datetime | None = None

    @property
    def is_buy(self) -> bool:
        """Tell whether it buys."""
        return self.side == "bid"

    @property
    def currency(self) -> str:
        """Return the coin's code."""
        return self.market.partition("-")[2]

    @property
    def remaining(self) -> Decimal:
        """Return the coins that have not traded; 0 where money is counted."""
        return ZERO if self.volume is None else self.volume - self.executed

    @property
    def reserved_fee(self) -> Decimal:
        """Return the fee that was set aside at first; sells pay theirs of what they bring."""
        if not self.is_buy or self.price is None:
            return ZERO
        return FEE * (self.price if self.volume is None else self.price * self.volume)

    def wanted(self, price: Decimal) -> Decimal:
        """Return how many coins it would still trade at a price."""
        if self.volume is not None or self.price is None:
            return self.remaining
        return ((self.price - self.spent) / price).quantize(STEP, ROUND_DOWN)

    def row(self, *, with_trades: bool) -> Row:
        """Return it as REST shows it; numbers are texts, absent ones null."""
        remaining_fee = ZERO if self.state != "wait" else self.reserved_fee - self.paid_fee
        row: Row = {
            "market": self.market,
            "uuid": self.uuid,
            "side": self.side,
            "ord_type": self.kind,
            "price": None if self.price is None else plain(self.price),
            "state": self.state,
            "created_at": _seconds(self.created_at),
            "volume": None if self.volume is None else plain(self.volume),
            "remaining_volume": None if self.volume is None else plain(self.remaining),
            "reserved_fee": plain(self.reserved_fee),
            "remaining_fee": plain(max(remaining_fee, ZERO)),
            "paid_fee": plain(self.paid_fee),
            "locked": plain(self.locked),
            "executed_volume": plain(self.executed),
            "prevented_volume": "0",
            "prevented_locked": "0",
            "trades_count": len(self.trades),
        }
        if self.time_in_force is not None:
            row["time_in_force"] = self.time_in_force
        if self.identifier is not None:
            row["identifier"] = self.identifier
        if with_trades:
            row["trades"] = [self._trade_row(trade) for trade in self.trades]
        return row

    def message(self, state: str, at: datetime, trade: Trade | None = None) -> Row:
        """Return it as `myOrder` tells it: numbers are doubles, those of a trade its own."""
        price, volume = (self.price, self.volume) if trade is None else (trade.price, trade.volume)
        return {
            "type": "myOrder",
            "code": self.market,
            "uuid": self.uuid,
            "ask_bid": self.side.upper(),
            "order_type": self.kind,
            "state": state,
            "trade_uuid": None if trade is None else trade.uuid,
            "price": None if price is None else float(price),
            "avg_price": float(self.spent / self.executed) if self.executed else 0.0,
            "volume": None if volume is None else float(volume),
            "remaining_volume": float(self.remaining),
            "executed_volume": float(self.executed),
            "trades_count": len(self.trades),
            "reserved_fee": float(self.reserved_fee),
            "remaining_fee": float(max(self.reserved_fee - self.paid_fee, ZERO)),
            "paid_fee": float(self.paid_fee),
            "locked": float(self.locked),
            "executed_funds": float(self.spent),
            "time_in_force": self.time_in_force,
            "trade_fee": None if trade is None else float(trade.fee),
            "is_maker": None if trade is None else trade.is_maker,
            "identifier": self.identifier,
            "smp_type": None,
            "prevented_volume": 0.0,
            "prevented_locked": 0.0,
            "trade_timestamp": None if trade is None else to_ms(trade.at),
            "order_timestamp": to_ms(self.created_at),
            "timestamp": to_ms(at),
            "stream_type": "REALTIME",
        }

    def _trade_row(self, trade: Trade) -> Row:
        return {
            "market": self.market,
            "uuid": trade.uuid,
            "price": plain(trade.price),
            "volume": plain(trade.volume),
            "funds": plain(trade.price * trade.volume),
            "trend": "up",
            "created_at": trade.at.astimezone(KST).isoformat(timespec="microseconds"),
            "side": self.side,
        }


def plain(number: Decimal) -> str:
    """Return a number as REST writes it: a text without exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(at: datetime) -> str:
    return at.astimezone(KST).isoformat(timespec="seconds")
