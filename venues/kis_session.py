"""KIS's websocket: one session for an app key, whoever wants to hear something by it."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from market.errors import SourceChanged
from venues.kis_messages import IN_USE, PING, UNKNOWN_KEY, parse_notice, request
from venues.live_socket import LiveSocket, connect
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from datetime import datetime

    import httpx

    from config.settings import KisSettings
    from market.clock import Clock
    from venues.kis_messages import Notice
    from venues.kis_token import KisAccess
    from venues.live_socket import Connect

logger = logging.getLogger(__name__)

IN_USE_REST = timedelta(seconds=60)
"""Another program's session with the same key is not fought with."""
UNKNOWN_REST = timedelta(seconds=30)
MESSAGES_PER_SECOND = 20

connect_without_pings: Connect = partial(connect, ping_seconds=None)
"""KIS has a heartbeat of its own and leaves the protocol's pings unanswered."""


class Hearer(Protocol):
    """Port. Who hears one kind of data; both may raise SourceError for what cannot be read."""

    def subjects(self) -> Iterable[str]:
        """Return what is to be told by a session that begins now."""
        ...

    def hear(self, frame: str) -> None:
        """Take a frame of data."""
        ...

    def answered(self, notice: Notice) -> None:
        """Take the answer to a request for one subject."""
        ...


class KisSession:
    """The session is open while one of its parts wants it.

    Requests of all parts together are for the parts to bound: KIS takes 41.
    """

    def __init__(
        self, settings: KisSettings, access: KisAccess, clock: Clock, connect: Connect
    ) -> None:
        url = settings.socket_url
        self._address = url if urlsplit(url).path else f"{url}/tryitout"
        self._access = access
        self._clock = clock
        self._parts: dict[str, KisPart] = {}
        self._approval = ""
        self._rest_until: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = LiveSocket(
            "kis socket",
            self._url,
            self._take,
            greet=self._greet,
            silence_seconds=settings.silence_seconds,
            connect=connect,
            messages_per_second=MESSAGES_PER_SECOND,
        )

    @property
    def is_open(self) -> bool:
        """Tell whether there is a session that was asked for what is wanted."""
        return self._socket.is_open

    @property
    def is_resting(self) -> bool:
        """Tell whether KIS has refused a session just now."""
        return self._rest_until is not None and self._clock.now() < self._rest_until

    def part(self, tr_id: str, hearer: Hearer) -> KisPart:
        """Return the part that hears one kind of data, in place of the one before."""
        self._parts[tr_id] = KisPart(self, tr_id, hearer)
        return self._parts[tr_id]

    def ensure(self) -> None:
        """See that there is a session, unless KIS has refused one just now."""
        if not self.is_resting:
            self._socket.ensure()

    def say(self, tr_id: str, subjects: Iterable[str], kind: str) -> None:
        """Ask for subjects (kind 1) or that they be told no more (kind 2), where it is open."""
        messages = [request(self._approval, tr_id, one, kind) for one in subjects]
        if messages:
            self._start(self._socket.say(messages))

    def close_if_unwanted(self) -> None:
        """End the session soon if no part wants it."""
        if not any(part.is_wanted for part in self._parts.values()):
            self._start(self._socket.close())

    async def leave(self, part: KisPart) -> None:
        """Let a part go, and end the session with the last one."""
        if self._parts.get(part.tr_id) is part:
            del self._parts[part.tr_id]
        if not self._parts:
            for task in self._tasks:
                task.cancel()
            await self._socket.close()
        else:
            self.close_if_unwanted()

    async def _url(self) -> str:
        """Return the address, with a key for the session at hand."""
        self._approval = await self._access.approval()
        return self._address

    def _greet(self) -> list[str]:
        for part in self._parts.values():
            part.is_asked = part.is_wanted
        return [
            request(self._approval, part.tr_id, subject, "1")
            for part in self._parts.values()
            if part.is_asked
            for subject in part.hearer.subjects()
        ]

    async def _take(self, message: str | bytes) -> None:
        told = message if isinstance(message, str) else message.decode("utf-8", errors="replace")
        if told.startswith("{"):
            await self._notice(told)
            return
        name = told.split("|", 2)[1] if told.count("|") >= 2 else ""
        part = self._parts.get(name)
        if part is None:
            raise SourceChanged(f"kis socket: expected data, got {fragment(told)}")
        part.hearer.hear(told)

    async def _notice(self, told: str) -> None:
        notice = parse_notice(told)
        if notice.code == PING:
            await self._socket.say([told])
        elif notice.code in {IN_USE, UNKNOWN_KEY}:
            await self._refused(notice)
        elif not self.is_resting and notice.tr_id in self._parts:
            self._parts[notice.tr_id].hearer.answered(notice)

    async def _refused(self, notice: Notice) -> None:
        if self.is_resting:  # it says so for every subject
            return
        logger.warning("kis socket: %s", self._access.hide(f"{notice.code} {notice.text}"))
        if notice.code == UNKNOWN_KEY:
            await self._access.forget_approval()
        rest = IN_USE_REST if notice.code == IN_USE else UNKNOWN_REST
        self._rest_until = self._clock.now() + rest
        self._start(self._socket.close())

    def _start(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(job, name="kis socket")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class KisPart:
    """What one hearer has of the session."""

    def __init__(self, session: KisSession, tr_id: str, hearer: Hearer) -> None:
        self._session = session
        self.tr_id = tr_id
        self.hearer = hearer
        self.is_wanted = False
        self.is_asked = False

    @property
    def is_open(self) -> bool:
        """Tell whether there is a session that was asked for what is wanted here."""
        return self.is_wanted and self.is_asked and self._session.is_open

    def want(self) -> None:
        """See that there is a session that tells what is wanted here; to be called now and then."""
        self.is_wanted = True
        if self._session.is_open and not self.is_asked:  # another part has opened it
            self.is_asked = True
            self.say(self.hearer.subjects(), "1")
        self._session.ensure()

    @property
    def is_resting(self) -> bool:
        """Tell whether KIS has refused a session just now."""
        return self._session.is_resting

    def say(self, subjects: Iterable[str], kind: str) -> None:
        """Ask for subjects (kind 1) or that they be told no more (kind 2), where it is open."""
        self._session.say(self.tr_id, subjects, kind)

    def unwant(self) -> None:
        """Need the session no more for now."""
        self.is_wanted = self.is_asked = False
        self._session.close_if_unwanted()

    async def close(self) -> None:
        """Let go of the session; may be called twice."""
        self.is_wanted = self.is_asked = False
        await self._session.leave(self)


_SESSIONS: WeakKeyDictionary[httpx.AsyncClient, dict[str, KisSession]] = WeakKeyDictionary()


def session_of(
    http: httpx.AsyncClient,
    settings: KisSettings,
    access: KisAccess,
    clock: Clock,
    connect: Connect,
) -> KisSession:
    """Return the session that all share who ask KIS with the same client and app key.

    It is made with the arguments of who comes first.
    """
    key = "" if settings.app_key is None else settings.app_key.get_secret_value()
    sessions = _SESSIONS.setdefault(http, {})
    if key not in sessions:
        sessions[key] = KisSession(settings, access, clock, connect)
    return sessions[key]
