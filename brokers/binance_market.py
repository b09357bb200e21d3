"""One market of Binance as its broker sees it: orders, their trades, and what each trade cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.binance_filters import FilterCache
from brokers.binance_journal import Trade
from brokers.binance_orders import (
    ENDS,
    VenueOrder,
    parameters,
    parse_order,
    parse_placed,
    place_of,
)
from brokers.binance_refusals import ABSENT, ARCHIVED, NOTHING_TO_CANCEL, Refused
from brokers.binance_stops import ALGO, AlgoOrders, is_waiting, spot_parameters
from brokers.binance_values import decimal_of, int_of, odd, row_of, rows_of, text_of
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side
from market.types import from_ms
from venues.binance_markets import FUTURES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from brokers.binance_api import MarketApi
    from brokers.binance_costs import Costs
    from brokers.binance_journal import Sent
    from brokers.binance_values import Row
    from brokers.broker import OpenOrder
    from market.orders import Order

TRADES_A_PAGE = 1000
WEEK_MS = 7 * 24 * 3_600_000
"""Futures tell the trades of so long at most in one answer, and of the last week unless asked."""


class OrderMarket:
    """Orders of one market."""

    def __init__(self, api: MarketApi, costs: Costs) -> None:
        self.api = api
        self.filters = FilterCache(api)
        self._algos = AlgoOrders(api)
        self._costs = costs
        self._is_futures = api.market.segment == FUTURES

    async def send(self, order: Order, at_ms: int) -> VenueOrder:
        """Send a new order, once; raises OrderRejected, OutcomeUnknown."""
        return await self._post(order, parameters(order), at_ms)

    async def send_stop(self, order: Order, trigger: Decimal, at_ms: int) -> VenueOrder:
        """Send a new stop, once; raises OrderRejected, OutcomeUnknown."""
        if self._is_futures:
            return await self._algos.send(order, trigger, at_ms)
        filters = await self.filters.get(place_of(order.instrument)[1])
        return await self._post(order, spot_parameters(order, trigger, filters), at_ms)

    async def _post(self, order: Order, made: Mapping[str, str], at_ms: int) -> VenueOrder:
        try:
            answer = await self.api.send("POST", "/order", made, at_ms)
        except Refused as error:
            if error.code == "cash" and order.side is Side.SELL and not self._is_futures:
                # the balance that a sale lacks is of the coin
                raise Refused("no_position", str(error), error.venue_code) from error
            raise
        return parse_placed(row_of(answer) if isinstance(answer, dict) else {}, order)

    async def cancel(self, order: Order, sent: Sent | None) -> None:
        """Ask once to cancel; raises OrderRejected, OutcomeUnknown."""
        await self.api.know_clock()
        named = _named(order.instrument, order.client_order_id, sent)
        try:
            if sent is not None and is_waiting(sent):
                await self._algos.cancel({"clientAlgoId": sent.client_id})
            else:
                await self.api.send("DELETE", "/order", named, self.api.signer.venue_ms())
        except Refused as error:
            if error.venue_code == NOTHING_TO_CANCEL and sent is not None and sent.venue_id:
                raise Refused("closed", str(error), error.venue_code) from error
            raise

    async def look(self, client_id: str, instrument: str, sent: Sent | None) -> VenueOrder | None:
        """Return an order as the venue has it now, None where it says that it has none."""
        if is_waiting(sent):
            return await self._look_for_stop(client_id, instrument)
        return await self._look(_named(instrument, client_id, sent), instrument)

    async def _look_for_stop(self, client_id: str, instrument: str) -> VenueOrder | None:
        """Return a stop of futures, or the order that the venue has made of it."""
        stop = await self._algos.look(client_id)
        if stop is None or not stop.actual_id:
            return None if stop is None else stop.order
        named = {"symbol": stop.order.symbol, "orderId": stop.actual_id}
        found = await self._look(named, instrument)
        if found is not None:
            return found
        if stop.order.state is OrderState.ACCEPTED:
            text = f"binance made order {stop.actual_id} of {client_id} and does not show it yet"
            raise OutcomeUnknown("unavailable", text)
        return stop.order

    async def _look(self, named: Mapping[str, str], instrument: str) -> VenueOrder | None:
        try:
            row = await self.api.read("/order", named)
        except Refused as error:
            if error.venue_code in {ABSENT, ARCHIVED}:
                return None
            raise
        found = parse_order(row_of(row), self.api.market.segment)
        if found.symbol != place_of(instrument)[1]:
            raise odd(row)
        return found

    async def resting(self, found: OpenOrder) -> VenueOrder:
        """Return an order that rests as the venue has it now.

        OrderRejected("closed") where it is over.
        """
        if found.broker_order_id.startswith(ALGO):
            return await self._algos.waiting(found.broker_order_id)
        symbol = place_of(found.instrument)[1]
        named = {"symbol": symbol, "orderId": found.broker_order_id}
        seen = await self._look(named, found.instrument)
        if seen is None or seen.state in ENDS or seen.side is not found.side:
            raise OrderRejected("closed", f"{found.broker_order_id} rests at binance no more")
        return seen

    async def cancel_resting(self, one: VenueOrder) -> None:
        """Ask once to cancel what is left of an order, whoever made it."""
        named = {"symbol": one.symbol, "orderId": one.venue_id}
        try:
            if one.venue_id.startswith(ALGO):
                await self._algos.cancel({"algoId": one.venue_id.removeprefix(ALGO)})
            else:
                await self.api.send("DELETE", "/order", named, self.api.signer.venue_ms())
        except Refused as error:
            if error.venue_code == NOTHING_TO_CANCEL:
                raise Refused("closed", str(error), error.venue_code) from error
            raise

    async def open_orders(self) -> list[VenueOrder]:
        """Return all that rest, whoever made them."""
        rows = rows_of(await self.api.read("/openOrders", {}))
        found = [parse_order(row, self.api.market.segment) for row in rows]
        return found + await self._algos.resting() if self._is_futures else found

    async def trades(self, sent: Sent, venue_id: str, filled: Decimal) -> list[Trade]:
        """Return the trades of an order; `filled` in all where the venue shows them yet."""
        symbol = place_of(sent.instrument)[1]
        asked = {"symbol": symbol, "orderId": venue_id, "limit": str(TRADES_A_PAGE)}
        found = await self._pages(asked)
        if self._is_futures and sum(row_quantity(row) for row in found.values()) < filled:
            await self._search(asked, sent.sent_ms, found)
        rows = [found[number] for number in sorted(found)]
        ours = [row for row in rows if row.get("orderId") == int(venue_id)]
        return [await self._trade(row, symbol, sent.side) for row in ours]

    async def _search(self, asked: Mapping[str, str], start_ms: int, found: dict[int, Row]) -> None:
        """Add the trades of an order that is older than a week."""
        now = self.api.signer.venue_ms()
        for begin in range(start_ms, now - WEEK_MS, WEEK_MS):
            span = {"startTime": str(begin), "endTime": str(begin + WEEK_MS - 1)}
            found |= await self._pages({**asked, **span})

    async def _pages(self, asked: Mapping[str, str]) -> dict[int, Row]:
        path = "/userTrades" if self._is_futures else "/myTrades"
        found: dict[int, Row] = {}
        page = rows_of(await self.api.read(path, asked))
        while page:
            found |= {int_of(row, "id"): row for row in page}
            if len(page) < TRADES_A_PAGE:
                break
            # a number and a time cannot be asked for together
            rest = {name: value for name, value in asked.items() if not name.endswith("Time")}
            page = rows_of(await self.api.read(path, {**rest, "fromId": str(max(found) + 1)}))
        return found

    async def _trade(self, row: Row, symbol: str, side: Side) -> Trade:
        commission, asset = decimal_of(row, "commission"), text_of(row, "commissionAsset")
        price, at_ms = decimal_of(row, "price"), int_of(row, "time")
        quantity = row_quantity(row)
        is_from_coins = side is Side.BUY and f"{asset}USDT" == symbol and not self._is_futures
        return Trade(
            id=int_of(row, "id"),
            quantity=quantity,
            received=quantity - commission if is_from_coins else quantity,
            price=price,
            cost=await self._costs.in_usdt(commission, asset, symbol, price, at_ms),
            at=from_ms(at_ms),
        )


def row_quantity(row: Row) -> Decimal:
    """Return how much a trade moved."""
    return decimal_of(row, "qty")


def _named(instrument: str, client_id: str, sent: Sent | None) -> dict[str, str]:
    """Return what names an order: the venue's own number where we know it, else our id."""
    named = {"symbol": place_of(instrument)[1]}
    if sent is not None and sent.venue_id:
        return {**named, "orderId": sent.venue_id}
    return {**named, "origClientOrderId": client_id}
