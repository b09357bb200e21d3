"""Messages to Telegram, and Telegram's refusals as errors that say what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot import messenger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telegram import Bot

    from bot.messenger import Buttons

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_REFUSALS: tuple[tuple[str, type[messenger.MessengerError]], ...] = (
    ("message is not modified", messenger.NotModified),
    ("can't parse entities", messenger.BadMarkup),
    ("message to edit not found", messenger.MessageGone),
    ("message can't be edited", messenger.MessageGone),
    ("there is no text in the message", messenger.MessageGone),
    ("there is no caption in the message", messenger.MessageGone),
    ("message is too long", messenger.TooLong),
    ("message caption is too long", messenger.TooLong),
    ("chat not found", messenger.Blocked),
)
"""Parts of Telegram's descriptions (recorded Bot API errors), and what they mean to us."""

_NOT_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""The request never left us: sending it again cannot say it twice."""


class TelegramMessenger:
    """The chat network of bot/messenger.py, by the Bot API; it neither paces nor retries."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def send_text(self, chat_id: int, html: str, buttons: Buttons, silent: bool) -> int:
        """Send a text; return its message id."""
        with _translated():
            sent = await self._bot.send_message(
                chat_id,
                html,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(buttons),
                disable_notification=silent,
                link_preview_options=_NO_PREVIEW,
            )
        return sent.message_id

    async def send_photo(
        self, chat_id: int, png: bytes, html: str, buttons: Buttons, silent: bool
    ) -> int:
        """Send a picture with a caption; return its message id."""
        with _translated():
            sent = await self._bot.send_photo(
                chat_id,
                png,
                caption=html,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(buttons),
                disable_notification=silent,
                filename="chart.png",
            )
        return sent.message_id

    async def edit_text(self, chat_id: int, message_id: int, html: str, buttons: Buttons) -> None:
        """Replace the words and buttons of a text message."""
        with _translated():
            await self._bot.edit_message_text(
                html,
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(buttons),
                link_preview_options=_NO_PREVIEW,
            )

    async def edit_caption(
        self, chat_id: int, message_id: int, html: str, buttons: Buttons
    ) -> None:
        """Replace the caption and buttons of a picture."""
        with _translated():
            await self._bot.edit_message_caption(
                chat_id=chat_id,
                message_id=message_id,
                caption=html,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(buttons),
            )


def _markup(buttons: Buttons) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(one.label, url=one.url)
                if one.url
                else InlineKeyboardButton(one.label, callback_data=one.data)
                for one in row
            ]
            for row in buttons
        ]
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except TelegramError as error:
        raise translate(error) from error


def translate(error: TelegramError) -> messenger.MessengerError:
    """Return what an error of the library means for the message that was being sent."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return messenger.RetryLater(wait if isinstance(wait, int) else wait.total_seconds())
    if isinstance(error, ChatMigrated):
        return messenger.ChatMigrated(error.new_chat_id)
    if isinstance(error, Forbidden):
        return messenger.Blocked(error.message)
    if isinstance(error, BadRequest):
        return _refusal(error.message)
    if isinstance(error, NetworkError):
        return messenger.NetworkTrouble(
            error.message, is_ambiguous=not isinstance(error.__cause__, _NOT_WRITTEN)
        )
    return messenger.Refused(error.message)


def _refusal(description: str) -> messenger.MessengerError:
    lowered = description.lower()
    for part, meaning in _REFUSALS:
        if part in lowered:
            return meaning(description)
    return messenger.Refused(description)
