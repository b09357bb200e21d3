"""A web server inside the running event loop, for the pretend Telegram and the pretend market."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING

import uvicorn

from market.errors import TicktalkError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.applications import Starlette

STOP_GRACE_SECONDS = 1
"""How long running requests (long polls, websockets) may take to end by themselves at stop."""


class Serving:
    """A server that is up; `url` has no slash at its end."""

    def __init__(self, host: str, port: int, server: _Server, task: asyncio.Task[None]) -> None:
        self.host = host
        self.port = port
        self._server = server
        self._task = task

    @property
    def url(self) -> str:
        """Return the address to give to clients."""
        return f"http://{self.host}:{self.port}"

    async def stop(self) -> None:
        """Stop listening, end what runs and wait until all connections are closed."""
        self._server.should_exit = True
        await self._task
        running = set(self._server.server_state.tasks)
        if running:
            await asyncio.wait(running, timeout=STOP_GRACE_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, telling when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # uvicorn: a generator
        """Leave the process's signals to whoever runs the event loop."""
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so; an application that refuses to start is a TicktalkError."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            raise TicktalkError("the application refused to start; see the log above") from error
        self.is_up.set()


async def serve(app: Starlette, host: str = "127.0.0.1", port: int = 0) -> Serving:
    """Serve an application from a task of this event loop; port 0 takes any free one.

    Raises TicktalkError where the port is taken or may not be used.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        # uvicorn's default speaks through websockets' deprecated server and warns about it
        ws="websockets-sansio",
        timeout_graceful_shutdown=STOP_GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]), name=f"serve {host}:{port}")
    up = asyncio.create_task(server.is_up.wait())
    await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
    if not server.is_up.is_set():
        up.cancel()
        listener.close()
        await task
    return Serving(host, listener.getsockname()[1], server, task)


def _listen(host: str, port: int) -> socket.socket:
    # Only where the protocol is named does asyncio set TCP_NODELAY: without it the body of an
    # answer waits 40 ms for its headers to be acknowledged.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise TicktalkError(_refusal(host, port, error)) from error
    listener.setblocking(False)
    return listener


def _refusal(host: str, port: int, error: Exception) -> str:
    mend = "choose another one with --port (0 takes any free port)"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is already in use by another program: {mend}"
    return f"port {port} on {host} cannot be used ({error}): {mend}"
