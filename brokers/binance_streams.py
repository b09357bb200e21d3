"""Binance's user streams: they tell that something happened to an order, and nothing more.

What happened is asked for by REST; a stream that lost a message costs seconds, never a fill.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from brokers.binance_refusals import NO_LISTEN_KEY, Refused
from brokers.binance_values import row_of, text_of
from market.errors import OrderError, SourceChanged, SourceUnavailable
from venues.live_socket import LiveSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.binance_api import MarketApi
    from venues.live_socket import Connect

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 600.0
"""An account may have nothing to tell for hours; pings tell sooner where the line is dead."""
KEEP_ALIVE_MS = 25 * 60_000
"""A listen key lives for 60 minutes after it was last asked for."""
_ORDERS = frozenset({"executionReport", "ORDER_TRADE_UPDATE", "TRADE_LITE", "ALGO_UPDATE"})
_ACCOUNTS = frozenset({"outboundAccountPosition", "balanceUpdate", "ACCOUNT_UPDATE"})
_ENDS = frozenset({"listenKeyExpired", "eventStreamTerminated", "serverShutdown"})


class UserStream:
    """The stream of one market; `on_news` gets our id of an order, or "" for the account.

    `heard_since` is when it began to tell everything (the loop's time), None while it does not.
    """

    def __init__(
        self,
        api: MarketApi,
        url: str,
        on_news: Callable[[str], None],
        *,
        connect: Connect,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.api = api
        self.url = url
        self._on_news = on_news
        self._since: float | None = None
        self.socket = LiveSocket(
            f"binance {api.market.segment} orders",
            self._address,
            self._on_message,
            greet=self._greeting,
            silence_seconds=silence_seconds,
            connect=connect,
        )

    @property
    def heard_since(self) -> float | None:
        """Return since when everything is told, None where it is not."""
        return self._since if self.socket.is_open else None

    async def tend(self) -> None:
        """Keep the stream open; raises nothing."""
        self.socket.ensure()

    async def _address(self) -> str:
        """Return what to open now; raises SourceUnavailable."""
        try:
            await self.api.know_clock()
            return await self._url()
        except OrderError as error:
            raise SourceUnavailable(str(error)) from error

    async def _url(self) -> str:
        return self.url

    def _greeting(self) -> list[str]:
        self._begin()
        return []

    def _begin(self) -> None:
        """From now on everything is told; what was before has to be asked for."""
        self._since = asyncio.get_running_loop().time()
        self._on_news("")

    async def _on_message(self, message: str | bytes) -> None:
        try:
            told = row_of(orjson.loads(message))
        except (orjson.JSONDecodeError, OrderError) as error:
            raise SourceChanged(f"unreadable: {str(message)[:80]}") from error
        await self._take(told)

    async def _take(self, told: dict[str, Any]) -> None:
        kind = told.get("e")
        if kind in _ORDERS:
            self._on_news(_client_id(told))
        elif kind in _ACCOUNTS:
            self._on_news("")
        elif kind in _ENDS:
            self._since = None
            await self.socket.renew(f"binance says {kind}")


class FuturesStream(UserStream):
    """Told under a listen key, which has to be kept alive."""

    def __init__(
        self,
        api: MarketApi,
        url: str,
        on_news: Callable[[str], None],
        *,
        connect: Connect,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        super().__init__(api, url, on_news, connect=connect, silence_seconds=silence_seconds)
        self._kept_ms: int | None = None

    async def tend(self) -> None:
        """Keep the stream open, and its key alive."""
        self.socket.ensure()
        now = self.api.signer.machine_ms()
        if self._kept_ms is None or now - self._kept_ms < KEEP_ALIVE_MS:
            return
        self._kept_ms = now
        try:
            await self.api.keyed("PUT", "/listenKey")
        except Refused as error:
            if error.venue_code == NO_LISTEN_KEY:
                self._since = None
                await self.socket.renew("its listen key has expired")
        except OrderError as error:
            logger.warning("binance: the listen key could not be kept alive: %s", error)

    async def _url(self) -> str:
        # asked for again, the same key is told, and lives for another hour
        told = row_of(await self.api.keyed("POST", "/listenKey"))
        key = quote(text_of(told, "listenKey"), safe="")
        self._kept_ms = self.api.signer.machine_ms()
        return f"{self.url}/ws/{key}"


class SpotStream(UserStream):
    """Told on a connection of the websocket API after a signed request (listen keys are gone)."""

    _number = 0

    def _greeting(self) -> list[str]:
        self._since = None
        self._number += 1
        return [self.api.signer.subscription(self._number)]

    async def _take(self, told: dict[str, Any]) -> None:
        if "status" not in told:
            event = told.get("event")
            await super()._take(event if isinstance(event, dict) else told)
        elif told["status"] == 200:
            self._begin()
        else:
            complaint = told.get("error")
            code = complaint.get("code") if isinstance(complaint, dict) else None
            self.api.doubt_clock()
            await self.socket.renew(f"the subscription was refused ({told['status']}, {code})")


def _client_id(told: dict[str, Any]) -> str:
    """Return our id of the order that an event is of; a spot cancel carries another one beside.

    A stop of futures has its own name for it.
    """
    inner = told.get("o")
    row = inner if isinstance(inner, dict) else told
    return str(row.get("caid") or row.get("C") or row.get("c") or "")
