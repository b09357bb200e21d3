"""Listens to KIS's socket for what happens to orders of the account, to know when to ask."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.kis_notices import parse_told
from market.errors import SourceChanged
from venues.kis_messages import SETTLED

if TYPE_CHECKING:
    from datetime import datetime

    from config.settings import KisSettings
    from market.clock import Clock
    from venues.kis_messages import Notice
    from venues.kis_session import KisSession
    from venues.kis_token import KisAccess

logger = logging.getLogger(__name__)

QUIET = timedelta(seconds=20)
"""So long a socket that tells nothing is believed; then we ask all the same."""


class KisListener:
    """Hears that something happened to an order; what it was is asked for.

    KIS allows one session for an app key: where another program has it, there is nothing to hear,
    and everything is found by asking.
    """

    def __init__(
        self,
        session: KisSession,
        settings: KisSettings,
        access: KisAccess,
        clock: Clock,
        tr_id: str,
    ) -> None:
        self._login = settings.hts_id
        self._account = settings.account
        self._access = access
        self._clock = clock
        self._tr_id = tr_id
        self._opener = ("", "")
        self._news = asyncio.Event()
        self._asked_at: datetime | None = None
        self._socket = session.part(tr_id, self)

    def ensure(self) -> None:
        """See that we listen, where there is a login id to listen for."""
        if self._login is not None:
            self._socket.want()

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
        """Let go of the session; may be called twice."""
        if self._socket.is_asked:  # others may go on with it
            self._socket.say(self.subjects(), "2")
        await self._socket.close()

    def subjects(self) -> list[str]:
        """Return who the fills are told to."""
        self._opener = ("", "")
        return [] if self._login is None else [self._login.get_secret_value()]

    def hear(self, frame: str) -> None:
        """Believe of a frame only that something happened, also where it cannot be read."""
        try:
            events = parse_told(frame, self._tr_id, *self._opener)
        except SourceChanged:
            self.wake()
            raise
        account = "" if self._account is None else self._account.get_secret_value()
        if any(event.account == account.replace("-", "") for event in events):
            self.wake()

    def answered(self, notice: Notice) -> None:
        """Keep what opens the frames to come; what was before them has to be asked for."""
        if notice.code not in SETTLED:
            text = self._access.hide(f"{notice.code} {notice.text}".strip())
            logger.warning("kis fills: %s", text)
            return
        if notice.key:
            self._opener = (notice.iv, notice.key)
        self.wake()
