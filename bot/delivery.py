"""One stored message on its way over the messenger: text, picture, edit, and every fallback."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.html_text import CAPTION_LIMIT, TEXT_LIMIT, length, split, to_safe
from bot.messenger import BadMarkup, MessageGone, NotModified, TooLong

if TYPE_CHECKING:
    from bot.messenger import Buttons, Charts, Messenger
    from market.signals import Signal
    from market.store_chat import Outgoing, SentCard

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed message with all that sending it takes.

    `place` is the message its card lives in, `prefix` and `suffix` are lines for a fresh message
    (late, repeated) that an edit does not carry.
    """

    outgoing: Outgoing
    place: SentCard | None = None
    signal: Signal | None = None
    prefix: str = ""
    suffix: str = ""

    @property
    def words(self) -> str:
        """Return the HTML of a fresh message."""
        lines = (self.prefix, self.outgoing.message.text, self.suffix)
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a message ended up; `message_id` None means that it stayed where it was."""

    message_id: int | None
    is_photo: bool = False


class Delivery:
    """Sends parcels; remembers which pieces of a long one have arrived, so that none comes twice.

    Errors of the messenger that leave the message unsent pass through to the caller.
    """

    def __init__(self, messenger: Messenger, charts: Charts) -> None:
        self._messenger = messenger
        self._charts = charts
        self._arrived: dict[int, int] = {}

    async def deliver(self, parcel: Parcel) -> Delivered:
        """Edit the card where it lives, or send the message afresh."""
        delivered = None
        if parcel.place is not None:
            delivered = await self._edit(parcel, parcel.place)
        if delivered is None:
            delivered = await self._send(parcel)
        self.forget(parcel.outgoing.id)
        return delivered

    def forget(self, outgoing_id: int) -> None:
        """Drop what is remembered of a message that is over."""
        self._arrived.pop(outgoing_id, None)

    async def _edit(self, parcel: Parcel, place: SentCard) -> Delivered | None:
        """Return None where there is nothing to edit any more."""
        html = parcel.outgoing.message.text
        limit = CAPTION_LIMIT if place.is_photo else TEXT_LIMIT
        html = split(html, limit)[0] if length(html) > limit else html
        try:
            await self._put(parcel, place, html)
        except BadMarkup:
            logger.warning("markup of message %s was refused", parcel.outgoing.id)
            try:
                await self._put(parcel, place, to_safe(html))
            except NotModified:
                return Delivered(None)
        except NotModified:
            return Delivered(None)
        except MessageGone:
            return None
        return Delivered(None)

    async def _put(self, parcel: Parcel, place: SentCard, html: str) -> None:
        message = parcel.outgoing.message
        edit = self._messenger.edit_caption if place.is_photo else self._messenger.edit_text
        await edit(message.chat_id, place.message_id, html, message.buttons)

    async def _send(self, parcel: Parcel) -> Delivered:
        png = await self._picture(parcel)
        html = parcel.words
        try:
            return await self._send_all(parcel, png, html, TEXT_LIMIT)
        except BadMarkup:
            logger.warning("markup of message %s was refused", parcel.outgoing.id)
            return await self._send_all(parcel, png, to_safe(html), TEXT_LIMIT)
        except TooLong:
            logger.warning("message %s was refused as too long", parcel.outgoing.id)
            return await self._send_all(parcel, png, to_safe(html), TEXT_LIMIT // 2)

    async def _send_all(
        self, parcel: Parcel, png: bytes | None, html: str, limit: int
    ) -> Delivered:
        """Send picture and pieces in order; the last message carries the buttons."""
        message = parcel.outgoing.message
        if png is not None and length(html) <= CAPTION_LIMIT:
            photo_id = await self._messenger.send_photo(
                message.chat_id, png, html, message.buttons, message.is_silent
            )
            return Delivered(photo_id, is_photo=True)
        pieces: list[tuple[bytes | None, str]] = [(None, piece) for piece in split(html, limit)]
        if png is not None:
            pieces.insert(0, (png, _first_line(html)))
        message_id: int | None = None
        for index, (picture, piece) in enumerate(pieces):
            if index < self._arrived.get(parcel.outgoing.id, 0):
                continue
            is_last = index == len(pieces) - 1
            message_id = await self._send_piece(
                parcel, picture, piece, message.buttons if is_last else ()
            )
            self._arrived[parcel.outgoing.id] = index + 1
        return Delivered(message_id)

    async def _send_piece(
        self, parcel: Parcel, picture: bytes | None, html: str, buttons: Buttons
    ) -> int:
        message = parcel.outgoing.message
        if picture is None:
            return await self._messenger.send_text(
                message.chat_id, html, buttons, message.is_silent
            )
        return await self._messenger.send_photo(
            message.chat_id, picture, html, buttons, message.is_silent
        )

    async def _picture(self, parcel: Parcel) -> bytes | None:
        """Return the chart, or None: an alert without its picture beats no alert."""
        if parcel.signal is None:
            return None
        try:
            return await self._charts.png(parcel.signal)
        except Exception:
            logger.exception("no chart for signal %s", parcel.signal.id)
            return None


def _first_line(html: str) -> str:
    """Return a short caption: the message's first line."""
    return split(html.split("\n", 1)[0], CAPTION_LIMIT)[0]
