"""Tick sizes at Upbit: the table, exceptions from it, and what is remembered."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.errors import OrderRejected
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.upbit_venue import COIN, MARKET, UpbitVenue, coin_order, upbit_venue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

PRICE = Decimal(70_000)
ASKED = "GET /v1/orderbook/instruments"
A_DAY = 24 * 3600


def run(
    path: Path,
    scenario: Callable[[UpbitVenue], Awaitable[None]],
    ticks: dict[str, Decimal] | None = None,
) -> None:
    async def body() -> None:
        async with upbit_venue(path, ticks=ticks) as venue:
            await venue.trade(PRICE)
            await scenario(venue)

    asyncio.run(body())


def test_a_market_that_goes_by_the_table_does_so_in_every_band(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        assert await venue.broker.tick_size(COIN, PRICE) == 50
        assert await venue.broker.tick_size(COIN, Decimal(101_000)) == 100
        assert await venue.broker.tick_size(COIN, Decimal(4_999)) == 1
        assert venue.exchange.asked.count(ASKED) == 1

    run(tmp_path, scenario)


def test_a_market_of_its_own_step_is_asked_for_once_a_day(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        assert await venue.broker.tick_size(COIN, PRICE) == Decimal("0.5")
        assert await venue.broker.tick_size(COIN, Decimal(71_000)) == Decimal("0.5")
        assert venue.exchange.asked.count(ASKED) == 1
        await venue.wait(A_DAY)
        assert await venue.broker.tick_size(COIN, PRICE) == Decimal("0.5")
        assert venue.exchange.asked.count(ASKED) == 2
        await venue.broker.place(coin_order(price=Decimal("69999.5")))

    run(tmp_path, scenario, {MARKET: Decimal("0.5")})


def test_where_the_venue_cannot_say_the_table_does_for_a_while(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        venue.plan.script(Channel.READ, *[OrderFault.BROKEN_BEFORE] * 3)
        assert await venue.broker.tick_size(COIN, PRICE) == 50
        asked = venue.exchange.asked.count(ASKED)
        assert await venue.broker.tick_size(COIN, PRICE) == 50
        assert venue.exchange.asked.count(ASKED) == asked
        await venue.wait(300)
        assert await venue.broker.tick_size(COIN, PRICE) == Decimal("0.5")

    run(tmp_path, scenario, {MARKET: Decimal("0.5")})


def test_other_venues_ticks_are_not_upbits(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        with pytest.raises(OrderRejected):
            await venue.broker.tick_size("KRX:005930", PRICE)

    run(tmp_path, scenario)
