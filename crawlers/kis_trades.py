"""Fresh prices of a few instruments by KIS's websocket, one session for the whole app key."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawlers.kis_frames import TRADES, parse_trades
from venues.kis_messages import IN_USE, PING, SETTLED, UNKNOWN_KEY, parse_notice, request
from venues.live_socket import LiveSocket, connect

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping
    from datetime import datetime

    from config.settings import KisSettings
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import InstrumentId, Tick
    from venues.kis_messages import Notice
    from venues.kis_token import KisAccess
    from venues.live_socket import Connect

logger = logging.getLogger(__name__)

MOST_FOLLOWED = 40
"""KIS takes 41 registrations a session; one is left for the fills of the account."""
FRESH = timedelta(seconds=2)
IN_USE_REST = timedelta(seconds=60)
"""Another session with the same key is not fought with."""
REFUSED_REST = timedelta(seconds=30)
"""What the socket would not follow is asked for again after so long."""
LAG = timedelta(seconds=10)
"""Answers to requests may be so much behind the socket."""
MESSAGES_PER_SECOND = 20

connect_without_pings: Connect = partial(connect, ping_seconds=None)
"""KIS has a heartbeat of its own and leaves the protocol's pings unanswered."""


class KisTrades:
    """Follows trades, and knows which prices are fresh enough to stand for an answer."""

    def __init__(
        self,
        settings: KisSettings,
        access: KisAccess,
        clock: Clock,
        calendar: Calendar,
        connect: Connect = connect_without_pings,
    ) -> None:
        self._address = _address(settings.socket_url)
        self._access = access
        self._clock = clock
        self._calendar = calendar
        self._socket = LiveSocket(
            "kis trades",
            self._url,
            self._take,
            greet=self._greet,
            silence_seconds=settings.silence_seconds,
            connect=connect,
            messages_per_second=MESSAGES_PER_SECOND,
        )
        self._approval = ""
        self._wanted: tuple[str, ...] = ()
        self._refused: dict[str, datetime] = {}
        self._newest: dict[InstrumentId, Tick] = {}
        self._heard: dict[InstrumentId, datetime] = {}
        self._rest_until: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, codes: Iterable[str]) -> None:
        """Follow these codes and no others, the first 40 of them."""
        wanted = tuple(dict.fromkeys(codes))[:MOST_FOLLOWED]
        left = [code for code in self._wanted if code not in wanted]
        new = [code for code in wanted if code not in self._wanted]
        self._wanted = wanted
        for code in left:
            self._forget(code)
        if wanted:
            self._stay_open(self._clock.now())
            self._say(self._requests(left, "2") + self._requests(new, "1"))
        else:
            self._start(self._socket.close())

    def fresh(self, now: datetime) -> Mapping[InstrumentId, Tick]:
        """Return the newest tick of all followed instruments that were heard just now."""
        self._stay_open(now)
        if not self._socket.is_open:
            return {}
        heard = self._heard.items()
        return {one: self._newest[one] for one, at in heard if now - at <= FRESH}

    def further(self, tick: Tick) -> Tick:
        """Return a polled tick of a followed instrument, or what was heard if that is further.

        Answers to requests lag behind the socket, and a day's count must not seem to fall.
        """
        if tick.instrument.removeprefix("KRX:") not in self._wanted:
            return tick
        return self._keep(tick)

    async def close(self) -> None:
        """End the session; may be called twice."""
        self._wanted = ()
        for task in self._tasks:
            task.cancel()
        await self._socket.close()

    def _keep(self, tick: Tick) -> Tick:
        """Remember the tick, unless one that counts more of the same session is known."""
        known = self._newest.get(tick.instrument)
        if known is not None and self._is_further(known, tick):
            return known
        self._newest[tick.instrument] = tick
        return tick

    def _is_further(self, known: Tick, tick: Tick) -> bool:
        day = self._calendar.session_day
        is_near = tick.seen_at - known.seen_at <= LAG and day(known.at) == day(tick.at)
        return is_near and (known.day_volume or 0.0) > (tick.day_volume or 0.0)

    def _stay_open(self, now: datetime) -> None:
        """See that what is wanted has a session, and ask again for what was refused."""
        if not self._wanted or (self._rest_until is not None and now < self._rest_until):
            return
        self._socket.ensure()
        late = [code for code, at in self._refused.items() if now - at >= REFUSED_REST]
        for code in late:
            del self._refused[code]
        self._say(self._requests(late, "1"))

    async def _url(self) -> str:
        """Return the address, with a key for the session at hand."""
        self._approval = await self._access.approval()
        return self._address

    def _greet(self) -> list[str]:
        self._refused.clear()
        return self._requests(self._wanted, "1")

    def _requests(self, codes: Iterable[str], kind: str) -> list[str]:
        return [request(self._approval, TRADES, code, kind) for code in codes]

    def _say(self, messages: list[str]) -> None:
        if messages:
            self._start(self._socket.say(messages))

    async def _take(self, message: str | bytes) -> None:
        told = message if isinstance(message, str) else message.decode("utf-8", errors="replace")
        if not told.startswith("{"):
            for tick in parse_trades(told, self._clock.now()):
                self._hear(tick)
            return
        notice = parse_notice(told)
        if notice.code == PING:
            await self._socket.say([told])
        else:
            await self._notice(notice)

    def _hear(self, tick: Tick) -> None:
        if tick.instrument.removeprefix("KRX:") in self._wanted:
            self._keep(tick)
            self._heard[tick.instrument] = tick.seen_at

    async def _notice(self, notice: Notice) -> None:
        code, now = notice.subject, self._clock.now()
        self._refused.pop(code, None)
        is_resting = self._rest_until is not None and now < self._rest_until
        if notice.code in SETTLED or is_resting:
            return
        text = self._access.hide(f"{notice.code} {notice.text} {code}".strip())
        logger.warning("kis trades: %s", text)
        if notice.code == IN_USE:
            self._rest_until = now + IN_USE_REST
            self._start(self._socket.close())
        elif notice.code == UNKNOWN_KEY:
            await self._access.forget_approval()
            self._rest_until = now + REFUSED_REST
            self._start(self._socket.close())
        elif code in self._wanted:
            self._refused[code] = now

    def _forget(self, code: str) -> None:
        self._newest.pop(f"KRX:{code}", None)
        self._heard.pop(f"KRX:{code}", None)

    def _start(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(job, name="kis trades")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _address(url: str) -> str:
    """Return where sessions are opened, if the setting names the server only."""
    return url if urlsplit(url).path else f"{url}/tryitout"
