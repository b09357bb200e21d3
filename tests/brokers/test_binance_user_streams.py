"""User streams: they make fills fresh, spare requests, and are not needed for anything."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brokers.binance_streams import KEEP_ALIVE_MS, _client_id
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.binance_house import BinanceHouse, Run, futures, runner, spot

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.binance_streams import UserStream
    from market.orders import Order

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "binance"
MARKETS = pytest.mark.parametrize("orders", ["spot", "futures"])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def one(orders: str, name: str = "one") -> Order:
    return spot(name) if orders == "spot" else futures(name)


def stream(house: BinanceHouse) -> UserStream:
    (found,) = house.broker._streams.values()
    return found


async def until(is_so: Callable[[], bool]) -> None:
    """Let everything run until something is so."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.001)


async def listening(house: BinanceHouse) -> None:
    """Open the stream, and take what it has not told."""
    await house.broker.fills("")
    await until(lambda: stream(house).heard_since is not None)
    await house.broker.fills("")
    house.exchange.asked.clear()


@MARKETS
def test_news_come_with_a_trade_and_the_order_is_asked_about_at_once(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(one(orders))
        await listening(house)
        await until(house.broker._has_news.is_set)
        await house.broker.news()
        waiting = asyncio.create_task(house.broker.news())
        await asyncio.sleep(0)
        await house.trade(Decimal(70_000))
        async with asyncio.timeout(5):
            await waiting
        assert len(await house.broker.fills("")) == 1

    run(scenario, orders, is_live=True)


@MARKETS
def test_an_order_that_nothing_is_told_of_is_not_asked_about(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(one(orders))
        await listening(house)
        await house.broker.fills("")
        for _ in range(5):
            await house.broker.fills("")
        assert house.exchange.asked == []

    run(scenario, orders, is_live=True)


@MARKETS
def test_a_connection_that_breaks_is_made_again_and_all_is_asked_for(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(one(orders))
        await listening(house)
        feed = house.exchange.feeds[orders == "futures"]
        for session in feed.sessions:
            session.put(None)
        await until(lambda: stream(house).heard_since is None)
        await house.trade(Decimal(70_000))  # nobody hears of it
        assert len(await house.broker.fills("")) == 1
        await until(lambda: stream(house).heard_since is not None)
        assert stream(house).socket.opened_count == 2

    run(scenario, orders, is_live=True)


@MARKETS
def test_what_happened_before_a_connection_was_made_again_is_asked_for(
    run: Run, orders: str
) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(one(orders))
        await listening(house)
        house.plan.script(Channel.MESSAGE, OrderFault.DROPPED)
        await house.trade(Decimal(70_000))  # told to nobody: the connection breaks instead
        await until(lambda: stream(house).heard_since is None)
        await until(lambda: stream(house).heard_since is not None)
        assert len(await house.broker.fills("")) == 1

    run(scenario, orders, is_live=True)


@MARKETS
def test_a_message_that_is_lost_costs_seconds_and_no_fill(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(one(orders))
        await listening(house)
        house.plan.script(Channel.MESSAGE, OrderFault.LOST_MESSAGE)
        await house.trade(Decimal(70_000))
        assert await house.broker.fills("") == []
        poll, since = house.broker._poll, stream(house)._since
        assert since is not None
        stream(house)._since = since - 20
        poll._asked_at = {name: at - 10 for name, at in poll._asked_at.items()}
        assert len(await house.broker.fills("")) == 1

    run(scenario, orders, is_live=True)


def test_a_silent_connection_is_made_again(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.broker._streams["USDT"].socket._silence_seconds = 0.05
        await house.broker.fills("")
        await until(lambda: stream(house).socket.opened_count >= 2)

    run(scenario, is_live=True)


def test_a_listen_key_is_kept_alive(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await listening(house)
        for _ in range(8):
            await house.wait(KEEP_ALIVE_MS / 1000)
            await house.broker.fills("")
        assert len(house.asked("PUT /fapi/v1/listenKey")) == 8
        assert house.keys.is_listening(house.venue_clock.now())
        assert stream(house).socket.opened_count == 1

    run(scenario, "futures", is_live=True)


def test_an_expired_listen_key_is_replaced(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(futures())
        await listening(house)
        before = house.keys.listen_key
        house.exchange.end_listening()
        await until(lambda: stream(house).socket.opened_count == 2)
        await until(lambda: stream(house).heard_since is not None)
        assert house.keys.listen_key != before
        await house.trade(Decimal(70_000))
        await until(lambda: "tt-one" in house.broker._poll._news)
        assert len(await house.broker.fills("")) == 1

    run(scenario, "futures", is_live=True)


def test_a_listen_key_that_ended_without_a_word_is_noticed_when_it_is_kept_alive(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await listening(house)
        house.keys.expire()
        house.exchange.feeds[True].sessions.clear()  # not a word comes
        house.clock.advance(timedelta(milliseconds=KEEP_ALIVE_MS))
        await house.broker.fills("")
        await until(lambda: stream(house).socket.opened_count == 2)

    run(scenario, "futures", is_live=True)


def test_a_subscription_refused_for_its_time_is_made_again_by_the_right_one(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await listening(house)
        house.venue_clock.ahead = timedelta(seconds=30)
        for session in house.exchange.feeds[False].sessions:
            session.put(None)
        await until(lambda: stream(house).socket.opened_count >= 3)
        await until(lambda: stream(house).heard_since is not None)

    run(scenario, is_live=True)


def test_what_cannot_be_read_ends_nothing(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        await listening(house)
        (session,) = house.exchange.feeds[False].sessions
        for odd in ("{", "[]", '"x"', "{}", '{"event": 1}', '{"event": {"e": "executionReport"}}'):
            session.put(odd)
        session.put('{"subscriptionId":0,"event":{"e":"executionReport","c":"tt-one","C":""}}')
        await until(lambda: "tt-one" in house.broker._poll._news)
        assert stream(house).socket.opened_count == 1

    run(scenario, is_live=True)


def test_without_a_stream_all_is_as_well(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.keys.is_revoked = True
        await house.broker.fills("")
        house.keys.is_revoked = False
        await house.broker.place(futures())
        await house.trade(Decimal(70_000))
        assert len(await house.broker.fills("")) == 1
        await house.broker.close()
        await house.broker.close()

    run(scenario, "futures", is_live=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ws_futures_ORDER_TRADE_UPDATE_partial.shape.json", "bot-0001"),
        ("ws_futures_ORDER_TRADE_UPDATE_new.official_example.json", "TEST"),
        ("ws_spot_executionReport_new.adapted_from_official.json", "mUvoqJxFIILMdfAW5iGSOW"),
    ],
)
def test_recorded_events_name_their_order(name: str, expected: str) -> None:
    if not FIXTURES.is_dir():
        pytest.skip("the recorded events are not beside this repository")
    assert _client_id(json.loads((FIXTURES / name).read_text(encoding="utf-8"))) == expected


def test_a_spot_cancel_names_the_order_that_it_ended() -> None:
    assert _client_id({"e": "executionReport", "c": "web_cancel", "C": "tt-one"}) == "tt-one"
