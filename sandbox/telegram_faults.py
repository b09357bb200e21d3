"""What can go wrong on purpose: flood limits, scripted failures, and a network that is down."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sandbox.telegram_errors import RefusalError, blocked, too_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.clock import Clock
    from sandbox.telegram_types import Chat

GROUP_WINDOW_SECONDS = 60.0
ROUNDING_SECONDS = 1e-4
"""What times lose as floats: nobody waits for that."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast a bot may write (https://core.telegram.org/bots/faq, read 2026-11)."""

    seconds_per_chat: float = 1.0
    burst_per_chat: int = 3
    per_second: int = 30
    per_group_minute: int = 20


DEFAULT_LIMITS = Limits()


class _Bucket:
    """An allowance that refills with time."""

    def __init__(self, size: float, per_second: float, now: float) -> None:
        self._size = size
        self._per_second = per_second
        self._left = size
        self._at = now

    def lack(self, now: float) -> float:
        """Return the seconds until one more is allowed."""
        self._left = min(self._size, self._left + (now - self._at) * self._per_second)
        self._at = now
        lack = (1 - self._left) / self._per_second
        return lack if lack > ROUNDING_SECONDS else 0.0

    def take(self) -> None:
        """Use one."""
        self._left -= 1


class Pace:
    """Counts what the bot writes against the limits; a refused call costs nothing."""

    def __init__(self, limits: Limits | None, clock: Clock) -> None:
        self.limits = limits
        self._clock = clock
        self._chats: dict[int, _Bucket] = {}
        self._overall: _Bucket | None = None
        self._groups: defaultdict[int, deque[float]] = defaultdict(deque)

    def check(self, chat: Chat, *, is_private: bool) -> None:
        """Count one message or edit; raise the 429 of whichever limit has the longest wait."""
        limits = self.limits
        if limits is None:
            return
        now = self._clock.now().timestamp()
        if self._overall is None:
            self._overall = _Bucket(limits.per_second, limits.per_second, now)
        buckets = (self._overall, self._chats.setdefault(chat.id, self._new_chat(limits, now)))
        lack = max(bucket.lack(now) for bucket in buckets)
        if not is_private:
            lack = max(lack, self._group_lack(chat.id, limits, now))
        if lack > 0:
            raise too_many(max(1, math.ceil(lack)))
        for bucket in buckets:
            bucket.take()
        self._groups[chat.id].append(now)

    @staticmethod
    def _new_chat(limits: Limits, now: float) -> _Bucket:
        return _Bucket(limits.burst_per_chat, 1 / limits.seconds_per_chat, now)

    def _group_lack(self, chat_id: int, limits: Limits, now: float) -> float:
        sent = self._groups[chat_id]
        while sent and sent[0] <= now - GROUP_WINDOW_SECONDS:
            sent.popleft()
        if len(sent) < limits.per_group_minute:
            return 0.0
        return sent[0] + GROUP_WINDOW_SECONDS - now


class FaultKind(StrEnum):
    """How a call fails."""

    REFUSED = "refused"
    BAD_GATEWAY = "bad gateway"
    TIMED_OUT = "timed out"
    DROPPED = "dropped"
    ANSWER_LOST = "answer lost"


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted failure of one call."""

    kind: FaultKind
    refusal: RefusalError | None = None


class Faults:
    """Failures that a test scripts, by method; each call uses up one."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._is_network_down = False
        self._scripted: defaultdict[str, deque[Fault]] = defaultdict(deque)

    @property
    def network_down(self) -> bool:
        """Return whether every connection is dropped without an answer."""
        return self._is_network_down

    @network_down.setter
    def network_down(self, is_down: bool) -> None:
        self._is_network_down = is_down
        self._wake()

    def take(self, method: str) -> Fault | None:
        """Return what shall befall this call, and use it up."""
        if self._is_network_down:
            return Fault(FaultKind.DROPPED)
        scripted = self._scripted[method]
        return scripted.popleft() if scripted else None

    def refuse(self, method: str, refusal: RefusalError, times: int = 1) -> None:
        """Answer the next calls with a refusal."""
        self._script(method, Fault(FaultKind.REFUSED, refusal), times)

    def too_many(self, method: str, retry_after: int, times: int = 1) -> None:
        """Answer the next calls with 429."""
        self.refuse(method, too_many(retry_after), times)

    def forbid(self, method: str, times: int = 1) -> None:
        """Answer the next calls with the 403 of a person who blocked the bot."""
        self.refuse(method, blocked(), times)

    def bad_gateway(self, method: str, times: int = 1) -> None:
        """Answer the next calls with the HTML page of a 502."""
        self._script(method, Fault(FaultKind.BAD_GATEWAY), times)

    def time_out(self, method: str, times: int = 1) -> None:
        """Do nothing and never answer: the caller has to give up."""
        self._script(method, Fault(FaultKind.TIMED_OUT), times)

    def drop(self, method: str, times: int = 1) -> None:
        """Do nothing and drop the connection."""
        self._script(method, Fault(FaultKind.DROPPED), times)

    def lose_answer(self, method: str, times: int = 1) -> None:
        """Do what was asked, then drop the connection: the caller cannot know."""
        self._script(method, Fault(FaultKind.ANSWER_LOST), times)

    def _script(self, method: str, fault: Fault, times: int) -> None:
        self._scripted[method].extend([fault] * times)
