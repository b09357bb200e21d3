"""A websocket that stays open: reconnected, greeted again and watched for silence."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aiolimiter import AsyncLimiter
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_connection
from websockets.exceptions import InvalidStatus, WebSocketException

from market.errors import SourceError, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
LIVED_SECONDS = 10.0
"""A connection that told something and held so long is made again at once when it breaks."""
OPEN_TIMEOUT_SECONDS = 10.0
CLOSE_TIMEOUT_SECONDS = 1.0
"""A server that went silent does not answer our goodbye either."""
LARGEST_MESSAGE_BYTES = 4 * 2**20


class Socket(Protocol):
    """Port. Promises whole messages both ways; SourceUnavailable once the connection is lost."""

    async def recv(self) -> str | bytes:
        """Return the next message; may be cancelled without losing one."""
        ...

    async def send(self, message: str) -> None:
        """Send a text message."""
        ...

    async def close(self) -> None:
        """Say goodbye; may be called twice."""
        ...


Connect: TypeAlias = "Callable[[str], AbstractAsyncContextManager[Socket]]"
"""Address to open socket; entering raises OSError or SourceUnavailable where there is none."""


class ConnectWith(Protocol):
    """Port. A `Connect` that takes headers for the handshake, by which some servers know us."""

    def __call__(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Socket]:
        """Open a socket."""
        ...


@asynccontextmanager
async def connect(
    url: str, *, ping_seconds: float | None = 20, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """Open a real websocket, without an Origin header; `headers` go with the handshake.

    Pings that nobody answers end the connection; `ping_seconds=None` sends none, for servers that
    have a heartbeat of their own.
    """
    try:
        connection = await open_connection(
            url,
            additional_headers=headers,
            ping_interval=ping_seconds,
            ping_timeout=ping_seconds,
            open_timeout=OPEN_TIMEOUT_SECONDS,
            close_timeout=CLOSE_TIMEOUT_SECONDS,
            max_size=LARGEST_MESSAGE_BYTES,
        )
    except InvalidStatus as error:
        raise SourceUnavailable(f"refused with {error.response.status_code}") from error
    except WebSocketException as error:
        # the library's own text may name the address with its query
        raise SourceUnavailable(f"no websocket there ({type(error).__name__})") from error
    try:
        yield _WebSocket(connection)
    finally:
        await connection.close()


class LiveSocket:
    """One connection, made again for as long as it is wanted.

    `greet` gives the messages that every new connection begins with (the subscriptions as they
    are then). `on_message` takes each message in order; where it raises SourceError the message
    is lost, not the connection. `opened_count` grows with every greeted connection: who sees it
    grow has to ask by other means for what was missed in between.
    """

    def __init__(
        self,
        name: str,
        url: str | Callable[[], Awaitable[str]],
        on_message: Callable[[str | bytes], Awaitable[None] | None],
        *,
        greet: Callable[[], Sequence[str]],
        silence_seconds: float,
        connect: Connect = connect,
        messages_per_second: float = 4,
    ) -> None:
        self._name = name
        self._url = url
        self._on_message = on_message
        self._greet = greet
        self._silence_seconds = silence_seconds
        self._connect = connect
        self._messages_per_second = messages_per_second
        self._task: asyncio.Task[None] | None = None
        self._open: _Open | None = None
        self._is_greeted = asyncio.Event()
        self._odd_text = ""
        self.opened_count = 0
        self.last_message_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether there is a connection that was greeted."""
        return self._open is not None and self._is_greeted.is_set()

    def ensure(self) -> None:
        """Start the task that keeps the connection, where it does not run on this loop."""
        task = self._task
        if task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop():
            return
        self._tell_why_broken(task)
        self._open, self._is_greeted = None, asyncio.Event()
        self._task = asyncio.create_task(self._keep_open(), name=f"socket {self._name}")

    async def opened(self, timeout_seconds: float) -> bool:
        """Wait until there is a greeted connection; tell whether there is one in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._is_greeted.wait()
        except TimeoutError:
            return False
        return True

    async def renew(self, reason: str) -> None:
        """Give up the connection because of what its user noticed: another one is made."""
        given_up, self._open = self._open, None
        if given_up is not None:
            self._is_greeted.clear()
            logger.warning("%s: connecting again: %s", self._name, reason)
            await given_up.socket.close()

    async def say(self, messages: Sequence[str]) -> None:
        """Send on the open connection; without one nothing: `greet` says it on the next.

        A connection that breaks meanwhile is made again, and greeted.
        """
        if self._open is None:
            return
        try:
            await self._open.send(messages)
        except (OSError, SourceError) as error:
            logger.info("%s: could not say it (%s)", self._name, error)

    async def close(self) -> None:
        """End the connection and its task; may be called twice."""
        task, self._task = self._task, None
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            return
        task.cancel()
        await asyncio.wait({task})
        self._tell_why_broken(task)

    def _tell_why_broken(self, task: asyncio.Task[None] | None) -> None:
        if task is not None and task.done() and not task.cancelled():
            logger.error("%s: the socket's task broke", self._name, exc_info=task.exception())

    async def _keep_open(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            if await self._live():
                pause = FIRST_PAUSE_SECONDS
                continue
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _live(self) -> bool:
        """Live through one connection; tell whether it was one worth coming back to at once."""
        loop = asyncio.get_running_loop()
        began, count = loop.time(), 0
        try:
            url = self._url if isinstance(self._url, str) else await self._url()
            async with self._connect(url) as socket:
                self._open = _Open(socket, AsyncLimiter(self._messages_per_second, 1))
                began = self.last_message_at = loop.time()
                await self._open.send(self._greet())
                self._is_greeted.set()
                self.opened_count += 1
                logger.info("%s: open (%d)", self._name, self.opened_count)
                while True:
                    message = await self._next(socket)
                    count += 1
                    self.last_message_at = loop.time()
                    await self._hand_on(message)
        except (OSError, SourceError) as error:
            logger.warning("%s: %s", self._name, str(error) or type(error).__name__)
        finally:
            self._open = None
            self._is_greeted.clear()
        return count > 0 and loop.time() - began >= LIVED_SECONDS

    async def _next(self, socket: Socket) -> str | bytes:
        try:
            async with asyncio.timeout(self._silence_seconds):
                return await socket.recv()
        except TimeoutError as error:
            text = f"silent for {self._silence_seconds:g} s"
            raise SourceUnavailable(text) from error

    async def _hand_on(self, message: str | bytes) -> None:
        try:
            waiting = self._on_message(message)
            if waiting is not None:
                await waiting
        except SourceError as error:
            # the same complaint may come many times a second
            if str(error) != self._odd_text:
                self._odd_text = str(error)
                logger.warning("%s: a message could not be read: %s", self._name, error)


class _Open:
    """A connection that is open, and the order of what is said on it."""

    def __init__(self, socket: Socket, limiter: AsyncLimiter) -> None:
        self.socket = socket
        self._limiter = limiter
        self._turn = asyncio.Lock()

    async def send(self, messages: Sequence[str]) -> None:
        # what is said while we still greet belongs after it
        async with self._turn:
            for message in messages:
                await self._limiter.acquire()
                await self.socket.send(message)


class _WebSocket:
    """The library's connection as our port."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def recv(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except WebSocketException as error:
            raise SourceUnavailable(f"the connection ended ({error})") from error

    async def send(self, message: str) -> None:
        try:
            await self._connection.send(message)
        except WebSocketException as error:
            raise SourceUnavailable(f"the connection ended ({error})") from error

    async def close(self) -> None:
        await self._connection.close()
