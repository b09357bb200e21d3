"""The real python-telegram-bot Application runs against the pretend Telegram unchanged."""

from __future__ import annotations

import asyncio
import struct
import zlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from telegram import (
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    MenuButtonDefault,
    Update,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, Conflict, Forbidden, NetworkError, RetryAfter, TimedOut
from telegram.ext import Application, CallbackQueryHandler, MessageHandler, filters

from market.clock import ManualClock, SystemClock
from sandbox.server import serve
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telegram.ext import CallbackContext

TOKEN = "7000000001:demo-token"
KIM = 11111111
CHANNEL = -1001234567890


@pytest.fixture(autouse=True)
def _seconds_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # else RetryAfter warns about its future type


def png(width: int = 4, height: int = 3) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\xd0" * width) * height
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def core(**options: Any) -> TelegramCore:
    made = TelegramCore(SystemClock(), **options)
    made.add_user(KIM, "김개미")
    made.add_channel(CHANNEL, "알림")
    return made


@asynccontextmanager
async def running(state: TelegramCore) -> AsyncIterator[Any]:
    """Serve the core and give an initialised Application that talks to it."""
    serving = await serve(Starlette(routes=telegram_routes(state, TOKEN)), "127.0.0.1", 0)
    application = (
        Application.builder()
        .token(TOKEN)
        .base_url(f"{serving.url}/bot")
        .base_file_url(f"{serving.url}/file/bot")
        .build()
    )
    try:
        await application.initialize()
        yield application
    finally:
        await application.shutdown()
        state.stop()
        await serving.stop()


async def echo(update: Update, _context: CallbackContext[Any, Any, Any, Any]) -> None:
    assert update.effective_message is not None
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("확인", callback_data="oc:ABC:1")]])
    text = f"<b>{update.effective_message.text}</b>"
    await update.effective_message.reply_text(
        text, parse_mode=ParseMode.HTML, reply_markup=keyboard
    )


async def confirm(update: Update, _context: CallbackContext[Any, Any, Any, Any]) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("주문했습니다", show_alert=True)
    await query.edit_message_text(f"done {query.data}")


def test_an_application_polls_answers_and_edits() -> None:
    async def scenario() -> TelegramCore:
        state = core()
        async with running(state) as application:
            application.add_handler(MessageHandler(filters.COMMAND, echo))
            application.add_handler(CallbackQueryHandler(confirm))
            await application.start()
            await application.updater.start_polling(timeout=5)
            first = state.user_sends(KIM, "/status 지금")
            await state.wait(lambda: len(state.messages(KIM)) == 2)
            card = state.messages(KIM)[-1]
            assert (card.text, card.is_from_bot) == ("/status 지금", True)
            assert card.entities[0].kind == "bold"
            tap = state.user_taps(KIM, KIM, card.id, card.buttons[0][0].data)
            await state.wait(lambda: state.messages(KIM)[-1].is_edited)
            answer = state.callback(tap).answer
            assert answer is not None
            assert (answer.text, answer.is_alert) == ("주문했습니다", True)
            await state.wait(lambda: state.confirmed_offset == first + 2)
            await application.updater.stop()
            await application.stop()
        return state

    state = asyncio.run(scenario())
    assert [message.text for message in state.messages(KIM)] == ["/status 지금", "done oc:ABC:1"]
    assert state.messages(KIM)[-1].buttons == ()
    assert state.pending_updates() == []
    assert state.calls["sendMessage"] == 1


def test_a_photo_is_sent_edited_and_fetched() -> None:
    async def scenario() -> None:
        state = core()
        async with running(state) as application:
            bot = application.bot
            sent = await bot.send_photo(
                KIM, png(), caption="<b>삼성전자</b> 📈", parse_mode=ParseMode.HTML
            )
            assert (sent.photo[-1].width, sent.photo[-1].height) == (4, 3)
            assert sent.caption_entities[0].type == "bold"
            file = await bot.get_file(sent.photo[-1].file_id)
            assert bytes(await file.download_as_bytearray()) == png()
            again = await bot.send_photo(CHANNEL, sent.photo[-1].file_id)
            assert again.sender_chat is not None
            assert again.from_user is None
            edited = await bot.edit_message_media(
                InputMediaPhoto(png(8, 6), caption="새 차트"), KIM, sent.message_id
            )
            assert edited.caption == "새 차트"
            same = InputMediaPhoto(edited.photo[-1].file_id, caption="새 차트")
            with pytest.raises(BadRequest, match="not modified"):
                await bot.edit_message_media(same, KIM, sent.message_id)
            await bot.edit_message_caption(KIM, sent.message_id, caption="끝")
        message = state.message(KIM, sent.message_id)
        assert message is not None
        assert message.photo is not None
        assert (message.text, message.photo.content) == ("끝", png(8, 6))

    asyncio.run(scenario())


def test_the_smaller_methods_satisfy_the_library() -> None:
    async def scenario() -> None:
        state = core()
        async with running(state) as application:
            bot = application.bot
            assert (await bot.get_me()).username == "ticktalk_demo_bot"
            await bot.set_my_commands([BotCommand("buy", "산다")], language_code="ko")
            assert (await bot.get_my_commands(language_code="ko"))[0].description == "산다"
            assert [c.command for c in state.commands.seen_by(KIM, "ko")] == ["buy"]
            await bot.delete_my_commands(language_code="ko")
            assert await bot.delete_webhook(drop_pending_updates=True)
            assert (await bot.get_webhook_info()).url == ""
            assert await bot.send_chat_action(KIM, ChatAction.TYPING)
            assert (await bot.get_chat(KIM)).first_name == "김개미"
            assert (await bot.get_chat(CHANNEL)).title == "알림"
            sent = await bot.send_message(KIM, "지울 것")
            assert await bot.delete_message(KIM, sent.message_id)
            assert state.messages(KIM) == []
            with pytest.raises(Exception, match="not found"):
                await bot.set_chat_menu_button(KIM, MenuButtonDefault())

    asyncio.run(scenario())


def test_refusals_reach_the_library_as_its_errors() -> None:
    async def scenario() -> None:
        state = core()
        async with running(state) as application:
            bot = application.bot
            with pytest.raises(BadRequest, match="Chat not found"):
                await bot.send_message(5, "x")
            with pytest.raises(BadRequest, match="Can't parse entities: unsupported start tag"):
                await bot.send_message(KIM, "<x>", parse_mode=ParseMode.HTML)
            keyboard = InlineKeyboardMarkup.from_button(
                InlineKeyboardButton("x", callback_data="가" * 22)
            )
            with pytest.raises(BadRequest, match="Button_data_invalid"):
                await bot.send_message(KIM, "x", reply_markup=keyboard)
            sent = await bot.send_message(KIM, "x")
            with pytest.raises(BadRequest, match="Message is not modified"):
                await bot.edit_message_text("x", KIM, sent.message_id)
            with pytest.raises(BadRequest, match="Query is too old"):
                await bot.answer_callback_query("1")
            state.block(KIM)
            with pytest.raises(Forbidden, match="blocked by the user"):
                await bot.send_message(KIM, "x")

    asyncio.run(scenario())


def test_faults_reach_the_library_as_its_errors() -> None:
    async def scenario() -> TelegramCore:
        state = core()
        async with running(state) as application:
            bot = application.bot
            state.faults.too_many("sendMessage", 7)
            with pytest.raises(RetryAfter) as flood:
                await bot.send_message(KIM, "x")
            assert flood.value.retry_after == timedelta(seconds=7)
            state.faults.bad_gateway("sendMessage")
            with pytest.raises(NetworkError):
                await bot.send_message(KIM, "x")
            state.faults.time_out("sendMessage")
            with pytest.raises(TimedOut):
                await bot.send_message(KIM, "x", read_timeout=0.05)
            state.faults.drop("sendMessage")
            with pytest.raises(NetworkError):
                await bot.send_message(KIM, "x")
            assert state.messages(KIM) == []
            state.faults.lose_answer("sendMessage")
            with pytest.raises(NetworkError):
                await bot.send_message(KIM, "once")
            state.faults.network_down = True
            with pytest.raises(NetworkError):
                await bot.send_message(KIM, "never")
            state.faults.network_down = False
        return state

    assert [message.text for message in asyncio.run(scenario()).messages(KIM)] == ["once"]


def test_flood_limits_tell_how_long_to_wait() -> None:
    async def scenario() -> None:
        clock = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
        state = TelegramCore(clock)
        state.add_user(KIM, "Kim")
        async with running(state) as application:
            for _ in range(3):
                await application.bot.send_message(KIM, "x")
            with pytest.raises(RetryAfter):
                await application.bot.send_message(KIM, "x")

    asyncio.run(scenario())


def test_a_second_poller_ends_the_older_one() -> None:
    async def scenario() -> None:
        state = core()
        async with running(state) as application, httpx.AsyncClient() as second:
            older = asyncio.create_task(application.bot.get_updates(timeout=20))
            await state.wait(lambda: state.updates.poller == 1)
            address = f"{application.bot.base_url}/getUpdates"
            newer = asyncio.create_task(second.get(address, params={"timeout": 20}))
            with pytest.raises(Conflict, match="terminated by other getUpdates"):
                await older
            state.user_sends(KIM, "hello")
            updates = (await newer).json()["result"]
            assert updates[0]["message"]["text"] == "hello"

    asyncio.run(scenario())


def test_stopping_ends_a_long_poll_at_once() -> None:
    async def scenario() -> object:
        state = core()
        async with running(state) as application:
            poll = asyncio.create_task(application.bot.get_updates(timeout=50))
            await state.wait(lambda: state.updates.poller == 1)
            state.stop()
            return await asyncio.wait_for(poll, 1)

    assert asyncio.run(scenario()) == ()
