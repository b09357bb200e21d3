"""What comes in from Telegram: stored before it is confirmed, told in our own words."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import orjson
from telegram import Update
from telegram.error import NetworkError

from bot.incoming import Incoming
from market.errors import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from telegram import Bot

    from bot.incoming import Kind
    from market.clock import Clock
    from market.store import Store

logger = logging.getLogger(__name__)


class StoredUpdates(asyncio.Queue[object]):
    """The library's update queue; an update is on disk before Telegram may forget it.

    The poller confirms updates with its next request, after it has put them here. An update that
    cannot be stored is an error for the poller: it asks again and nothing is lost.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._clock = clock

    async def put(self, item: object) -> None:
        """Store an update and queue it; one that was received before is dropped."""
        if not isinstance(item, Update):
            await super().put(item)
            return
        payload = orjson.dumps(item.to_dict()).decode()
        now = self._clock.now()
        try:
            is_new = await self._store.write(
                lambda tx: tx.inbox.receive(item.update_id, payload, now)
            )
        except StoreError as error:
            logger.error("a message could not be stored, asking for it again: %s", error)  # noqa: TRY400  # the text says it all
            raise NetworkError(f"update {item.update_id} could not be stored") from error
        if is_new:
            await super().put(item)

    async def replay(self, bot: Bot) -> int:
        """Queue what was stored but not answered before the last stop; return how many."""
        rows = await self._store.read(lambda tx: tx.inbox.unprocessed())
        for row in rows:
            await super().put(Update.de_json(orjson.loads(row.payload), bot))
        return len(rows)


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
    )


def _kind(is_tap: bool, text: str) -> Kind:
    if is_tap:
        return "tap"
    return "text" if text else "other"
