"""One stored message on its way over the messenger: text, picture, edit, and every fallback."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.html_text import CAPTION_LIMIT, TEXT_LIMIT, length, split, to_safe
from bot.messenger import BadMarkup, MessageGone, NotModified, TooLong

if TYPE_CHECKING:
    from bot.messenger import Buttons, Charts, Messenger, MessengerError
    from market.messages import Message
    from market.signals import Signal
    from market.store_chat import Outgoing, SentCard

logger = logging.getLogger(__name__)

ROOM = 100
"""Characters kept free in the pieces of a long message."""


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


@dataclass(frozen=True, slots=True)
class Piece:
    """One message on the wire: words, under a picture if there is one."""

    html: str
    png: bytes | None = None


class Delivery:
    """Sends parcels; remembers which pieces of a long one are left, so that none comes twice.

    Errors of the messenger that leave the message unsent pass through to the caller.
    """

    def __init__(self, messenger: Messenger, charts: Charts) -> None:
        self._messenger = messenger
        self._charts = charts
        self._left: dict[int, tuple[Message, list[Piece]]] = {}

    async def deliver(self, parcel: Parcel) -> Delivered:
        """Edit the card where it lives, or send the message afresh."""
        if parcel.place is not None and await self._edit(parcel, parcel.place):
            return Delivered(None)
        delivered = await self._send(parcel)
        self.forget(parcel.outgoing.id)
        return delivered

    def forget(self, outgoing_id: int) -> None:
        """Drop what is remembered of a message that is over."""
        self._left.pop(outgoing_id, None)

    async def _edit(self, parcel: Parcel, place: SentCard) -> bool:
        """Return False where there is nothing to edit any more."""
        limit = CAPTION_LIMIT if place.is_photo else TEXT_LIMIT
        html = split(parcel.outgoing.message.text, limit)[0]
        try:
            try:
                await self._put(parcel, place, html)
            except (BadMarkup, TooLong) as error:
                logger.warning("message %s was refused: %s", parcel.outgoing.id, error)
                await self._put(parcel, place, split(to_safe(html), limit // 2)[0])
        except NotModified:
            return True
        except MessageGone:
            return False
        return True

    async def _put(self, parcel: Parcel, place: SentCard, html: str) -> None:
        message = parcel.outgoing.message
        edit = self._messenger.edit_caption if place.is_photo else self._messenger.edit_text
        await edit(message.chat_id, place.message_id, html, message.buttons)

    async def _send(self, parcel: Parcel) -> Delivered:
        """Send what is left in order; the last message carries the buttons."""
        message, outgoing_id = parcel.outgoing.message, parcel.outgoing.id
        pieces = await self._pieces(parcel)
        delivered = Delivered(None)
        while pieces:
            buttons = message.buttons if len(pieces) == 1 else ()
            try:
                message_id = await self._send_piece(parcel, pieces[0], buttons)
            except (BadMarkup, TooLong) as error:
                logger.warning("message %s was refused: %s", outgoing_id, error)
                pieces[:1] = _mended(pieces[0], error)
                continue
            delivered = Delivered(message_id, is_photo=pieces[0].png is not None)
            del pieces[0]
            self._left[outgoing_id] = (message, pieces)
        return delivered

    async def _pieces(self, parcel: Parcel) -> list[Piece]:
        """Return the pieces of a fresh message, or those left of one that arrived in part."""
        message, left = self._left.get(parcel.outgoing.id, (None, []))
        if message == parcel.outgoing.message and left:
            if parcel.suffix:
                left[0] = replace(left[0], html=f"{left[0].html}\n{parcel.suffix}")
            return left
        return cut_up(parcel.words, await self._picture(parcel))

    async def _send_piece(self, parcel: Parcel, piece: Piece, buttons: Buttons) -> int:
        chat_id, silent = parcel.outgoing.message.chat_id, parcel.outgoing.message.is_silent
        if piece.png is None:
            return await self._messenger.send_text(chat_id, piece.html, buttons, silent)
        return await self._messenger.send_photo(chat_id, piece.png, piece.html, buttons, silent)

    async def _picture(self, parcel: Parcel) -> bytes | None:
        """Return the chart, or None: an alert without its picture beats no alert."""
        if parcel.signal is None:
            return None
        try:
            return await self._charts.png(parcel.signal)
        except Exception:
            logger.exception("no chart for signal %s", parcel.signal.id)
            return None


def cut_up(html: str, png: bytes | None) -> list[Piece]:
    """Return a message in pieces that fit; a picture takes all words or only the first line."""
    if png is not None and length(html) <= CAPTION_LIMIT:
        return [Piece(html, png)]
    # Pieces of a longer message leave room for the line that says that one may be repeated.
    limit = TEXT_LIMIT if length(html) <= TEXT_LIMIT else TEXT_LIMIT - ROOM
    pieces = [Piece(piece) for piece in split(html, limit)]
    if png is not None:
        pieces.insert(0, Piece(split(html.split("\n", 1)[0], CAPTION_LIMIT - ROOM)[0], png))
    return pieces


def _mended(piece: Piece, error: MessengerError) -> list[Piece]:
    """Return a refused piece without its markup, or in halves; raises where nothing is left."""
    safe, size = to_safe(piece.html), length(piece.html)
    if not isinstance(error, TooLong):
        if safe == piece.html:
            raise error
        return [replace(piece, html=safe)]
    if size < 2:
        raise error
    if piece.png is not None:
        return [Piece("", piece.png), Piece(safe)]
    return [Piece(half) for half in split(safe, size // 2 + 1)]
