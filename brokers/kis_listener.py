"""Listens to KIS's socket for what happens to orders of the account, to know when to ask."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from brokers.kis_notices import parse_told
from market.errors import SourceChanged
from venues.kis_messages import IN_USE, PING, SETTLED, UNKNOWN_KEY, parse_notice, request
from venues.live_socket import LiveSocket, connect

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import datetime

    from config.settings import KisSettings
    from market.clock import Clock
    from venues.kis_token import KisAccess
    from venues.live_socket import Connect

logger = logging.getLogger(__name__)

REST = timedelta(seconds=60)
"""Another session with the same key is not fought with, and a refusal is not argued with."""
QUIET = timedelta(seconds=20)
"""So long a socket that tells nothing is believed; then we ask all the same."""

connect_without_pings: Connect = partial(connect, ping_seconds=None)
"""KIS has a heartbeat of its own and leaves the protocol's pings unanswered."""


class KisListener:
    """Hears that something happened to an order; what it was is asked for.

    KIS allows one session for an app key: where another program, or the source of prices, has it,
    there is nothing to hear, and everything is found by asking.
    """

    def __init__(
        self,
        settings: KisSettings,
        access: KisAccess,
        clock: Clock,
        tr_id: str,
        connect: Connect = connect_without_pings,
    ) -> None:
        url, secret = settings.socket_url, settings.hts_id
        self._address = url if urlsplit(url).path else f"{url}/tryitout"
        self._subject = secret
        self._account = settings.account
        self._access = access
        self._clock = clock
        self._tr_id = tr_id
        self._approval = ""
        self._opener = ("", "")
        self._news = asyncio.Event()
        self._asked_at: datetime | None = None
        self._rest_until: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = LiveSocket(
            "kis fills",
            self._url,
            self._take,
            greet=self._greet,
            silence_seconds=settings.silence_seconds,
            connect=connect,
        )

    def ensure(self) -> None:
        """See that we listen, where there is a login id to listen for."""
        now = self._clock.now()
        if self._subject is None or (self._rest_until is not None and now < self._rest_until):
            return
        self._socket.ensure()

    async def news(self) -> None:
        """Return as soon as something was heard since the last asking."""
        self.ensure()
        await self._news.wait()

    def asked(self) -> None:
        """Note that all that was heard so far is being asked for."""
        self._news.clear()
        self._asked_at = self._clock.now()

    def is_quiet(self) -> bool:
        """Tell whether the socket vouches that nothing has happened since the last asking."""
        if not self._socket.is_open or self._opener == ("", "") or self._asked_at is None:
            return False
        return not self._news.is_set() and self._clock.now() - self._asked_at < QUIET

    def wake(self) -> None:
        """Let it be worth asking again."""
        self._news.set()

    async def close(self) -> None:
        """End the session; may be called twice."""
        for task in self._tasks:
            task.cancel()
        await self._socket.close()

    async def _url(self) -> str:
        self._approval = await self._access.approval()
        return self._address

    def _greet(self) -> list[str]:
        self._opener = ("", "")
        if self._subject is None:
            return []
        subject = self._subject.get_secret_value()
        return [request(self._approval, self._tr_id, subject, "1")]

    async def _take(self, message: str | bytes) -> None:
        told = message if isinstance(message, str) else message.decode("utf-8", errors="replace")
        if not told.startswith("{"):
            self._hear(told)
            return
        notice = parse_notice(told)
        if notice.code == PING:
            await self._socket.say([told])
        elif notice.code in SETTLED:
            if notice.key:
                self._opener = (notice.iv, notice.key)
            self.wake()  # what happened before we listened has to be asked for
        else:
            await self._refused(notice.code, notice.text)

    def _hear(self, frame: str) -> None:
        """Believe of a frame only that something happened, also where it cannot be read."""
        try:
            events = parse_told(frame, self._tr_id, *self._opener)
        except SourceChanged:
            self.wake()
            raise
        account = "" if self._account is None else self._account.get_secret_value()
        if any(event.account == account.replace("-", "") for event in events):
            self.wake()

    async def _refused(self, code: str, text: str) -> None:
        logger.warning("kis fills: %s", self._access.hide(f"{code} {text}".strip()))
        self._opener = ("", "")
        if code == UNKNOWN_KEY:
            await self._access.forget_approval()
        if code in {IN_USE, UNKNOWN_KEY}:
            self._rest_until = self._clock.now() + REST
            self._start(self._socket.close())

    def _start(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(job, name="kis fills")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
