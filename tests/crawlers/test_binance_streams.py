"""Which streams go on which connection, and how Binance's refusals are understood."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from config.settings_sources import BinanceSettings
from crawlers.binance_http import BinanceHttp, UnknownSymbol
from crawlers.binance_streams import STREAMS_A_CONNECTION, STREAMS_A_MESSAGE, Streams
from market.errors import SourceChanged, SourceUnavailable
from tests.virtual_time import run_virtual
from venues.binance_markets import binance_markets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

MARKET = binance_markets(BinanceSettings())["USDT-M"]
URL = f"{MARKET.rest_url}/klines"


class DeafSocket:
    """A socket on which nothing ever comes; it keeps what was said."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.said: list[dict[str, Any]] = []

    async def recv(self) -> str:
        await asyncio.sleep(1e9)
        return ""

    async def send(self, message: str) -> None:
        self.said.append(json.loads(message))

    async def close(self) -> None:
        return


def streamed(scenario: Callable[[Streams], Awaitable[None]]) -> list[DeafSocket]:
    """Return the sockets that were opened, in their order."""
    opened: list[DeafSocket] = []

    @asynccontextmanager
    async def connect(url: str) -> AsyncIterator[DeafSocket]:
        opened.append(DeafSocket(url))
        yield opened[-1]

    async def whole() -> None:
        streams = Streams(
            "x", "wss://x.example/market", lambda _: None, silence_seconds=1e6, connect=connect
        )
        await scenario(streams)
        await asyncio.sleep(60)
        await streams.close()

    run_virtual(whole())
    return opened


def symbols(first: int, last: int) -> list[str]:
    return [f"C{number}USDT" for number in range(first, last)]


def of_address(socket: DeafSocket) -> list[str]:
    return socket.url.partition("?streams=")[2].split("/")


def test_the_address_names_the_first_streams_and_messages_the_rest() -> None:
    async def scenario(streams: Streams) -> None:
        await streams.follow(symbols(0, 500))

    (socket,) = streamed(scenario)
    assert socket.url.startswith("wss://x.example/market/stream?streams=c0usdt@kline_1m/c1usdt@")
    assert len(of_address(socket)) == STREAMS_A_MESSAGE
    assert [len(said["params"]) for said in socket.said] == [200, 100]
    assert {said["method"] for said in socket.said} == {"SUBSCRIBE"}
    said = [name for message in socket.said for name in message["params"]]
    assert of_address(socket) + said == [f"{one.lower()}@kline_1m" for one in symbols(0, 500)]


def test_more_streams_than_a_connection_takes_open_another() -> None:
    async def scenario(streams: Streams) -> None:
        await streams.follow(symbols(0, STREAMS_A_CONNECTION + 3))

    first, second = streamed(scenario)
    assert len(first.said) == 3
    assert len(of_address(second)) == 3


def test_who_joins_finds_room_and_who_leaves_makes_it() -> None:
    async def scenario(streams: Streams) -> None:
        await streams.follow(symbols(0, STREAMS_A_CONNECTION))
        await asyncio.sleep(10)
        await streams.follow(symbols(5, STREAMS_A_CONNECTION + 5))

    (socket,) = streamed(scenario)
    left, joined = socket.said[-2:]
    assert (left["method"], len(left["params"])) == ("UNSUBSCRIBE", 5)
    assert (joined["method"], len(joined["params"])) == ("SUBSCRIBE", 5)


def test_a_connection_that_nobody_needs_is_closed() -> None:
    async def scenario(streams: Streams) -> None:
        await streams.follow(symbols(0, 1))
        await asyncio.sleep(10)
        await streams.follow([])
        assert streams.unheard() == []
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert "socket x" not in names
        await streams.follow(symbols(0, 2))

    assert len(streamed(scenario)) == 2


def test_symbols_of_connections_that_are_not_open_are_unheard() -> None:
    async def scenario(streams: Streams) -> None:
        await streams.follow(["BTCUSDT"])
        assert streams.unheard() == ["BTCUSDT"]
        await asyncio.sleep(1)
        assert streams.unheard() == []

    streamed(scenario)


def test_other_alphabets_are_encoded_in_the_address() -> None:
    async def scenario(streams: Streams) -> None:
        await streams.follow(["币安人生USDT"])

    (socket,) = streamed(scenario)
    assert socket.url.endswith("=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@kline_1m")


def refused(answer: httpx.Response) -> tuple[Exception, float]:
    """Return what an answer raises, and how long Binance is left alone after it."""

    async def scenario() -> tuple[Exception, float]:
        async with respx.mock() as mock, httpx.AsyncClient() as client:
            mock.get(URL).mock(return_value=answer)
            http = BinanceHttp(client, MARKET, BinanceSettings(requests_per_second=1000))
            with pytest.raises((SourceUnavailable, SourceChanged)) as caught:
                await http.get("/klines", {"symbol": "BTCUSDT"})
            (gate,) = http._http._gates.values()
            rest = gate.rest_until - asyncio.get_running_loop().time()
            return caught.value, round(rest, 1)

    return asyncio.run(scenario())


def answered(status: int, code: int, text: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "msg": text}, headers=headers)


DATE = "Wed, 09 Sep 2026 10:30:15 GMT"


@pytest.mark.parametrize(
    ("answer", "error", "rest"),
    [
        (answered(429, -1003, **{"Retry-After": "17"}), SourceUnavailable, 17),
        (answered(429, -1003, Date=DATE), SourceUnavailable, 45),
        (answered(429, -1003), SourceUnavailable, 60),
        (answered(418, -1003, **{"Retry-After": "300"}), SourceUnavailable, 300),
        (
            answered(418, -1003, "IP banned until 1788950115000.", Date=DATE),
            SourceUnavailable,
            300,
        ),
        (answered(418, -1003), SourceUnavailable, 120),
    ],
)
def test_a_rest_is_as_long_as_binance_asks_for(
    answer: httpx.Response, error: type[Exception], rest: float
) -> None:
    raised, left = refused(answer)
    assert isinstance(raised, error)
    assert left == pytest.approx(rest, abs=0.2)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, -1121, UnknownSymbol),
        (400, -1102, SourceChanged),
        (400, -1120, SourceChanged),
        (400, -1001, SourceUnavailable),
        (403, 0, SourceUnavailable),
        (404, 0, SourceChanged),
        (503, -1007, SourceUnavailable),
        (503, -1008, SourceUnavailable),
    ],
)
def test_codes_say_what_may_be_done(status: int, code: int, error: type[Exception]) -> None:
    raised, _ = refused(answered(status, code))
    assert isinstance(raised, error)
    assert isinstance(raised, UnknownSymbol) == (error is UnknownSymbol)


def test_the_weight_of_a_minute_is_never_used_up() -> None:
    async def scenario() -> None:
        async with respx.mock() as mock, httpx.AsyncClient() as client:
            used = iter(("2159", "2160"))
            mock.get(URL).mock(
                side_effect=lambda _: httpx.Response(
                    200, headers={"X-MBX-USED-WEIGHT-1M": next(used), "Date": DATE}
                )
            )
            http = BinanceHttp(client, MARKET, BinanceSettings(requests_per_second=1000))
            await http.get("/klines", {})
            await http.get("/klines", {})
            with pytest.raises(SourceUnavailable, match="left alone for 45 more seconds"):
                await http.get("/klines", {})

    asyncio.run(scenario())
