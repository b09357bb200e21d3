"""Long polling: what Telegram tells is stored before the next question confirms it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from telegram.error import (
    Conflict,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.patience import Patience
from bot.telegram_errors import TokenRefused, seconds_of
from market.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Bot
    from telegram.request import BaseRequest

    from bot.telegram_inbox import RawUpdate, StoredUpdates

logger = logging.getLogger(__name__)

ALLOWED = ("message", "edited_message", "callback_query")
FORGET_OFFSET_SECONDS = 6 * 24 * 3600.0
"""After a week without updates Telegram picks the next id at random; it may be lower than ours."""
CONFLICT_PAUSE_SECONDS = 5.0
"""Not longer: the other program may be our own predecessor that is just stopping."""
TELL_EVERY_SECONDS = 60.0


class Poller:
    """Asks Telegram for updates, again and again; nothing but a refused token ends it.

    The library's own Updater is not used: it goes silent for good when the token is withdrawn
    while it polls, asks in a busy loop for an update that it cannot read, and waits for one more
    answer of Telegram before it stops.
    """

    def __init__(
        self,
        bot: Bot,
        request: BaseRequest,
        updates: StoredUpdates,
        timeout_seconds: int,
        pauses: Sequence[float],
    ) -> None:
        self._bot = bot
        self._request = request
        self._updates = updates
        self._timeout_seconds = max(1, timeout_seconds)
        self._patience = Patience(pauses)
        self._offset: int | None = None
        self._heard_at = 0.0
        self._conflict_told_at: float | None = None

    async def run(self) -> None:
        """Poll until cancelled; raises TokenRefused."""
        while True:
            try:
                for raw in await self._ask():
                    await self._updates.receive(raw)
                    self._offset = raw["update_id"] + 1
                self._answered()
            except InvalidToken as error:
                raise TokenRefused from error
            except Conflict as error:
                await self._contend(error)
            except RetryAfter as error:
                await asyncio.sleep(seconds_of(error))
            except StoreError as error:
                pause = self._patience.next_pause()
                logger.error(  # noqa: TRY400  # the text says it all
                    "a message could not be stored, asking for it again in %g s: %s", pause, error
                )
                await asyncio.sleep(pause)
            except TelegramError as error:
                pause = self._patience.next_pause()
                tell_silence(self._bot, error, pause)
                await asyncio.sleep(pause)

    async def _ask(self) -> list[RawUpdate]:
        """Return the updates as they were sent, whether or not the library can read them."""
        asked: dict[str, object] = {
            "timeout": self._timeout_seconds,
            "allowed_updates": json.dumps(ALLOWED),
        }
        now = asyncio.get_running_loop().time()
        if self._offset is not None and now - self._heard_at < FORGET_OFFSET_SECONDS:
            asked["offset"] = self._offset
        body = await self._request.retrieve(
            f"{self._bot.base_url}/getUpdates?{urlencode(asked)}",
            read_timeout=self._timeout_seconds + 10,
        )
        updates = _read(self._request.parse_json_payload(body))
        if updates:
            self._heard_at = now
        return updates

    def _answered(self) -> None:
        self._conflict_told_at = None
        if self._patience.succeed():
            logger.info("Telegram answers again")

    async def _contend(self, error: Conflict) -> None:
        """Go on beside another poller, or take away the webhook that Telegram sends to."""
        if "webhook" in error.message.lower():
            logger.warning("Telegram sends this bot's messages to a webhook: it is taken away now")
            await self._take_webhook_away()
            return
        now = asyncio.get_running_loop().time()
        if self._conflict_told_at is None or now - self._conflict_told_at >= TELL_EVERY_SECONDS:
            self._conflict_told_at = now
            logger.error(
                "another program polls Telegram with the same token, messages go astray: stop it,"
                " or give this bot a token of its own (@BotFather)"
            )
        await asyncio.sleep(min(CONFLICT_PAUSE_SECONDS, self._patience.next_pause()))

    async def _take_webhook_away(self) -> None:
        try:
            await self._bot.delete_webhook()
        except TelegramError as error:
            pause = self._patience.next_pause()
            logger.warning("the webhook could not be taken away (%s); again in %g s", error, pause)
            await asyncio.sleep(pause)


def tell_silence(bot: Bot, error: TelegramError, pause_seconds: float) -> None:
    """Log that Telegram does not answer, where it was looked for, and what will happen."""
    server = bot.base_url.removesuffix(f"/bot{bot.token}")
    logger.warning(
        "Telegram does not answer at %s (%.200s): check the network; trying again in %g s",
        server,
        error,
        pause_seconds,
    )


def _read(answer: object) -> list[RawUpdate]:
    updates = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(updates, list):
        raise NetworkError("an answer that is not Telegram's")
    return [one for one in updates if isinstance(one, dict) and type(one.get("update_id")) is int]
