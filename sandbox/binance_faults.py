"""The ways in which the pretend Binance can be switched to fail, over HTTP and on its sockets."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable

_PRICES = re.compile(r"^(last|open|high|low)(?=Price)")


class Fault(StrEnum):
    """One way in which a request fails."""

    BUSY = "busy"
    FIREWALL = "firewall"
    BROKEN = "broken"
    GONE = "gone"
    MOVED = "moved"
    PAGE = "page"
    RENAMED = "renamed"
    EMPTY = "empty"
    BEHIND = "behind"

    @property
    def response(self) -> Response | None:
        """Return the whole answer of this fault, None where it only changes one."""
        make = _ANSWERS.get(self)
        return None if make is None else make()


@dataclass
class Faults:
    """What goes wrong now; everything is in order where nothing is set.

    `asked` are path and query of all requests. Of the sockets: new ones are refused; all are
    stalled (open, but silent); what streams of `lost` symbols tell never comes; `unclosed` symbols
    lose only what closes a minute; `odd` texts are sent once to everybody.
    """

    asked: list[str] = field(default_factory=list)
    fault: Fault | None = None
    is_refusing: bool = False
    is_stalled: bool = False
    lost: set[str] = field(default_factory=set)
    unclosed: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    _drops: asyncio.Event = field(default_factory=asyncio.Event)

    def drop(self) -> None:
        """Close every socket that is open now."""
        self._drops.set()
        self._drops = asyncio.Event()

    @property
    def dropped(self) -> asyncio.Event:
        """Return what is set when the sockets open now are to be closed."""
        return self._drops


def error(status: int, code: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error in Binance's form."""
    return JSONResponse({"code": code, "msg": text}, status, headers)


def changed(content: Any, fault: Fault | None) -> Any:
    """Return what is answered under a fault that only changes answers."""
    if fault is Fault.EMPTY:
        return []
    return _renamed(content) if fault is Fault.RENAMED else content


def _renamed(content: Any) -> Any:
    """Return an answer as after a redesign: rows become objects, prices get other names."""
    if isinstance(content, dict):
        return {_PRICES.sub(r"\1Traded", name): _renamed(content[name]) for name in content}
    if not isinstance(content, list):
        return content
    is_rows = bool(content) and isinstance(content[0], list)
    return [dict(zip("tohlcv", row, strict=False)) if is_rows else _renamed(row) for row in content]


_ANSWERS: dict[Fault, Callable[[], Response]] = {
    Fault.BUSY: lambda: error(429, -1003, "Too many requests queued.", {"Retry-After": "0"}),
    Fault.FIREWALL: lambda: HTMLResponse("<html><title>403 Forbidden</title></html>", 403),
    Fault.BROKEN: lambda: error(
        503,
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    ),
    Fault.GONE: lambda: Response("Gone", 410),
    Fault.MOVED: lambda: RedirectResponse("https://www.binance.com/", 302),
    Fault.PAGE: lambda: HTMLResponse("<!doctype html><title>System Upgrade</title>"),
}
