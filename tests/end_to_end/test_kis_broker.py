"""The KIS broker over real sockets: sealed messages, broken connections, maintenance."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr

from brokers.broker import BrokerParts
from brokers.kis import KisBroker
from market.errors import OutcomeUnknown
from market.orders import OrderState
from market.store import Store
from market.types import Venue
from sandbox.order_faults import Channel, OrderFault
from sandbox.server import serve
from tests.brokers.kis_venue import CALENDAR, HTS_ID, KisVenue
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

DEADLINE_SECONDS = 30


def run(path: Path, scenario: Callable[[KisVenue, KisBroker], Awaitable[None]]) -> None:
    async def body() -> None:
        venue = KisVenue(path)
        await venue.shut()  # our side is another one here
        serving = await serve(venue.app)
        changes = {
            "rest_url": serving.url,
            "socket_url": serving.url.replace("http", "ws"),
            "hts_id": SecretStr(HTS_ID),
        }
        kis = venue.settings.kis.model_copy(update=changes)
        settings = venue.settings.model_copy(update={"kis": kis})
        store = Store.open(path / "real.sqlite")
        async with httpx.AsyncClient() as http, asyncio.timeout(DEADLINE_SECONDS):
            parts = BrokerParts(
                store, http, settings, venue.clock, venue.clock, {Venue.KRX: CALENDAR}
            )
            broker = KisBroker(parts)
            try:
                await scenario(venue, broker)
            finally:
                await broker.close()
                await serving.stop()
                store.close()

    asyncio.run(body())


async def listening(broker: KisBroker) -> None:
    """Wait until KIS tells us of orders."""
    while not broker._listener.is_quiet():
        await broker.news()
        await broker.fills("")


def test_an_order_goes_its_way_and_the_socket_wakes_us(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue, broker: KisBroker) -> None:
        await listening(broker)
        await broker.place(order())
        venue.account.trade("005930", Decimal(70_000))
        while not (fills := await broker.fills("")):
            await broker.news()
        assert [fill.quantity for fill in fills] == [10]
        found = await broker.find(order())
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
    async def scenario(venue: KisVenue, broker: KisBroker) -> None:
        venue.plan.script(Channel.ORDER, fault)
        with pytest.raises(OutcomeUnknown, match="did not answer"):
            await broker.place(order())
        found = await broker.find(order())
        assert found is not None
        await broker.cancel(order())
        found = await broker.find(order())
        assert found is not None
        assert found.state is OrderState.CANCELED

    run(tmp_path, scenario)
