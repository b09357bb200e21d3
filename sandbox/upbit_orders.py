"""A pretend Upbit's exchange, without its wires: orders, trades and balances of one account.

It knows nobody else's orders: a market trades when `trade` says so, at that price; who comes with
a market order, or crosses the last price, trades at it at once. Rules after docs.upbit.com
(2026-09): ticks, a minimum of 5,000 KRW, eight decimals, identifiers that are used up for ever.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from market.prices import tick_size
from market.types import Kind, to_ms
from sandbox.upbit_book import FEE, ZERO, Balance, BookOrder, Row, Trade
from sandbox.upbit_form import check_amount, invalid, not_found, read_wanted
from sandbox.upbit_keys import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from market.clock import Clock

LONGEST_IDENTIFIER = 64


class UpbitOrders:
    """One account's side of the venue, at the time of its clock; pure but for that.

    `ticks` are markets whose step is not the table's. `heard` gets every message that the
    private websocket is to tell. A cancel takes effect after `cancel_takes`, a trade has at most
    `most_a_trade` coins where that is set; limits that cross, and `best`, trade `most_at_once`.
    """

    def __init__(
        self,
        clock: Clock,
        cash: Decimal,
        ticks: Mapping[str, Decimal] | None = None,
        cancel_takes: timedelta = timedelta(0),
    ) -> None:
        self.clock = clock
        self.balances = {"KRW": Balance(free=cash)}
        self.orders: dict[str, BookOrder] = {}
        self.prices: dict[str, Decimal] = {}
        self.most_a_trade: Decimal | None = None
        self.most_at_once: Decimal | None = None
        self.heard: list[Callable[[Row], None]] = []
        self._ticks = dict(ticks or {})
        self._cancel_takes = cancel_takes
        self._identifiers: dict[str, str | None] = {}
        self._count = 0

    def trade(self, market: str, price: Decimal, volume: Decimal | None = None) -> None:
        """Let a market trade at a price, of so many coins for our orders (None: enough)."""
        self._end_cancelled()
        self.prices[market] = price
        left = volume
        for order in list(self.orders.values()):
            if order.market != market or order.state != "wait" or order.price is None:
                continue
            is_met = price <= order.price if order.is_buy else price >= order.price
            if is_met and (left is None or left > 0):
                before = order.executed
                self._fill(order, order.price, left, is_maker=True)
                left = None if left is None else left - (order.executed - before)

    def create(self, fields: Mapping[str, str]) -> Row:
        """Take an order; raises RequestRefused."""
        self._end_cancelled()
        identifier = fields.get("identifier")
        if identifier is not None:
            self._use(identifier)
        order = self._order(fields)
        self._lock(order)
        self.orders[order.uuid] = order
        if identifier is not None:
            self._identifiers[identifier] = order.uuid
        row = order.row(with_trades=False)
        self._tell(order.message("wait", self.clock.now()))
        self._come(order)
        return row

    def cancel(self, uuid: str | None, identifier: str | None) -> Row:
        """Begin to cancel an order; the answer shows it as it was."""
        order = self._find(uuid, identifier)
        if order.state != "wait":
            raise not_found()
        row = order.row(with_trades=False)
        order.ends_at = self.clock.now() + self._cancel_takes
        self._end_cancelled()
        return row

    def order(self, uuid: str | None, identifier: str | None) -> Row:
        """Return an order with its trades."""
        self._end_cancelled()
        return self._find(uuid, identifier).row(with_trades=True)

    def open_orders(self, page: int, limit: int, *, is_ascending: bool) -> list[Row]:
        """Return a page of what may still trade."""
        self._end_cancelled()
        found = [one for one in self.orders.values() if one.state == "wait"]
        ordered = found if is_ascending else found[::-1]
        return [one.row(with_trades=False) for one in ordered[(page - 1) * limit : page * limit]]

    def accounts(self) -> list[Row]:
        """Return the balances, those of nothing left out."""
        self._end_cancelled()
        return [
            balance.row(currency)
            for currency, balance in self.balances.items()
            if currency == "KRW" or balance.free + balance.locked > 0
        ]

    def instruments(self, markets: list[str]) -> list[Row]:
        """Return the step of prices of each market as it is now."""
        found = []
        for market in markets:
            if market not in self.prices:
                raise RequestRefused(404, "404", "Code not found")
            tick = self._tick(market, self.prices[market])
            row = {"market": market, "quote_currency": "KRW", "tick_size": str(tick)}
            found.append({**row, "supported_levels": ["0"]})
        return found

    def _use(self, identifier: str) -> None:
        """Take an identifier, which is used up even if nothing comes of the order."""
        if not 0 < len(identifier) <= LONGEST_IDENTIFIER:
            raise invalid()
        if identifier in self._identifiers:
            raise RequestRefused(400, "duplicated_identifier", "이미 사용 중인 identifier입니다.")
        self._identifiers[identifier] = None

    def _order(self, fields: Mapping[str, str]) -> BookOrder:
        wanted = read_wanted(fields)
        order = BookOrder(
            uuid=self._uuid(),
            market=wanted.market,
            side=wanted.side,
            kind=wanted.kind,
            price=wanted.price,
            volume=wanted.volume,
            identifier=fields.get("identifier"),
            time_in_force=fields.get("time_in_force"),
            created_at=self.clock.now(),
        )
        price = wanted.price
        check_amount(
            wanted,
            tick=None if price is None else self._tick(order.market, price),
            last=self.prices.get(order.market),
        )
        return order

    def _lock(self, order: BookOrder) -> None:
        if order.is_buy:
            price = order.price or ZERO
            order.locked = (price if order.volume is None else price * order.volume) * (1 + FEE)
            self._set_aside("KRW", order, "insufficient_funds_bid")
        else:
            order.locked = order.volume or ZERO
            self._set_aside(order.currency, order, "insufficient_funds_ask")

    def _set_aside(self, currency: str, order: BookOrder, name: str) -> None:
        balance = self.balances.setdefault(currency, Balance())
        if order.locked > balance.free:
            text = f"주문 가능한 금액({currency})이 부족합니다."
            raise RequestRefused(400, name, text)
        balance.free -= order.locked
        balance.locked += order.locked

    def _come(self, order: BookOrder) -> None:
        """Trade what an order can when it comes; what need not rest is then over."""
        last = self.prices.get(order.market)
        if last is not None and (order.kind != "limit" or _crosses(order, last)):
            most = self.most_at_once if order.kind in {"limit", "best"} else None
            self._fill(order, last, most, is_maker=False)
        if order.state == "wait" and (order.kind != "limit" or order.time_in_force is not None):
            self._end(order, "cancel")

    def _fill(
        self, order: BookOrder, price: Decimal, most: Decimal | None, *, is_maker: bool
    ) -> None:
        left = order.wanted(price) if most is None else min(most, order.wanted(price))
        while left > 0:
            volume = left if self.most_a_trade is None else min(left, self.most_a_trade)
            left -= volume
            self._take(order, price, volume, is_maker=is_maker)
        if order.volume is None:
            # a rest of money buys nothing any more: a market buy usually ends so
            self._end(order, "done" if order.spent == order.price else "cancel")
        elif order.remaining == 0:
            self._end(order, "done")

    def _take(self, order: BookOrder, price: Decimal, volume: Decimal, *, is_maker: bool) -> None:
        money = price * volume
        trade = Trade(self._uuid(), price, volume, money * FEE, self.clock.now(), is_maker)
        won = self.balances["KRW"]
        coins = self.balances.setdefault(order.currency, Balance())
        if order.is_buy:
            used = money + trade.fee
            held = coins.free + coins.locked
            cost = coins.average_price * held + money
            coins.average_price = cost / (held + volume)
            coins.free += volume
            won.locked -= used
        else:
            used = volume
            coins.locked -= volume
            won.free += money - trade.fee
        order.locked -= used
        order.executed += volume
        order.spent += money
        order.paid_fee += trade.fee
        order.trades.append(trade)
        self._tell(order.message("trade", trade.at, trade))
        self._tell_assets("KRW", order.currency)

    def _end(self, order: BookOrder, state: str) -> None:
        """Close an order and give back what it had set aside."""
        currency = "KRW" if order.is_buy else order.currency
        self.balances[currency].locked -= order.locked
        self.balances[currency].free += order.locked
        order.locked, order.state, order.ends_at = ZERO, state, None
        self._tell(order.message(state, self.clock.now()))
        self._tell_assets(currency)

    def _end_cancelled(self) -> None:
        now = self.clock.now()
        for order in self.orders.values():
            if order.state == "wait" and order.ends_at is not None and order.ends_at <= now:
                self._end(order, "cancel")

    def _find(self, uuid: str | None, identifier: str | None) -> BookOrder:
        if identifier is not None:
            uuid = self._identifiers.get(identifier)
        order = self.orders.get(uuid or "")
        if order is None:
            raise not_found()
        return order

    def _tick(self, market: str, price: Decimal) -> Decimal:
        return self._ticks.get(market) or tick_size(price, Kind.COIN)

    def _uuid(self) -> str:
        self._count += 1
        return str(UUID(int=(0x7F9FB1AB << 96) + self._count))

    def _tell(self, message: Row) -> None:
        for hear in self.heard:
            hear(message)

    def _tell_assets(self, *currencies: str) -> None:
        now = to_ms(self.clock.now())
        assets = [
            {
                "currency": currency,
                "balance": float(self.balances[currency].free),
                "locked": float(self.balances[currency].locked),
            }
            for currency in currencies
        ]
        self._tell(
            {
                "type": "myAsset",
                "asset_uuid": self._uuid(),
                "assets": assets,
                "asset_timestamp": now,
                "timestamp": now,
                "stream_type": "REALTIME",
            }
        )


def _crosses(order: BookOrder, last: Decimal) -> bool:
    price = order.price or ZERO
    return price > last if order.is_buy else price < last
