"""The ways in which the pretend KIS can be switched to fail, by requests and on its websocket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable


class Fault(StrEnum):
    """One way in which a quotation fails."""

    BUSY = "busy"
    BUSY_WITH_200 = "busy with 200"
    COMPANY_BUSY = "company busy"
    BROKEN = "broken"
    GONE = "gone"
    MOVED = "moved"
    PAGE = "page"
    RENAMED = "renamed"
    EMPTY = "empty"
    ECHO = "echo"

    @property
    def response(self) -> Response | None:
        """Return the whole answer of this fault, None where it only changes one."""
        make = _ANSWERS.get(self)
        return None if make is None else make()


@dataclass
class Faults:
    """What goes wrong now; everything is in order where nothing is set.

    `asked` are the services of all requests, in order. Sessions of the websocket: new ones are
    refused (maintenance), or told that another has the key; all are stalled (open, but silent,
    pings too); `failing` codes cannot be subscribed; `odd` messages are sent once to everybody.
    """

    asked: list[str] = field(default_factory=list)
    fault: Fault | None = None
    times: int | None = None
    is_refusing: bool = False
    is_in_use: bool = False
    is_stalled: bool = False
    failing: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    opened: int = 0
    _drops: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, fault: Fault, times: int | None = None) -> None:
        """Let all quotations fail from now on, or only the next `times` ones."""
        self.fault, self.times = fault, times

    def next(self) -> Fault | None:
        """Return the fault of one request."""
        fault = self.fault
        if self.times is not None:
            self.times -= 1
            if self.times <= 0:
                self.fault, self.times = None, None
        return fault

    def drop(self) -> None:
        """Close every session that is open now."""
        self._drops.set()
        self._drops = asyncio.Event()

    @property
    def dropped(self) -> asyncio.Event:
        """Return what is set when the sessions open now are to be closed."""
        return self._drops


def refused(status: int, code: str, text: str) -> Response:
    """Return an error in KIS's envelope."""
    return JSONResponse({"rt_cd": "1", "msg1": text, "msg_cd": code}, status)


_TOO_FAST = "초당 거래건수를 초과하였습니다."
_ANSWERS: dict[Fault, Callable[[], Response]] = {
    Fault.BUSY: lambda: refused(500, "EGW00201", _TOO_FAST),
    Fault.BUSY_WITH_200: lambda: refused(200, "EGW00201", _TOO_FAST),
    Fault.COMPANY_BUSY: lambda: refused(
        500, "EGW00215", "원장에서 허용 가능한 초당 거래건수를 초과하였습니다."
    ),
    Fault.BROKEN: lambda: Response("Service Unavailable", 503),
    Fault.GONE: lambda: Response("Gone", 410),
    Fault.MOVED: lambda: RedirectResponse("https://www.koreainvestment.com/", 302),
    Fault.PAGE: lambda: HTMLResponse("<!doctype html><title>서비스 점검 안내</title>"),
}
