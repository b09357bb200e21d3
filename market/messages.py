"""What goes out to a chat: one message with its buttons and picture, as the outbox keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do; each role includes the ones before it."""

    VIEWER = "viewer"
    TRADER = "trader"
    OWNER = "owner"

    def includes(self, other: Role) -> bool:
        """Return whether somebody in this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may use the bot; `id` is the Telegram user id and private chat id."""

    id: int
    role: Role
    language: str = "ko"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `data` comes back when it is tapped (at most 64 UTF-8 bytes).

    `url` instead opens an address (deep links in channels); exactly one of the two is set.
    """

    label: str
    data: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one chat: `text` is Telegram HTML.

    `card` names a message that is edited in place: the first message with that key is sent, later
    ones with the same key and chat edit it. `chart` is the id of the signal whose snapshot is drawn
    above the text. `is_silent` asks for no sound.
    """

    chat_id: int
    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    card: str | None = None
    chart: str | None = None
    is_silent: bool = False
