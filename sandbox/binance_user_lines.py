"""The websockets on which the pretend Binance tells of our orders."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState

from sandbox.binance_rules import Refusal
from sandbox.binance_user_feed import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from market.clock import Clock
    from sandbox.binance_keys import BinanceKeys
    from sandbox.binance_user_feed import UserFeed

SPOT_PRIVATE = "/ws-api/v3"
FUTURES_PRIVATE = "/futures/private"


class UserLines:
    """The user streams of both markets."""

    def __init__(self, keys: BinanceKeys, feeds: Mapping[bool, UserFeed], clock: Clock) -> None:
        self._keys = keys
        self._feeds = feeds
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the routes of both."""
        return [
            WebSocketRoute(SPOT_PRIVATE, self.spot),
            WebSocketRoute(FUTURES_PRIVATE + "/ws/{key}", self.futures),
        ]

    async def futures(self, websocket: WebSocket) -> None:
        """Tell of futures orders under a listen key; a dead one connects, and stays silent."""
        session = Session()
        await websocket.accept()
        is_alive = self._keys.is_listening(self._clock.now())
        if is_alive and websocket.path_params["key"] == self._keys.listen_key:
            self._feeds[True].sessions.append(session)
        await self._talk(websocket, session, lambda _: None)

    async def spot(self, websocket: WebSocket) -> None:
        """Answer on the websocket API, and tell of spot orders once that is subscribed to."""
        session = Session()
        await websocket.accept()
        await self._talk(websocket, session, lambda said: self._subscribe(session, said))

    def _subscribe(self, session: Session, said: str) -> None:
        message = orjson.loads(said)
        head = {"id": message.get("id")}
        try:
            if message.get("method") != "userDataStream.subscribe.signature":
                raise Refusal(-1000, "Unknown method.")  # noqa: TRY301  one answer for all refusals
            self._keys.verify_message(message.get("params", {}), self._clock.now())
        except Refusal as refusal:
            told = {"code": refusal.code, "msg": refusal.text}
            answer = {**head, "status": refusal.status, "error": told}
        else:
            answer = {**head, "status": 200, "result": {"subscriptionId": 0}}
            self._feeds[False].sessions.append(session)
        session.put(orjson.dumps(answer).decode())

    async def _talk(
        self, websocket: WebSocket, session: Session, hear: Callable[[str], None]
    ) -> None:
        hearing = asyncio.create_task(_hear(websocket, session, hear))
        try:
            with suppress(WebSocketDisconnect, OSError):
                while (frame := await session.frames.get()) is not None:
                    await websocket.send_text(frame)
            if websocket.client_state is WebSocketState.CONNECTED and not hearing.done():
                await websocket.close(1001)
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})
            for feed in self._feeds.values():
                feed.sessions[:] = [one for one in feed.sessions if one is not session]


async def _hear(websocket: WebSocket, session: Session, hear: Callable[[str], None]) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            hear(await websocket.receive_text())
    session.put(None)
