"""A chat page that is served from a thread of its own, for tests that drive a browser."""

from __future__ import annotations

import asyncio
import struct
import threading
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from playwright.sync_api import Page, expect
from starlette.applications import Starlette

from market.clock import SystemClock
from sandbox.chat_page import ChatPage, page_routes
from sandbox.image_size import image_size
from sandbox.server import Serving, serve
from sandbox.telegram_core import TelegramCore
from sandbox.telegram_html import detect, parse_html
from sandbox.telegram_types import InlineButton

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sandbox.telegram_types import ChatMessage

KIM = 11111111
CHANNEL = -1001234567890
CONFIRM = ((InlineButton("확인", "oc:ABC:1"), InlineButton("거절", "od:ABC:1")),)
T = TypeVar("T")


def png(width: int = 480, height: int = 270) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\xd0" * width) * height
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


class Stage:
    """The sandbox in a loop of its own thread; everything done to it is done in that loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.core = TelegramCore(SystemClock(), limits=None)
        self.core.add_user(KIM, "김개미")
        self.core.add_channel(CHANNEL, "ticktalk 알림")
        self.page = ChatPage(self.core, KIM, {"private": KIM, "channel": CHANNEL})
        self.serving = self.wait(self.serve(0))

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(15)

    def do(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return self.wait(call())

    async def serve(self, port: int) -> Serving:
        return await serve(Starlette(routes=page_routes(self.page)), "127.0.0.1", port)

    def says(self, markup: str, chat_id: int = KIM, **options: Any) -> ChatMessage:
        text, entities = parse_html(markup)
        found = detect(text, entities)
        chat = self.core.chat(chat_id)
        return self.do(lambda: self.core.bot_sends(chat, text, found, **options))

    def shows(self, markup: str, chat_id: int = CHANNEL) -> ChatMessage:
        size = image_size(png())
        assert size is not None
        return self.says(markup, chat_id, photo=self.core.add_photo(png(), size))

    def edits(self, message: ChatMessage, text: str) -> None:
        new = replace(message, text=text, entities=(), buttons=(), edited_at=self.core.now())
        self.do(lambda: self.core.bot_edits(new))

    def hears(self, count: int = 1) -> list[str]:
        """Wait until the bot has this many updates; return what they say."""
        self.wait(self.core.wait(lambda: len(self.core.pending_updates()) >= count))
        return [
            update["message"]["text"] if "message" in update else update["callback_query"]["data"]
            for update in self.core.pending_updates()
        ]

    def close(self) -> None:
        self.do(self.core.stop)
        self.wait(self.serving.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def opened(page: Page, stage: Stage) -> Page:
    page.goto(stage.serving.url)
    expect(page.locator("body")).to_have_attribute("data-connected", "true")
    return page


def bubble(page: Page, message: ChatMessage) -> Any:
    log = "private" if message.chat.id == KIM else "channel"
    return page.locator(f'[data-log="{log}"] [data-message-id="{message.id}"]')
