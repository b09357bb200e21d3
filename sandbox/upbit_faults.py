"""The ways in which the pretend Upbit can be switched to fail, over HTTP and on its sockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable


class Fault(StrEnum):
    """One way in which a request fails."""

    BUSY = "busy"
    TEAPOT = "teapot"
    BROKEN = "broken"
    GONE = "gone"
    MOVED = "moved"
    PAGE = "page"
    RENAMED = "renamed"
    EMPTY = "empty"

    @property
    def response(self) -> Response | None:
        """Return the whole answer of this fault, None where it only changes one."""
        make = _ANSWERS.get(self)
        return None if make is None else make()


@dataclass
class Faults:
    """What goes wrong now; everything is in order where nothing is set.

    `asked` are the paths of all requests. Of the sockets: new ones are refused; all are stalled
    (open, but silent); messages of `lost` codes never come; `odd` is sent once to everybody.
    """

    asked: list[str] = field(default_factory=list)
    fault: Fault | None = None
    is_refusing: bool = False
    is_stalled: bool = False
    lost: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    opened: int = 0
    _drops: asyncio.Event = field(default_factory=asyncio.Event)

    def drop(self) -> None:
        """Close every socket that is open now."""
        self._drops.set()
        self._drops = asyncio.Event()

    @property
    def dropped(self) -> asyncio.Event:
        """Return what is set when the sockets open now are to be closed."""
        return self._drops


def error(status: int, name: str | int, message: str) -> Response:
    """Return an error in Upbit's form: the quotation API names it by its number."""
    return JSONResponse({"error": {"name": name, "message": message}}, status)


def too_many() -> Response:
    """Return the refusal of one request too many (its wording is not documented)."""
    return Response("Too many API requests.", 429)


def shut_out(seconds: int) -> Response:
    """Return the refusal of an address that went on after 429."""
    text = f"Too many requests. Blocked for {seconds} seconds."
    return error(418, 418, text)


_ANSWERS: dict[Fault, Callable[[], Response]] = {
    Fault.BUSY: too_many,
    Fault.TEAPOT: lambda: shut_out(30),
    Fault.BROKEN: lambda: error(500, "internal_server_error", "Internal server error"),
    Fault.GONE: lambda: Response("Gone", 410),
    Fault.MOVED: lambda: RedirectResponse("https://upbit.com/", 302),
    Fault.PAGE: lambda: HTMLResponse("<!doctype html><title>서비스 점검 안내</title>"),
}
