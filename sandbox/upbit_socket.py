"""One websocket of the pretend Upbit, without its wire: what was subscribed, what is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from sandbox.upbit import Upbit
    from sandbox.upbit_faults import Faults

IDLE = timedelta(seconds=120)
"""A connection on which nobody says anything for so long is closed."""
HEARTBEAT = timedelta(seconds=10)
MESSAGES_A_SECOND = 5
CANDLES = "candle.1m"
_MESSAGES = {
    "WRONG_FORMAT": "Format이 맞지 않습니다.",
    "NO_TICKET": "ticket이 존재하지 않습니다.",
    "NO_TYPE": "type이 존재하지 않습니다.",
    "NO_CODES": "codes가 존재하지 않습니다.",
    "INVALID_PARAM": "지원하지 않는 type입니다.",
    "Too Many Requests": "요청이 너무 많습니다.",
}


class UpbitSession:
    """Gives binary frames of UTF-8 JSON; a new subscription replaces the one before."""

    def __init__(self, venue: Upbit, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults
        self._codes: list[str] = []
        self._told_until = self._last_traffic = venue.clock.now()
        self._due: list[Any] = []
        self._heard: list[datetime] = []
        self._next_beat: datetime | None = None
        self._odd_sent = len(faults.odd)
        self.is_over = False

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes that are subscribed."""
        return tuple(self._codes)

    def hear(self, text: str) -> None:
        """Take a message of the client."""
        now = self._venue.clock.now()
        self._last_traffic = now
        self._heard = [at for at in self._heard if now - at < timedelta(seconds=1)] + [now]
        if len(self._heard) > MESSAGES_A_SECOND:
            self._complain("Too Many Requests")
            self.is_over = True
        elif text == "PING":
            self._next_beat = now
        else:
            self._subscribe(text)

    def frames(self) -> list[bytes]:
        """Return what is due by the venue's clock."""
        now = self._venue.clock.now()
        if now - self._last_traffic >= IDLE:
            self.is_over = True
        changed = [
            row
            for code in self._codes
            if code not in self._faults.lost
            for row in self._venue.changed(code, self._told_until, now)
        ]
        self._told_until = now
        due = [orjson.dumps(row) for row in self._due + changed] + self._odd()
        self._due = []
        if self._next_beat is not None and now >= self._next_beat:
            due.append(b'{"status":"UP"}')
            self._next_beat = now + HEARTBEAT
        if self._faults.is_stalled:
            return []  # lost for good, as in earnest
        if due:
            self._last_traffic = now
        return due

    def _odd(self) -> list[bytes]:
        odd = self._faults.odd[self._odd_sent :]
        self._odd_sent = len(self._faults.odd)
        return [text.encode() for text in odd]

    def _subscribe(self, text: str) -> None:
        try:
            typed = _read(text)
        except _Refused as error:
            self._complain(str(error))
            return
        codes = dict.fromkeys(str(code) for part in typed for code in part["codes"])
        known = [code for code in codes if self._venue.knows(code)]
        if not any(part.get("is_only_realtime") for part in typed):
            snapshots = (self._venue.snapshot(code) for code in known)
            self._due += [row for row in snapshots if row is not None]
        self._codes = [] if any(part.get("is_only_snapshot") for part in typed) else known
        self._told_until = self._venue.clock.now()

    def _complain(self, name: str) -> None:
        self._due.append({"error": {"name": name, "message": _MESSAGES[name]}})


class _Refused(Exception):
    """A request that cannot be followed; its text is the name of the error."""


def _read(text: str) -> list[dict[str, Any]]:
    """Return the parts of a request that subscribe to candles; raises _Refused."""
    try:
        parts = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _Refused("WRONG_FORMAT") from error
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise _Refused("WRONG_FORMAT")
    typed = [part for part in parts if "type" in part]
    if not any("ticket" in part for part in parts):
        raise _Refused("NO_TICKET")
    if not typed:
        raise _Refused("NO_TYPE")
    if any(part["type"] != CANDLES for part in typed):
        raise _Refused("INVALID_PARAM")
    if not all(isinstance(part.get("codes"), list) and part["codes"] for part in typed):
        raise _Refused("NO_CODES")
    return typed
