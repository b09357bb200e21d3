"""How pretend venues misbehave with orders: which fault comes next, and what it does to a request.

A venue's routes ask the plan before they act. What is scripted comes first, in its order; without
a script the seeded chances decide. The same seed makes the same faults for the same requests.
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, NoReturn

import httpx
from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.types import Receive, Scope, Send


class Channel(StrEnum):
    """What a fault happens to."""

    ORDER = "order"
    """Requests that change something: place, cancel."""
    READ = "read"
    """Requests that only ask."""
    MESSAGE = "message"
    """What the socket tells about orders."""


class OrderFault(StrEnum):
    """One way to misbehave; the venue's own routes do what is not of requests in general."""

    LOST_REQUEST = "lost request"
    LOST_ANSWER = "lost answer"
    LATE_REQUEST = "late request"
    """The client has given up when the venue executes it."""
    LATE_ANSWER = "late answer"
    BROKEN_BEFORE = "5xx before executing"
    BROKEN_AFTER = "5xx after executing"
    ODD_ANSWER = "odd answer after executing"
    BUSY = "busy"
    MAINTENANCE = "maintenance"
    REVOKED = "token revoked"
    GHOST_ROW = "ghost row"
    """A balance, or an order, that is not there any more is listed once more."""
    DUPLICATED = "duplicated message"
    REORDERED = "reordered messages"
    LOST_MESSAGE = "lost message"
    STALLED = "stalled socket"
    DROPPED = "dropped socket"


Chances = dict[OrderFault, float]


class FaultPlan:
    """Says what goes wrong next; nothing where neither a script nor chances are given.

    `counts` are the faults made so far. A late request arrives after `late_by`.
    """

    def __init__(
        self,
        chances: Mapping[Channel, Chances] | None = None,
        seed: int = 0,
        *,
        late_by: timedelta = timedelta(seconds=7),
    ) -> None:
        self._chances = {} if chances is None else dict(chances)
        self._random = Random(seed)  # noqa: S311  faults, not secrets
        self._scripts: dict[Channel, deque[OrderFault | None]] = {}
        self.late_by = late_by
        self.counts: Counter[OrderFault] = Counter()

    def script(self, channel: Channel, *faults: OrderFault | None) -> None:
        """Let the next ones on a channel fail so; None lets one go well."""
        self._scripts.setdefault(channel, deque()).extend(faults)

    def heal(self) -> None:
        """Let everything go well from now on."""
        self._scripts, self._chances = {}, {}

    def next(self, channel: Channel) -> OrderFault | None:
        """Return the fault of the next request or message."""
        script = self._scripts.get(channel)
        fault = script.popleft() if script else self._drawn(channel)
        if fault is not None:
            self.counts[fault] += 1
        return fault

    def _drawn(self, channel: Channel) -> OrderFault | None:
        chances = self._chances.get(channel)
        if not chances:
            return None
        drawn = self._random.random()
        for fault, chance in chances.items():
            drawn -= chance
            if drawn < 0:
                return fault
        return None


class Belated:
    """Requests that are still under way although their client has given up."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, Callable[[], object]]] = []

    def add(self, due: datetime, execute: Callable[[], object]) -> None:
        """Keep a request for later."""
        self._waiting.append((due, execute))

    def arrive(self, now: datetime) -> None:
        """Execute what is due; their answers reach nobody. Call it before anything else happens."""
        due = [execute for at, execute in self._waiting if at <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        for execute in due:
            execute()


class Severed(Response):
    """An answer that never comes whole: the connection breaks.

    In memory the client gets the error at once; a web server closes the connection.
    """

    def __init__(self, error: type[httpx.TransportError] = httpx.ReadError) -> None:
        super().__init__(b"?")
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI
        """Begin to answer, and break."""
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", b"1")]})
        self._break()

    def _break(self) -> NoReturn:
        raise self._error("the connection is lost")


def misbehave(
    fault: OrderFault | None,
    execute: Callable[[], Response],
    belated: Belated,
    due: datetime,
) -> Response:
    """Execute a request under a fault of the connection and return the answer that comes of it.

    Faults that are the venue's own (busy, maintenance, revoked, ghost rows) change nothing here.
    """
    if fault is OrderFault.LOST_REQUEST:
        return Severed()
    if fault is OrderFault.LATE_REQUEST:
        belated.add(due, execute)
        return Severed(httpx.ReadTimeout)
    if fault is OrderFault.BROKEN_BEFORE:
        return _broken()
    answer = execute()
    spoiled = _AFTER.get(fault) if fault is not None else None
    return answer if spoiled is None else spoiled()


def _broken() -> Response:
    return Response("Bad Gateway", 502)


_AFTER: dict[OrderFault, Callable[[], Response]] = {
    OrderFault.LOST_ANSWER: Severed,
    OrderFault.LATE_ANSWER: lambda: Severed(httpx.ReadTimeout),
    OrderFault.BROKEN_AFTER: _broken,
    OrderFault.ODD_ANSWER: lambda: HTMLResponse("<!doctype html><title>잠시 후 다시</title>"),
}
