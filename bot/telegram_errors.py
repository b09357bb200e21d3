"""What the library's errors mean to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from bot import messenger
from market.errors import TicktalkError

if TYPE_CHECKING:
    from telegram.error import TelegramError

_REFUSALS: tuple[tuple[str, type[messenger.MessengerError]], ...] = (
    ("message is not modified", messenger.NotModified),
    ("can't parse entities", messenger.BadMarkup),
    ("message to edit not found", messenger.MessageGone),
    ("message_id_invalid", messenger.MessageGone),
    ("message can't be edited", messenger.MessageGone),
    ("there is no text in the message", messenger.MessageGone),
    ("there is no caption in the message", messenger.MessageGone),
    ("message is too long", messenger.TooLong),
    ("message_too_long", messenger.TooLong),
    ("message caption is too long", messenger.TooLong),
    ("media_caption_too_long", messenger.TooLong),
    ("chat not found", messenger.Blocked),
)
"""Parts of Telegram's descriptions (recorded Bot API errors), and what they mean to us."""

_NOT_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""The request never left us: sending it again cannot say it twice."""


class TokenRefused(TicktalkError):
    """Telegram does not know the token: nothing works before it is mended."""

    def __init__(self) -> None:
        super().__init__(
            "Telegram refuses the token: copy it again from @BotFather into"
            " TICKTALK_TELEGRAM_TOKEN (.env or environment)"
        )


def translate(error: TelegramError) -> messenger.MessengerError:
    """Return what an error of the library means for the message that was being sent."""
    if isinstance(error, RetryAfter):
        return messenger.RetryLater(seconds_of(error))
    if isinstance(error, ChatMigrated):
        return messenger.ChatMigrated(error.new_chat_id)
    if isinstance(error, Forbidden):
        return messenger.Blocked(error.message)
    if isinstance(error, BadRequest):
        return _refusal(error.message)
    if isinstance(error, (InvalidToken, NetworkError)):
        # With a refused token the poller ends the run, and the message waits for a better one.
        is_unwritten = isinstance(error, InvalidToken) or isinstance(error.__cause__, _NOT_WRITTEN)
        return messenger.NetworkTrouble(error.message, is_ambiguous=not is_unwritten)
    return messenger.Refused(error.message)


def seconds_of(error: RetryAfter) -> float:
    """Return how long Telegram asks us to wait; the library is moving from int to timedelta."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, (int, float)) else wait.total_seconds()


def _refusal(description: str) -> messenger.MessengerError:
    lowered = description.lower()
    for part, meaning in _REFUSALS:
        if part in lowered:
            return meaning(description)
    return messenger.Refused(description)
