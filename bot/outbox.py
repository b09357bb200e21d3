"""The worker that empties the stored outbox: the only place from which messages leave."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.delivery import Delivery, Parcel
from bot.messenger import Blocked, ChatMigrated, MessengerError, NetworkTrouble, RetryLater
from bot.pacer import Pacer
from bot.render_numbers import span_between
from market.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.messenger import Charts, Messenger
    from bot.texts import Texts
    from config.settings import TelegramSettings
    from engine.ports import Events
    from market.clock import Clock
    from market.store import Store, Transaction
    from market.store_chat import Outgoing

logger = logging.getLogger(__name__)

LATE = timedelta(seconds=60)
"""A message that waited longer says so."""

AT_ONCE = 10
"""Chats that are served at the same time."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 1.0
"""How often the loop looks by itself; `poke` only makes it faster."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What one emptying did; `next_due` is when it is worth coming back, None if all is out."""

    sent: int
    failed: int
    waiting: int
    next_due: datetime | None


class Outbox:
    """Sends what is due, in order for each chat, at the allowed pace, and never loses a message."""

    def __init__(
        self,
        *,
        store: Store,
        messenger: Messenger,
        charts: Charts,
        settings: TelegramSettings,
        wall_clock: Clock,
        events: Events,
        texts: Texts,
    ) -> None:
        self._store = store
        self.messenger = messenger
        self._delivery = Delivery(messenger, charts)
        self._settings = settings
        self._clock = wall_clock
        self._events = events
        self._texts = texts
        self._pacer = Pacer(
            settings.messages_per_second,
            settings.seconds_per_chat,
            settings.messages_per_group_minute,
        )
        self._wake = asyncio.Event()
        self._draining = asyncio.Lock()
        self._has_recovered = False
        self._pause_seconds = 0.0
        self._quiet_until: datetime | None = None
        self._chat_quiet_until: dict[int, datetime] = {}
        self._sent = 0
        self._failed = 0

    def poke(self) -> None:
        """Say that there is something to send."""
        self._wake.set()

    async def drain(self) -> Drained:
        """Send everything that may be sent at this moment of the wall clock; never waits for it.

        Messages that a crash or a lost answer left in between are queued again first.
        """
        async with self._draining:
            sent, failed = self._sent, self._failed
            if not self._has_recovered:
                await self._recover()
            while await self._pass():
                pass
            waiting = await self._store.read(lambda tx: tx.outbox.waiting())
            due = await self._next_due() if waiting else None
            return Drained(self._sent - sent, self._failed - failed, waiting, due)

    async def run(self, stop: asyncio.Event) -> None:
        """Drain whenever there is something to do, until `stop` is set."""
        while not stop.is_set():
            self._wake.clear()
            seconds = LOOK_EVERY_SECONDS
            try:
                drained = await self.drain()
                if drained.next_due is not None:
                    ahead = (drained.next_due - self._clock.now()).total_seconds()
                    seconds = min(seconds, max(0.01, ahead))
            except StoreError as error:
                logger.error("the outbox waits: %s", error)  # noqa: TRY400  (the text says how to mend it)
            except Exception:
                logger.exception("the outbox stumbled")
            await self._rest(stop, seconds)

    async def _rest(self, stop: asyncio.Event, seconds: float) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._wake, stop)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _recover(self) -> None:
        now = self._clock.now()
        repeats = await self._store.write(lambda tx: tx.outbox.recover(now))
        self._has_recovered = True
        if repeats:
            logger.warning("%s messages may be repeated", repeats)

    async def _pass(self) -> bool:
        """Send at most one message to each chat; False if nobody's turn has come."""
        now = self._clock.now()
        if not self._ready(await self._store.read(lambda tx: tx.outbox.pending(now)), now):
            return False
        parcels = await self._store.write(lambda tx: self._claim(tx, now))
        for parcel in parcels:
            self._pacer.note(parcel.outgoing.message.chat_id, now)
        work = (self._deliver(parcel) for parcel in parcels)
        for error in await asyncio.gather(*work, return_exceptions=True):
            if error is not None:
                self._has_recovered = False
                raise error
        if not self._has_recovered:
            await self._recover()
        return bool(parcels)

    def _ready(self, pending: Sequence[Outgoing], now: datetime) -> list[Outgoing]:
        """Return the oldest message of each chat whose turn has come."""
        if self._quiet_until is not None and now < self._quiet_until:
            return []
        ready: dict[int, Outgoing] = {}
        for outgoing in pending:
            chat_id = outgoing.message.chat_id
            if chat_id not in ready and self._ready_at(chat_id, now) <= now:
                ready[chat_id] = outgoing
        return list(ready.values())[: min(AT_ONCE, self._pacer.room(now))]

    def _ready_at(self, chat_id: int, now: datetime) -> datetime:
        quiet = self._chat_quiet_until.get(chat_id, now)
        return max(quiet, self._pacer.ready_at(chat_id, now))

    def _claim(self, tx: Transaction, now: datetime) -> list[Parcel]:
        parcels = []
        for outgoing in self._ready(tx.outbox.pending(now), now):
            tx.outbox.claim(outgoing.id, now)
            parcels.append(self._parcel(tx, outgoing, now))
        return parcels

    def _parcel(self, tx: Transaction, outgoing: Outgoing, now: datetime) -> Parcel:
        message = outgoing.message
        person = tx.people.get(message.chat_id)
        language = self._settings.language if person is None else person.language
        place = tx.outbox.card(message.chat_id, message.card) if message.card else None
        prefix = suffix = ""
        if now - outgoing.enqueued_at > LATE:
            age = span_between(outgoing.enqueued_at, now, language)
            prefix = self._texts.get("outbox.delayed", language, age=age)
        if outgoing.is_repeat:
            suffix = self._texts.get("outbox.repeat", language)
        signal = tx.signals.get(message.chart) if message.chart else None
        return Parcel(outgoing, place, signal, prefix, suffix)

    async def _deliver(self, parcel: Parcel) -> None:
        outgoing = parcel.outgoing
        try:
            delivered = await self._delivery.deliver(parcel)
        except RetryLater as error:
            await self._later(outgoing, error)
        except NetworkTrouble as error:
            await self._trouble(parcel, error)
        except ChatMigrated as error:
            await self._moved(outgoing, error)
        except MessengerError as error:
            logger.warning("message %s was refused: %s", outgoing.id, error)
            await self._give_up(outgoing, error)
        except Exception as error:
            logger.exception("message %s could not be sent", outgoing.id)
            await self._give_up(outgoing, error)
        else:
            self._pause_seconds = 0.0
            await self._arrived(parcel, delivered.message_id, is_photo=delivered.is_photo)

    async def _arrived(self, parcel: Parcel, message_id: int | None, *, is_photo: bool) -> None:
        outgoing, now = parcel.outgoing, self._clock.now()
        await self._store.write(lambda tx: tx.outbox.sent(outgoing.id, message_id, is_photo, now))
        self._sent += 1
        self._events.emit("message", id=outgoing.id, chat=outgoing.message.chat_id, state="sent")

    async def _later(self, outgoing: Outgoing, error: RetryLater) -> None:
        until = self._clock.now() + timedelta(seconds=error.seconds)
        self._chat_quiet_until[outgoing.message.chat_id] = until
        logger.warning("chat %s: %s", outgoing.message.chat_id, error)
        await self._store.write(lambda tx: tx.outbox.retry(outgoing.id, until, str(error)))

    async def _trouble(self, parcel: Parcel, error: NetworkTrouble) -> None:
        """Pause everything, longer each time; what may have arrived is marked as a repeat."""
        now = self._clock.now()
        if self._quiet_until is None or now >= self._quiet_until:
            doubled = max(FIRST_PAUSE_SECONDS, self._pause_seconds * 2)
            self._pause_seconds = min(LONGEST_PAUSE_SECONDS, doubled)
            self._quiet_until = now + timedelta(seconds=self._pause_seconds)
        until, outgoing = self._quiet_until, parcel.outgoing
        logger.warning("no way to the chat network until %s: %s", until, error)
        if error.is_ambiguous and parcel.place is None:
            # It stays `sending`, the state of what may have been sent, and is recovered as such.
            self._has_recovered = False
            return
        await self._store.write(lambda tx: tx.outbox.retry(outgoing.id, until, str(error)))

    async def _moved(self, outgoing: Outgoing, error: ChatMigrated) -> None:
        now = self._clock.now()
        moved = replace(outgoing.message, chat_id=error.new_id)
        logger.warning("chat %s is now %s: set it", outgoing.message.chat_id, error.new_id)

        def write(tx: Transaction) -> None:
            tx.outbox.failed(outgoing.id, str(error), now)
            tx.outbox.enqueue(moved, outgoing.enqueued_at)

        await self._store.write(write)

    async def _give_up(self, outgoing: Outgoing, error: Exception) -> None:
        now = self._clock.now()
        self._delivery.forget(outgoing.id)
        await self._store.write(lambda tx: tx.outbox.failed(outgoing.id, str(error)[:500], now))
        self._failed += 1
        code = "message.blocked" if isinstance(error, Blocked) else "message.failed"
        self._events.emit("error", code=code, chat=outgoing.message.chat_id, error=str(error)[:500])

    async def _next_due(self) -> datetime:
        """Return the earliest moment at which somebody's turn comes."""
        now = self._clock.now()
        pending = await self._store.read(lambda tx: tx.outbox.pending(now))
        times = [self._ready_at(outgoing.message.chat_id, now) for outgoing in pending]
        times += [until for until in self._chat_quiet_until.values() if until > now]
        due = min(times, default=now + timedelta(seconds=LOOK_EVERY_SECONDS))
        return due if self._quiet_until is None else max(due, self._quiet_until)
