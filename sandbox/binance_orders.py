"""A pretend Binance that takes orders: one market with its book of ours, its trades, its account.

Resting orders meet the trades of a price source, at their own price and for no more than what was
traded there; an order that would trade at once does so at the last price.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from market.types import to_ms
from sandbox.binance_algos import Algos
from sandbox.binance_order_types import NOTHING, Prices, VenueOrder, VenueTrade, Wish
from sandbox.binance_rules import Refusal, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from market.clock import Clock
    from sandbox.binance_accounts import FuturesAccount, SpotAccount

OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
FIRST_ORDER = 8_886_773
FIRST_TRADE = 100
PURGED_MS = 3 * 24 * 3_600_000
ARCHIVED_MS = 90 * 24 * 3_600_000
_CLOSED = {False: (-2010, "Market is closed."), True: (-4108, "Symbol is closed.")}
_DUPLICATE = {False: (-2010, "Duplicate order sent."), True: (-4116, "clientOrderId is duplicated")}


@dataclass
class OrderVenue:
    """One market; `listeners` hear of every change: (what happened, the order, its trade).

    Trades whose id is in `unseen` are not listed yet, as lists may be behind what orders tell;
    orders in `lost` are denied.
    """

    account: SpotAccount | FuturesAccount
    prices: Prices
    clock: Clock
    rules: Mapping[str, Rules]
    is_futures: bool = False
    maker_fee: Decimal = NOTHING
    taker_fee: Decimal = NOTHING
    orders: list[VenueOrder] = field(default_factory=list)
    trades: list[VenueTrade] = field(default_factory=list)
    listeners: list[Callable[[str, VenueOrder, VenueTrade | None], None]] = field(
        default_factory=list
    )
    unseen: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    algos: Algos = field(init=False)
    _matched_until: datetime | None = None

    def __post_init__(self) -> None:
        self.algos = Algos(self.clock, self.place)

    def place(self, wish: Wish) -> VenueOrder:
        """Accept an order, and trade at once what can; raises Refusal."""
        self.catch_up()
        order = self._check(wish)
        self.orders.append(order)
        self._tell("NEW", order)
        last = self.last(order.symbol)
        if order.is_waiting:
            return order
        if order.price is None and last is None:
            self._end(order, "EXPIRED")
        elif last is not None and self._crosses(order, last):
            self._fill(order, self.account.most(order), last, is_maker=False)
        return order

    def cancel(self, symbol: str, order_id: int | None, client_id: str | None) -> VenueOrder:
        """Cancel what is left; raises Refusal where nothing is."""
        self.catch_up()
        found = self._named(symbol, order_id, client_id)
        if found is None or found.status not in OPEN:
            raise Refusal(-2011, "Unknown order sent.")
        self._end(found, "CANCELED")
        return found

    def order(self, symbol: str, order_id: int | None, client_id: str | None) -> VenueOrder:
        """Return an order; raises Refusal where there is none (any more)."""
        self.catch_up()
        found = self._named(symbol, order_id, client_id)
        if found is None or found.id in self.lost or self._is_purged(found):
            raise Refusal(-2013, "Order does not exist.")
        if self._is_archived(found):
            raise Refusal(-2026, "Order was canceled or expired with no executed qty and archived.")
        return found

    def resting(self, symbol: str | None = None) -> list[VenueOrder]:
        """Return the open orders, oldest first."""
        self.catch_up()
        return self._open(symbol)

    def own_trades(self, symbol: str, order_id: int | None, first_id: int) -> Sequence[VenueTrade]:
        """Return our trades of a symbol from an id on, oldest first."""
        self.catch_up()
        return [
            trade
            for trade in self.trades
            if trade.order.symbol == symbol
            and order_id in {None, trade.order.id}
            and trade.id >= first_id
            and trade.id not in self.unseen
        ]

    def last(self, symbol: str) -> Decimal | None:
        """Return the last price, None before the first."""
        trade = self.prices.last(symbol, self.clock.now())
        return None if trade is None else _decimal(trade.price)

    def catch_up(self) -> None:
        """Let resting orders meet what has traded since the last time."""
        now = self.clock.now()
        after, self._matched_until = self._matched_until, now
        if after is None or after >= now:
            return
        symbols = {one.symbol for one in self._open(None)}
        for symbol in sorted(symbols | {one.symbol for one in self.algos.waiting()}):
            for trade in self.prices.shown(symbol, after, now):
                self.algos.meet(symbol, _decimal(trade.price))
                self._meet(symbol, _decimal(trade.price), _decimal(trade.volume))

    def _meet(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        for order in self._open(symbol):
            order.is_waiting = order.is_waiting and not order.is_reached(price)
            limit = order.price if order.price is not None or order.trigger is None else price
            if (
                order.is_waiting
                or limit is None
                or not (price <= limit if order.side == "BUY" else price >= limit)
            ):
                continue
            most = self.account.most(order)
            if not most:
                self._end(order, "EXPIRED")  # what it was to reduce is gone
            elif volume > 0:
                quantity = min(most, volume)
                volume -= quantity
                self._fill(order, quantity, limit, is_maker=order.price is not None)

    def _check(self, wish: Wish) -> VenueOrder:
        rules = self.rules.get(wish.symbol)
        if rules is None:
            raise Refusal(-1121, "Invalid symbol.")
        if not rules.is_trading:
            raise (
                Refusal(
                    -4108,
                    "Symbol is on delivering or delivered or settling or closed or pre-trading.",
                )
                if self.is_futures
                else Refusal(-2010, "Market is closed.")
            )
        if any(one.client_id == wish.client_id for one in self._open(None)):
            code = (-4116, "clientOrderId is duplicated") if self.is_futures else None
            raise Refusal(*(code or (-2010, "Duplicate order sent.")))
        price = wish.price if wish.price is not None else self.last(wish.symbol) or NOTHING
        is_of_any_worth = wish.is_reduce_only or not price
        worth = rules.least_notional if is_of_any_worth else wish.quantity * price
        rules.check(wish.quantity, wish.price, worth, is_futures=self.is_futures)
        now = to_ms(self.clock.now())
        order = VenueOrder(
            id=FIRST_ORDER + len(self.orders) + 1,
            client_id=wish.client_id,
            symbol=wish.symbol,
            side=wish.side,
            quantity=wish.quantity,
            price=wish.price,
            is_reduce_only=wish.is_reduce_only,
            at_ms=now,
            trigger=wish.trigger,
            is_waiting=wish.trigger is not None,
            updated_ms=now,
        )
        last = self.last(wish.symbol)
        if last is not None and order.is_reached(last):
            raise Refusal(-2010, "Stop price would trigger immediately.")
        self.account.admit(order, price, self._open(None))
        return order

    def _crosses(self, order: VenueOrder, last: Decimal) -> bool:
        """Tell whether an order trades at once: the other side is a tick away from the last."""
        if order.price is None:
            return True
        tick = self.rules[order.symbol].tick
        return order.price >= last + tick if order.side == "BUY" else order.price <= last - tick

    def _fill(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, *, is_maker: bool
    ) -> None:
        fee = self.maker_fee if is_maker else self.taker_fee
        commission, asset, gained = self.account.settle(order, quantity, price, fee)
        order.filled += quantity
        order.paid += quantity * price
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        order.updated_ms = to_ms(self.clock.now())
        trade = VenueTrade(
            id=FIRST_TRADE + len(self.trades) + 1,
            order=order,
            quantity=quantity,
            price=price,
            commission=commission,
            asset=asset,
            gained=gained,
            is_maker=is_maker,
            at_ms=order.updated_ms,
        )
        self.trades.append(trade)
        self._tell("TRADE", order, trade)

    def _end(self, order: VenueOrder, status: str) -> None:
        order.status = status
        order.updated_ms = to_ms(self.clock.now())
        self._tell(status, order)

    def _tell(self, what: str, order: VenueOrder, trade: VenueTrade | None = None) -> None:
        for listener in self.listeners:
            listener(what, order, trade)

    def _open(self, symbol: str | None) -> list[VenueOrder]:
        return [one for one in self.orders if one.status in OPEN and symbol in {None, one.symbol}]

    def _named(self, symbol: str, order_id: int | None, client_id: str | None) -> VenueOrder | None:
        """Return the newest order of a name: the venue takes a client's id again and again."""
        for one in reversed(self.orders):
            is_it = one.id == order_id if order_id is not None else one.client_id == client_id
            if is_it and one.symbol == symbol:
                return one
        return None

    def _is_purged(self, order: VenueOrder) -> bool:
        return self.is_futures and self._is_nothing_since(order, PURGED_MS)

    def _is_archived(self, order: VenueOrder) -> bool:
        return not self.is_futures and self._is_nothing_since(order, ARCHIVED_MS)

    def _is_nothing_since(self, order: VenueOrder, age_ms: int) -> bool:
        is_old = to_ms(self.clock.now()) - order.at_ms >= age_ms
        return order.status not in OPEN and not order.filled and is_old


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))
