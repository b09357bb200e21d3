"""What Upbit's private websocket is good for: it wakes us, and never counts by itself."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
import pytest

from brokers.upbit_auth import UpbitAuth
from brokers.upbit_news import UpbitNews
from market.errors import SourceChanged, SourceUnavailable
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.upbit_venue import UpbitVenue, coin_order, upbit_venue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

DEADLINE_SECONDS = 10


def run(path: Path, scenario: Callable[[UpbitVenue], Awaitable[None]]) -> None:
    async def body() -> None:
        async with upbit_venue(path) as venue, asyncio.timeout(DEADLINE_SECONDS):
            await scenario(venue)

    asyncio.run(body())


async def until(is_so: Callable[[], bool]) -> None:
    """Let the others run until it is so."""
    for _ in range(10_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


async def subscribed(venue: UpbitVenue) -> None:
    """Wait until the venue would tell us; the connection itself is the first news."""
    await venue.broker.news()
    await venue.exchange.subscribed()


async def is_quiet(venue: UpbitVenue) -> bool:
    """Tell whether no news come in as many turns as they would need."""
    waiting = asyncio.create_task(venue.broker.news())
    for _ in range(50):
        await asyncio.sleep(0)
    is_done = waiting.done()
    waiting.cancel()
    return not is_done


def test_a_trade_wakes_who_waits_for_news(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order())
        await subscribed(venue)
        assert await is_quiet(venue)
        await venue.trade(70_000)
        await venue.broker.news()
        (fill,) = await venue.broker.fills("")
        assert fill.quantity == 10

    run(tmp_path, scenario)


def test_foreign_orders_and_their_money_are_news_too(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await subscribed(venue)
        limit = {"market": "KRW-ZETA", "side": "bid", "ord_type": "limit"}
        venue.orders.create({**limit, "price": "60000", "volume": "1"})
        await venue.broker.news()

    run(tmp_path, scenario)


def test_a_new_connection_is_a_reason_to_ask(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order(quantity=Decimal(1)))
        await subscribed(venue)
        venue.plan.script(Channel.MESSAGE, OrderFault.DROPPED)
        await venue.broker.place(coin_order("two", quantity=Decimal(1)))
        await venue.broker.news()  # of the order, before the connection broke
        await venue.trade(70_000)  # nobody hears
        await venue.broker.news()  # the next connection
        assert len(await venue.broker.fills("")) == 2

    run(tmp_path, scenario)


def test_a_refused_key_opens_nothing_and_shows_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        venue.keys.is_revoked = True
        venue.broker._news.ensure()
        await until(lambda: "upbit orders:" in caplog.text)
        assert not venue.broker._news.is_open
        assert await is_quiet(venue)
        for secret in venue.secrets:
            assert secret not in caplog.text

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"<html>", SourceChanged),
        (b"[]", SourceChanged),
        ({"error": {"name": "INVALID_AUTH"}}, SourceChanged),
        ({"error": {"name": "Too Many Requests"}}, SourceUnavailable),
    ],
)
def test_complaints_are_told_and_are_no_news(
    tmp_path: Path, message: bytes | dict[str, object], error: type[Exception]
) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        settings = venue.settings.upbit
        news = UpbitNews(settings, UpbitAuth(settings), connect_in_memory(venue.app))
        with pytest.raises(error):
            news._hear(message if isinstance(message, bytes) else orjson.dumps(message))
        news._hear(b'{"status":"UP"}')
        assert not news._happened.is_set()

    run(tmp_path, scenario)


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await subscribed(venue)
        await venue.broker.close()
        await venue.broker.close()
        assert venue.orders.heard == []

    run(tmp_path, scenario)
