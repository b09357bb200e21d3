"""The pretend Upbit: the documented shapes and quirks, over HTTP and on its sockets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from market.errors import SourceUnavailable
from sandbox.coin_market import MINUTE, CoinMarket
from sandbox.coin_trades import Coin
from sandbox.memory_socket import MemorySocket, connect_in_memory
from sandbox.upbit import Allowance, Upbit, read_to
from sandbox.upbit_faults import Fault, Faults
from sandbox.upbit_routes import upbit_routes
from sandbox.upbit_socket import UpbitSession
from tests.virtual_time import VirtualClock, run_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "upbit"
NOW = datetime(2026, 11, 20, 5, 4, 30, tzinfo=UTC)
COINS = (
    Coin("KRW-BTC", 145_000_000, 1000, trades_per_minute=40, name="비트코인"),
    Coin("KRW-ZETA", 101, 0.1, trades_per_minute=0.4, name="제타체인"),
    Coin("BTC-ETH", 0.033, 1e-8, trades_per_minute=0.5),
    *(Coin(f"KRW-C{number}", 100, 1, trades_per_minute=0.2) for number in range(5)),
)
ZETA = "/v1/candles/minutes/1?market=KRW-ZETA"
BTC = "/v1/candles/minutes/1?market=KRW-BTC"


def fixture(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside this repository")
    return orjson.loads(path.read_bytes())


def asked(
    *paths: str, faults: Faults | None = None, allowance: Allowance | None = None
) -> list[httpx.Response]:
    async def scenario() -> list[httpx.Response]:
        venue = Upbit(CoinMarket(COINS, seed=5), ManualClock(NOW))
        app = Starlette(routes=upbit_routes(venue, faults or Faults(), allowance))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="https://upbit.example"
        ) as http:
            return [await http.get(path) for path in paths]

    return asyncio.run(scenario())


def rows(path: str) -> Any:
    (answer,) = asked(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "name", ["candles_minutes_1.official_example.json", "candles_minutes_1_with_gap.shape.json"]
)
def test_minute_candles_have_the_documented_fields(name: str) -> None:
    expected, row = fixture(name)[0], rows(f"{ZETA}&count=1")[0]
    assert row.keys() == expected.keys()
    for key, value in expected.items():
        assert isinstance(row[key], str) == isinstance(value, str), key


def test_candles_come_newest_first_and_lack_minutes_without_a_trade() -> None:
    starts = [row["candle_date_time_utc"] for row in rows(f"{ZETA}&count=50")]
    assert len(starts) == 50
    assert starts == sorted(set(starts), reverse=True)
    span = datetime.fromisoformat(starts[0]) - datetime.fromisoformat(starts[-1])
    assert span > 60 * MINUTE


def test_candles_are_one_unless_more_are_asked_for_and_200_at_most() -> None:
    assert len(rows(BTC)) == 1
    assert len(rows(f"{BTC}&count=500")) == 200
    assert rows(BTC)[0]["candle_date_time_utc"] == "2026-11-20T05:04:00"  # still open


@pytest.mark.parametrize(
    "to", ["2026-11-20T05:00:00Z", "2026-11-20 05:00:00", "2026-11-20T14:00:00%2B09:00"]
)
def test_the_end_of_candles_is_exclusive_and_utc_unless_it_says_otherwise(to: str) -> None:
    found = rows(f"{BTC}&count=2&to={to}")
    starts = [row["candle_date_time_utc"][11:] for row in found]
    assert starts == ["04:59:00", "04:58:00"]
    assert found[0]["candle_date_time_kst"] == "2026-11-20T13:59:00"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-20T05:00:00Z", "2026-11-20"])
def test_an_odd_end_is_refused(text: str) -> None:
    assert read_to(text) is None
    (answer,) = asked(f"{BTC}&to={text}")
    assert answer.status_code == 400
    assert answer.json()["error"]["name"] == 400  # an int, in the quotation API


def test_days_begin_at_midnight_utc_and_know_the_close_before() -> None:
    found = rows("/v1/candles/days?market=KRW-BTC&count=3")
    starts = [row["candle_date_time_utc"] for row in found]
    assert starts == [f"2026-11-{day}T00:00:00" for day in (20, 19, 18)]
    assert found[0]["candle_date_time_kst"] == "2026-11-20T09:00:00"
    assert found[0]["prev_closing_price"] == found[1]["trade_price"]


def test_tickers_have_the_fields_of_the_stream() -> None:
    expected = fixture("ws_ticker.adapted_from_official.json")
    row = rows("/v1/ticker?markets=KRW-BTC")[0]
    only_streamed = {"type", "code", "ask_bid", "acc_ask_volume", "acc_bid_volume", "stream_type"}
    only_streamed |= {"market_state", "is_trading_suspended", "delisting_date", "market_warning"}
    assert row.keys() >= expected.keys() - only_streamed
    for key in expected.keys() - only_streamed:
        assert isinstance(row[key], str) == isinstance(expected[key], str), key


def test_tickers_agree_with_candles() -> None:
    ticker, candle = rows("/v1/ticker?markets=KRW-BTC")[0], rows(BTC)[0]
    day = rows("/v1/candles/days?market=KRW-BTC&count=2")
    assert ticker["trade_price"] == candle["trade_price"]
    assert ticker["trade_timestamp"] == candle["timestamp"]
    assert ticker["acc_trade_volume"] == day[0]["candle_acc_trade_volume"]
    assert ticker["acc_trade_volume"] < ticker["acc_trade_volume_24h"]
    assert ticker["prev_closing_price"] == day[1]["trade_price"]


def test_one_unknown_market_and_no_ticker_is_answered() -> None:
    answer, candles = asked("/v1/ticker?markets=KRW-BTC,KRW-NOWHERE", f"{BTC}S")
    for one in (answer, candles):
        assert one.status_code == 404
        assert one.json() == {"error": {"name": 404, "message": "Code not found"}}


def test_all_tickers_are_those_of_a_currency() -> None:
    codes = [row["market"] for row in rows("/v1/ticker/all?quote_currencies=BTC")]
    assert codes == ["BTC-ETH"]
    assert len(rows("/v1/ticker/all?quote_currencies=KRW,BTC")) == len(COINS)


def test_markets_tell_names_and_warnings() -> None:
    found = rows("/v1/market/all?is_details=true")
    assert [row["market"] for row in found] == [coin.symbol for coin in COINS]
    assert found[0]["korean_name"] == "비트코인"
    assert [row["market_event"]["warning"] for row in found].count(True) == 1


def test_the_rest_of_a_second_is_told() -> None:
    answers = asked(BTC, BTC, "/v1/ticker?markets=KRW-BTC")
    told = [answer.headers["Remaining-Req"] for answer in answers]
    assert told[0] == "group=candles; min=540; sec=9"
    assert told[1].endswith("sec=8")
    assert told[2] == "group=ticker; min=540; sec=9"


def test_too_many_requests_are_refused_and_who_goes_on_is_shut_out() -> None:
    allowance = Allowance(a_second=2)
    statuses = [answer.status_code for answer in asked(*[BTC] * 9, allowance=allowance)]
    assert statuses == [200, 200, 429, 429, 429, 429, 418, 418, 418]
    assert allowance.blocked_until == NOW + timedelta(seconds=10)
    assert allowance.spend("candles", NOW + timedelta(seconds=10)) == 1


def test_who_is_shut_out_again_is_shut_out_for_longer() -> None:
    allowance = Allowance(a_second=0)
    at = NOW
    lengths = []
    for _ in range(2):
        while allowance.spend("ticker", at) != -2:
            pass
        assert allowance.blocked_until is not None
        lengths.append(allowance.blocked_until - at)
        at = allowance.blocked_until
    assert lengths == [timedelta(seconds=10), timedelta(seconds=20)]


@pytest.mark.parametrize(
    ("fault", "status"), [("busy", 429), ("teapot", 418), ("broken", 500), ("gone", 410)]
)
def test_a_fault_is_the_whole_answer(fault: str, status: int) -> None:
    (answer,) = asked(BTC, faults=Faults(fault=Fault(fault)))
    assert answer.status_code == status


def subscription(*codes: str, **more: Any) -> str:
    parts = [{"ticket": "t"}, {"type": "candle.1m", "codes": codes, **more}, {"format": "DEFAULT"}]
    return orjson.dumps(parts).decode()


def session(clock: ManualClock, faults: Faults | None = None) -> UpbitSession:
    return UpbitSession(Upbit(CoinMarket(COINS, seed=5), clock), faults or Faults())


def told(one: UpbitSession) -> list[Any]:
    return [orjson.loads(frame) for frame in one.frames()]


def test_a_subscription_begins_with_a_snapshot_of_the_recorded_shape() -> None:
    expected = fixture("ws_candle_1m.recorded.json")
    one = session(ManualClock(NOW))
    one.hear(subscription("KRW-BTC"))
    (row,) = told(one)
    assert row.keys() == expected.keys()
    assert row["stream_type"] == "SNAPSHOT"
    assert {key: type(row[key]) for key in row} == {key: type(expected[key]) for key in row}


def test_every_change_is_streamed_as_the_chart_shows_it() -> None:
    clock = ManualClock(NOW)
    one = session(clock)
    one.hear(subscription("KRW-BTC"))
    newest = told(one)[0]
    streams = []
    for _ in range(40):
        clock.advance(timedelta(seconds=1))
        for row in told(one):
            streams.append(row["stream_type"])
            assert row["candle_date_time_utc"] >= newest["candle_date_time_utc"]
            newest = row
    assert set(streams) == {"REALTIME"}
    market = CoinMarket(COINS, seed=5)
    (candle,) = market.candles("KRW-BTC", NOW + MINUTE / 2, NOW + MINUTE, clock.now())
    assert newest["candle_acc_trade_volume"] == candle.volume
    assert newest["trade_price"] == candle.close


def test_a_new_subscription_replaces_the_one_before() -> None:
    one = session(ManualClock(NOW))
    one.hear(subscription("KRW-BTC", "KRW-NOWHERE"))
    assert list(one.codes) == ["KRW-BTC"]
    one.hear(subscription("KRW-ZETA", "KRW-C1"))
    assert list(one.codes) == ["KRW-ZETA", "KRW-C1"]
    assert [row["code"] for row in told(one)] == ["KRW-BTC", "KRW-ZETA", "KRW-C1"]


def test_only_snapshot_and_only_realtime_are_kept_apart() -> None:
    one = session(ManualClock(NOW))
    one.hear(subscription("KRW-BTC", is_only_realtime=True))
    assert (told(one), one.codes) == ([], ("KRW-BTC",))
    one.hear(subscription("KRW-BTC", is_only_snapshot=True))
    assert (len(told(one)), one.codes) == (1, ())


@pytest.mark.parametrize(
    ("request_text", "name"),
    [
        ("hello", "WRONG_FORMAT"),
        ('{"ticket":"t"}', "WRONG_FORMAT"),
        ('[{"type":"candle.1m","codes":["KRW-BTC"]}]', "NO_TICKET"),
        ('[{"ticket":"t"}]', "NO_TYPE"),
        ('[{"ticket":"t"},{"type":"candle.1m"}]', "NO_CODES"),
        ('[{"ticket":"t"},{"type":"candle.7m","codes":["KRW-BTC"]}]', "INVALID_PARAM"),
    ],
)
def test_a_request_that_cannot_be_followed_is_answered_with_a_name(
    request_text: str, name: str
) -> None:
    one = session(ManualClock(NOW))
    one.hear(request_text)
    (row,) = told(one)
    assert row["error"]["name"] == name
    assert not one.is_over


def test_error_messages_have_the_shape_of_the_fixtures() -> None:
    expected = {
        row["error"]["name"]: row["error"].keys()
        for row in fixture("ws_errors.names_official_texts_guessed.json")
        if "error" in row
    }
    one = session(ManualClock(NOW))
    one.hear("hello")
    (row,) = told(one)
    assert row["error"].keys() == expected["WRONG_FORMAT"]


def test_a_ping_is_answered_every_ten_seconds() -> None:
    clock = ManualClock(NOW)
    one = session(clock)
    one.hear("PING")
    beats = []
    for _ in range(30):
        beats += told(one)
        clock.advance(timedelta(seconds=1))
    assert beats == [{"status": "UP"}] * 3


def test_who_says_too_much_is_thrown_out() -> None:
    one = session(ManualClock(NOW))
    for _ in range(6):
        one.hear("PING")
    assert one.is_over
    assert told(one)[0]["error"]["name"] == "Too Many Requests"


def test_a_connection_without_traffic_ends_after_two_minutes() -> None:
    clock = ManualClock(NOW)
    one = session(clock)
    clock.advance(timedelta(seconds=119))
    assert (told(one), one.is_over) == ([], False)
    clock.advance(timedelta(seconds=1))
    assert (told(one), one.is_over) == ([], True)


def test_what_was_lost_or_stalled_never_comes() -> None:
    clock, faults = ManualClock(NOW), Faults(lost={"KRW-BTC"})
    one = session(clock, faults)
    one.hear(subscription("KRW-BTC", "KRW-ZETA", is_only_realtime=True))
    for _ in range(120):
        clock.advance(timedelta(seconds=1))
        assert {row["code"] for row in told(one)} <= {"KRW-ZETA"}
    faults.lost, faults.is_stalled = set(), True
    clock.advance(timedelta(seconds=20))
    assert told(one) == []
    faults.is_stalled = False
    assert told(one) == []


def over_a_socket(talk: Callable[[MemorySocket, Faults], Awaitable[Any]]) -> Any:
    async def scenario() -> Any:
        faults = Faults()
        venue = Upbit(CoinMarket(COINS, seed=5), VirtualClock(NOW))
        app = Starlette(routes=upbit_routes(venue, faults))
        async with connect_in_memory(app)("wss://upbit.example/websocket/v1") as socket:
            return await talk(socket, faults)

    return run_virtual(scenario())


def test_frames_are_binary() -> None:
    async def talk(socket: MemorySocket, faults: Faults) -> bytes | str:
        await socket.send(subscription("KRW-BTC"))
        return await socket.recv()

    frame = over_a_socket(talk)
    assert isinstance(frame, bytes)
    assert orjson.loads(frame)["code"] == "KRW-BTC"


@pytest.mark.parametrize("is_dropped", [True, False])
def test_a_dropped_or_idle_socket_is_closed(is_dropped: bool) -> None:
    async def talk(socket: MemorySocket, faults: Faults) -> float:
        if is_dropped:
            await asyncio.sleep(1)  # virtual
            faults.drop()
        with pytest.raises(SourceUnavailable):
            await socket.recv()
        return asyncio.get_running_loop().time()

    assert over_a_socket(talk) == pytest.approx(1 if is_dropped else 120, abs=1)


def test_an_odd_message_goes_to_everybody_once() -> None:
    async def talk(socket: MemorySocket, faults: Faults) -> bytes | str:
        await socket.send("PING")
        await socket.recv()
        faults.odd.append("odd")
        return await socket.recv()

    assert over_a_socket(talk) == b"odd"


def test_a_refused_socket_does_not_open() -> None:
    async def scenario() -> None:
        venue = Upbit(CoinMarket(COINS, seed=5), ManualClock(NOW))
        app = Starlette(routes=upbit_routes(venue, Faults(is_refusing=True)))
        async with connect_in_memory(app)("wss://upbit.example/websocket/v1"):
            pass

    with pytest.raises(SourceUnavailable):
        asyncio.run(scenario())
