"""An event loop whose time jumps: hours of timers in moments, for what has no real sockets."""

from __future__ import annotations

import asyncio
import selectors
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context
    from datetime import datetime

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BUSY_TURNS = 1000
TURN_SECONDS = 1e-6
"""Time goes on a little for who is busy for so many turns, and no timer is set for sooner: one may
ring a rounding error before the moment that it was set for, and be set again for that."""


class _Jump(selectors.DefaultSelector):
    """Never waits: the time until the next timer is added to the loop's time instead."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            self._turns += 1
            if self._turns % BUSY_TURNS == 0:
                self.seconds += TURN_SECONDS
            return ready
        self._turns = 0
        if timeout is None:
            raise AssertionError("everything waits and no timer runs: it would hang for ever")
        self.seconds += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that skips what nobody does; threads and sockets would be skipped, too."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._jump.seconds

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer; what is nearly now is a moment later, so that time goes on."""
        now = self._jump.seconds
        when = now + TURN_SECONDS if 0 <= when - now < TURN_SECONDS else when
        return super().call_at(when, callback, *args, context=context)


class VirtualClock:
    """A `Clock` that goes with the loop it is used on."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self) -> datetime:
        """Return the start plus the virtual seconds of the running loop."""
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run like `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
