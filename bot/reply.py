"""What a command answers, and the buttons it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.messages import Button

if TYPE_CHECKING:
    from market.messages import Message

DATA_LIMIT_BYTES = 64


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command: HTML, buttons, and where it stands.

    An empty `text` sends nothing (the desk already sent a card). `card` edits the message with that
    key instead of sending a new one. `notice` is the short plain text a tap is answered with.
    `others` go to other chats in the same transaction.
    """

    text: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    card: str | None = None
    notice: str = ""
    others: tuple[Message, ...] = ()


def command_button(label: str, line: str) -> Button:
    """Return a button that runs a command line; ValueError if it does not fit into a button."""
    data = f"c:{line}"
    if len(data.encode()) > DATA_LIMIT_BYTES:
        raise ValueError(f"button data is over {DATA_LIMIT_BYTES} bytes: {data}")
    return Button(label=label, data=data)
