"""The way to the venue: where requests are counted, watched, and survive who sent them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from brokers.broker import Broker, BrokerOrder
    from market.orders import Account, Fill, Order
    from tests.simulation.fate import Fate, MortalStore
    from tests.simulation.sentry import Sentry


class NoNetwork(httpx.AsyncBaseTransport):
    """The transport of a venue that has no address."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse."""
        raise AssertionError(f"{request.url} was asked")


class MortalTransport(httpx.AsyncBaseTransport):
    """The transport of a process that can die before and after every request.

    A request that has left us gets to the venue, and is executed there, also if we die meanwhile.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        fate: Fate,
        outside: Callable[[Coroutine[Any, Any, httpx.Response]], asyncio.Task[httpx.Response]],
    ) -> None:
        self._inner = inner
        self._fate = fate
        self._outside = outside

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request between two points."""
        self._fate.pass_point(f"before {request.method} {request.url.path}")
        answer = await asyncio.shield(self._outside(self._inner.handle_async_request(request)))
        self._fate.pass_point(f"after {request.method} {request.url.path}")
        return answer


class WatchedBroker:
    """A broker whose orders are seen by the sentry before they leave."""

    def __init__(
        self, inner: Broker, sentry: Sentry, store: MortalStore, hunt: Callable[[], None]
    ) -> None:
        self._inner = inner
        self._sentry = sentry
        self._store = store
        self._hunt = hunt

    async def place(self, order: Order) -> str:
        """Place an order."""
        self._sentry.leaving(order, self._store)
        self._hunt()
        return await self._inner.place(order)

    async def cancel(self, order: Order) -> None:
        """Cancel an order."""
        self._hunt()
        await self._inner.cancel(order)

    async def find(self, order: Order) -> BrokerOrder | None:
        """Ask about an order."""
        return await self._inner.find(order)

    async def fills(self, after: str) -> list[Fill]:
        """Ask for fills."""
        return await self._inner.fills(after)

    async def account(self) -> Account:
        """Ask for the account."""
        return await self._inner.account()
