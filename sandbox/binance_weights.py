"""How much a pretend Binance lets itself be asked: weights of a minute, refusals, bans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.types import to_ms

if TYPE_CHECKING:
    from datetime import datetime

BAN_SECONDS = 120
REFUSALS_BEFORE_BAN = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was too much: the status, the text beside -1003, and how long to wait."""

    status: int
    text: str
    retry_after: int


class Weights:
    """Counts what was used in each minute; who goes on after 429 is shut out with 418."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._minute = 0
        self._refusals = 0
        self._banned_until_ms = 0

    def spend(self, weight: int, at: datetime) -> Refusal | None:
        """Count one request; return why it is refused, None where it is not."""
        now_ms = to_ms(at)
        minute, past_ms = divmod(now_ms, 60_000)
        if minute != self._minute:
            self._minute, self.used, self._refusals = minute, 0, 0
        self.used += weight
        if self.used > self.limit:
            self._refusals += 1
            if self._refusals > REFUSALS_BEFORE_BAN:
                self.ban(at)
        if now_ms < self._banned_until_ms:
            text = (
                f"Way too many requests; IP banned until {self._banned_until_ms}. "
                "Please use the websocket for live updates to avoid bans."
            )
            return Refusal(418, text, -(-(self._banned_until_ms - now_ms) // 1000))
        if self.used <= self.limit:
            return None
        text = (
            f"Too many requests; current limit is {self.limit} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        return Refusal(429, text, -(-(60_000 - past_ms) // 1000))

    def ban(self, at: datetime) -> None:
        """Shut out whoever asks, for the shortest time that there is."""
        self._banned_until_ms = max(self._banned_until_ms, to_ms(at) + BAN_SECONDS * 1000)
