"""What goes out to a chat: one message with its buttons and picture, as the outbox keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `data` comes back when it is tapped (at most 64 UTF-8 bytes)."""

    label: str
    data: str


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
