"""The Binance broker over real sockets: signed requests, user streams, broken connections."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from brokers.binance import BinanceBroker
from brokers.broker import BrokerParts
from market.errors import OutcomeUnknown
from market.orders import OrderState, Side
from market.store import Store
from sandbox.order_faults import Channel, OrderFault
from sandbox.server import serve
from tests.brokers.binance_house import KEY, SECRET, BinanceHouse, futures, spot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Order

DEADLINE_SECONDS = 30
MARKETS = pytest.mark.parametrize(("orders", "make"), [("spot", spot), ("futures", futures)])


def run(
    path: Path, orders: str, scenario: Callable[[BinanceHouse, BinanceBroker], Awaitable[None]]
) -> None:
    async def body() -> None:
        house = BinanceHouse(path / "unused.sqlite", orders=orders)
        serving = await serve(house.app)
        sockets = serving.url.replace("http", "ws")
        changes = {
            "spot_url": serving.url,
            "futures_url": serving.url,
            "spot_private_socket_url": f"{sockets}/ws-api/v3",
            "futures_private_socket_url": f"{sockets}/futures/private",
        }
        binance = house.settings.binance.model_copy(update=changes)
        store = Store.open(path / "binance.sqlite")
        async with httpx.AsyncClient() as http, asyncio.timeout(DEADLINE_SECONDS):
            parts = BrokerParts(
                store=store,
                http=http,
                settings=house.settings.model_copy(update={"binance": binance}),
                market_clock=house.clock,
                wall_clock=house.clock,
                calendars={},
            )
            broker = BinanceBroker(parts)
            try:
                await scenario(house, broker)
            finally:
                await broker.close()
                await house.close()
                await serving.stop()
                store.close()

    asyncio.run(body())


@MARKETS
def test_an_order_goes_its_way_and_the_stream_wakes_us(
    tmp_path: Path, orders: str, make: Callable[..., Order], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(house: BinanceHouse, broker: BinanceBroker) -> None:
        await broker.place(make())
        await broker.news()  # the stream is open
        assert await broker.fills("") == []
        await house.trade(Decimal(70_000))
        await broker.news()
        (fill,) = await broker.fills("")
        assert fill.quantity == 10
        found = await broker.find(make())
        assert found is not None
        assert found.state is OrderState.FILLED
        (position,) = await broker.positions()
        assert position.quantity == 10
        assert await broker.open_orders() == []
        await broker.place(make("out", side=Side.SELL, price=None))
        await broker.news()
        assert len(await broker.fills(fill.id)) == 1

    caplog.set_level(logging.INFO)
    run(tmp_path, orders, scenario)
    assert KEY not in caplog.text
    assert SECRET not in caplog.text


@MARKETS
@pytest.mark.parametrize("fault", [OrderFault.LOST_ANSWER, OrderFault.LATE_ANSWER])
def test_a_connection_that_breaks_leaves_an_order_in_doubt(
    tmp_path: Path, orders: str, make: Callable[..., Order], fault: OrderFault
) -> None:
    async def scenario(house: BinanceHouse, broker: BinanceBroker) -> None:
        house.plan.script(Channel.ORDER, fault)
        with pytest.raises(OutcomeUnknown, match="no answer"):
            await broker.place(make())
        assert house.orders_sent == 1
        found = await broker.find(make())
        assert found is not None
        await broker.cancel(make())
        found = await broker.find(make())
        assert found is not None
        assert found.state is OrderState.CANCELED

    run(tmp_path, orders, scenario)
