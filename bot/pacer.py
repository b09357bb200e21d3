"""How fast we may speak: in all, to one chat, and to one group or channel."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

BURST = 3
"""Messages that may follow each other at once in one chat; short bursts are tolerated."""


class Window:
    """At most `count` events within any stretch of `span`."""

    def __init__(self, count: int, span: timedelta) -> None:
        self._span = span
        self._times: deque[datetime] = deque(maxlen=count)

    def ready_at(self, now: datetime) -> datetime:
        """Return the first moment from `now` on at which one more may happen."""
        if len(self._times) < (self._times.maxlen or 0):
            return now
        return max(now, self._times[0] + self._span)

    def room(self, now: datetime) -> int:
        """Return how many may happen at this moment."""
        recent = sum(1 for at in self._times if at + self._span > now)
        return (self._times.maxlen or 0) - recent

    def note(self, now: datetime) -> None:
        """Count an event."""
        self._times.append(now)


class Pacer:
    """Keeps Telegram's limits; groups and channels are the chats with negative ids."""

    def __init__(self, per_second: int, seconds_per_chat: float, per_group_minute: int) -> None:
        self._all = Window(per_second, timedelta(seconds=1))
        self._chat_span = timedelta(seconds=seconds_per_chat * BURST)
        self._per_group_minute = per_group_minute
        self._chats: dict[int, Window] = {}
        self._groups: dict[int, Window] = {}

    def ready_at(self, chat_id: int, now: datetime) -> datetime:
        """Return the first moment from `now` on at which a chat may get a message."""
        return max(window.ready_at(now) for window in self._windows(chat_id))

    def room(self, now: datetime) -> int:
        """Return how many messages may leave at this moment, to whomever."""
        return self._all.room(now)

    def note(self, chat_id: int, now: datetime) -> None:
        """Count a message to a chat."""
        for window in self._windows(chat_id):
            window.note(now)

    def _windows(self, chat_id: int) -> list[Window]:
        windows = [self._all]
        if self._chat_span:
            windows.append(self._chats.setdefault(chat_id, Window(BURST, self._chat_span)))
        if chat_id < 0:
            group = self._groups.setdefault(
                chat_id, Window(self._per_group_minute, timedelta(minutes=1))
            )
            windows.append(group)
        return windows
