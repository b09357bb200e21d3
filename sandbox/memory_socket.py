"""Websockets without sockets: a client in front of an application of the same process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from market.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp

Event = dict[str, Any]


class ConnectInMemory(Protocol):
    """Port. Opens a websocket; `headers` go with its handshake."""

    def __call__(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[MemorySocket]:
        """Open a socket."""
        ...


def connect_in_memory(app: ASGIApp) -> ConnectInMemory:
    """Return how to open websockets to an application; host and scheme of addresses do not count.

    Opening raises SourceUnavailable where the application does not accept.
    """

    @asynccontextmanager
    async def connect(
        url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[MemorySocket]:
        socket = MemorySocket(app, url, headers)
        try:
            await socket.open()
            yield socket
        finally:
            await socket.end()

    return connect


class MemorySocket:
    """One websocket to an application; messages are neither lost nor delayed."""

    def __init__(self, app: ASGIApp, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._scope = _scope(url, headers or {})
        self._to_app: asyncio.Queue[Event] = asyncio.Queue()
        self._from_app: asyncio.Queue[Event] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._ended = ""

    async def open(self) -> None:
        """Shake hands."""
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._run(), name=f"memory socket {self._scope['path']}")
        event = await self._from_app.get()
        if event["type"] != "websocket.accept":
            self._end(event)

    async def recv(self) -> str | bytes:
        """Return the application's next message; SourceUnavailable once it has closed."""
        if self._ended:
            raise SourceUnavailable(self._ended)
        event = await self._from_app.get()
        if event["type"] != "websocket.send":
            self._end(event)
        text = event.get("text")
        message: str | bytes = event["bytes"] if text is None else text
        return message

    async def send(self, message: str) -> None:
        """Give the application a text message."""
        if self._ended:
            raise SourceUnavailable(self._ended)
        self._to_app.put_nowait({"type": "websocket.receive", "text": message})

    async def close(self) -> None:
        """Tell the application that we are gone."""
        if not self._ended:
            self._ended = "the connection ended (closed by us)"
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000, "reason": ""})
            self._from_app.put_nowait({"type": "closed", "code": 1000})  # wakes who still listens

    async def end(self) -> None:
        """Close, and end what the application still does for this socket."""
        await self.close()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        error: BaseException | None = None
        try:
            await self._app(self._scope, self._to_app.get, self._answer)
        except Exception as broken:  # noqa: BLE001  handed to whoever reads the socket
            error = broken
        self._from_app.put_nowait({"type": "ended", "error": error})

    async def _answer(self, event: Any) -> None:
        if self._ended:
            raise OSError(self._ended)  # what a server tells an application whose client is gone
        self._from_app.put_nowait(event)

    def _end(self, event: Event) -> None:
        if event.get("error") is not None:
            raise event["error"]
        self._ended = f"the connection ended ({event.get('code', 1006)})"
        raise SourceUnavailable(self._ended)


def _scope(url: str, headers: Mapping[str, str]) -> Event:
    parts = urlsplit(url)
    lines = {"host": parts.netloc, **headers}
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": parts.scheme or "ws",
        "path": parts.path or "/",
        "raw_path": (parts.path or "/").encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), line.encode()) for name, line in lines.items()],
        "subprotocols": [],
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname or "localhost", parts.port or 80),
        "state": {},
    }
