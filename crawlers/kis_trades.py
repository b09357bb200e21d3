"""Fresh prices of a few instruments by KIS's websocket, one session for the whole app key."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from crawlers.kis_frames import TRADES, parse_trades
from venues.kis_messages import SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from crawlers.source import Hear
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import InstrumentId, Tick
    from venues.kis_messages import Notice
    from venues.kis_session import KisSession
    from venues.kis_token import KisAccess

logger = logging.getLogger(__name__)

MOST_FOLLOWED = 40
"""KIS takes 41 registrations a session; one is left for the fills of the account."""
FRESH = timedelta(seconds=2)
REFUSED_REST = timedelta(seconds=30)
"""What the socket would not follow is asked for again after so long."""
LAG = timedelta(seconds=10)
"""Answers to requests may be so much behind the socket."""


class KisTrades:
    """Follows trades, and knows which prices are fresh enough to stand for an answer."""

    def __init__(
        self, session: KisSession, access: KisAccess, clock: Clock, calendar: Calendar
    ) -> None:
        self._access = access
        self._clock = clock
        self._calendar = calendar
        self._socket = session.part(TRADES, self)
        self._wanted: tuple[str, ...] = ()
        self._refused: dict[str, datetime] = {}
        self._newest: dict[InstrumentId, Tick] = {}
        self._heard: dict[InstrumentId, datetime] = {}
        self._hearers: list[Hear] = []

    def follow(self, codes: Iterable[str]) -> None:
        """Follow these codes and no others, the first 40 of them."""
        wanted = tuple(dict.fromkeys(codes))[:MOST_FOLLOWED]
        left = [code for code in self._wanted if code not in wanted]
        new = [code for code in wanted if code not in self._wanted]
        self._wanted = wanted
        for code in left:
            self._forget(code)
        was_asked = self._socket.is_asked
        if was_asked:
            self._socket.say(left, "2")
        if not wanted:
            self._socket.unwant()
            return
        self._stay_open(self._clock.now())
        if was_asked:  # else everything is asked for at once
            self._socket.say(new, "1")

    def listen(self, hear: Hear) -> None:
        """Tell followed prices as they come."""
        self._hearers.append(hear)

    def live(self) -> frozenset[InstrumentId]:
        """Return the followed instruments that the socket tells of right now."""
        if not self._socket.is_open:
            return frozenset()
        return frozenset(f"KRX:{code}" for code in self._wanted if code not in self._refused)

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
        if self._socket.is_asked:  # others may go on with the session
            self._socket.say(self._wanted, "2")
        self._wanted = ()
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

    def subjects(self) -> tuple[str, ...]:
        """Return the codes that a new session is asked for."""
        self._refused.clear()
        return self._wanted

    def hear(self, frame: str) -> None:
        """Take the trades of a frame."""
        told = []
        for tick in parse_trades(frame, self._clock.now()):
            if tick.instrument.removeprefix("KRX:") in self._wanted:
                self._heard[tick.instrument] = tick.seen_at
                if self._keep(tick) is tick:
                    told.append(tick)
        for hear in self._hearers:
            hear(told)

    def answered(self, notice: Notice) -> None:
        """Remember what the socket would not follow, to ask for it again later."""
        code = notice.subject
        self._refused.pop(code, None)
        if notice.code in SETTLED:
            return
        text = self._access.hide(f"{notice.code} {notice.text} {code}".strip())
        logger.warning("kis trades: %s", text)
        if code in self._wanted:
            self._refused[code] = self._clock.now()

    def _stay_open(self, now: datetime) -> None:
        """See that what is wanted has a session, and ask again for what was refused."""
        if not self._wanted or self._socket.is_resting:
            return
        self._socket.want()
        late = [code for code, at in self._refused.items() if now - at >= REFUSED_REST]
        for code in late:
            del self._refused[code]
        self._socket.say(late, "1")

    def _forget(self, code: str) -> None:
        self._newest.pop(f"KRX:{code}", None)
        self._heard.pop(f"KRX:{code}", None)
