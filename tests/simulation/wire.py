"""The way to the venue: where requests are counted, watched, and survive who sent them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from brokers.broker import Broker
    from market.orders import Order
    from tests.simulation.fate import Fate


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


def watch(
    broker: Broker,
    leaving: Callable[[Order], None],
    answered: Callable[[Order], None],
    hunt: Callable[[], None],
) -> None:
    """Let each order be seen before it leaves and when it was taken, and a hunted life end then.

    The broker stays the object it is: whatever else it offers, the desk finds on it.
    """
    place, cancel = broker.place, broker.cancel

    async def watched_place(order: Order) -> str:
        leaving(order)
        hunt()
        number = await place(order)
        answered(order)
        return number

    async def watched_cancel(order: Order) -> None:
        hunt()
        await cancel(order)

    vars(broker).update(place=watched_place, cancel=watched_cancel)
