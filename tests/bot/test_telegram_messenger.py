from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot import messenger
from bot.telegram_errors import seconds_of, translate
from bot.telegram_messenger import TelegramMessenger
from market.messages import Button

RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "telegram" / "errors.json"
CHAT = 5


@pytest.fixture(autouse=True)
def _seconds_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # else RetryAfter warns about its future type


class Answering(HTTPXRequest):
    """A request object that gives one answer, or fails, without a network."""

    def __init__(self, answer: tuple[int, bytes] | httpx.HTTPError) -> None:
        def respond(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            if isinstance(answer, httpx.HTTPError):
                raise answer
            return httpx.Response(answer[0], content=answer[1])

        self.asked: list[httpx.Request] = []
        super().__init__(httpx_kwargs={"transport": httpx.MockTransport(respond)})


def said(answer: tuple[int, bytes] | httpx.HTTPError) -> messenger.MessengerError:
    """Return what sending a text comes to when Telegram answers so."""
    request = Answering(answer)
    bot = Bot("1:x", base_url="http://telegram.invalid/bot", request=request)

    async def send() -> None:
        try:
            await TelegramMessenger(bot).send_text(CHAT, "hello", (), False)
        finally:
            await request.shutdown()

    with pytest.raises(messenger.MessengerError) as caught:
        asyncio.run(send())
    return caught.value


def refusal(code: int, description: str, **parameters: int) -> tuple[int, bytes]:
    body = {"ok": False, "error_code": code, "description": description}
    return code, json.dumps({**body, "parameters": parameters} if parameters else body).encode()


def recorded() -> list[Any]:
    if not RECORDED.exists():
        reason = "the recorded Telegram errors are not on this machine"
        return [pytest.param(0, {}, marks=pytest.mark.skip(reason=reason))]
    found = json.loads(RECORDED.read_text(encoding="utf-8"))
    return [(int(code), body) for code, bodies in found.items() for body in bodies]


MEANINGS: dict[str, type[messenger.MessengerError]] = {
    "message is too long": messenger.TooLong,
    "message text is empty": messenger.Refused,
    "chat not found": messenger.Blocked,
    "can't parse entities": messenger.BadMarkup,
    "message is not modified": messenger.NotModified,
    "query is too old": messenger.Refused,
    "BUTTON_DATA_INVALID": messenger.Refused,
    "group chat was upgraded": messenger.ChatMigrated,
    "Unauthorized": messenger.NetworkTrouble,
    "blocked by the user": messenger.Blocked,
    "Not Found": messenger.NetworkTrouble,
    "terminated by other": messenger.Refused,
    "while webhook is active": messenger.Refused,
    "Too Many Requests": messenger.RetryLater,
    "502 Bad Gateway": messenger.NetworkTrouble,
}


@pytest.mark.parametrize(("code", "body"), recorded())
def test_every_recorded_error_has_its_meaning(code: int, body: Any) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    meaning = next(kind for part, kind in MEANINGS.items() if part in content)
    assert type(said((code, content.encode()))) is meaning


@pytest.mark.parametrize(
    ("description", "meaning"),
    [
        ("Bad Request: message to edit not found", messenger.MessageGone),
        ("Bad Request: message can't be edited", messenger.MessageGone),
        ("Bad Request: MESSAGE_ID_INVALID", messenger.MessageGone),
        ("Bad Request: there is no text in the message to edit", messenger.MessageGone),
        ("Bad Request: there is no caption in the message to edit", messenger.MessageGone),
        ("Bad Request: message caption is too long", messenger.TooLong),
        ("Bad Request: MEDIA_CAPTION_TOO_LONG", messenger.TooLong),
        ("Bad Request: not enough rights to send text messages", messenger.Refused),
    ],
)
def test_a_refusal_has_its_meaning(
    description: str, meaning: type[messenger.MessengerError]
) -> None:
    error = said(refusal(400, description))
    assert type(error) is meaning
    assert str(error).lower() in description.lower()  # the library drops the beginning


def test_flood_control_says_for_how_long() -> None:
    error = said(refusal(429, "Too Many Requests: retry after 17", retry_after=17))
    assert isinstance(error, messenger.RetryLater)
    assert error.seconds == 17


def test_a_group_that_moved_says_where_to() -> None:
    moved = said(refusal(400, "Bad Request: upgraded", migrate_to_chat_id=-100123))
    assert isinstance(moved, messenger.ChatMigrated)
    assert moved.new_id == -100123


@pytest.mark.parametrize(
    ("failure", "is_ambiguous"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.UnsupportedProtocol("ftp"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.WriteTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.RemoteProtocolError("closed"), True),
    ],
)
def test_a_broken_connection_says_whether_the_message_may_have_arrived(
    failure: httpx.HTTPError, is_ambiguous: bool
) -> None:
    error = said(failure)
    assert isinstance(error, messenger.NetworkTrouble)
    assert error.is_ambiguous is is_ambiguous


def test_an_html_page_of_a_gateway_may_have_let_the_message_through() -> None:
    error = said((502, b"<html><head><title>502 Bad Gateway</title></head></html>"))
    assert isinstance(error, messenger.NetworkTrouble)
    assert error.is_ambiguous


def test_a_refused_token_keeps_the_message() -> None:
    error = said(refusal(401, "Unauthorized"))
    assert isinstance(error, messenger.NetworkTrouble)
    assert not error.is_ambiguous


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (BadRequest("Chat not found"), messenger.Blocked),
        (ChatMigrated(-1), messenger.ChatMigrated),
        (Conflict("x"), messenger.Refused),
        (Forbidden("x"), messenger.Blocked),
        (InvalidToken("x"), messenger.NetworkTrouble),
        (NetworkError("x"), messenger.NetworkTrouble),
        (TelegramError("x"), messenger.Refused),
        (TimedOut(), messenger.NetworkTrouble),
    ],
)
def test_every_class_of_the_library_has_a_meaning(
    error: TelegramError, meaning: type[messenger.MessengerError]
) -> None:
    assert type(translate(error)) is meaning


def test_flood_control_is_understood_in_both_of_the_librarys_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert seconds_of(RetryAfter(timedelta(seconds=2.5))) == 2.5
    monkeypatch.setenv("PTB_TIMEDELTA", "false")
    with pytest.warns(DeprecationWarning, match="retry_after"):
        assert seconds_of(RetryAfter(3)) == 3


def test_buttons_carry_data_or_an_address() -> None:
    sent = {"message_id": 7, "date": 1, "chat": {"id": CHAT, "type": "private"}}
    request = Answering((200, json.dumps({"ok": True, "result": sent}).encode()))
    bot = Bot("1:x", base_url="http://telegram.invalid/bot", request=request)
    buttons = ((Button("yes", data="oc:A:1"), Button("see", url="https://t.me/x")),)

    async def send() -> int:
        try:
            return await TelegramMessenger(bot).send_text(CHAT, "<b>x</b>", buttons, True)
        finally:
            await request.shutdown()

    assert asyncio.run(send()) == 7
    form = httpx.QueryParams(request.asked[0].content.decode())
    keyboard = cast("dict[str, Any]", json.loads(form["reply_markup"]))["inline_keyboard"]
    assert keyboard == [
        [{"text": "yes", "callback_data": "oc:A:1"}, {"text": "see", "url": "https://t.me/x"}]
    ]
    assert (form["parse_mode"], form["disable_notification"]) == ("HTML", "true")
