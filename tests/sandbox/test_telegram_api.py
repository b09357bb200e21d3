"""The Bot API by hand: every way to pass parameters, every refusal in Telegram's words."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette

from market.clock import SystemClock
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "7000000001:demo-token"
KIM = 11111111
CHANNEL = -1001234567890
ERRORS = Path(__file__).parents[2].parent / "shared" / "fixtures" / "telegram" / "errors.json"
GIF = b"GIF89a\x01\x00\x01\x00"


class Api:
    def __init__(self, core: TelegramCore, client: httpx.AsyncClient) -> None:
        self.core = core
        self.client = client

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        kind = {"content-type": "application/json"}
        answer = await self.client.post(
            f"/bot{TOKEN}/{method}", content=json.dumps(parameters), headers=kind
        )
        body: dict[str, Any] = answer.json()
        assert body["ok"] is (answer.status_code == 200)
        assert body.get("error_code", 200) == answer.status_code
        return body

    async def refusal(self, method: str, **parameters: Any) -> str:
        body = await self.call(method, **parameters)
        return str(body["description"])


@asynccontextmanager
async def api() -> AsyncIterator[Api]:
    core = TelegramCore(SystemClock(), limits=None)
    core.add_user(KIM, "김개미")
    core.add_channel(CHANNEL, "알림")
    transport = httpx.ASGITransport(Starlette(routes=telegram_routes(core, TOKEN)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Api(core, client)


def keys(data: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "확인", "callback_data": data}]]}


def test_parameters_come_by_query_form_json_and_multipart() -> None:
    async def scenario() -> list[str]:
        async with api() as bot:
            address = f"/bot{TOKEN}/sendMessage"
            fields = {"chat_id": str(KIM), "text": "form", "reply_markup": json.dumps(keys("a"))}
            await bot.client.get(address, params={"chat_id": KIM, "text": "query"})
            await bot.client.post(address, data=fields)
            await bot.call("SENDMESSAGE", chat_id=KIM, text="json", reply_markup=keys("b"))
            parts = {name: (None, value) for name, value in (fields | {"text": "parts"}).items()}
            await bot.client.post(address, files=parts)
            messages = bot.core.messages(KIM)
            assert [len(message.buttons) for message in messages] == [0, 1, 1, 1]
            return [message.text for message in messages]

    assert asyncio.run(scenario()) == ["query", "form", "json", "parts"]


@pytest.mark.parametrize(
    ("token", "method", "code", "description"),
    [
        ("123:other", "getMe", 401, "Unauthorized"),
        ("malformed", "getMe", 404, "Not Found"),
        (TOKEN, "sendInvoice", 404, "Not Found: method not found"),
    ],
)
def test_a_wrong_address_is_told_apart(
    token: str, method: str, code: int, description: str
) -> None:
    async def scenario() -> httpx.Response:
        async with api() as bot:
            return await bot.client.get(f"/bot{token}/{method}")

    answer = asyncio.run(scenario())
    assert answer.status_code == code
    assert answer.json() == {"ok": False, "error_code": code, "description": description}


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"text": "x"}, "chat_id is empty"),
        ({"chat_id": 5, "text": "x"}, "chat not found"),
        ({"chat_id": KIM}, "message text is empty"),
        ({"chat_id": KIM, "text": " \n"}, "message text is empty"),
        ({"chat_id": KIM, "text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"),
        ({"chat_id": KIM, "text": "x" * 4097}, "message is too long"),
        ({"chat_id": KIM, "text": "📈" * 2049}, "message is too long"),
        ({"chat_id": KIM, "text": "x", "parse_mode": "wiki"}, "unsupported parse_mode"),
        ({"chat_id": KIM, "text": "x", "reply_markup": keys("")}, "BUTTON_DATA_INVALID"),
        ({"chat_id": KIM, "text": "x", "reply_markup": keys("x" * 65)}, "BUTTON_DATA_INVALID"),
        (
            {"chat_id": KIM, "text": "x", "reply_markup": "{"},
            "can't parse reply_markup JSON object",
        ),
        (
            {"chat_id": KIM, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x"}]]}},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"chat_id": KIM, "text": "\ud83d"}, "strings must be encoded in UTF-8"),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused(
    parameters: dict[str, Any], description: str
) -> None:
    async def scenario() -> str:
        async with api() as bot:
            refusal = await bot.refusal("sendMessage", **parameters)
            assert bot.core.messages(KIM) == []
            return refusal

    assert asyncio.run(scenario()) == f"Bad Request: {description}"


def test_the_longest_message_and_data_are_accepted() -> None:
    async def scenario() -> None:
        async with api() as bot:
            text = "<b>" + "&lt;" * 4096 + "</b>"
            body = await bot.call(
                "sendMessage",
                chat_id=KIM,
                text=text,
                parse_mode="HTML",
                reply_markup=keys("x" * 64),
            )
            assert body["result"]["text"] == "<" * 4096
            assert body["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]

    asyncio.run(scenario())


def test_pictures_are_held_against_the_rules() -> None:
    async def scenario() -> list[str]:
        async with api() as bot:
            address, fields = f"/bot{TOKEN}/sendPhoto", {"chat_id": str(KIM)}
            told = []
            for content in (b"", GIF, b"\x89PNG\r\n\x1a\n"):
                answer = await bot.client.post(address, data=fields, files={"photo": content})
                told.append(answer.json()["description"])
            told.append(await bot.refusal("sendPhoto", chat_id=KIM, photo="https://example.com/"))
            told.append(await bot.refusal("sendPhoto", chat_id=KIM))
            told.append(await bot.refusal("sendPhoto", chat_id=KIM, caption="x" * 1025))
            assert bot.core.messages(KIM) == []
            return [text.removeprefix("Bad Request: ") for text in told]

    assert asyncio.run(scenario()) == [
        "file must be non-empty",
        "IMAGE_PROCESS_FAILED",
        "IMAGE_PROCESS_FAILED",
        "wrong file identifier/HTTP URL specified",
        "there is no photo in the request",
        "message caption is too long",
    ]


def test_edits_are_held_against_the_message() -> None:
    async def scenario() -> list[str]:
        async with api() as bot:
            sent = await bot.call("sendMessage", chat_id=KIM, text="x", reply_markup=keys("a"))
            bot.core.user_sends(KIM, "mine")
            place = {"chat_id": KIM, "message_id": sent["result"]["message_id"]}
            theirs = {"chat_id": KIM, "message_id": bot.core.messages(KIM)[-1].id}
            edit = "editMessageText"
            told = [
                await bot.refusal(edit, **place, text="x", reply_markup=keys("a")),
                await bot.refusal(edit, chat_id=KIM, message_id=9, text="y"),
                await bot.refusal(edit, chat_id=KIM, text="y"),
                await bot.refusal(edit, **theirs, text="y"),
                await bot.refusal("editMessageCaption", **place, caption="y"),
                await bot.refusal("deleteMessage", chat_id=KIM, message_id=9),
            ]
            await bot.call("editMessageReplyMarkup", **place, reply_markup=keys("b"))
            message = bot.core.message(KIM, place["message_id"])
            assert message is not None
            assert (message.buttons[0][0].data, message.is_edited) == ("b", False)
            return [text.removeprefix("Bad Request: ").split(":")[0] for text in told]

    assert asyncio.run(scenario()) == [
        "message is not modified",
        "message to edit not found",
        "message identifier is not specified",
        "message can't be edited",
        "there is no caption in the message to edit",
        "message to delete not found",
    ]


def test_refusals_have_the_recorded_words() -> None:
    if not ERRORS.exists():
        pytest.skip("the recorded errors are not beside this checkout")
    recorded = json.loads(ERRORS.read_text(encoding="utf-8"))

    async def scenario() -> None:
        async with api() as bot:
            sent = await bot.call("sendMessage", chat_id=KIM, text="x")
            place = {"chat_id": KIM, "message_id": sent["result"]["message_id"]}
            told = [
                await bot.call("sendMessage", chat_id=KIM, text="x" * 4097),
                await bot.call("sendMessage", chat_id=KIM, text=""),
                await bot.call("sendMessage", chat_id=5, text="x"),
                await bot.call("editMessageText", **place, text="x"),
                await bot.call("answerCallbackQuery", callback_query_id="1"),
                await bot.call("sendMessage", chat_id=KIM, text="x", reply_markup=keys("가" * 22)),
            ]
            assert all(body in recorded["400"] for body in told)
            bot.core.faults.too_many("sendMessage", 17)
            assert await bot.call("sendMessage", chat_id=KIM, text="x") in recorded["429"]
            bot.core.block(KIM)
            assert await bot.call("sendMessage", chat_id=KIM, text="x") in recorded["403"]

    asyncio.run(scenario())


def test_updates_come_in_pieces_and_are_confirmed_by_the_offset() -> None:
    async def scenario() -> None:
        async with api() as bot:
            first = bot.core.user_sends(KIM, "0")
            for number in range(1, 4):
                bot.core.user_sends(KIM, str(number))
            body = await bot.call("getUpdates", limit=2)
            assert [update["message"]["text"] for update in body["result"]] == ["0", "1"]
            body = await bot.call("getUpdates", offset=first + 2)
            assert [update["message"]["text"] for update in body["result"]] == ["2", "3"]
            body = await bot.call("getUpdates", offset=-1, allowed_updates=["callback_query"])
            assert [update["message"]["text"] for update in body["result"]] == ["3"]
            bot.core.user_sends(KIM, "unwanted")
            assert (await bot.call("getUpdates", offset=first + 4))["result"] == []

    asyncio.run(scenario())


def test_commands_are_checked() -> None:
    async def scenario() -> list[str]:
        async with api() as bot:
            return [
                await bot.refusal(
                    "setMyCommands", commands=[{"command": name, "description": text}]
                )
                for name, text in (("Buy", "x"), ("buy", ""), ("", "x"))
            ]

    assert asyncio.run(scenario()) == [
        "Bad Request: BOT_COMMAND_INVALID",
        "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID",
        "Bad Request: BOT_COMMAND_INVALID",
    ]


def test_a_person_sees_the_narrowest_menu() -> None:
    async def scenario() -> list[str]:
        async with api() as bot:
            seen = []
            for name, extra in (
                ("a", {}),
                ("b", {"language_code": "ko"}),
                ("c", {"scope": {"type": "all_private_chats"}}),
                ("d", {"scope": {"type": "chat", "chat_id": KIM}, "language_code": "ko"}),
            ):
                commands = [{"command": name, "description": "x"}]
                await bot.call("setMyCommands", commands=commands, **extra)
                seen.append(bot.core.commands.seen_by(KIM, "ko")[0].command)
            return seen

    assert asyncio.run(scenario()) == ["a", "b", "c", "d"]
