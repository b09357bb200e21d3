"""Keeping up with our orders: asking what became of each, and taking its trades, every one once."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.binance_journal import Journal, Learned
from brokers.binance_orders import ENDS, place_of
from brokers.binance_signature import RECEIVE_WINDOW_MS
from brokers.broker import BrokerOrder
from market.errors import OrderError, OutcomeUnknown
from market.orders import OrderState
from venues.binance_markets import SPOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from brokers.binance_journal import Sent
    from brokers.binance_market import OrderMarket
    from market.orders import Order
    from market.store import Store
    from market.types import InstrumentId

logger = logging.getLogger(__name__)

SURE_AFTER_MS = RECEIVE_WINDOW_MS + 5_000
"""So long after its timestamp a request can no longer arrive, and what arrived can be seen."""
FORGOTTEN_AFTER_MS = 10 * 60_000
"""Trades of an order that never arrived are looked for so long all the same."""
PURGED_AFTER_MS = 3 * 24 * 3_600_000
"""Futures forget an order that ended without a trade so long after it was made."""
STREAM_TRUSTED_SECONDS = 10.0
"""So long an order that nobody told anything of is not asked about, where a socket is open."""


class Poll:
    """Asks about orders; a transaction each keeps what it learns.

    An order is settled when it has ended and the trades that we have are all that it had by the
    venue's own count; until then it is asked about.
    """

    def __init__(
        self,
        store: Store,
        markets: Mapping[str, OrderMarket],
        heard_since: Callable[[str], float | None],
    ) -> None:
        self._store = store
        self._markets = markets
        self._heard_since = heard_since
        self._asked_at: dict[str, float] = {}
        self._news: set[str] = set()
        self._turn = asyncio.Lock()

    def hear(self, client_id: str) -> None:
        """Ask about an order at the next opportunity: something happened to it."""
        self._news.add(client_id)

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return how an order stands; None once it is sure that the venue has none.

        While a request may still be under way, and while the venue cannot be asked, that is
        OutcomeUnknown("unavailable").
        """
        client_id, instrument = order.client_order_id, order.instrument
        sent = await self._store.read(lambda tx: Journal(tx).sent(client_id))
        market = self._market(instrument)
        found = await market.look(client_id, instrument, sent)
        if found is not None:
            await self._store.write(lambda tx: Journal(tx).number(client_id, found.venue_id))
            return found.as_broker_order(_told(sent, found.filled))
        return None if sent is None else self._absent(sent, market)

    async def refresh(self) -> OrderError | None:
        """Take what is new of all unsettled orders; return why some could not be asked about.

        Who does not answer is not asked about the rest of a market's orders.
        """
        async with self._turn:
            unsettled = await self._store.read(lambda tx: Journal(tx).unsettled())
            names = {name for sent in unsettled for name in (sent.client_id, sent.heard_as)}
            self._asked_at = {name: at for name, at in self._asked_at.items() if name in names}
            self._news &= names
            learned, failures = await self._learn([one for one in unsettled if self._is_due(one)])
            if learned:
                now_ms = self._markets[SPOT].api.signer.machine_ms()
                await self._store.write(lambda tx: Journal(tx).take(learned, now_ms))
            return next(iter(failures.values()), None)

    async def _learn(self, due: Sequence[Sent]) -> tuple[list[Learned], dict[str, OrderError]]:
        learned: list[Learned] = []
        failures: dict[str, OrderError] = {}
        for sent in due:
            segment = place_of(sent.instrument)[0]
            if segment in failures:
                continue
            try:
                one = await self._ask(sent, self._markets[segment])
            except OrderError as error:
                logger.warning("binance could not be asked about %s: %s", sent.client_id, error)
                failures[segment] = error
            else:
                learned += [] if one is None else [one]
        return learned, failures

    async def _ask(self, sent: Sent, market: OrderMarket) -> Learned | None:
        asked_at = asyncio.get_running_loop().time()
        self._asked_at.pop(sent.client_id, None)
        self._news -= {sent.client_id, sent.heard_as}  # what is heard from here on is of later
        found = await market.look(sent.client_id, sent.instrument, sent)
        if found is None:
            if self._is_gone(sent, market):
                await self._store.write(lambda tx: Journal(tx).settle(sent.client_id))
            return None
        trades = await market.trades(sent, found.venue_id, found.filled) if found.filled else []
        is_over = found.state in ENDS
        learned = Learned(sent, found.venue_id, found.filled, is_over, tuple(trades))
        if learned.is_complete:
            self._asked_at[sent.client_id] = asked_at
        return learned

    def _absent(self, sent: Sent, market: OrderMarket) -> BrokerOrder | None:
        """Judge an order that the venue says it does not have."""
        age_ms = market.api.signer.venue_ms() - sent.sent_ms
        if age_ms < SURE_AFTER_MS:
            text = f"{sent.client_id} may still be on its way to binance"
            raise OutcomeUnknown("unavailable", text)
        if not sent.venue_id:
            return None
        if age_ms < PURGED_AFTER_MS:
            text = f"binance had accepted {sent.client_id} and says now that it has no such order"
            raise OutcomeUnknown("unavailable", text)
        # only what never traded is forgotten
        return BrokerOrder(sent.venue_id, OrderState.CANCELED, Decimal(0), Decimal(0))

    def _is_gone(self, sent: Sent, market: OrderMarket) -> bool:
        """Tell whether an order that the venue does not have will never trade, against all odds."""
        age_ms = market.api.signer.venue_ms() - sent.sent_ms
        return age_ms >= (PURGED_AFTER_MS if sent.venue_id else FORGOTTEN_AFTER_MS)

    def _is_due(self, sent: Sent) -> bool:
        since = self._heard_since(place_of(sent.instrument)[0])
        asked_at = self._asked_at.get(sent.client_id)
        if since is None or asked_at is None or self._news & {sent.client_id, sent.heard_as}:
            return True
        is_old = asyncio.get_running_loop().time() - asked_at >= STREAM_TRUSTED_SECONDS
        return is_old or asked_at < since

    def _market(self, instrument: InstrumentId) -> OrderMarket:
        return self._markets[place_of(instrument)[0]]


def _told(sent: Sent | None, filled: Decimal) -> Decimal:
    """Return how much of an order the fills come to, once they are all here; else what traded."""
    if sent is None:
        return filled
    if sent.traded >= filled:
        return sent.received - sent.before_received
    return filled - sent.before
