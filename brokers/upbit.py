"""Upbit's KRW market: spot orders with our own ids, their trades, and the account behind them.

Orders carry our `client_order_id` as `identifier`, which Upbit accepts once for ever, so that a
request in doubt can be asked for and never makes two orders.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from brokers.broker import BROKERS, Adoption, trades_at
from brokers.upbit_auth import UpbitAuth
from brokers.upbit_http import UpbitHttp
from brokers.upbit_journal import UpbitJournal
from brokers.upbit_news import UpbitNews
from brokers.upbit_parsers import (
    BEST,
    parse_account,
    parse_order,
    parse_orders,
    parse_positions,
)
from brokers.upbit_ticks import UpbitTicks
from market.errors import OrderError, OrderRejected, OutcomeUnknown
from market.money import floor_to_lot, whole_won
from market.orders import Side
from market.prices import least_order
from market.types import Kind, Venue
from venues.live_socket import connect

if TYPE_CHECKING:
    from decimal import Decimal

    from brokers.broker import BrokerOrder, BrokerParts, OpenOrder
    from brokers.upbit_journal import Adopted, Sent
    from brokers.upbit_parsers import VenueOrder
    from market.orders import Account, Fill, Order, Position
    from market.types import InstrumentId
    from venues.live_socket import ConnectWith

logger = logging.getLogger(__name__)

UNDER_WAY = timedelta(seconds=30)
"""So long after it was sent a request may still reach the venue, whose "not found" proves nothing
until then: Upbit's tokens do not lapse."""
FORGOTTEN = timedelta(hours=1)
"""An order that the venue never knew is asked about for so long, against all expectation."""
PAGE = 100
_ID = re.compile(r"UPBIT:(KRW-[0-9A-Z]+)")


class UpbitBroker:
    """Cash only, no shorts, orders until cancelled; see the module for what it promises."""

    venues = frozenset({Venue.UPBIT})

    def __init__(self, parts: BrokerParts, connect: ConnectWith = connect) -> None:
        settings = parts.settings.upbit
        auth = UpbitAuth(settings)
        self._is_best = settings.market_orders == "best"
        self._store = parts.store
        self._clock = parts.wall_clock
        self._http = UpbitHttp(parts.http, settings, auth)
        self._ticks = UpbitTicks(self._http, parts.wall_clock)
        self._news = UpbitNews(settings, auth, connect)
        self._turn = asyncio.Lock()
        self._incomplete: set[str] = set()

    async def place(self, order: Order) -> str:
        """Note the order, send it once, and return Upbit's id of it."""
        fields = _fields(order, is_best=self._is_best)
        now = self._clock.now()
        await self._store.write(lambda tx: UpbitJournal(tx).begin(order, now))
        self._news.ensure()
        try:
            answer = await self._http.post("/v1/orders", fields)
        except OrderRejected as error:
            if error.code != "duplicate":  # then it has one of ours, and that is yet to be told
                await self._forget(order.client_order_id)
            raise
        broker_order_id = answer.get("uuid")
        if not isinstance(broker_order_id, str) or not broker_order_id:
            raise OutcomeUnknown("unanswered", "upbit took an order and gave no id")
        return broker_order_id

    async def cancel(self, order: Order) -> None:
        """Ask once to cancel what is left; Upbit says that it heard, not yet that it is done."""
        adopted = await self._adopted(order.client_order_id)
        await self._http.delete("/v1/order", _named(order.client_order_id, adopted))

    async def adopt(self, found: OpenOrder, order: Order) -> Adoption:
        """Return what makes an order made elsewhere ours; OrderRejected("closed") if it is over."""
        told = parse_order(await self._http.get("/v1/order", _numbered(found.broker_order_id)))
        if told.is_over:
            raise OrderRejected("closed", f"{told.uuid} has ended at upbit")
        if not told.is_told:
            raise OutcomeUnknown("unavailable", f"upbit has not told all trades of {told.uuid}")
        now = self._clock.now()
        return Adoption(told.executed_volume, lambda tx: UpbitJournal(tx).adopt(order, told, now))

    async def cancel_foreign(self, found: OpenOrder) -> None:
        """Ask once to cancel what is left of an order made elsewhere."""
        await self._http.delete("/v1/order", _numbered(found.broker_order_id))

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return how an order stands; OutcomeUnknown while its request may still be under way."""
        told = await self._ask(order.client_order_id)
        if told is not None:
            return told.known()
        sent = await self._store.read(lambda tx: UpbitJournal(tx).sent(order.client_order_id))
        if sent is not None and self._clock.now() < sent.at + UNDER_WAY:
            text = f"upbit does not know {order.client_order_id} yet; it may be under way"
            raise OutcomeUnknown("unavailable", text)
        return None

    async def fills(self, after: str) -> list[Fill]:
        """Return what has traded, in the order in which we learnt of it.

        Orders of ours only. Raises OutcomeUnknown where Upbit could not be asked about some, and
        nothing else is new.
        """
        async with self._turn:
            error = await self._look()
        found = await self._store.read(lambda tx: UpbitJournal(tx).fills(after))
        if error is not None and not found:
            raise OutcomeUnknown(error.code, str(error)) from error
        return found

    async def accounts(self) -> tuple[Account, ...]:
        """Return the won, and what of it no order has set aside."""
        return (parse_account(await self._http.get("/v1/accounts")),)

    async def positions(self) -> list[Position]:
        """Return the coins that the account holds, bought by us or not."""
        return parse_positions(await self._http.get("/v1/accounts"))

    async def open_orders(self) -> list[OpenOrder]:
        """Return everything that may still trade, oldest first."""
        listed = await self._listed()
        return sorted((one.resting() for one in listed), key=lambda order: order.at)

    async def tick_size(self, instrument: InstrumentId, price: Decimal) -> Decimal:
        """Return the step of prices near `price`."""
        return await self._ticks.tick_size(_market(instrument), price)

    async def news(self) -> None:
        """Return once our orders or the account have changed, or may have while we were deaf."""
        await self._news.wait()

    async def close(self) -> None:
        """End the private websocket; may be called twice."""
        await self._news.close()

    async def _look(self) -> OrderError | None:
        """Learn what is new of the orders that may have something; return what went wrong."""
        pending = await self._store.read(lambda tx: UpbitJournal(tx).pending())
        if not pending:
            return None
        self._news.ensure()
        try:
            listed = {one.identifier: one for one in await self._listed()}
        except OrderError as error:
            return error
        worst: OrderError | None = None
        for sent in pending:
            resting = listed.get(sent.client_id)
            if resting is not None and resting.trades_count == len(sent.trades):
                continue
            try:
                await self._learn(sent)
            except OrderError as error:
                worst = error
        return worst

    async def _learn(self, sent: Sent) -> None:
        told = await self._ask(sent.client_id)
        if told is None:
            if self._clock.now() >= sent.at + FORGOTTEN:
                await self._forget(sent.client_id)
            return
        await self._store.write(lambda tx: UpbitJournal(tx).learn(sent.client_id, told))
        if told.is_over and not told.is_told and sent.client_id not in self._incomplete:
            self._incomplete.add(sent.client_id)
            logger.warning("upbit has not told all trades of %s", sent.client_id)

    async def _ask(self, client_id: str) -> VenueOrder | None:
        """Return an order with its trades, None where Upbit does not know it."""
        adopted = await self._adopted(client_id)
        try:
            answer = await self._http.get("/v1/order", _named(client_id, adopted))
        except OrderRejected:
            return None
        told = parse_order(answer)
        return told if adopted is None else told.since(adopted.trades, adopted.fee)

    async def _listed(self) -> list[VenueOrder]:
        """Return all open orders; one that ends while we turn pages may be missing."""
        found: list[VenueOrder] = []
        number = 1
        while True:
            query = f"states[]=wait&states[]=watch&page={number}&limit={PAGE}&order_by=asc"
            page = parse_orders(await self._http.get("/v1/orders/open", query))
            found += page
            if len(page) < PAGE:
                return found
            number += 1

    async def _adopted(self, client_id: str) -> Adopted | None:
        return await self._store.read(lambda tx: UpbitJournal(tx).adopted(client_id))

    async def _forget(self, client_id: str) -> None:
        await self._store.write(lambda tx: UpbitJournal(tx).forget(client_id))


def _fields(order: Order, *, is_best: bool) -> dict[str, str]:
    """Return the body of a new order; OrderRejected where Upbit would surely refuse it."""
    quantity = order.quantity
    if quantity <= 0 or floor_to_lot(quantity, Kind.COIN) != quantity:
        raise OrderRejected("quantity", f"{quantity} is not a quantity of at most eight decimals")
    fields = {
        "market": _market(order.instrument),
        "side": "bid" if order.side is Side.BUY else "ask",
    }
    money = quantity * (order.reference_price if order.price is None else order.price)
    if order.price is not None:
        fields |= {"volume": _plain(quantity), "price": _plain(order.price), "ord_type": "limit"}
    elif order.side is Side.BUY:
        # never more money than was confirmed, however far the price has gone
        money = whole_won(money)
        fields |= {"price": _plain(money), "ord_type": "price"}
    else:
        fields |= {"volume": _plain(quantity), "ord_type": "market"}
    if is_best and order.price is None:
        fields |= {"ord_type": BEST, "time_in_force": "ioc"}
    least = least_order(Kind.COIN)
    if order.side is Side.BUY and money < least:
        raise OrderRejected("least", f"{_plain(money)} won; an order is for {least} at least")
    return fields | {"identifier": order.client_order_id}


def _named(client_id: str, adopted: Adopted | None) -> str:
    """Return the query that names an order: by our id, or by Upbit's where it is adopted."""
    if adopted is not None:
        return _numbered(adopted.uuid)
    return f"identifier={quote(client_id, safe='')}"


def _numbered(uuid: str) -> str:
    return f"uuid={quote(uuid, safe='')}"


def _market(instrument: InstrumentId) -> str:
    match = _ID.fullmatch(instrument)
    if match is None:
        raise OrderRejected("other", f"upbit trades its KRW market only, not {instrument}")
    return match[1]


def _plain(number: Decimal) -> str:
    """Return a number without exponent and needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@BROKERS.register("upbit")
@trades_at(Venue.UPBIT)
def upbit(parts: BrokerParts) -> UpbitBroker:
    """Return the broker of Upbit's KRW market; ConfigError where its keys are missing."""
    return UpbitBroker(parts)
