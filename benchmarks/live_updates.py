"""Measure live updates: 400 futures symbols at 4 kline events a second each, over loopback.

Run it as `python benchmarks/live_updates.py [SECONDS]`. A second process is the venue: it streams
candles over a real websocket, and answers klines. The last line is for machines: updates told a
second, the 95th percentile of milliseconds from the venue's sending an event to our being told,
and how many candles were lost: closed minutes that lack or differ, events never told.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from config.settings import Settings
from config.settings_sources import BinanceSettings
from crawlers.binance import BinanceSource
from market.clock import SystemClock
from market.sessions import AlwaysOpen
from market.types import Venue, from_ms, to_ms
from sandbox.server import serve

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from crawlers.source import Update
    from market.types import Bar, InstrumentId

SYMBOLS = [f"C{number:03}USDT" for number in range(400)]
MINUTE_MS, EVENT_MS = 60_000, 250
EVENTS = MINUTE_MS // EVENT_MS
SECONDS = 90
POLL_SECONDS = 0.01
VENUE = "--venue"


def kline(symbol: str, minute: int, trades: int) -> list[Any]:
    """Return the kline of a minute after so many trades, always the same."""
    base = 100 + int(symbol[1:4]) + minute // MINUTE_MS % 7
    prices = (base, base + trades / 10, base, base + trades / 10)
    texts = [f"{price:.2f}" for price in prices]
    value = f"{base * trades:.2f}"
    return [minute, *texts, f"{trades}", minute + MINUTE_MS - 1, value, trades, "0", "0", "0"]


def event(symbol: str, minute: int, trades: int, *, is_closed: bool) -> str:
    """Return the event of a kline, sent now."""
    names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    inner = dict(zip(names, kline(symbol, minute, trades), strict=True))
    inner |= {"s": symbol, "i": "1m", "f": 1, "L": trades, "x": is_closed}
    data = {"e": "kline", "E": now_ms(), "s": symbol, "k": inner}
    return orjson.dumps({"stream": f"{symbol.lower()}@kline_1m", "data": data}).decode()


def now_ms() -> int:
    """Return the time that both processes share."""
    return int(time() * 1000)


async def klines(request: Request) -> Response:
    """Answer the minutes as they are now."""
    query, now = request.query_params, now_ms()
    first, last = int(query["startTime"]), min(int(query["endTime"]), now)
    minutes = range(first, last + 1, MINUTE_MS)
    trades = [min(EVENTS, (now - minute) // EVENT_MS) for minute in minutes]
    rows = [kline(query["symbol"], *one) for one in zip(minutes, trades, strict=True)]
    return Response(orjson.dumps(rows[: int(query["limit"])]))


async def stream(websocket: WebSocket) -> None:
    """Send every symbol's candle four times a second, and what closes each minute."""
    await websocket.accept()
    hearing = asyncio.create_task(hear(websocket))
    step = now_ms() // EVENT_MS
    try:
        while not hearing.done():
            step += 1
            await asyncio.sleep(max(0.0, step * EVENT_MS / 1000 - time()))
            minute, place = divmod(step * EVENT_MS, MINUTE_MS)
            minute *= MINUTE_MS
            for symbol in SYMBOLS:
                if place == 0:
                    before = event(symbol, minute - MINUTE_MS, EVENTS, is_closed=True)
                    await websocket.send_text(before)
                else:
                    text = event(symbol, minute, place // EVENT_MS, is_closed=False)
                    await websocket.send_text(text)
    except WebSocketDisconnect:
        hearing.cancel()


async def hear(websocket: WebSocket) -> None:
    """Take what is said until nobody is there: all symbols are streamed anyway."""
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.receive_text()


async def be_venue() -> None:
    """Serve until the other process closes our input."""
    routes = [
        Route("/fapi/v1/klines", klines),
        WebSocketRoute("/market/stream", stream),
    ]
    serving = await serve(Starlette(routes=routes))
    sys.stdout.write(f"{serving.port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await serving.stop()


class Tally:
    """What was told, and how late."""

    def __init__(self) -> None:
        self.lags: list[int] = []
        self.closed: dict[tuple[InstrumentId, datetime], Bar] = {}
        self.events: dict[tuple[InstrumentId, datetime], set[float]] = {}

    def take(self, updates: list[Update]) -> None:
        """Count what one call told."""
        told_ms = now_ms()
        for update in updates:
            key = update.bar.instrument, update.bar.start
            if update.bar.is_complete:
                self.closed[key] = update.bar
            else:
                self.lags.append(told_ms - to_ms(update.at))
            self.events.setdefault(key, set()).add(update.bar.volume)

    def lost(self, since: datetime, until: datetime) -> int:
        """Count what was streamed in whole minutes between two times and not told."""
        count = 0
        first, last = to_ms(since) // MINUTE_MS + 1, to_ms(until) // MINUTE_MS
        for minute in range(first * MINUTE_MS, last * MINUTE_MS, MINUTE_MS):
            for symbol in SYMBOLS:
                key = f"BINANCE:{symbol}.P", from_ms(minute)
                row = kline(symbol, minute, EVENTS)
                bar = self.closed.get(key)
                told = bar and [bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value]
                count += told != [float(text) for text in (*row[1:6], row[7])]
                count += EVENTS - len(self.events.get(key, ()))
        return count


async def measure(port: int, seconds: float) -> tuple[float, float, int]:
    """Return updates a second, p95 of the lag in ms, and how many were lost."""
    binance = BinanceSettings(
        futures_url=f"http://127.0.0.1:{port}",
        futures_socket_url=f"ws://127.0.0.1:{port}/market",
        requests_per_second=1000,
    )
    names = [f"BINANCE:{symbol}.P" for symbol in SYMBOLS]
    async with httpx.AsyncClient() as http:
        source = BinanceSource(
            http, Settings(binance=binance), SystemClock(), {Venue.BINANCE: AlwaysOpen()}
        )
        await source.updates(names)
        await asyncio.sleep(2)
        await source.updates(names)
        tally, since = Tally(), datetime.now(UTC)
        while (datetime.now(UTC) - since).total_seconds() < seconds:
            tally.take(await source.updates(names))
            await asyncio.sleep(POLL_SECONDS)
        until = datetime.now(UTC)
        await source.close()
    told = sum(map(len, tally.events.values()))
    passed = (until - since).total_seconds()
    return told / passed, float(np.percentile(tally.lags, 95)), tally.lost(since, until)


def main() -> None:
    """Measure and write a line for people, then one for machines."""
    if VENUE in sys.argv:
        asyncio.run(be_venue())
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    venue = subprocess.Popen(  # noqa: S603  # this very file
        [sys.executable, __file__, VENUE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with venue:
        port = int(venue.stdout.readline()) if venue.stdout is not None else 0
        rate, lag, lost = asyncio.run(measure(port, seconds))
    write = sys.stdout.write
    write(f"{len(SYMBOLS)} symbols streamed {len(SYMBOLS) * 1000 / EVENT_MS:.0f} events a second ")
    write(f"for {seconds:.0f} s; asked every {1000 * POLL_SECONDS:.0f} ms\n")
    write(f"updates_per_second={rate:.0f} lag_p95_ms={lag:.0f} lost={lost}\n")


if __name__ == "__main__":
    main()
