"""Minute candles of Upbit as they form: its websocket, looked after by its REST API."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from crawlers.source import Update
from crawlers.upbit_minutes import SETTLE_MS, WAY_MS, Minutes, minute_of, over_at
from crawlers.upbit_parsers import CANDLES, parse_message
from crawlers.venue_time import VenueTime
from market.errors import SourceChanged, SourceUnavailable
from market.types import Tick, Timeframe, from_ms, to_ms
from venues.live_socket import LiveSocket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.settings import UpbitSettings
    from crawlers.source import Hear
    from crawlers.upbit_parsers import Streamed, Ticker
    from crawlers.upbit_rest import UpbitRest
    from market.clock import Clock
    from market.types import InstrumentId
    from venues.live_socket import Connect

OPEN_SECONDS = 2.0
"""How long an answer waits for a connection before it goes without."""
QUIET_SECONDS = 5.0
"""Where nobody said anything for so long, the tickers tell whether there was something to say."""
AT_ONCE = 4
"""So many charts are asked for at the same time."""
LONGEST_WAIT_SECONDS = 10.0
"""An answer waits for the end of a minute by the venue's clock, but not for longer than this."""
RENEW_SECONDS = 60.0
"""A connection that lacks something is given up at most so often."""
UNREADABLE_IN_ROW = 10
"""So many messages that cannot be read are a change of the venue, not an accident."""


class UpbitLive:
    """Follows a set of markets; see `LiveSource` for what it promises.

    Before a minute is told as complete one request for all tickers shows each market's newest
    trade: where the stream cannot have told everything until then, its chart is asked for. A call
    after the end of a minute by our clock answers when that is known, at most some seconds later.
    """

    def __init__(
        self, rest: UpbitRest, settings: UpbitSettings, clock: Clock, connect: Connect
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._venue_time = VenueTime()
        self._minutes = Minutes()
        self._wanted: dict[str, InstrumentId] = {}
        self._socket = LiveSocket(
            "upbit",
            settings.socket_url,
            self._hear,
            greet=self._subscription,
            silence_seconds=settings.silence_seconds,
            connect=connect,
        )
        self._turn = asyncio.Lock()
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._connection = 0
        self._is_unfinished = False
        self._heard_at = self._looked_at = self._renewed_at = float("-inf")
        self._unreadable = 0
        self._hearers: list[Hear] = []
        self._told_ms: dict[str, int] = {}

    def now_ms(self) -> int:
        """Return the present by the venue's clock, as far as its messages show it."""
        return to_ms(self._clock.now()) - self._venue_time.ahead_ms

    async def updates(self, wanted: Mapping[str, InstrumentId]) -> list[Update]:
        """Return what changed of these markets (by code) since the last call."""
        async with self._turn:
            await self._follow(wanted)
            if not wanted:
                return []
            is_open = await self._socket.opened(OPEN_SECONDS)
            self._mind_connection(self._socket.opened_count if is_open else 0)
            over_ms = await self._over()
            if self._is_look_due(over_ms):
                await self._look(over_ms)
            return [
                Update(
                    shown.candle.bar(self._wanted[code], Timeframe.M1, is_complete=is_known),
                    at=from_ms(shown.candle.at_ms),
                    seen_at=from_ms(shown.seen_ms),
                )
                for code, shown, is_known in self._minutes.news()
            ]

    def listen(self, hear: Hear) -> None:
        """Tell prices of the markets that are followed as they come."""
        self._hearers.append(hear)

    def live(self) -> frozenset[InstrumentId]:
        """Return the markets that the stream tells of right now."""
        return frozenset(self._wanted.values()) if self._socket.is_open else frozenset()

    async def close(self) -> None:
        """End the connection; may be called twice."""
        await self._socket.close()

    async def _follow(self, wanted: Mapping[str, InstrumentId]) -> None:
        if wanted.keys() != self._wanted.keys():
            self._wanted = dict(wanted)
            self._minutes.follow(wanted, self.now_ms())
            self._minutes.interrupted()
            # replaces the set before; without a connection the next one begins with it
            await self._socket.say(self._subscription())
        if wanted:
            self._socket.ensure()
        else:
            await self._socket.close()

    def _subscription(self) -> Sequence[str]:
        wanted = {"type": CANDLES, "codes": list(self._wanted)}
        message = [{"ticket": str(uuid4())}, wanted, {"format": "DEFAULT"}]
        return [orjson.dumps(message).decode()] if self._wanted else []

    def _hear(self, message: str | bytes) -> None:
        now, seen_ms = asyncio.get_running_loop().time(), to_ms(self._clock.now())
        if now - self._heard_at >= QUIET_SECONDS:
            self._minutes.paused(self.now_ms())
        self._heard_at = now
        try:
            streamed = parse_message(message)
        except SourceChanged:
            self._unreadable += 1
            self._minutes.paused(self.now_ms())
            raise
        if streamed is None:
            return
        self._unreadable = 0
        self._minutes.hear(streamed, seen_ms)
        if streamed.is_snapshot:  # of a trade that may be long ago
            return
        self._venue_time.note(streamed.candle.at_ms, seen_ms)
        self._tell(streamed, seen_ms)

    def _tell(self, streamed: Streamed, seen_ms: int) -> None:
        instrument, candle = self._wanted.get(streamed.code), streamed.candle
        if instrument is None or candle.at_ms < self._told_ms.get(streamed.code, 0):
            return  # the minute before may be told once more after the next has begun
        self._told_ms[streamed.code] = candle.at_ms
        at, seen_at = from_ms(candle.at_ms), from_ms(seen_ms)
        tick = Tick(instrument, at, seen_at, candle.close, volume=0.0)
        for hear in self._hearers:
            hear([tick])

    def _mind_connection(self, connection: int) -> None:
        if connection == 0 or connection != self._connection:
            self._minutes.interrupted()
            self._is_unfinished = True
        self._connection = connection

    async def _over(self) -> int:
        """Return the end of the minutes that are over; one that has just ended is waited for.

        Who asks after its end by our clock may rely on its being told, although our clock may be
        ahead of the venue's and it may change for a moment.
        """
        end_ms = minute_of(to_ms(self._clock.now()))
        wait_seconds = (end_ms + SETTLE_MS - self.now_ms()) / 1000
        if wait_seconds > 0 and self._minutes.is_due(end_ms):
            await asyncio.sleep(min(wait_seconds, LONGEST_WAIT_SECONDS))
            if wait_seconds <= LONGEST_WAIT_SECONDS:
                return end_ms
        return over_at(self.now_ms())

    def _is_look_due(self, over_ms: int) -> bool:
        if self._is_unfinished or self._minutes.has_new:
            return True
        quiet = asyncio.get_running_loop().time() - max(self._heard_at, self._looked_at)
        return quiet >= QUIET_SECONDS or self._minutes.is_due(over_ms)

    async def _look(self, over_ms: int) -> None:
        """Compare the newest trades with what the stream told, and ask for what it lacks."""
        if self._unreadable >= UNREADABLE_IN_ROW:
            raise SourceChanged(f"upbit's last {self._unreadable} messages could not be read")
        self._is_unfinished = True
        now_ms = self.now_ms()
        tickers = {one.code: one for one in await self._rest.tickers(list(self._wanted))}
        await self._renew_if_missed(tickers, now_ms)
        doubts = {
            code: self._minutes.in_doubt(code, ticker, over_ms, now_ms)
            for code, ticker in tickers.items()
        }
        asks = [(code, since) for code, since in doubts.items() if since is not None]
        answers = await asyncio.gather(
            *(self._fill(code, since, over_ms) for code, since in asks), return_exceptions=True
        )
        failed = {
            code: answer
            for (code, _), answer in zip(asks, answers, strict=True)
            if isinstance(answer, BaseException)
        }
        is_same = self._socket.is_open and self._socket.opened_count == self._connection
        whole_ms = now_ms + WAY_MS if is_same else None
        for code in self._wanted:
            if code not in failed:
                self._minutes.know(code, over_ms, whole_ms)
        for error in failed.values():
            raise error
        self._is_unfinished = False
        self._looked_at = asyncio.get_running_loop().time()

    async def _fill(self, code: str, since_ms: int, over_ms: int) -> None:
        async with self._asking:  # so that each knows about when it was really asked
            now_ms, asked_at = self.now_ms(), self._clock.now()
            end = asked_at + timedelta(minutes=1)
            candles = await self._rest.minutes(code, from_ms(since_ms), end)
        if not self._minutes.fill(code, candles, over_ms, now_ms, to_ms(asked_at)):
            raise SourceUnavailable(f"upbit's chart of {code} is older than its websocket")

    async def _renew_if_missed(self, tickers: Mapping[str, Ticker], now_ms: int) -> None:
        missed = [one for one in tickers if self._minutes.has_missed(one, tickers[one], now_ms)]
        now = asyncio.get_running_loop().time()
        if missed and self._socket.is_open and now - self._renewed_at >= RENEW_SECONDS:
            self._renewed_at = now
            await self._socket.renew(f"trades of {missed[0]} and {len(missed) - 1} others missed")
