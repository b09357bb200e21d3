"""The queue of updates that getUpdates reads and confirms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.telegram_types import Json

DEFAULT_KINDS = frozenset(
    {"message", "edited_message", "channel_post", "edited_channel_post", "callback_query"}
)
"""What a bot gets that never asked for certain kinds; the kinds this sandbox can make."""


class UpdateQueue:
    """Unconfirmed updates, oldest first.

    Documented at https://core.telegram.org/bots/api#getupdates (read 2026-11): an offset confirms
    everything below it, a negative one keeps that many from the end, allowed kinds are remembered
    and do not touch what is already queued.
    """

    def __init__(self, first_id: int) -> None:
        self.confirmed_offset = 0
        self.poller = 0
        self._next_id = first_id
        self._allowed = DEFAULT_KINDS
        self._waiting: list[Json] = []

    def add(self, kind: str, body: Json) -> int:
        """Queue an update unless its kind was not asked for; return its id."""
        update_id = self._next_id
        self._next_id += 1
        if kind in self._allowed:
            self._waiting.append({"update_id": update_id, kind: body})
        return update_id

    def waiting(self) -> list[Json]:
        """Return the updates that nobody confirmed yet."""
        return list(self._waiting)

    def allow(self, kinds: Iterable[str]) -> None:
        """Remember the kinds wanted from now on; none means the default ones."""
        self._allowed = frozenset(kinds) or DEFAULT_KINDS

    def confirm(self, offset: int) -> None:
        """Forget what an offset confirms."""
        if offset < 0:
            self._waiting = self._waiting[offset:]
            offset = self._waiting[0]["update_id"] if self._waiting else self._next_id
        self._waiting = [update for update in self._waiting if update["update_id"] >= offset]
        self.confirmed_offset = max(self.confirmed_offset, offset)

    def drop(self) -> None:
        """Forget everything that waits."""
        self._waiting = []

    def enter(self) -> int:
        """Make the caller the one poller; an older one sees that `poller` is no longer its own."""
        self.poller += 1
        return self.poller
