"""The chat page: a person's view of the pretend Telegram, in the browser, always up to date."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

from market.types import to_ms
from sandbox.same_origin import LOOPBACK_NAMES, is_known_host, is_same_origin
from sandbox.telegram_html import utf16_length
from sandbox.telegram_types import ChatKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from sandbox.telegram_changes import Change
    from sandbox.telegram_core import TelegramCore
    from sandbox.telegram_types import ChatMessage, Json

STATIC = Path(__file__).parent / "static"
MOST_MESSAGES = 400
"""How many messages of a chat the page shows."""
LONGEST_MESSAGE = 4096
LARGEST_BODY_BYTES = 200_000


class ChatPage:
    """What one person sees: `chats` maps a key (private, channel) to a chat id.

    `hosts` are the names under which a browser may reach the page.
    """

    def __init__(
        self,
        core: TelegramCore,
        user_id: int,
        chats: Mapping[str, int],
        *,
        hosts: frozenset[str] = LOOPBACK_NAMES,
    ) -> None:
        self.core = core
        self.user_id = user_id
        self.chats = dict(chats)
        self.hosts = hosts
        self.status: dict[str, str] = {}
        self._run = to_ms(core.now())

    def set_status(self, status: Mapping[str, object]) -> None:
        """Show market_time (ISO or any text), speed and note in the strip above the chat."""
        shown = {key: str(value) for key, value in status.items()}
        if shown != self.status:
            self.status = shown
            self.core.changes.note("status")

    def state(self) -> Json:
        """Return everything the page shows."""
        return {
            "type": "state",
            "run": self._run,
            "bot": self.core.bot.username,
            "chats": [self._chat(key, chat_id) for key, chat_id in self.chats.items()],
            "commands": self._commands(),
            "status": self.status,
        }

    def events(self, changes: Iterable[Change]) -> list[Json]:
        """Return what the page must be told of some changes; of one message only once."""
        latest = {
            (change.kind, change.chat_id, change.message_id, change.callback_id): change
            for change in changes
        }
        events = (self._event(change) for change in sorted(latest.values(), key=_number))
        return [event for event in events if event is not None]

    def say(self, chat_id: int, text: str) -> list[int]:
        """Write as the person; a long text goes out in pieces, as Telegram's own programs do it."""
        return [
            self.core.user_sends(self.user_id, piece, chat_id=chat_id) for piece in pieces(text)
        ]

    def can_write(self, chat_id: int) -> bool:
        """Return whether the person may write there: channels are for reading."""
        return self._shows(chat_id) and self.core.chat(chat_id).kind is not ChatKind.CHANNEL

    def _shows(self, chat_id: int) -> bool:
        return chat_id in self.chats.values()

    def _commands(self) -> list[Json]:
        language = self.core.user(self.user_id).language_code
        menu = self.core.commands.seen_by(self.user_id, language)
        return [dict(command.as_json()) for command in menu]

    def _chat(self, key: str, chat_id: int) -> Json:
        chat = self.core.chat(chat_id)
        is_private = chat.kind is ChatKind.PRIVATE
        messages = self.core.messages(chat_id)[-MOST_MESSAGES:]
        return {
            "key": key,
            "id": chat_id,
            "title": self.core.bot.first_name if is_private else chat.title,
            "kind": str(chat.kind),
            "can_write": self.can_write(chat_id),
            "messages": [self._message(message) for message in messages],
        }

    def _message(self, message: ChatMessage) -> Json:
        photo = message.photo
        is_mine = message.sender is not None and message.sender.id == self.user_id
        return {
            "id": message.id,
            "mine": is_mine,
            "at": to_ms(message.at),
            "edited": message.is_edited,
            "text": message.text,
            "entities": [entity.as_json() for entity in message.entities],
            "buttons": [[button.as_json() for button in row] for row in message.buttons],
            "photo": photo and {"id": photo.file_id, "width": photo.width, "height": photo.height},
        }

    def _event(self, change: Change) -> Json | None:
        if change.kind == "status":
            return {"type": "status", "status": self.status}
        if change.kind == "commands":
            return {"type": "commands", "commands": self._commands()}
        if change.kind == "answer":
            return self._answer(change.callback_id)
        return self._chat_event(change) if self._shows(change.chat_id) else None

    def _chat_event(self, change: Change) -> Json | None:
        event: Json = {"type": change.kind, "chat": change.chat_id, "id": change.message_id}
        if change.kind in {"deleted", "action"}:
            return event
        message = self.core.message(change.chat_id, change.message_id)
        return None if message is None else event | {"message": self._message(message)}

    def _answer(self, callback_id: str) -> Json | None:
        callback = self.core.callback(callback_id)
        if callback.user_id != self.user_id or callback.answer is None:
            return None
        answer = callback.answer
        return {
            "type": "answer",
            "callback": callback_id,
            "text": answer.text,
            "alert": answer.is_alert,
        }


def pieces(text: str) -> list[str]:
    """Cut a text into messages of at most 4096 UTF-16 units; white space alone is no message."""
    text = text.strip()
    if utf16_length(text) <= LONGEST_MESSAGE:
        return [text] if text else []
    # halving the characters is enough: none takes more than two units
    cut = text.rfind("\n", 1, LONGEST_MESSAGE // 2)
    cut = cut if cut > 0 else LONGEST_MESSAGE // 2
    return [text[:cut].rstrip(), *pieces(text[cut:])]


def page_routes(page: ChatPage) -> list[BaseRoute]:
    """Return the routes of the page."""
    web = _Web(page)
    return [
        Route("/", web.index),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/page/state", web.guarded(web.state)),
        Route("/page/photo/{file_id}", web.guarded(web.photo)),
        Route("/page/send", web.guarded(web.send), methods=["POST"]),
        Route("/page/tap", web.guarded(web.tap), methods=["POST"]),
        WebSocketRoute("/page/live", web.live),
    ]


class _Web:
    def __init__(self, page: ChatPage) -> None:
        self._page = page

    def guarded(self, handler: Any) -> Any:
        """Wrap a handler: reading needs a known host, acting needs our own page."""

        async def guard(request: Request) -> Response:
            check: Callable[[Headers, frozenset[str]], bool]
            check = is_known_host if request.method in {"GET", "HEAD"} else is_same_origin
            if not check(request.headers, self._page.hosts):
                return PlainTextResponse("only the chat page itself may do this", 403)
            response: Response = await handler(request)
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response

        return guard

    async def index(self, request: Request) -> Response:
        if not is_known_host(request.headers, self._page.hosts):
            return PlainTextResponse("open this page by its loopback address", 403)
        sources = f"'self' ws://{request.headers['host']} wss://{request.headers['host']}"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src {sources}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
        return FileResponse(STATIC / "index.html", headers=headers)

    async def state(self, _request: Request) -> Response:
        return JSONResponse(self._page.state(), headers={"Cache-Control": "no-store"})

    async def photo(self, request: Request) -> Response:
        photo = self._page.core.photo(request.path_params["file_id"])
        if photo is None:
            return PlainTextResponse("no such picture", 404)
        # a restarted sandbox gives the same ids to other pictures
        headers = {"Cache-Control": "no-store"}
        return Response(photo.content, media_type=photo.media_type, headers=headers)

    async def send(self, request: Request) -> Response:
        body = await _body(request, chat_id=int, text=str)
        if body is None or not body["text"].strip():
            return PlainTextResponse("expected chat_id and text", 400)
        if not self._page.can_write(body["chat_id"]):
            return PlainTextResponse("nobody can write there", 403)
        return JSONResponse({"updates": self._page.say(body["chat_id"], body["text"])})

    async def tap(self, request: Request) -> Response:
        body = await _body(request, chat_id=int, message_id=int, data=str)
        if body is None or body["chat_id"] not in self._page.chats.values():
            return PlainTextResponse("expected chat_id, message_id and data", 400)
        callback_id = self._page.core.user_taps(self._page.user_id, **body)
        return JSONResponse({"callback": callback_id})

    async def live(self, websocket: WebSocket) -> None:
        if not is_same_origin(websocket.headers, self._page.hosts):
            await websocket.close(1008)
            return
        await websocket.accept()
        gone = asyncio.create_task(self._until_gone(websocket), name="watch a chat page")
        try:
            with suppress(WebSocketDisconnect):
                await self._push(websocket, gone)
        finally:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _push(self, websocket: WebSocket, gone: asyncio.Task[None]) -> None:
        core, seen = self._page.core, -1
        while not (gone.done() or core.is_stopped):
            changes = core.changes.since(seen)
            seen = core.changes.newest
            # a page that is new or lags too far reads everything
            news = [self._page.state()] if changes is None else self._page.events(changes)
            for event in news:
                await websocket.send_text(json.dumps(event, ensure_ascii=False))
            await core.wait(_is_news(core, seen, gone), None)
        if not gone.done():
            await websocket.close(1012)

    async def _until_gone(self, websocket: WebSocket) -> None:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass
        self._page.core.changes.wake()


def _is_news(core: TelegramCore, seen: int, gone: asyncio.Task[None]) -> Callable[[], bool]:
    return lambda: core.changes.newest > seen or core.is_stopped or gone.done()


def _number(change: Change) -> int:
    return change.number


async def _body(request: Request, **kinds: type) -> Json | None:
    """Return the named fields of a JSON body; None where it is not as expected."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    content = await request.body()
    if len(content) > LARGEST_BODY_BYTES:
        return None
    try:
        body = json.loads(content)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    fields = {name: body.get(name) for name in kinds}
    is_right = all(type(fields[name]) is kind for name, kind in kinds.items())
    return fields if is_right else None
