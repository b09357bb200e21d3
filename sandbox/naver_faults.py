"""The ways in which the pretend Naver can be switched to fail."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from starlette.responses import HTMLResponse, RedirectResponse, Response


class Fault(StrEnum):
    """One way to fail."""

    BUSY = "busy"
    BROKEN = "broken"
    GONE = "gone"
    MOVED = "moved"
    PAGE = "page"
    RENAMED = "renamed"
    EMPTY = "empty"
    SLOW = "slow"

    @property
    def response(self) -> Response | None:
        """Return the whole answer of this fault, None where it only changes or delays one."""
        match self:
            case Fault.BUSY:
                return Response("Too Many Requests", 429, {"Retry-After": "0"})
            case Fault.BROKEN:
                return Response("Service Unavailable", 503)
            case Fault.GONE:
                return Response("Gone", 410)
            case Fault.MOVED:
                return RedirectResponse("https://stock.naver.com/", 302)
            case Fault.PAGE:
                return HTMLResponse("<!doctype html><title>서비스 점검 안내</title>")
            case _:
                return None


class Faults:
    """Which fault the next requests meet; `requests` counts all of them.

    A slow request sets `arrived` and waits until `release` is set.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()
        self._fault: Fault | None = None
        self._times: int | None = None

    def fail(self, fault: Fault, times: int | None = None) -> None:
        """Let all requests fail from now on, or only the next `times` ones."""
        self._fault, self._times = fault, times

    def clear(self) -> None:
        """Answer properly again."""
        self._fault, self._times = None, None

    async def next(self) -> Fault | None:
        """Return the fault of one request, after the wait of a slow one."""
        self.requests += 1
        fault = self._fault
        if self._times is not None:
            self._times -= 1
            if self._times <= 0:
                self.clear()
        if fault is Fault.SLOW:
            self.arrived.set()
            await self.release.wait()
        return fault
