"""Reading what Upbit's exchange API answers: pure functions from JSON to orders and accounts.

Shapes: `/v1/order`, `/v1/orders/open`, `/v1/accounts`, `/v1/orderbook/instruments`
(docs.upbit.com, 2026-09, and recorded answers). Numbers are texts, and absent or null where an
order type has none. What is not of these shapes is OutcomeUnknown: nothing follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from brokers.broker import BrokerOrder, OpenOrder
from market.errors import OutcomeUnknown
from market.orders import Account, OrderState, Position, Side
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from market.types import InstrumentId

Row = dict[str, Any]

ZERO = Decimal(0)
KRW = "KRW"
MARKET_BUY = "price"
BEST = "best"
STEP = Decimal("0.00000001")
_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
_OPEN = frozenset({"wait", "watch"})
_ENDED = frozenset({"done", "cancel"})


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """A part of an order that traded; Upbit tells no fee of a single one."""

    uuid: str
    price: Decimal
    volume: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as Upbit shows it; `trades` are empty where it was listed among others.

    A market buy has a `price` in money and no `volume`.
    """

    uuid: str
    identifier: str
    market: str
    side: Side
    kind: str
    state: str
    price: Decimal | None
    volume: Decimal | None
    executed_volume: Decimal
    paid_fee: Decimal
    trades_count: int
    created_at: datetime
    trades: tuple[VenueTrade, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing of it can trade any more."""
        return self.state in _ENDED

    @property
    def traded_volume(self) -> Decimal:
        """Return the sum of the trades that are told."""
        return sum((trade.volume for trade in self.trades), ZERO)

    @property
    def is_told(self) -> bool:
        """Tell whether the trades are all there."""
        is_counted = self.trades_count == len(self.trades)
        return is_counted and self.traded_volume == self.executed_volume

    def known(self) -> BrokerOrder:
        """Return it as the port has it."""
        return BrokerOrder(self.uuid, self._state(), self.executed_volume, self._average_price())

    def since(self, trades: frozenset[str], fee: Decimal) -> VenueOrder:
        """Return what is left of it without some of its trades, for which `fee` was paid."""
        before = sum((one.volume for one in self.trades if one.uuid in trades), ZERO)
        return replace(
            self,
            volume=None if self.volume is None else self.volume - before,
            executed_volume=self.executed_volume - before,
            paid_fee=self.paid_fee - fee,
            trades_count=self.trades_count - len(trades),
            trades=tuple(one for one in self.trades if one.uuid not in trades),
        )

    def resting(self) -> OpenOrder:
        """Return it as the port lists what is open."""
        is_market = self.kind != "limit"
        return OpenOrder(
            broker_order_id=self.uuid,
            client_order_id=self.identifier,
            instrument=instrument_of(self.market),
            side=self.side,
            quantity=self.volume or ZERO,
            price=None if is_market else self.price,
            filled_quantity=self.executed_volume,
            at=self.created_at,
        )

    def _state(self) -> OrderState:
        """Return how it stands by what was executed.

        A market buy ends in `cancel`, because what is left of its money buys no coin's eighth
        decimal; `cancel` is also how an order ends that was executed before we could cancel it.
        """
        if not self.is_over:
            is_part = self.executed_volume > 0
            return OrderState.PARTIALLY_FILLED if is_part else OrderState.ACCEPTED
        has_spent = self.kind == MARKET_BUY and self.executed_volume > 0
        is_whole = self.volume is not None and self.executed_volume >= self.volume > 0
        is_filled = has_spent or is_whole or (self.kind == BEST and self._has_spent_all())
        return OrderState.FILLED if is_filled else OrderState.CANCELED

    def _has_spent_all(self) -> bool:
        """Tell whether what is left of the money of a `best` buy buys no eighth decimal more."""
        if self.volume is not None or self.price is None or not self.trades:
            return False
        spent = sum((trade.price * trade.volume for trade in self.trades), ZERO)
        return self.price - spent < STEP * self.trades[-1].price

    def _average_price(self) -> Decimal:
        volume = self.traded_volume
        if volume == 0:
            return ZERO
        return sum((trade.price * trade.volume for trade in self.trades), ZERO) / volume


def instrument_of(market: str) -> InstrumentId:
    """Return our id of one of Upbit's markets."""
    return f"UPBIT:{market}"


def parse_order(fields: Any) -> VenueOrder:
    """Return an order with its trades, oldest first."""
    if not isinstance(fields, dict):
        _odd("order", fields)
    rows = fields.get("trades", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        _odd("trades", fields)
    trades = sorted((_trade(row) for row in rows), key=lambda trade: (trade.at, trade.uuid))
    side = _SIDES.get(_text(fields, "side"))
    state = _text(fields, "state")
    count = fields.get("trades_count")
    if side is None or state not in _OPEN | _ENDED or not isinstance(count, int) or count < 0:
        _odd("order", fields)
    return VenueOrder(
        uuid=_text(fields, "uuid"),
        identifier=str(fields.get("identifier") or ""),
        market=_text(fields, "market"),
        side=side,
        kind=_text(fields, "ord_type"),
        state=state,
        price=_optional(fields, "price"),
        volume=_optional(fields, "volume"),
        executed_volume=_number(fields, "executed_volume"),
        paid_fee=_number(fields, "paid_fee"),
        trades_count=count,
        created_at=_time(fields, "created_at"),
        trades=tuple(trades),
    )


def parse_orders(rows: Any) -> list[VenueOrder]:
    """Return the orders of a list."""
    return [parse_order(row) for row in _rows("orders", rows)]


def parse_account(rows: Any) -> Account:
    """Return the won; `locked` is what open orders have set aside."""
    for row in _rows("accounts", rows):
        if row.get("currency") == KRW:
            free = _number(row, "balance")
            return Account(free + _number(row, "locked"), free)
    return Account(ZERO, ZERO)


def parse_positions(rows: Any) -> list[Position]:
    """Return the coins that are held, those in open orders included; rows of nothing are none."""
    found = []
    for row in _rows("accounts", rows):
        held = _number(row, "balance") + _number(row, "locked")
        if row.get("currency") != KRW and held > 0:
            market = f"{KRW}-{_text(row, 'currency')}"
            found.append(Position(instrument_of(market), held, _number(row, "avg_buy_price")))
    return sorted(found, key=lambda position: position.instrument)


def parse_tick_size(rows: Any, market: str) -> Decimal:
    """Return the step of prices that a market has now."""
    found = [row for row in _rows("instruments", rows) if row.get("market") == market]
    tick = _number(found[0], "tick_size") if found else ZERO
    if tick <= 0:
        _odd("tick size", rows)
    return tick


def _trade(row: Row) -> VenueTrade:
    price, volume = _number(row, "price"), _number(row, "volume")
    if price <= 0 or volume <= 0:
        _odd("trade", row)
    return VenueTrade(_text(row, "uuid"), price, volume, _time(row, "created_at"))


def _rows(what: str, rows: Any) -> Iterable[Row]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        _odd(what, rows)
    return rows


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        _odd(name, row)
    return value


def _number(row: Row, name: str) -> Decimal:
    number = _optional(row, name)
    if number is None:
        _odd(name, row)
    return number


def _optional(row: Row, name: str) -> Decimal | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        _odd(name, row)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        _odd(name, row)
    if not number.is_finite() or number < 0:
        _odd(name, row)
    return number


def _time(row: Row, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(row, name))
    except ValueError:
        _odd(name, row)
    if at.tzinfo is None:
        _odd(name, row)
    return at.astimezone(UTC)


def _odd(what: str, value: Any) -> NoReturn:
    shown = fragment(orjson.dumps(value, default=str))
    raise OutcomeUnknown("unavailable", f"upbit: cannot read {what} in {shown}")
