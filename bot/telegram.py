"""The bot on Telegram: long polling in, answers to taps out; messages go through the outbox."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from telegram import Update
from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError
from telegram.ext import Application, TypeHandler

from bot.telegram_inbox import StoredUpdates, incoming
from market.errors import TicktalkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telegram import Bot

    from bot.dispatch import Dispatcher
    from config.settings import TelegramSettings
    from market.clock import Clock
    from market.store import Store

logger = logging.getLogger(__name__)

_ALLOWED = ["message", "edited_message", "callback_query"]
_CONNECT_PAUSE_SECONDS = (1, 2, 5, 10, 30, 60)


class TokenRefused(TicktalkError):
    """Telegram does not know the token: nothing works before it is mended."""


class TelegramBot:
    """Owns the library's Application: starts it, hands updates to the dispatcher, stops it."""

    def __init__(
        self,
        settings: TelegramSettings,
        store: Store,
        clock: Clock,
        on_handled: Callable[[int], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._updates = StoredUpdates(store, clock)
        self._on_handled = on_handled
        self._dispatcher: Dispatcher | None = None
        base = settings.base_url.rstrip("/")
        self._application = (
            Application.builder()
            .token(settings.token.get_secret_value() if settings.token else "")
            .base_url(f"{base}/bot")
            .base_file_url(f"{base}/file/bot")
            .update_queue(self._updates)
            .get_updates_read_timeout(settings.poll_timeout_seconds + 10)
            .read_timeout(15)
            .build()
        )
        self._application.add_handler(TypeHandler(Update, self._handle))

    @property
    def bot(self) -> Bot:
        """Return the library's bot, for the messenger."""
        return self._application.bot

    async def connect(self) -> str:
        """Return the bot's username once Telegram answers, however long that takes.

        Raises TokenRefused.
        """
        attempt = 0
        while True:
            try:
                await self._application.initialize()
            except InvalidToken as error:
                raise TokenRefused(
                    "Telegram refuses the token: copy it again from @BotFather into"
                    " TICKTALK_TELEGRAM_TOKEN (.env or environment)"
                ) from error
            except TelegramError as error:
                pause = _CONNECT_PAUSE_SECONDS[min(attempt, len(_CONNECT_PAUSE_SECONDS) - 1)]
                logger.warning("Telegram does not answer (%s); trying again in %d s", error, pause)
                await asyncio.sleep(pause)
                attempt += 1
            else:
                return self._application.bot.username

    async def start(
        self, dispatcher: Dispatcher, menus: Mapping[str, Sequence[tuple[str, str]]]
    ) -> None:
        """Answer what was left over, then poll; `menus` are the commands by language."""
        self._dispatcher = dispatcher
        left = await self._updates.replay(self._application.bot)
        if left:
            logger.info("%d messages from before the last stop are answered now", left)
        await self._application.start()
        updater = self._application.updater
        if updater is None:
            raise TicktalkError("the Telegram library was built without an updater")
        await updater.start_polling(
            timeout=self._settings.poll_timeout_seconds,
            bootstrap_retries=-1,
            allowed_updates=_ALLOWED,
            error_callback=_polling_failed,
        )
        await self._set_menus(menus)

    async def stop(self) -> None:
        """Stop polling and close connections; what is queued stays in the inbox."""
        updater = self._application.updater
        if updater is not None and updater.running:
            await updater.stop()
        if self._application.running:
            await self._application.stop()
        await self._application.shutdown()

    async def _set_menus(self, menus: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        for language, commands in menus.items():
            code = None if language == "en" else language
            try:
                await self._application.bot.set_my_commands(list(commands), language_code=code)
            except TelegramError as error:
                logger.warning("the command menu could not be set: %s", error)

    async def _handle(self, update: Update, _: object) -> None:
        try:
            await self._dispatch(update)
        except Exception:
            logger.exception("update %d could not be handled", update.update_id)
        finally:
            self._on_handled(update.update_id)

    async def _dispatch(self, update: Update) -> None:
        now = self._clock.now()
        came = incoming(update, now)
        if came is None or self._dispatcher is None:
            await self._store.write(lambda tx: tx.inbox.done(update.update_id, now))
            return
        notice = await self._dispatcher.handle(came)
        if update.callback_query is None:
            return
        try:
            await update.callback_query.answer(notice or None)
        except BadRequest as error:
            logger.info("a tap was answered too late: %s", error)
        except TelegramError as error:
            logger.warning("a tap could not be answered: %s", error)


def _polling_failed(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        logger.error(
            "another program polls Telegram with the same token: stop it, one bot has one poller"
        )
    else:
        logger.warning("Telegram does not answer: %s", error)
