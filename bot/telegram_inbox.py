"""What comes in from Telegram: stored before it is confirmed, told in our own words."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.command import without_secret
from bot.incoming import Incoming

if TYPE_CHECKING:
    from datetime import datetime

    from telegram import Message as TelegramMessage
    from telegram import Update

    from bot.incoming import Kind
    from market.clock import Clock
    from market.store import Store

RawUpdate: TypeAlias = dict[str, Any]
"""An update as Telegram sent it: the library may not be able to read it, the store always can."""


class StoredUpdates:
    """The updates that wait for an answer; each is on disk before it is here."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._queue: asyncio.Queue[RawUpdate] = asyncio.Queue()

    async def receive(self, raw: RawUpdate) -> None:
        """Store an update and queue it; one that was received before is dropped.

        Raises StoreError: then it may not be confirmed to Telegram.
        """
        payload = json.dumps(
            _storable(raw)
        )  # half an emoji is text to json, and an error to orjson
        now = self._clock.now()
        if await self._store.write(lambda tx: tx.inbox.receive(raw["update_id"], payload, now)):
            self._queue.put_nowait(raw)

    async def replay(self) -> int:
        """Queue what was stored but not answered before the last stop; return how many."""
        rows = await self._store.read(lambda tx: tx.inbox.unprocessed())
        for row in rows:
            self._queue.put_nowait(_raw(row.update_id, row.payload))
        return len(rows)

    async def get(self) -> RawUpdate:
        """Wait for the next update; `finish` it when it is dealt with."""
        return await self._queue.get()

    def finish(self) -> None:
        """Count one update as dealt with."""
        self._queue.task_done()

    async def empty(self) -> None:
        """Wait until every update is dealt with."""
        await self._queue.join()

    async def done(self, update_id: int) -> None:
        """Mark an update as answered: it does not come again after a restart."""
        now = self._clock.now()
        await self._store.write(lambda tx: tx.inbox.done(update_id, now))


def _storable(raw: RawUpdate) -> RawUpdate:
    """Return an update without the codes and PINs that a message may hold."""
    kept = dict(raw)
    for name in ("message", "edited_message"):
        message = raw.get(name)
        if not isinstance(message, dict):
            continue
        for words in ("text", "caption"):
            text = message.get(words)
            if isinstance(text, str) and without_secret(text) != text:
                # Places of markup would point beyond what is left.
                kept[name] = {
                    key: value
                    for key, value in {**message, words: without_secret(text)}.items()
                    if key not in {"entities", "caption_entities"}
                }
    return kept


def _raw(update_id: int, payload: str) -> RawUpdate:
    """Return a stored payload; one that is no JSON object becomes an update without content."""
    try:
        raw = json.loads(payload)
    except ValueError:
        raw = None
    return raw if isinstance(raw, dict) else {"update_id": update_id}


def sender_of(raw: RawUpdate) -> int:
    """Return who an update is from, 0 where it does not say; the library need not read it."""
    for content in raw.values():
        sender = content.get("from") if isinstance(content, dict) else None
        if isinstance(sender, dict) and isinstance(sender.get("id"), int):
            return int(sender["id"])
    return 0


def incoming(update: Update, received_at: datetime) -> Incoming | None:
    """Return an update in our own words; None where there is nobody to answer to.

    A tap carries no time of its own, so it counts from when it was received.
    """
    user = update.effective_user
    chat = update.effective_chat
    if user is None or chat is None:
        return None
    query = update.callback_query
    message = update.effective_message
    if query is not None:
        text = query.data or ""
    elif message is not None:
        text = message.text or message.caption or ""
    else:
        return None
    sent_at = message.date if message is not None and query is None else received_at
    return Incoming(
        update_id=update.update_id,
        kind=_kind(query is not None, text),
        user_id=user.id,
        user_name=user.first_name,
        chat_id=chat.id,
        chat_type=chat.type,
        text=text,
        callback_id=query.id if query is not None else None,
        message_id=message.message_id if message is not None else None,
        language=user.language_code or "",
        sent_at=sent_at,
        is_edited=update.edited_message is not None or update.edited_channel_post is not None,
        reply_to=_answered(message) if query is None else None,
    )


def _answered(message: TelegramMessage | None) -> int | None:
    """Return the message of the same chat that a message answers."""
    answered = message.reply_to_message if message is not None else None
    return answered.message_id if answered is not None else None


def _kind(is_tap: bool, text: str) -> Kind:
    if is_tap:
        return "tap"
    return "text" if text else "other"
