"""The port to the chat network, and what can go wrong there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from market.errors import TicktalkError

if TYPE_CHECKING:
    from market.messages import Button
    from market.signals import Signal

Buttons: TypeAlias = "tuple[tuple[Button, ...], ...]"


class MessengerError(TicktalkError):
    """Root of what a chat network answers instead of doing what it was asked."""


class RetryLater(MessengerError):
    """Too many messages: ask again for this chat after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait {seconds:g} s")
        self.seconds = seconds


class NetworkTrouble(MessengerError):
    """No answer: try again; `is_ambiguous` if the request may have been carried out."""

    def __init__(self, message: str, *, is_ambiguous: bool) -> None:
        super().__init__(message)
        self.is_ambiguous = is_ambiguous


class BadMarkup(MessengerError):
    """The HTML was refused: send the same words without markup."""


class Blocked(MessengerError):
    """The person blocked the bot or the chat is gone: do not send there again."""


class NotModified(MessengerError):
    """The message already reads like this: as good as done."""


class MessageGone(MessengerError):
    """The message to edit is not there any more: send a new one."""


class TooLong(MessengerError):
    """The text or caption is over the limit: send it in smaller pieces."""


class Refused(MessengerError):
    """Any other refusal of this very message: sending it again would be refused again."""


class ChatMigrated(MessengerError):
    """The group has become a supergroup with another id."""

    def __init__(self, new_id: int) -> None:
        super().__init__(f"the chat is now {new_id}")
        self.new_id = new_id


class Messenger(Protocol):
    """Port. Promises one attempt per call, and one of the errors above where it did not work."""

    async def send_text(self, chat_id: int, html: str, buttons: Buttons, silent: bool) -> int:
        """Send a text; return its message id."""
        ...

    async def send_photo(
        self, chat_id: int, png: bytes, html: str, buttons: Buttons, silent: bool
    ) -> int:
        """Send a picture with a caption; return its message id."""
        ...

    async def edit_text(self, chat_id: int, message_id: int, html: str, buttons: Buttons) -> None:
        """Replace the words and buttons of a text message."""
        ...

    async def edit_caption(
        self, chat_id: int, message_id: int, html: str, buttons: Buttons
    ) -> None:
        """Replace the caption and buttons of a picture."""
        ...


class Charts(Protocol):
    """Port. Draws the snapshot a signal was decided on."""

    async def png(self, signal: Signal) -> bytes | None:
        """Return the picture, or None where there is nothing to draw."""
        ...
