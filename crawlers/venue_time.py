"""A venue's clock as its messages show it: the machine's own may be ahead."""

from __future__ import annotations

WINDOW_MS = 60_000


class VenueTime:
    """Estimates a venue's time from when it says that messages were sent.

    Messages arrive some time after they were sent, so the shortest way of the last two minutes
    that had any bounds how far our clock is ahead. Being behind does no harm: we are only later.
    """

    def __init__(self) -> None:
        self._window = 0
        self._shortest: int | None = None
        self._shortest_before: int | None = None

    def note(self, sent_ms: int, seen_ms: int) -> None:
        """Take in when a message was sent by the venue's clock, and seen by ours."""
        window = seen_ms // WINDOW_MS
        if window != self._window:
            self._shortest_before = self._shortest
            self._window, self._shortest = window, None
        way = seen_ms - sent_ms
        self._shortest = way if self._shortest is None else min(self._shortest, way)

    @property
    def ahead_ms(self) -> int:
        """Return how far our clock seems to be ahead, 0 where it is not or nothing is known."""
        ways = [way for way in (self._shortest, self._shortest_before) if way is not None]
        return max(0, min(ways, default=0))
