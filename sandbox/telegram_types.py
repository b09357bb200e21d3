"""What the pretend Telegram keeps: users, chats, pictures and messages, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from market.types import to_ms

if TYPE_CHECKING:
    from datetime import datetime

Json: TypeAlias = dict[str, Any]


class ChatKind(StrEnum):
    """Where people talk, as the Bot API spells it."""

    PRIVATE = "private"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class User:
    """A person or the bot."""

    id: int
    first_name: str
    language_code: str = ""
    username: str = ""
    is_bot: bool = False

    def as_json(self) -> Json:
        """Return a Bot API User."""
        body: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            body["username"] = self.username
        if self.language_code:
            body["language_code"] = self.language_code
        return body


@dataclass(frozen=True, slots=True)
class Chat:
    """A place for messages; a private chat has the id of its person."""

    id: int
    kind: ChatKind
    title: str
    username: str = ""

    def as_json(self) -> Json:
        """Return a Bot API Chat."""
        name = "first_name" if self.kind is ChatKind.PRIVATE else "title"
        body: Json = {"id": self.id, "type": str(self.kind), name: self.title}
        if self.username:
            body["username"] = self.username
        return body


@dataclass(frozen=True, slots=True)
class Entity:
    """A formatted stretch of a text; offset and length count UTF-16 units."""

    kind: str
    offset: int
    length: int
    url: str = ""
    language: str = ""

    def as_json(self) -> Json:
        """Return a Bot API MessageEntity."""
        body: Json = {"type": self.kind, "offset": self.offset, "length": self.length}
        if self.url:
            body["url"] = self.url
        if self.language:
            body["language"] = self.language
        return body


@dataclass(frozen=True, slots=True)
class InlineButton:
    """A button under a message: it sends `data` back, or opens `url`."""

    label: str
    data: str = ""
    url: str = ""

    def as_json(self) -> Json:
        """Return a Bot API InlineKeyboardButton."""
        body: Json = {"text": self.label}
        body.update({"url": self.url} if self.url else {"callback_data": self.data})
        return body


Keyboard: TypeAlias = tuple[tuple[InlineButton, ...], ...]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that was sent; `media_type` is image/png or image/jpeg."""

    file_id: str
    content: bytes
    width: int
    height: int
    media_type: str

    @property
    def path(self) -> str:
        """Return the path of the file under the file address of the Bot API."""
        return f"photos/{self.file_id}.{self.media_type.removeprefix('image/')}"

    def as_json(self) -> Json:
        """Return a Bot API PhotoSize."""
        return {
            "file_id": self.file_id,
            "file_unique_id": f"u{self.file_id}",
            "width": self.width,
            "height": self.height,
            "file_size": len(self.content),
        }


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as it stands now: `text` is the caption where there is a photo.

    `sender` is None for a post of a channel, `reply_to` the message that this one answers.
    """

    id: int
    chat: Chat
    sender: User | None
    at: datetime
    text: str
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()
    photo: Photo | None = None
    edited_at: datetime | None = None
    is_silent: bool = False
    reply_to: ChatMessage | None = None

    @property
    def is_edited(self) -> bool:
        """Return whether the content was changed after it was sent."""
        return self.edited_at is not None

    @property
    def is_from_bot(self) -> bool:
        """Return whether the bot wrote it: nobody else posts unnamed."""
        return self.sender is None or self.sender.is_bot

    def as_json(self) -> Json:
        """Return a Bot API Message."""
        body: Json = {
            "message_id": self.id,
            "chat": self.chat.as_json(),
            "date": to_ms(self.at) // 1000,
        }
        if self.sender is None:
            body["sender_chat"] = self.chat.as_json()
        else:
            body["from"] = self.sender.as_json()
        if self.edited_at is not None:
            body["edit_date"] = to_ms(self.edited_at) // 1000
        if self.reply_to is not None:  # shown without the message that it answered itself
            body["reply_to_message"] = replace(self.reply_to, reply_to=None).as_json()
        if self.buttons:
            rows = [[button.as_json() for button in row] for row in self.buttons]
            body["reply_markup"] = {"inline_keyboard": rows}
        return body | self._content()

    def _content(self) -> Json:
        body: Json = {}
        text, entities = ("caption", "caption_entities") if self.photo else ("text", "entities")
        if self.photo is not None:
            body["photo"] = [self.photo.as_json()]
        if self.text:
            body[text] = self.text
        if self.entities:
            body[entities] = [entity.as_json() for entity in self.entities]
        return body


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the bot showed to whoever tapped."""

    text: str
    is_alert: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """One tap on a button."""

    id: str
    user_id: int
    chat_id: int
    message_id: int
    data: str
    at: datetime
    answer: CallbackAnswer | None = None
