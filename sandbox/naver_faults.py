"""The ways in which the pretend Naver can be switched to fail."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from starlette.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


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
    """Which fault the next requests meet; `asked` are the paths of all of them.

    A slow request sets `arrived` and waits until `release` is set. Every answer takes
    `latency_seconds`.
    """

    def __init__(self, latency_seconds: float = 0.0) -> None:
        self.asked: list[str] = []
        self.latency_seconds = latency_seconds
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()
        self._fault: Fault | None = None
        self._times: int | None = None
        self._only = ""

    @property
    def requests(self) -> int:
        """Return how many requests there were."""
        return len(self.asked)

    def fail(self, fault: Fault, times: int | None = None, only: str = "") -> None:
        """Let requests fail from now on, or the next `times`: those with `only` in their path."""
        self._fault, self._times, self._only = fault, times, only

    def clear(self) -> None:
        """Answer properly again."""
        self._fault, self._times = None, None

    async def next(self, path: str = "") -> Fault | None:
        """Return the fault of one request, after the wait of a slow one."""
        self.asked.append(path)
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        if self._only not in path:
            return None
        fault = self._fault
        if self._times is not None:
            self._times -= 1
            if self._times <= 0:
                self.clear()
        if fault is Fault.SLOW:
            self.arrived.set()
            await self.release.wait()
        return fault

    def endpoint(self, made: Callable[[Request, Fault | None], Response]) -> Endpoint:
        """Return an endpoint that meets these faults, and makes its answer beside the loop."""

        async def answer(request: Request) -> Response:
            fault = await self.next(request.url.path)
            if fault is not None and fault.response is not None:
                return fault.response
            # years of pretend days take a while to make up, and the bot may live on the same loop
            return await asyncio.to_thread(made, request, fault)

        return answer
