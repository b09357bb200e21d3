"""Binance: spot and USDT-M futures as one broker, without leverage, and short only by order.

A client order id of ours is sent once and never again: Binance holds it unique among open orders
only, so our own journal does. What the venue says about an order is believed; that it has none
only once the request can no longer be on its way (see `brokers.binance_poll`).
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

from brokers.binance_api import MarketApi
from brokers.binance_costs import Costs
from brokers.binance_journal import Journal, Learned, Sent
from brokers.binance_leverage import Leverage
from brokers.binance_market import OrderMarket
from brokers.binance_orders import ENDS, only_reduces, place_of
from brokers.binance_poll import Poll
from brokers.binance_purses import FuturesPurse, SpotPurse
from brokers.binance_signature import Signer
from brokers.binance_stops import ALGO, to_step
from brokers.binance_streams import FuturesStream, SpotStream
from brokers.broker import BROKERS, Adoption, trades_at
from market.errors import ConfigError, OrderRejected, OutcomeUnknown, Problem, StoreError
from market.grid import FINEST, Grid
from market.orders import Side
from market.types import Venue
from venues.binance_markets import FUTURES, SPOT, binance_markets
from venues.live_socket import connect as connect_really

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from brokers.binance_purses import Purse
    from brokers.binance_streams import UserStream
    from brokers.broker import BrokerOrder, BrokerParts, OpenOrder
    from market.orders import Account, Fill, Order, Position
    from market.types import InstrumentId
    from venues.live_socket import Connect

logger = logging.getLogger(__name__)

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_SEGMENTS = {"spot": (SPOT,), "futures": (FUTURES,), "both": (SPOT, FUTURES)}


class BinanceBroker:
    """Both markets; orders go only to those that the settings name.

    `connect` opens the sockets of the user streams, None does without them.
    """

    venues = frozenset({Venue.BINANCE})

    def __init__(
        self,
        parts: BrokerParts,
        connect: Connect | None = connect_really,
    ) -> None:
        settings = parts.settings.binance
        if settings.api_key is None or settings.api_secret is None:
            raise ConfigError((Problem.about("binance.api_key", _NO_KEYS),))
        self._store = parts.store
        self._segments = _SEGMENTS[settings.orders]
        apis = {
            segment: MarketApi(
                parts.http,
                market,
                settings,
                Signer(settings.api_key, settings.api_secret, parts.wall_clock),
            )
            for segment, market in binance_markets(settings).items()
        }
        costs = Costs(apis[SPOT])
        self._markets = {segment: OrderMarket(api, costs) for segment, api in apis.items()}
        self._purses: dict[str, Purse] = {
            SPOT: SpotPurse(apis[SPOT]),
            FUTURES: FuturesPurse(apis[FUTURES], settings.leverage),
        }
        self._leverage = Leverage(apis[FUTURES], settings.leverage)
        self._poll = Poll(parts.store, self._markets, self._heard_since)
        self._has_news = asyncio.Event()
        self._streams: dict[str, UserStream] = {}
        if connect is not None:
            urls = settings.spot_private_socket_url, settings.futures_private_socket_url
            streams: dict[str, UserStream] = {
                SPOT: SpotStream(apis[SPOT], urls[0], self._hear, connect=connect),
                FUTURES: FuturesStream(apis[FUTURES], urls[1], self._hear, connect=connect),
            }
            self._streams = {segment: streams[segment] for segment in self._segments}

    async def place(self, order: Order) -> str:
        """Send an order once and return the venue's number of it.

        What is needed first (filters, leverage, clock) and cannot be had is OrderRejected("busy"):
        nothing was sent then.
        """
        return await self._place(order, None)

    def takes_stops(self, instrument: InstrumentId) -> bool:
        """Tell whether stops of an instrument can rest: wherever orders may go."""
        return place_of(instrument)[0] in self._segments

    async def place_stop(self, order: Order, trigger: Decimal) -> str:
        """Send a stop once and return the venue's number of it; raises as `place`."""
        return await self._place(order, trigger)

    async def cancel(self, order: Order) -> None:
        """Ask once to cancel what is left; raises OrderRejected, OutcomeUnknown."""
        client_id = order.client_order_id
        sent = await self._store.read(lambda tx: Journal(tx).sent(client_id))
        self._poll.hear(client_id)
        await self._markets[place_of(order.instrument)[0]].cancel(order, sent)

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return how an order stands; None means that the venue surely has none."""
        return await self._poll.find(order)

    async def fills(self, after: str) -> list[Fill]:
        """Return the trades of our orders with an id greater than `after`, as they became known.

        Where some orders could not be asked about, the trades of the others are told all the same;
        raises OutcomeUnknown("unavailable") where nothing is left to tell.
        """
        for stream in self._streams.values():
            await stream.tend()
        failure = await self._poll.refresh()
        found = await self._store.read(lambda tx: Journal(tx).fills(after))
        if failure is not None and not found:
            raise failure
        return found

    async def accounts(self) -> tuple[Account, ...]:
        """Return the USDT of each market that orders may go to: they do not pay for each other."""
        return tuple([await self._purses[segment].account() for segment in self._segments])

    async def positions(self) -> list[Position]:
        """Return coins (without a price: Binance keeps none) and positions of futures."""
        found = [await self._purses[segment].positions() for segment in self._segments]
        return [position for positions in found for position in positions]

    async def open_orders(self) -> list[OpenOrder]:
        """Return all orders that rest, whoever made them, oldest first."""
        found = []
        for market in (self._markets[segment] for segment in self._segments):
            resting = [one for one in await market.open_orders() if one.state not in ENDS]
            found += [one.as_open_order(market.api.market) for one in resting]
        return sorted(found, key=lambda one: (one.at, one.broker_order_id))

    async def adopt(self, found: OpenOrder, order: Order) -> Adoption:
        """Return what makes an order made elsewhere ours.

        OrderRejected("closed") if it is over, OrderRejected("other") for a stop of futures.
        """
        market = self._markets[place_of(found.instrument)[0]]
        seen = await market.resting(found)
        if seen.venue_id.startswith(ALGO):
            raise OrderRejected("other", "a stop of futures cannot be adopted, only cancelled")
        sent = Sent(
            client_id=order.client_order_id,
            order_id=order.id,
            instrument=found.instrument,
            side=found.side,
            sent_ms=seen.at_ms,
            heard_as=seen.client_id,
        )
        trades = await market.trades(sent, seen.venue_id, seen.filled) if seen.filled else []
        learned = Learned(sent, seen.venue_id, seen.filled, is_over=False, trades=tuple(trades))
        if not learned.is_complete:
            text = f"binance has not told all trades of {seen.venue_id}"
            raise OutcomeUnknown("unavailable", text)
        return Adoption(learned.summed.traded, lambda tx: Journal(tx).adopt(learned))

    async def cancel_foreign(self, found: OpenOrder) -> None:
        """Ask once to cancel what is left of an order made elsewhere."""
        market = self._markets[place_of(found.instrument)[0]]
        await market.cancel_resting(await market.resting(found))

    async def tick_size(self, instrument: InstrumentId, price: Decimal) -> Decimal:  # noqa: ARG002  the same for all prices
        """Return the step of a symbol's prices, which no table knows.

        Raises OrderRejected("instrument"), OutcomeUnknown("unavailable").
        """
        segment, symbol = place_of(instrument)
        return (await self._markets[segment].filters.get(symbol)).price.step

    async def grid(self, instrument: InstrumentId) -> Grid:
        """Return the steps of a symbol, and its least order; raises as `tick_size`."""
        segment, symbol = place_of(instrument)
        found = await self._markets[segment].filters.get(symbol)
        lot = max(found.quantity.step, found.market_quantity.step)
        return Grid(found.price.step or FINEST.tick, lot or FINEST.lot, found.least_notional)

    async def news(self) -> None:
        """Wait until something happened to an order or to the account."""
        for stream in self._streams.values():
            await stream.tend()
        await self._has_news.wait()
        self._has_news.clear()

    async def close(self) -> None:
        """Close the user streams; may be called twice."""
        for stream in self._streams.values():
            await stream.socket.close()

    async def _place(self, order: Order, trigger: Decimal | None) -> str:
        segment, symbol = place_of(order.instrument)
        if segment not in self._segments:
            text = f"orders may not go to {segment}: see the setting binance.orders"
            raise OrderRejected("market", text)
        market = self._markets[segment]
        try:
            order = await self._prepared(order, segment, symbol)
            step = (await market.filters.get(symbol)).price.step
        except OutcomeUnknown as error:
            raise OrderRejected("busy", f"not sent: {error}") from error
        sent = Sent(
            client_id=order.client_order_id,
            order_id=order.id,
            instrument=order.instrument,
            side=order.side,
            sent_ms=market.api.signer.venue_ms(),
            is_algo=trigger is not None and segment == FUTURES,
        )
        await self._store.write(lambda tx: Journal(tx).claim(sent))
        try:
            if trigger is None:
                placed = await market.send(order, sent.sent_ms)
            else:
                level = to_step(trigger, step, up=order.side is Side.BUY)
                placed = await market.send_stop(order, level, sent.sent_ms)
        except OrderRejected as error:
            await self._refused(market, sent, error)
            raise
        await self._note(lambda journal: journal.number(sent.client_id, placed.venue_id))
        return placed.venue_id

    async def _prepared(self, order: Order, segment: str, symbol: str) -> Order:
        """Return an order as it may be sent; raises OrderRejected, OutcomeUnknown."""
        if _CLIENT_ID.fullmatch(order.client_order_id) is None:
            raise OrderRejected("client_id", f"{order.client_order_id} is no id for binance")
        market = self._markets[segment]
        filters = await market.filters.get(symbol)
        order = filters.fitted(order)
        filters.check(order, reduces=only_reduces(order))
        if only_reduces(order):
            await self._leverage.ensure_mode()
        elif segment == FUTURES:
            await self._leverage.ensure(symbol)
        await market.api.know_clock()
        return order

    async def _refused(self, market: OrderMarket, sent: Sent, error: OrderRejected) -> None:
        if error.code != "duplicate":  # else the venue has an open order of this id
            await self._note(lambda journal: journal.release(sent.client_id))
        if error.code in {"price", "quantity", "least", "halted"}:
            market.filters.forget()

    async def _note(self, change: Callable[[Journal], None]) -> None:
        """Keep what the venue has answered; without it the venue is asked again."""
        try:
            await self._store.write(lambda tx: change(Journal(tx)))
        except StoreError:
            logger.exception("binance's answer could not be kept")

    def _hear(self, client_id: str) -> None:
        if client_id:
            self._poll.hear(client_id)
        self._has_news.set()

    def _heard_since(self, segment: str) -> float | None:
        stream = self._streams.get(segment)
        return None if stream is None else stream.heard_since


_NO_KEYS = (
    "orders at binance need a key: set TICKTALK_BINANCE_API_KEY and TICKTALK_BINANCE_API_SECRET"
)


@BROKERS.register("binance")
@trades_at(Venue.BINANCE)
def binance(parts: BrokerParts) -> BinanceBroker:
    """Return the broker; raises ConfigError where there are no keys."""
    return BinanceBroker(parts)
