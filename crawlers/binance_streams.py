"""Which 1-minute streams of a Binance market are open on which connection."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from venues.live_socket import LiveSocket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from venues.live_socket import Connect

    OnMessage = Callable[[str | bytes], Awaitable[None] | None]

STREAMS_A_CONNECTION = 800
"""Binance allows 1024 (200 until 2023); a connection that grows keeps some room."""
STREAMS_A_MESSAGE = 200
"""Longer messages and addresses, of about 8 KB, were seen to be ignored without a word."""


class Streams:
    """The streams of one market, on as many connections as they need.

    The address of a connection names the first ones, messages subscribe to the rest.
    """

    def __init__(
        self,
        name: str,
        url: str,
        on_message: OnMessage,
        *,
        silence_seconds: float,
        connect: Connect,
    ) -> None:
        self._name = name
        self._url = url
        self._on_message = on_message
        self._silence_seconds = silence_seconds
        self._connect = connect
        self._connections: list[_Connection] = []

    async def follow(self, symbols: Iterable[str]) -> None:
        """Stream these symbols and no others; connections open and close as needed."""
        wanted = {f"{symbol.lower()}@kline_1m": symbol for symbol in symbols}
        for connection in self._connections:
            await connection.drop([name for name in connection.names if name not in wanted])
        has = {name for connection in self._connections for name in connection.names}
        lacking = [name for name in wanted if name not in has]
        for connection in self._connections:
            room = STREAMS_A_CONNECTION - len(connection.names)
            await connection.add({name: wanted[name] for name in lacking[:room]})
            lacking = lacking[room:]
        for part in _parts(lacking, STREAMS_A_CONNECTION):
            self._connections.append(self._connection({name: wanted[name] for name in part}))
        for connection in [one for one in self._connections if not one.names]:
            self._connections.remove(connection)
            await connection.socket.close()
        for connection in self._connections:
            connection.socket.ensure()

    def unheard(self) -> list[str]:
        """Return the symbols whose connection is not open now."""
        closed = (one for one in self._connections if not one.socket.is_open)
        return [symbol for connection in closed for symbol in connection.names.values()]

    def heard(self) -> list[str]:
        """Return the symbols whose connection is open now."""
        opened = (one for one in self._connections if one.socket.is_open)
        return [symbol for connection in opened for symbol in connection.names.values()]

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        connections, self._connections = self._connections, []
        for connection in connections:
            await connection.socket.close()

    def _connection(self, names: Mapping[str, str]) -> _Connection:
        connection = _Connection(self._url, names)
        connection.socket = LiveSocket(
            self._name,
            connection.address,
            self._on_message,
            greet=connection.greeting,
            silence_seconds=self._silence_seconds,
            connect=self._connect,
        )
        return connection


class _Connection:
    """A connection and the streams that belong on it with their symbols, in their order."""

    socket: LiveSocket

    def __init__(self, url: str, names: Mapping[str, str]) -> None:
        self._url = url
        self._numbers = count(1)
        self._in_address: frozenset[str] = frozenset()
        self.names = dict(names)

    async def address(self) -> str:
        """Return the address to open now."""
        first = list(self.names)[:STREAMS_A_MESSAGE]
        self._in_address = frozenset(first)
        return f"{self._url}/stream?streams={quote('/'.join(first), safe='/@')}"

    def greeting(self) -> list[str]:
        """Return what to say on a connection that was opened."""
        return self._messages(
            "SUBSCRIBE", [one for one in self.names if one not in self._in_address]
        )

    async def add(self, names: Mapping[str, str]) -> None:
        self.names |= names
        await self.socket.say(self._messages("SUBSCRIBE", list(names)))

    async def drop(self, names: Sequence[str]) -> None:
        for name in names:
            del self.names[name]
        if self.names:
            await self.socket.say(self._messages("UNSUBSCRIBE", names))

    def _messages(self, method: str, names: Sequence[str]) -> list[str]:
        return [
            orjson.dumps({"method": method, "params": part, "id": next(self._numbers)}).decode()
            for part in _parts(names, STREAMS_A_MESSAGE)
        ]


def _parts(names: Sequence[str], most: int) -> list[Sequence[str]]:
    return [names[first : first + most] for first in range(0, len(names), most)]
