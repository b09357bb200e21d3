"""Coins through the whole bot: real sockets that break, a restart, orders in won."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.market_time import ScaledTime
from config.load import write_folder
from market.clock import SystemClock
from sandbox.binance import PretendBinance
from sandbox.binance_routes import FUTURES_SOCKETS, SPOT_SOCKETS, BinanceWires, binance_routes
from sandbox.coin_market import CoinMarket
from sandbox.coin_trades import Coin
from sandbox.upbit import Upbit
from sandbox.upbit_faults import Faults
from sandbox.upbit_routes import upbit_routes
from tests.end_to_end.live_house import LiveHouse, live_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from market.signals import Signal

SPEED = 30.0
"""A minute is over in two seconds."""
START = datetime(2026, 11, 24, 3, 10, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PUSH_SECONDS = 0.05
WON, SPOT, FUTURES = "UPBIT:KRW-BTC", "BINANCE:BTCUSDT", "BINANCE:BTCUSDT.P"
IDS = (WON, SPOT, FUTURES)
PRICES = {True: r"\n\d{2,3},\d{3},000원  ", False: r"\n\d{2,3},\d{3}\.\d\d USDT  "}
"""How prices read in an alert, whether paid in won or not."""
INSTRUMENTS = """\
- {code: 005930, name: 삼성전자, market: KOSPI, kind: stock}
- {code: KRW-BTC, name: 비트코인, market: UPBIT, kind: coin}
- {code: BTCUSDT, name: Bitcoin, market: BINANCE, kind: coin}
- {code: BTCUSDT.P, name: Bitcoin 무기한, market: BINANCE-FUTURES, kind: coin}
"""
CONDITION = """\
name: minute-up
describe: a minute that rises / 오른 1분봉
universe: [UPBIT:KRW-BTC, BINANCE:BTCUSDT, BINANCE:BTCUSDT.P]
timeframe: 1m
when:
  all:
    - close > open
    - value > 0 KRW
fire: every bar
"""


@dataclass
class Coins:
    """The pretend venues, what goes wrong at them, and the bot in front of them."""

    house: LiveHouse
    markets: dict[str, CoinMarket]
    upbit: Faults
    binance: BinanceWires

    def judged(self) -> datetime:
        """Return the start of the newest minute that every coin's bar of was committed."""
        bars = self.house.heard.of("bar")
        newest: list[datetime] = [
            max(bar["start"] for bar in bars if bar["instrument"] == one) for one in IDS
        ]
        return min(newest)

    async def pass_minutes(self, count: int) -> None:
        """Wait until so many more minutes are judged of every coin."""
        until = self.judged() + count * MINUTE
        await self.house.heard.until(lambda: self.judged() >= until)

    def rises(self, end: datetime) -> set[tuple[str, datetime]]:
        """Return which minutes have risen, as the venues' own candles tell afterwards.

        The first is that of the start: a first start judges nothing of the past.
        """
        first = START.replace(second=0)
        return {
            (one, candle.start)
            for one, market in self.markets.items()
            for candle in market.candles(market.symbols[0], first, end, end + 10 * MINUTE)
            if candle.close > candle.open
        }

    async def signals(self) -> list[Signal]:
        return await self.house.app.store.read(lambda tx: tx.signals.recent(10_000))


def write_files(folder: Path) -> None:
    write_folder(folder)
    for path in (folder / "conditions").glob("*.yaml"):
        path.unlink()
    (folder / "conditions" / "minute_up.yaml").write_text(CONDITION, encoding="utf-8")
    (folder / "instruments.yaml").write_text(INSTRUMENTS, encoding="utf-8")
    for path in (folder / "universes").glob("*.yaml"):
        path.unlink()


@asynccontextmanager
async def coins(folder: Path) -> AsyncIterator[Coins]:
    time = ScaledTime(SystemClock(), START, 1.0)  # nothing passes during the first start
    won = CoinMarket([Coin("KRW-BTC", 140_000_000.0, 1_000.0, 60.0, name="비트코인")], seed=7)
    spot = CoinMarket([Coin("BTCUSDT", 95_000.0, 0.01, 60.0, 2_000.0, 0.00001)], seed=7)
    futures = CoinMarket([Coin("BTCUSDT", 95_100.0, 0.1, 60.0, 5_000.0, 0.001)], seed=11)
    upbit, wires = Faults(), BinanceWires(time, push_seconds=PUSH_SECONDS)
    routes = [
        *upbit_routes(Upbit(won, time), upbit, push_seconds=PUSH_SECONDS),
        *binance_routes(PretendBinance(spot), PretendBinance(futures, is_futures=True), wires),
    ]

    def environment(url: str) -> dict[str, str]:
        socket = url.replace("http", "ws")
        return {
            "TICKTALK_UPBIT_REST_URL": url,
            "TICKTALK_UPBIT_SOCKET_URL": f"{socket}/websocket/v1",
            "TICKTALK_UPBIT_SILENCE_SECONDS": "5",
            "TICKTALK_UPBIT_REQUESTS_PER_SECOND": "100",
            "TICKTALK_BINANCE_SPOT_URL": url,
            "TICKTALK_BINANCE_FUTURES_URL": url,
            "TICKTALK_BINANCE_SPOT_SOCKET_URL": f"{socket}{SPOT_SOCKETS}",
            "TICKTALK_BINANCE_FUTURES_SOCKET_URL": f"{socket}{FUTURES_SOCKETS}",
            "TICKTALK_BINANCE_SILENCE_SECONDS": "5",
            "TICKTALK_BINANCE_REQUESTS_PER_SECOND": "100",
            "TICKTALK_CRAWL_COINS_EVERY_SECONDS": "5",
        }

    write_files(folder)
    async with live_house(folder, time, routes, environment) as house:
        markets = {WON: won, SPOT: spot, FUTURES: futures}
        yield Coins(house, markets, upbit, wires)


async def first_bars(here: Coins) -> None:
    house = here.house
    await house.heard.until(lambda: {bar["instrument"] for bar in house.heard.of("bar")} >= {*IDS})


async def go_through_it_all(here: Coins) -> None:
    """Drop the sockets, let them stall, be away for three minutes."""
    house, upbit, binance = here.house, here.upbit, here.binance.faults
    await house.start()
    house.pace(SPEED)
    await first_bars(here)
    opened = upbit.opened, len(binance.opened)
    upbit.drop()
    here.binance.drop()
    await here.pass_minutes(2)
    assert (upbit.opened, len(binance.opened)) >= (opened[0] + 1, opened[1] + 2)
    upbit.is_stalled = binance.is_stalled = True
    await here.pass_minutes(2)
    upbit.is_stalled = binance.is_stalled = False
    await here.pass_minutes(1)
    await house.stop()
    house.leap(house.time.now() + 3 * MINUTE)
    await house.start()
    await here.pass_minutes(2)


def test_alerts_of_coins_survive_broken_sockets_and_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with coins(tmp_path) as here:
            await go_through_it_all(here)
            signals = await here.signals()
            fired = [(one.instrument, one.bar_start) for one in signals]
            assert len(fired) == len(set(fired))
            end = here.judged() + MINUTE
            assert {one for one in fired if one[1] < end} == here.rises(end)
            assert end - START > 9 * MINUTE
            told = here.house.alerts
            await here.house.until_said(lambda: len(told()) >= len(fired))
            captions = [one.text for one in told()]
            assert len(captions) == len(set(captions))
            assert any("늦은 알림" in one for one in captions)
            for caption in captions:
                assert re.search(PRICES["(KRW-BTC)" in caption], caption), caption

    asyncio.run(scenario())


def test_a_coin_is_bought_in_won_and_in_dollars(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with coins(tmp_path) as here:
            house = here.house
            await house.start()
            in_dollars = await house.answer("/buy BTCUSDT 0.01")
            assert re.search(r"예상 금액 [\d,]+\.\d{2} USDT · 수수료", in_dollars.text)
            assert "접수" in await house.tap(in_dollars, "oc:")
            asked = await house.answer("/buy KRW-BTC")
            assert re.search(r"현재가 \d{2,3},\d{3},000원 \(.* 전\) · 보유 0 BTC", asked.text)
            labels = [button.label for row in asked.buttons for button in row]
            assert re.fullmatch(r"0\.0000\d{3,4} BTC", labels[0]), labels
            assert "5,000원" in await house.type("/buy UPBIT:KRW-BTC 0.00001")
            assert "호가 단위" in await house.type("/buy UPBIT:KRW-BTC 0.001 113000500")
            card = await house.answer("/buy 비트코인 0.0105")
            assert re.search(r"0\.0105 BTC · 시장가", card.text), card.text
            assert "접수" in await house.tap(card, "oc:")
            house.pace(SPEED)
            await house.until_said(lambda: "체결 완료" in house.text_of(card))
            assert re.search(r"0\.0105 BTC 체결 · 평균 \d{2,3},\d{3},\d{3}원", house.text_of(card))
            held = await house.type("/positions")
            assert "비트코인 0.0105 BTC" in held

    asyncio.run(scenario())
