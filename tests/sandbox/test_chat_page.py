"""The chat page's routes: what it shows, what it lets a person do, and whom it refuses."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from market.clock import ManualClock
from sandbox.chat_page import ChatPage, page_routes, pieces
from sandbox.image_size import ImageSize
from sandbox.server import serve
from sandbox.telegram_commands import BotCommand
from sandbox.telegram_core import TelegramCore
from sandbox.telegram_html import utf16_length
from sandbox.telegram_types import CallbackAnswer, InlineButton

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KIM = 11111111
LEE = 22222222
CHANNEL = -1001234567890
HOST = "http://127.0.0.1:8080"


class Stage:
    def __init__(self) -> None:
        self.core = TelegramCore(ManualClock(datetime(2026, 11, 24, tzinfo=UTC)), limits=None)
        self.core.add_user(KIM, "김개미")
        self.core.add_user(LEE, "이개미")
        self.core.add_channel(CHANNEL, "알림")
        self.page = ChatPage(self.core, KIM, {"private": KIM, "channel": CHANNEL})
        self.app = Starlette(routes=page_routes(self.page))

    def says(self, text: str = "확인?", chat_id: int = KIM, data: str = "oc:A:1") -> int:
        buttons = ((InlineButton("확인", data),),)
        return self.core.bot_sends(self.core.chat(chat_id), text, (), buttons=buttons).id

    async def request(
        self, method: str, path: str, host: str = HOST, **options: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=host) as client:
            return await client.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self.request("GET", path, **options))

    def post(self, path: str, body: Any, origin: str | None = HOST) -> httpx.Response:
        headers = {} if origin is None else {"Origin": origin}
        return asyncio.run(self.request("POST", path, json=body, headers=headers))


def test_the_page_and_its_parts_are_served_with_a_strict_policy() -> None:
    stage = Stage()
    index = stage.get("/")
    assert index.headers["content-type"].startswith("text/html")
    policy = index.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    for name in ("chat.js", "chat.css", "bubbles.css", "icon.svg", "pattern.svg"):
        assert stage.get(f"/static/{name}").status_code == 200
    assert stage.get("/static/../chat_page.py").status_code == 404


def test_the_state_holds_both_chats_the_menu_and_the_status() -> None:
    stage = Stage()
    stage.core.user_sends(KIM, "/status")
    stage.says()
    stage.core.commands.put("default", "", [BotCommand("status", "상태")])
    stage.page.set_status({"market_time": "09:36", "speed": 60, "note": "정규장"})
    state = stage.get("/page/state").json()
    private, channel = state["chats"]
    assert (private["key"], private["can_write"]) == ("private", True)
    assert (channel["key"], channel["can_write"]) == ("channel", False)
    mine, card = private["messages"]
    assert (mine["mine"], mine["text"]) == (True, "/status")
    assert card["buttons"] == [[{"text": "확인", "callback_data": "oc:A:1"}]]
    assert state["commands"] == [{"command": "status", "description": "상태"}]
    assert state["status"] == {"market_time": "09:36", "speed": "60", "note": "정규장"}


def test_what_is_typed_and_tapped_reaches_the_bot() -> None:
    stage = Stage()
    message_id = stage.says()
    sent = stage.post("/page/send", {"chat_id": KIM, "text": " /buy 005930 10 "})
    tapped = stage.post("/page/tap", {"chat_id": KIM, "message_id": message_id, "data": "oc:A:1"})
    command, tap = stage.core.pending_updates()
    assert sent.json() == {"updates": [command["update_id"]]}
    assert command["message"]["text"] == "/buy 005930 10"
    assert tapped.json() == {"callback": tap["callback_query"]["id"]}
    assert tap["callback_query"]["from"]["id"] == KIM


def test_a_photo_is_served_as_what_it_is() -> None:
    stage = Stage()
    photo = stage.core.add_photo(b"\x89PNG", ImageSize(4, 3, "image/png"))
    answer = stage.get(f"/page/photo/{photo.file_id}")
    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert stage.get("/page/photo/other").status_code == 404


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1"]
)
def test_another_web_page_cannot_type_or_tap(origin: str | None) -> None:
    stage = Stage()
    body = {"chat_id": KIM, "text": "/buy", "message_id": 101, "data": "oc:A:1"}
    assert stage.post("/page/send", body, origin).status_code == 403
    assert stage.post("/page/tap", body, origin).status_code == 403
    assert stage.core.pending_updates() == []


def test_a_rebound_name_sees_nothing() -> None:
    stage = Stage()
    photo = stage.core.add_photo(b"x", ImageSize(4, 3, "image/png"))
    for path in ("/", "/page/state", f"/page/photo/{photo.file_id}"):
        assert stage.get(path, host="http://evil.example:8080").status_code == 403
        assert stage.get(path, host="http://localhost:8080").status_code == 200


def test_a_form_post_is_no_json() -> None:
    stage = Stage()
    content = json.dumps({"chat_id": KIM, "text": "/buy"})
    headers = {"Origin": HOST, "Content-Type": "text/plain"}
    answer = asyncio.run(stage.request("POST", "/page/send", content=content, headers=headers))
    assert answer.status_code == 400
    assert stage.core.pending_updates() == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/page/send", [], 400),
        ("/page/send", {"chat_id": KIM}, 400),
        ("/page/send", {"chat_id": KIM, "text": "  "}, 400),
        ("/page/send", {"chat_id": True, "text": "x"}, 400),
        ("/page/send", {"chat_id": CHANNEL, "text": "x"}, 403),
        ("/page/send", {"chat_id": LEE, "text": "x"}, 403),
        ("/page/send", {"chat_id": KIM, "text": "x" * 300_000}, 400),
        ("/page/tap", {"chat_id": LEE, "message_id": 101, "data": "x"}, 400),
        ("/page/tap", {"chat_id": KIM, "message_id": "101", "data": "x"}, 400),
    ],
)
def test_what_cannot_be_done_is_refused(path: str, body: Any, code: int) -> None:
    stage = Stage()
    assert stage.post(path, body).status_code == code
    assert stage.core.pending_updates() == []


def test_a_long_text_goes_out_in_pieces() -> None:
    text = ("가" * 1000 + "\n") * 9 + "📈" * 3000
    cut = pieces(text)
    assert all(0 < utf16_length(piece) <= 4096 for piece in cut)
    assert "".join(cut).replace("\n", "") == text.replace("\n", "")
    assert pieces(" \n ") == []
    stage = Stage()
    stage.post("/page/send", {"chat_id": KIM, "text": "x" * 10_000})
    assert len(stage.core.messages(KIM)) == len(pieces("x" * 10_000))


# Live


@asynccontextmanager
async def live(stage: Stage) -> AsyncIterator[ClientConnection]:
    serving = await serve(stage.app, "127.0.0.1", 0)
    address = serving.url.replace("http", "ws") + "/page/live"
    try:
        async with connect(address, origin=serving.url) as socket:  # type: ignore[arg-type]  # a plain str at run time
            yield socket
    finally:
        stage.core.stop()
        await serving.stop()


async def read(socket: ClientConnection) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 5))
    return event


def test_changes_are_pushed_as_they_happen() -> None:
    async def scenario() -> list[dict[str, Any]]:
        stage = Stage()
        async with live(stage) as socket:
            events = [await read(socket)]
            message_id = stage.says("<b>")
            events.append(await read(socket))
            tap = stage.core.user_taps(KIM, KIM, message_id, "oc:A:1")
            stage.core.bot_answers(tap, CallbackAnswer("했습니다", is_alert=True))
            events.append(await read(socket))
            message = stage.core.message(KIM, message_id)
            assert message is not None
            stage.core.bot_deletes(message)
            events.append(await read(socket))
            stage.page.set_status({"speed": "1"})
            stage.page.set_status({"speed": "1"})
            stage.core.changes.note("commands")
            return [*events, await read(socket), await read(socket)]

    events = asyncio.run(scenario())
    kinds = ["state", "message", "answer", "deleted", "status", "commands"]
    assert [event["type"] for event in events] == kinds
    assert events[1]["message"]["text"] == "<b>"
    assert (events[2]["text"], events[2]["alert"]) == ("했습니다", True)


def test_what_others_do_is_not_shown() -> None:
    async def scenario() -> dict[str, Any]:
        stage = Stage()
        async with live(stage) as socket:
            await read(socket)
            stage.says("private", LEE)
            tap = stage.core.user_taps(LEE, LEE, 101, "x")
            stage.core.bot_answers(tap, CallbackAnswer("secret"))
            stage.says("public", CHANNEL)
            return await read(socket)

    assert asyncio.run(scenario())["message"]["text"] == "public"


def test_many_changes_of_one_message_are_told_once() -> None:
    stage = Stage()
    seen = stage.core.changes.newest
    message_id = stage.says("1")
    message = stage.core.message(KIM, message_id)
    assert message is not None
    for _ in range(5):
        stage.core.bot_edits(message)
    changes = stage.core.changes.since(seen)
    assert changes is not None
    assert len(changes) == 6
    assert len(stage.page.events(changes)) == 1


def test_a_page_that_lags_too_far_reads_everything_again() -> None:
    async def scenario() -> dict[str, Any]:
        stage = Stage()
        async with live(stage) as socket:
            await read(socket)
            for number in range(2100):
                stage.says(str(number))
            return await read(socket)

    event = asyncio.run(scenario())
    assert event["type"] == "state"
    assert event["chats"][0]["messages"][-1]["text"] == "2099"


def test_another_web_page_cannot_listen() -> None:
    async def scenario() -> None:
        stage = Stage()
        serving = await serve(stage.app, "127.0.0.1", 0)
        address = serving.url.replace("http", "ws") + "/page/live"
        for origin in ("https://evil.example", None):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(address, origin=origin)  # type: ignore[arg-type]  # a plain str at run time
        await serving.stop()

    asyncio.run(scenario())


def test_stopping_ends_the_push() -> None:
    async def scenario() -> None:
        stage = Stage()
        async with live(stage) as socket:
            await read(socket)
            stage.core.stop()
            with pytest.raises(ConnectionClosed):
                await read(socket)

    asyncio.run(scenario())
