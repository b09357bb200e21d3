"""The pretend Binance tells what the real one does, in its shapes."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from market.types import from_ms, to_ms
from sandbox.binance import MINUTE_MS, PretendBinance
from sandbox.binance_lists import exchange_info, ticker
from sandbox.binance_routes import BinanceWires, binance_routes
from sandbox.binance_socket import MOST_STREAMS, BinanceSession
from sandbox.binance_weights import Weights
from sandbox.coin_market import LONGEST_LAG_MS, CoinMarket
from sandbox.coin_trades import Coin
from sandbox.memory_socket import connect_in_memory
from tests.virtual_time import VirtualClock, run_virtual

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "binance"
needs_fixtures = pytest.mark.skipif(not FIXTURES.exists(), reason="the fixtures are not here")

NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=UTC)
COINS = [
    Coin("BTCUSDT", 61_000, 0.1, trades_per_minute=40, step=0.001),
    Coin("DOGEUSDT", 0.11, 0.00001, trades_per_minute=0.3, step=1),
]
SPOT = PretendBinance(CoinMarket(COINS, seed=5))
FUTURES = PretendBinance(CoinMarket(COINS, seed=5), is_futures=True)
BOTH = pytest.mark.parametrize("venue", [SPOT, FUTURES], ids=["spot", "futures"])


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def shape(value: Any) -> Any:
    """Return names and kinds of what is there."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in value}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


def rows(venue: PretendBinance, symbol: str, minutes: int, limit: int = 500) -> list[Any]:
    end = to_ms(NOW)
    start = (end // MINUTE_MS - minutes) * MINUTE_MS
    return venue.klines(symbol, "1m", start, end, limit, NOW)


def streamed(venue: PretendBinance, symbol: str, minutes: int, step_ms: int) -> list[Any]:
    """Return the klines that a stream tells, asked again and again."""
    at, told, found = NOW, venue.told(symbol, NOW), list[Any]()
    while at < NOW + timedelta(minutes=minutes):
        at += timedelta(milliseconds=step_ms)
        events, told = venue.events(symbol, told, at)
        found += [event["k"] for event in events]
    return found


@needs_fixtures
def test_klines_and_events_have_the_documented_shapes() -> None:
    (row,) = fixture("fapi_klines.shape.json")
    event = fixture("ws_kline_combined.shape.json")["data"]
    for venue in (SPOT, FUTURES):
        assert shape(rows(venue, "BTCUSDT", 1)[0]) == shape(row)
        events, _ = venue.events("BTCUSDT", venue.told("BTCUSDT", NOW), NOW + timedelta(seconds=9))
        assert shape(events[0]) == shape(event)


@needs_fixtures
def test_the_list_names_what_the_documents_do() -> None:
    documented = fixture("fapi_exchangeInfo_BTCUSDT.shape.json")
    whole = exchange_info(FUTURES, NOW)
    assert documented.keys() <= whole.keys()
    wanted = {"symbol", "pair", "contractType", "status", "baseAsset", "quoteAsset", "filters"}
    assert wanted <= documented["symbols"][0].keys() & whole["symbols"][0].keys()
    assert whole["symbols"][0]["filters"][0]["tickSize"] == "0.1"


@needs_fixtures
def test_too_much_is_refused_in_the_documented_words() -> None:
    for status in (429, 418):
        (body,) = fixture("errors.json")[str(status)]
        weights = Weights(2400)
        if status == 418:
            weights.ban(from_ms(1795151999000) - timedelta(seconds=120))
        refusal = weights.spend(2401, from_ms(1795151999000) - timedelta(seconds=60))
        assert refusal is not None
        assert (refusal.status, refusal.text) == (status, body["msg"])
        assert refusal.retry_after == (1 if status == 429 else 60)


def test_who_goes_on_after_refusals_is_banned_and_let_in_again() -> None:
    weights = Weights(10)
    statuses = [weights.spend(6, NOW) for _ in range(8)]
    assert [None if one is None else one.status for one in statuses] == [None] + [429] * 5 + [
        418
    ] * 2
    assert weights.spend(6, NOW + timedelta(seconds=121)) is None


@BOTH
def test_klines_are_one_a_minute_flat_where_nothing_traded(venue: PretendBinance) -> None:
    found = rows(venue, "DOGEUSDT", 60)
    starts = [row[0] for row in found]
    assert starts == list(range(starts[0], starts[0] + 61 * MINUTE_MS, MINUTE_MS))
    flat = [row for row in found if row[8] == 0]
    assert len(flat) > 20
    for row in flat:
        assert row[1] == row[2] == row[3] == row[4]
        assert float(row[5]) == float(row[7]) == 0
    for before, row in pairwise(found):
        assert row[8] > 0 or row[1] == before[4]


@BOTH
def test_klines_are_the_first_ones_from_the_start(venue: PretendBinance) -> None:
    assert rows(venue, "BTCUSDT", 60, limit=7) == rows(venue, "BTCUSDT", 60)[:7]


@BOTH
@pytest.mark.parametrize("step_ms", [250, 2000, 45_000, 200_000])
def test_closed_events_equal_the_rows_of_klines(venue: PretendBinance, step_ms: int) -> None:
    names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    for symbol in ("BTCUSDT", "DOGEUSDT"):
        closed = [one for one in streamed(venue, symbol, 20, step_ms) if one["x"]]
        end = NOW + timedelta(minutes=20)
        whole = venue.klines(symbol, "1m", to_ms(NOW) - 15_000, to_ms(end), 100, end)
        truth = {row[0]: row for row in whole if row[8] > 0 or not venue.is_futures}
        assert closed
        for one in closed:
            assert [one[name] for name in names] == truth[one["t"]]
        told = [one["t"] for one in closed]
        assert told == [start for start in truth if start <= told[-1]]


def test_a_minute_is_closed_before_the_next_begins() -> None:
    found = streamed(FUTURES, "BTCUSDT", 5, 250)
    for one, other in pairwise(found):
        assert one["t"] <= other["t"]
        if one["t"] < other["t"]:
            assert one["x"]


def test_futures_tell_nothing_where_nothing_trades_and_spot_does() -> None:
    silent = [one for one in streamed(FUTURES, "DOGEUSDT", 20, 2000) if one["n"] == 0]
    flat = [one for one in streamed(SPOT, "DOGEUSDT", 20, 2000) if one["n"] == 0]
    assert silent == []
    assert flat
    assert all(one["x"] and (one["f"], one["L"]) == (-1, -1) for one in flat)


@BOTH
def test_a_ticker_counts_the_last_day(venue: PretendBinance) -> None:
    shown = ticker(venue, "BTCUSDT", NOW)
    last = venue.market.last("BTCUSDT", NOW)
    assert last is not None
    assert float(shown["lastPrice"]) == pytest.approx(last.price)
    assert float(shown["lowPrice"]) <= last.price <= float(shown["highPrice"])
    assert shown["closeTime"] - shown["openTime"] == 86_400_000


def session(venue: PretendBinance = FUTURES, *names: str) -> tuple[BinanceSession, BinanceWires]:
    wires = BinanceWires(ManualClock(NOW))
    return BinanceSession(venue, wires.faults, names, NOW), wires


def answer(talk: BinanceSession, text: str) -> Any:
    talk.hear(text, NOW, second=0)
    return json.loads(talk.frames(NOW)[0])


def test_a_socket_answers_what_it_is_told() -> None:
    talk, _ = session(FUTURES, "btcusdt@kline_1m")
    assert answer(talk, '{"method":"LIST_SUBSCRIPTIONS","id":1}') == {
        "result": ["btcusdt@kline_1m"],
        "id": 1,
    }
    said = {"method": "SUBSCRIBE", "params": ["dogeusdt@kline_1m"], "id": 2}
    assert answer(talk, json.dumps(said)) == {"result": None, "id": 2}
    said = {"method": "UNSUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 3}
    assert answer(talk, json.dumps(said)) == {"result": None, "id": 3}
    assert answer(talk, '{"method":"LIST_SUBSCRIPTIONS","id":4}')["result"] == ["dogeusdt@kline_1m"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 3),
        ("[]", 2),
        ('{"method":"SUBSCRIBE"}', 2),
        ('{"method":"DANCE","id":1}', 2),
        (json.dumps({"method": "SUBSCRIBE", "params": [f"{n}" for n in range(1025)], "id": 1}), 4),
    ],
)
def test_a_socket_refuses_what_it_does_not_understand(text: str, code: int) -> None:
    talk, _ = session()
    assert answer(talk, text)["error"]["code"] == code
    assert MOST_STREAMS == 1024


def test_names_of_no_stream_stay_silent() -> None:
    talk, _ = session(SPOT, "nosuch@kline_1m", "BTCUSDT@kline_1m", "btcusdt@kline_5m")
    assert talk.frames(NOW + timedelta(minutes=3)) == []


def test_too_long_a_message_is_ignored_without_a_word() -> None:
    talk, _ = session()
    names = [f"coin{number}usdt@kline_1m" for number in range(500)]
    said = {"method": "SUBSCRIBE", "params": names, "id": 1}
    talk.hear(json.dumps(said), NOW, second=0)
    assert talk.frames(NOW) == []


@pytest.mark.parametrize(("venue", "most"), [(SPOT, 5), (FUTURES, 10)], ids=["spot", "futures"])
def test_who_says_too_much_in_a_second_is_shut_out(venue: PretendBinance, most: int) -> None:
    talk, _ = session(venue)
    for number in range(2 * most):
        talk.hear('{"method":"LIST_SUBSCRIPTIONS","id":1}', NOW, second=number * 1.01 / most)
    assert not talk.is_over
    for _ in range(most):
        talk.hear('{"method":"LIST_SUBSCRIPTIONS","id":1}', NOW, second=9)
    assert not talk.is_over
    talk.hear('{"method":"LIST_SUBSCRIPTIONS","id":1}', NOW, second=9)
    assert talk.is_over


def test_a_connection_ends_after_a_day() -> None:
    talk, _ = session()
    talk.frames(NOW + timedelta(hours=23, minutes=59))
    assert not talk.is_over
    talk.frames(NOW + timedelta(hours=24))
    assert talk.is_over


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/futures/market/stream", 1),
        ("/spot/stream", 1),
        ("/futures/stream", 0),
        ("/futures/ws", 0),
    ],
)
def test_the_old_paths_of_futures_connect_and_stay_silent(path: str, count: int) -> None:
    async def scenario() -> list[str | bytes]:
        wires = BinanceWires(VirtualClock(NOW))
        app = Starlette(routes=binance_routes(SPOT, FUTURES, wires))
        heard: list[str | bytes] = []
        url = f"ws://x.example{path}?streams=btcusdt@kline_1m"
        async with connect_in_memory(app)(url) as socket:
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    heard.append(await socket.recv())
        return heard

    assert len(run_virtual(scenario())) == count


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("interval=1m", -1102),
        ("symbol=NOSUCH&interval=1m", -1121),
        ("symbol=BTCUSDT&interval=7m", -1120),
    ],
)
def test_requests_that_cannot_be_are_refused(query: str, code: int) -> None:
    async def scenario() -> httpx.Response:
        app = Starlette(routes=binance_routes(SPOT, FUTURES, BinanceWires(ManualClock(NOW))))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.get(f"https://x.example/fapi/v1/klines?{query}")

    answer = run_virtual(scenario())
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_weights_are_counted_and_told() -> None:
    async def scenario() -> list[str]:
        app = Starlette(routes=binance_routes(SPOT, FUTURES, BinanceWires(ManualClock(NOW))))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            used = []
            for limit in (99, 499, 1000, 1500):
                params = f"symbol=BTCUSDT&interval=1m&limit={limit}"
                answer = await client.get(f"https://x.example/fapi/v1/klines?{params}")
                used.append(answer.headers["X-MBX-USED-WEIGHT-1M"])
            return used

    assert run_virtual(scenario()) == ["1", "3", "8", "18"]
    assert LONGEST_LAG_MS < 1_500
