"""The Upbit broker over real sockets: signed requests, a signed handshake, broken connections."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from brokers.broker import BrokerParts
from brokers.upbit import UpbitBroker
from config.settings import Settings, UpbitSettings
from market.errors import OutcomeUnknown
from market.orders import OrderState
from market.store import Store
from sandbox.order_faults import Channel, OrderFault
from sandbox.server import serve
from tests.brokers.upbit_venue import ACCESS_KEY, MARKET, SECRET_KEY, UpbitVenue, coin_order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

DEADLINE_SECONDS = 30


def run(path: Path, scenario: Callable[[UpbitVenue, UpbitBroker], Awaitable[None]]) -> None:
    async def body() -> None:
        venue = UpbitVenue(path / "unused")
        serving = await serve(venue.app)
        settings = UpbitSettings.model_validate(
            {
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
                "rest_url": serving.url,
                "private_socket_url": serving.url.replace("http", "ws") + "/websocket/v1/private",
            }
        )
        store = Store.open(path / "upbit.sqlite")
        async with httpx.AsyncClient() as http, asyncio.timeout(DEADLINE_SECONDS):
            parts = BrokerParts(
                store=store,
                http=http,
                settings=Settings(upbit=settings),
                market_clock=venue.clock,
                wall_clock=venue.clock,
                calendars={},
            )
            broker = UpbitBroker(parts)
            try:
                await scenario(venue, broker)
            finally:
                await broker.close()
                await serving.stop()
                store.close()

    asyncio.run(body())


def test_an_order_goes_its_way_and_the_socket_wakes_us(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue, broker: UpbitBroker) -> None:
        await broker.place(coin_order())
        await broker.news()  # the handshake with our token
        await venue.exchange.subscribed()
        venue.orders.trade(MARKET, Decimal(70_000))
        await broker.news()
        (fill,) = await broker.fills("")
        assert (fill.quantity, fill.cost) == (Decimal(10), Decimal(350))
        found = await broker.find(coin_order())
        assert found is not None
        assert found.state is OrderState.FILLED
        (position,) = await broker.positions()
        assert position.quantity == 10
        assert await broker.open_orders() == []

    run(tmp_path, scenario)


@pytest.mark.parametrize("fault", [OrderFault.LOST_ANSWER, OrderFault.LATE_ANSWER])
def test_a_connection_that_breaks_leaves_an_order_in_doubt(
    tmp_path: Path, fault: OrderFault
) -> None:
    async def scenario(venue: UpbitVenue, broker: UpbitBroker) -> None:
        venue.plan.script(Channel.ORDER, fault)
        with pytest.raises(OutcomeUnknown, match="did not answer"):
            await broker.place(coin_order())
        assert venue.orders_sent == 1
        found = await broker.find(coin_order())
        assert found is not None
        await broker.cancel(coin_order())
        found = await broker.find(coin_order())
        assert found is not None
        assert found.state is OrderState.CANCELED

    run(tmp_path, scenario)
