"""The bot on Telegram: long polling in, answers to taps out; messages go through the outbox."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from telegram import Bot, Update
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.command import without_secret
from bot.patience import PAUSES, Patience
from bot.telegram_errors import TokenRefused, seconds_of
from bot.telegram_inbox import StoredUpdates, incoming, sender_of
from bot.telegram_poller import Poller, tell_silence
from market.errors import StoreError, StoreFull, TicktalkError
from market.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telegram import CallbackQuery

    from bot.dispatch import Dispatcher
    from bot.incoming import Incoming
    from bot.telegram_inbox import RawUpdate
    from config.settings import TelegramSettings
    from market.clock import Clock
    from market.store import Store

__all__ = ["TelegramBot", "TokenRefused"]

logger = logging.getLogger(__name__)

TAP_SECONDS = 8.0
"""A tap is answered after this long though its work goes on: Telegram soon forgets it."""
STOP_SECONDS = 2.0
"""How long the answers that are being worked out may take at the end."""
CONNECTIONS = 32
"""More than the outbox and the taps ever use at once."""


class TelegramBot:
    """Owns the library's bot: connects it, hands updates to the dispatcher, closes it."""

    def __init__(
        self,
        settings: TelegramSettings,
        store: Store,
        clock: Clock,
        on_handled: Callable[[int], None],
        *,
        pauses: Sequence[float] = PAUSES,
        tap_seconds: float = TAP_SECONDS,
    ) -> None:
        if settings.token is None:
            raise TicktalkError("no Telegram token: set TICKTALK_TELEGRAM_TOKEN")
        # Asks the library for the type that RetryAfter will have; it warns about the old one.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        self._store = store
        self._clock = clock
        self._on_handled = on_handled
        self._pauses = pauses
        self._tap_seconds = tap_seconds
        self._dispatcher: Dispatcher | None = None
        self._tasks: list[asyncio.Task[None]] = []
        base = settings.base_url.rstrip("/")
        polling = HTTPXRequest(connection_pool_size=1)
        self._bot = Bot(
            settings.token.get_secret_value(),
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=HTTPXRequest(CONNECTIONS, read_timeout=15, pool_timeout=15),
            get_updates_request=polling,
        )
        self._updates = StoredUpdates(store, clock)
        seconds = settings.poll_timeout_seconds
        self._poller = Poller(self._bot, polling, self._updates, seconds, pauses)

    @property
    def bot(self) -> Bot:
        """Return the library's bot, for the messenger."""
        return self._bot

    async def connect(self) -> str:
        """Return the bot's username once Telegram answers, however long that takes.

        Raises TokenRefused.
        """
        patience = Patience(self._pauses)
        while True:
            try:
                await self._bot.initialize()
            except InvalidToken as error:
                raise TokenRefused from error
            except TelegramError as error:
                pause = patience.next_pause()
                if isinstance(error, RetryAfter):
                    pause = seconds_of(error)
                tell_silence(self._bot, error, pause)
                await asyncio.sleep(pause)
            else:
                return self._bot.username

    async def start(
        self, dispatcher: Dispatcher, menus: Mapping[str, Sequence[tuple[str, str]]]
    ) -> None:
        """Answer what was left over, then poll; `menus` are the commands by language."""
        self._dispatcher = dispatcher
        left = await self._updates.replay()
        if left:
            logger.info("%d messages from before the last stop are answered now", left)
        self._tasks = [
            asyncio.create_task(self._poller.run(), name="telegram poll"),
            asyncio.create_task(self._answer_all(), name="telegram answer"),
        ]
        await self._set_menus(menus)

    async def serve(self) -> None:
        """Wait while the bot polls and answers; raises what ended it, such as TokenRefused."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Stop polling and close connections; what is not answered soon stays in the inbox."""
        if self._tasks:
            poll, answer = self._tasks
            poll.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if answer.done() else STOP_SECONDS):
                    await self._updates.empty()
            answer.cancel()
            await asyncio.gather(poll, answer, return_exceptions=True)
            self._tasks = []
        await self._bot.shutdown()

    async def _set_menus(self, menus: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        for language, commands in menus.items():
            code = None if language == "en" else language
            try:
                await self._bot.set_my_commands(list(commands), language_code=code)
            except TelegramError as error:
                logger.warning("the command menu could not be set: %s", error)

    async def _answer_all(self) -> None:
        """Answer each person's updates in turn; nobody waits behind what somebody else asked."""
        newest: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as answers:
            while True:
                raw = await self._updates.get()
                newest = {one: task for one, task in newest.items() if not task.done()}
                sender = sender_of(raw)
                work = self._answer_in_turn(raw, newest.get(sender))
                newest[sender] = answers.create_task(work, name=f"update {raw['update_id']}")

    async def _answer_in_turn(self, raw: RawUpdate, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait({before})
            await self._answer_patiently(raw)
        finally:
            self._on_handled(raw["update_id"])
            self._updates.finish()

    async def _answer_patiently(self, raw: RawUpdate) -> None:
        """Answer one update, on a full disk as soon as there is room again."""
        patience = Patience(self._pauses)
        while True:
            try:
                await self._answer(raw)
            except StoreFull as error:
                pause = patience.next_pause()
                logger.error(  # noqa: TRY400  # the text says it all
                    "update %s waits, trying again in %g s: %s", raw["update_id"], pause, error
                )
                await asyncio.sleep(pause)
            else:
                return

    async def _answer(self, raw: RawUpdate) -> None:
        """Deal with one update; a fault of ours or of the library does not bring it back."""
        update_id = raw["update_id"]
        try:
            try:
                await self._dispatch(Update.de_json(raw, self._bot))
            except StoreError:
                raise
            except Exception:
                logger.exception("update %s cannot be dealt with and is left alone", update_id)
                await self._updates.done(update_id)
        except StoreFull:
            raise
        except StoreError as error:
            logger.error("update %s waits for the next start: %s", update_id, error)  # noqa: TRY400  # the text says it all

    async def _dispatch(self, update: Update) -> None:
        came = incoming(update, self._clock.now())
        if came is None or self._dispatcher is None:
            await self._updates.done(update.update_id)
        elif update.callback_query is None:
            await self._dispatcher.handle(came)
            await self._hide(came)
        else:
            await self._tap(self._dispatcher.handle(came), update.callback_query, came)

    async def _hide(self, came: Incoming) -> None:
        """Delete a message with a code or PIN from the private chat of somebody we know."""
        if came.message_id is None or not came.is_private or without_secret(came.text) == came.text:
            return
        if await self._store.read(lambda tx: tx.people.get(came.user_id)) is None:
            return
        try:
            await self._bot.delete_message(came.chat_id, came.message_id)
        except TelegramError as error:
            logger.warning("a message with a code could not be deleted: %s", error)

    async def _tap(self, work: Any, query: CallbackQuery, came: Incoming) -> None:
        """Do the work of a tap and answer it; what comes too late for that is sent as a message."""
        working: asyncio.Task[str | None] = asyncio.create_task(work, name="tap")
        try:
            done, _ = await asyncio.wait({working}, timeout=self._tap_seconds)
            if not done:
                await _answer_query(query, None)
            notice = await working
        finally:
            working.cancel()
        if done:
            await _answer_query(query, notice)
        elif notice:
            message = Message(came.user_id, escape(notice, quote=False))
            now = self._clock.now()
            await self._store.write(lambda tx: tx.outbox.enqueue(message, now))


async def _answer_query(query: CallbackQuery, notice: str | None) -> None:
    try:
        await query.answer(notice or None)
    except BadRequest as error:
        logger.info("a tap was answered too late: %s", error)
    except TelegramError as error:
        logger.warning("a tap could not be answered: %s", error)
