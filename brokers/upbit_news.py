"""Hearing of our orders at Upbit as they change: its private websocket, which only wakes us.

What it tells is not believed: its numbers are doubles, and it tells nothing of what happened while
it was away. So it says when to ask, and every new connection is a reason to ask (docs.upbit.com,
"myOrder", "myAsset", 2026-09).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from market.errors import SourceChanged, SourceUnavailable
from venues.live_socket import LiveSocket
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from brokers.upbit_auth import UpbitAuth
    from config.settings import UpbitSettings
    from venues.live_socket import ConnectWith, Socket

OWN = frozenset({"myOrder", "myAsset"})
_PASSING = frozenset({"Too Many Requests", "I'm a teapot"})


class UpbitNews:
    """Keeps the private websocket open and remembers that something has happened."""

    def __init__(self, settings: UpbitSettings, auth: UpbitAuth, connect: ConnectWith) -> None:
        self._auth = auth
        self._connect = connect
        self._happened = asyncio.Event()
        self._socket = LiveSocket(
            "upbit orders",
            settings.private_socket_url,
            self._hear,
            greet=self._greeting,
            silence_seconds=settings.silence_seconds,
            connect=self._signed,
        )

    @property
    def is_open(self) -> bool:
        """Tell whether we would hear of something now."""
        return self._socket.is_open

    def ensure(self) -> None:
        """Open the connection, where it is not, and keep it open."""
        self._socket.ensure()

    async def wait(self) -> None:
        """Return once something has happened since the last call."""
        self._socket.ensure()
        await self._happened.wait()
        self._happened.clear()

    async def close(self) -> None:
        """End the connection; may be called twice."""
        await self._socket.close()

    def _signed(self, url: str) -> AbstractAsyncContextManager[Socket]:
        return self._connect(url, headers={"Authorization": self._auth.bearer()})

    def _greeting(self) -> Sequence[str]:
        """Subscribe, and ask for the heartbeat: an account in which nothing happens is silent."""
        self._happened.set()  # what happened until now was not heard
        wanted = [{"ticket": str(uuid4())}, *({"type": name} for name in sorted(OWN))]
        return [orjson.dumps(wanted).decode(), "PING"]

    def _hear(self, message: str | bytes) -> None:
        try:
            told = orjson.loads(message)
        except orjson.JSONDecodeError as error:
            raise SourceChanged(f"upbit orders: expected JSON, got {fragment(message)}") from error
        if not isinstance(told, dict):
            raise SourceChanged(f"upbit orders: expected an object, got {fragment(message)}")
        if told.get("type") in OWN:
            self._happened.set()
            return
        complaint = told.get("error")
        if isinstance(complaint, dict):
            name = self._auth.hide(fragment(str(complaint.get("name"))))
            worse = SourceUnavailable if name in _PASSING else SourceChanged
            raise worse(f"upbit's private websocket refused: {name}")
