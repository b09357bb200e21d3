"""Messages to Telegram, one attempt each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.telegram_errors import translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telegram import Bot

    from bot.messenger import Buttons

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


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
