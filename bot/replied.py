"""Replies to what the bot has said: an alert that is answered with "why" is explained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.incoming import CommandLine, read_command
from bot.reply import command_button
from market.signals import reference_of

if TYPE_CHECKING:
    from bot.incoming import Incoming
    from market.messages import Message
    from market.store import Store, Transaction

WHY = CommandLine("why", "")
WORDS = frozenset({"why", "왜", "왜요", "왜지", "이유"})
"""Plain words that ask why, in small letters."""

_REFERENCE = command_button("", "/why #").data
_ORDER = "order/"


async def read_line(incoming: Incoming, store: Store) -> CommandLine | None:
    """Return the command of a text, None for plain words.

    A /why without arguments, or a word for it, that answers an alert or an order card asks about
    its signal.
    """
    line = read_command(incoming.text)
    message_id = incoming.reply_to
    asked = line or (WHY if _is_why(incoming.text) else None)
    if message_id is None or asked is None or replace(asked, addressee="") != WHY:
        return line
    reference = await store.read(lambda tx: _reference(tx, incoming.chat_id, message_id))
    return replace(asked, args=f"#{reference}") if reference else line


def _is_why(text: str) -> bool:
    return text.strip().strip("?!.~…？！").lower() in WORDS


def _reference(transaction: Transaction, chat_id: int, message_id: int) -> str:
    """Return the short name of the signal that a message tells of, "" where it tells of none."""
    card = transaction.outbox.card_at(chat_id, message_id) or ""
    if card.startswith(_ORDER):
        order = transaction.orders.get(card.removeprefix(_ORDER))
        signal_id = order.signal_id if order is not None else None
        return reference_of(signal_id) if signal_id else ""
    message = transaction.outbox.message_at(chat_id, message_id)
    return "" if message is None else _told(message)


def _told(message: Message) -> str:
    if message.chart is not None:
        return reference_of(message.chart)
    found = (button.data for row in message.buttons for button in row)
    asking = (data for data in found if data.startswith(_REFERENCE))
    return next(asking, "").removeprefix(_REFERENCE)
