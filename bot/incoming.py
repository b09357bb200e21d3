"""What comes in from a chat, and what its words say before anybody acts on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine.desk_adjust import Change

if TYPE_CHECKING:
    from datetime import datetime

Kind: TypeAlias = Literal["text", "tap", "other"]

STALE = timedelta(seconds=60)
"""A command that changes something asks again when it is older than this."""

NOBODY = frozenset({136817688, 777000, 1087968824})
"""Ids Telegram gives to channels, itself and anonymous admins: not a person."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]*)(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
_ORDER_TAP = re.compile(r"o([cd]):([A-Za-z0-9]{1,24}):([0-9]{1,6})")
_ADJUST_TAP = re.compile(rf"oa:({'|'.join(Change)}):([A-Za-z0-9]{{1,24}}):([0-9]{{1,6}})")
_CANCEL_TAP = re.compile(r"ox:([A-Za-z0-9]{1,24})")
_DOUBT_TAP = re.compile(r"os:([A-Za-z0-9]{1,24}):([0-9]{1,6}):(none|[0-9]{1,2})")
_AGAIN_TAP = re.compile(r"again:([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update, free of Telegram's classes.

    `text` is the message's words or the tapped button's data; `user_id` is 0 where the sender has
    no personal id; `message_id` is the message itself or the one whose button was tapped,
    `reply_to` the message of the same chat that it answers.
    """

    update_id: int
    kind: Kind
    user_id: int
    user_name: str
    chat_id: int
    chat_type: str
    text: str
    callback_id: str | None
    message_id: int | None
    language: str
    sent_at: datetime
    is_edited: bool = False
    reply_to: int | None = None

    @property
    def is_private(self) -> bool:
        """Return whether this is the chat of one person with the bot."""
        return self.chat_type == "private" and self.chat_id == self.user_id

    @property
    def is_personal(self) -> bool:
        """Return whether a person with an id of their own sent this."""
        return self.user_id > 0 and self.user_id not in NOBODY and self.chat_type != "channel"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as typed: `addressee` is the bot named after @, if any."""

    name: str
    args: str
    addressee: str = ""


@dataclass(frozen=True, slots=True)
class OrderTap:
    """A tapped button of an order card; `change` is what an adjustment changes."""

    action: Literal["confirm", "decline", "cancel", "adjust"]
    order_id: str
    version: int = 0
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class AgainTap:
    """A tapped "still want this?" of the command that came in as this update."""

    update_id: int


@dataclass(frozen=True, slots=True)
class DoubtTap:
    """A tapped answer to which order it is: a candidate's place, None for none of them."""

    order_id: str
    version: int
    number: int | None


Tap: TypeAlias = CommandLine | OrderTap | AgainTap | DoubtTap


def read_command(text: str) -> CommandLine | None:
    """Return the command of a text, or None if it is not written as one."""
    match = _COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    return CommandLine(match[1].lower(), (match[3] or "").strip(), match[2] or "")


def read_tap(data: str) -> Tap | None:
    """Return what a button asks for, or None for what none of our buttons says."""
    if data.startswith("c:/"):
        return read_command(data[2:])
    if match := _DOUBT_TAP.fullmatch(data):
        return DoubtTap(match[1], int(match[2]), None if match[3] == "none" else int(match[3]))
    if match := _AGAIN_TAP.fullmatch(data):
        return AgainTap(int(match[1]))
    return _order_tap(data)


def _order_tap(data: str) -> OrderTap | None:
    if match := _ORDER_TAP.fullmatch(data):
        action: Literal["confirm", "decline"] = "confirm" if match[1] == "c" else "decline"
        return OrderTap(action, match[2], int(match[3]))
    if match := _ADJUST_TAP.fullmatch(data):
        return OrderTap("adjust", match[2], int(match[3]), Change(match[1]))
    if match := _CANCEL_TAP.fullmatch(data):
        return OrderTap("cancel", match[1])
    return None


def cut(text: str, most: int = 40) -> str:
    """Return the beginning of what somebody wrote, fit to be repeated or logged."""
    line = " ".join(text[: most * 4].split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
