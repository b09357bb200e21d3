"""What Binance takes as an order of a symbol: steps and bounds of price, quantity and money."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.binance_values import decimal_of, row_of, rows_of
from market.errors import OrderRejected, OutcomeUnknown
from venues.binance_markets import FUTURES

if TYPE_CHECKING:
    from brokers.binance_api import MarketApi
    from market.orders import Order

KEPT_MS = 60 * 60_000
"""How long filters are believed; a refusal that speaks of them ends it at once."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Steps:
    """A grid and its ends; a step or an end of 0 bounds nothing."""

    step: Decimal = ZERO
    least: Decimal = ZERO
    most: Decimal = ZERO

    def refusal(self, amount: Decimal) -> str:
        """Return why an amount is not on the grid, "" where it is."""
        if amount <= 0 or amount < self.least:
            return f"{amount} is below {self.least}"
        if self.most and amount > self.most:
            return f"{amount} is above {self.most}"
        if self.step and amount % self.step:
            return f"{amount} is not a multiple of {self.step}"
        return ""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one symbol; `quantity` and `market_quantity` both bind market orders.

    `order_types` are those that it takes, none where the venue does not tell.
    """

    symbol: str
    is_trading: bool
    price: Steps
    quantity: Steps
    market_quantity: Steps
    least_notional: Decimal
    order_types: frozenset[str] = frozenset()

    def fitted(self, order: Order) -> Order:
        """Return an order with an exit rounded down to the step of quantities.

        What is held need not be on it, where fees were taken from the coins; an exit has to get
        out all the same. What is too little for one step is left as it is, and refused.
        """
        step = self.quantity.step
        if order.is_entry or not step or order.quantity < step:
            return order
        return replace(order, quantity=order.quantity // step * step)

    def check(self, order: Order, *, reduces: bool) -> None:
        """Raise OrderRejected (halted, price, quantity, least) where Binance would refuse.

        Exits of futures that only reduce may be of any worth.
        """
        if not self.is_trading:
            raise OrderRejected("halted", f"{self.symbol} does not trade at binance now")
        grids = [("quantity", self.quantity, order.quantity)]
        if order.price is None:
            grids.append(("quantity", self.market_quantity, order.quantity))
        else:
            grids.append(("price", self.price, order.price))
        for code, grid, amount in grids:
            refusal = grid.refusal(amount)
            if refusal:
                raise OrderRejected(code, f"{self.symbol}: {code} {refusal}")
        worth = order.quantity * (order.reference_price if order.price is None else order.price)
        if worth < self.least_notional and not reduces:
            text = (
                f"{self.symbol}: {worth} USDT are less than the {self.least_notional} of an order"
            )
            raise OrderRejected("least", text)


class FilterCache:
    """The filters of one market: spot tells those of a symbol, futures always those of all."""

    def __init__(self, api: MarketApi) -> None:
        self._api = api
        self._known: dict[str, tuple[int, Filters]] = {}
        self._turn = asyncio.Lock()

    async def get(self, symbol: str) -> Filters:
        """Return a symbol's filters.

        Raises OrderRejected("instrument") where there is none, OutcomeUnknown("unavailable").
        """
        async with self._turn:
            kept = self._kept(symbol)
            if kept is None:
                await self._ask(symbol)
                kept = self._kept(symbol)
        if kept is None:
            raise OrderRejected("instrument", f"binance has no {symbol} in this market")
        return kept

    def forget(self) -> None:
        """Ask again before the next order."""
        self._known.clear()

    def _kept(self, symbol: str) -> Filters | None:
        at_ms, filters = self._known.get(symbol, (0, None))
        is_fresh = self._api.signer.machine_ms() - at_ms <= KEPT_MS
        return filters if is_fresh else None

    async def _ask(self, symbol: str) -> None:
        is_futures = self._api.market.segment == FUTURES
        # a list of one symbol costs spot 20 of 6000 a minute, that of all futures costs 1
        told = row_of(await self._api.public("/exchangeInfo", _params(symbol, is_all=is_futures)))
        now = self._api.signer.machine_ms()
        for row in rows_of(told.get("symbols")):
            filters = parse_filters(row)
            self._known[filters.symbol] = now, filters


def _params(symbol: str, *, is_all: bool) -> dict[str, str]:
    return {} if is_all else {"symbol": symbol, "showPermissionSets": "false"}


def parse_filters(row: dict[str, Any]) -> Filters:
    """Return the filters of a row of `exchangeInfo`; raises OutcomeUnknown("unavailable").

    `pricePrecision` and its like are no steps. Spot has NOTIONAL.minNotional, futures
    MIN_NOTIONAL.notional.
    """
    found = {one.get("filterType"): one for one in rows_of(row.get("filters"))}
    price, lot = found.get("PRICE_FILTER"), found.get("LOT_SIZE")
    if price is None or lot is None or not isinstance(row.get("symbol"), str):
        raise OutcomeUnknown("unavailable", f"binance told no filters: {str(row)[:80]}")
    notional = found.get("NOTIONAL") or found.get("MIN_NOTIONAL") or {}
    least = notional.get("minNotional", notional.get("notional", "0"))
    market = found.get("MARKET_LOT_SIZE", {})
    return Filters(
        symbol=row["symbol"],
        is_trading=row.get("status") == "TRADING",
        price=_steps(price, "tickSize", "Price"),
        quantity=_steps(lot, "stepSize", "Qty"),
        market_quantity=_steps(market, "stepSize", "Qty"),
        least_notional=decimal_of({"least": least}, "least"),
        order_types=frozenset(map(str, row.get("orderTypes") or ())),
    )


def _steps(row: dict[str, Any], step: str, what: str) -> Steps:
    whole = {step: "0", f"min{what}": "0", f"max{what}": "0", **row}
    return Steps(*(decimal_of(whole, name) for name in (step, f"min{what}", f"max{what}")))
