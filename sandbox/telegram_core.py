"""The state of the pretend Telegram: who talks where, what was said, and what the bot must hear."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from sandbox.telegram_changes import Changes
from sandbox.telegram_commands import CommandTable
from sandbox.telegram_errors import QUERY_TOO_OLD, RefusalError, bad_request, blocked
from sandbox.telegram_faults import DEFAULT_LIMITS, Faults, Limits, Pace
from sandbox.telegram_html import detect
from sandbox.telegram_types import Callback, Chat, ChatKind, ChatMessage, Photo, User
from sandbox.telegram_updates import UpdateQueue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from market.clock import Clock
    from sandbox.image_size import ImageSize
    from sandbox.telegram_types import CallbackAnswer, Entity, Json, Keyboard

T = TypeVar("T")

BOT = User(7_000_000_001, "ticktalk", username="ticktalk_demo_bot", is_bot=True)
FIRST_UPDATE_ID = 812_340_001
FIRST_MESSAGE_ID = 101


class TelegramCore:
    """One bot, its people and chats, driven from one event loop.

    People act through add_user, user_sends, user_taps and user_edits; the bot through
    telegram_methods. Taps can be answered for `callback_seconds` by the given (wall) clock.
    `limits=None` takes the flood limits away.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limits: Limits | None = DEFAULT_LIMITS,
        bot: User = BOT,
        callback_seconds: float = 15.0,
        first_update_id: int = FIRST_UPDATE_ID,
    ) -> None:
        self.bot = bot
        self.changes = Changes()
        self.updates = UpdateQueue(first_update_id)
        self.faults = Faults(self.changes.wake)
        self.pace = Pace(limits, clock)
        self.commands = CommandTable()
        self.calls: Counter[str] = Counter()
        self.is_stopped = False
        self._clock = clock
        self._callback_age = timedelta(seconds=callback_seconds)
        self._users: dict[int, User] = {}
        self._chats: dict[int, Chat] = {}
        self._blocked: set[int] = set()
        self._messages: dict[int, dict[int, ChatMessage]] = {}
        self._photos: dict[str, Photo] = {}
        self._callbacks: dict[str, Callback] = {}
        self._last_ids: Counter[int] = Counter()

    # People

    def add_user(self, user_id: int, first_name: str, language_code: str = "ko") -> User:
        """Let a person open the private chat with the bot."""
        user = User(user_id, first_name, language_code)
        self._users[user_id] = user
        self._add_chat(Chat(user_id, ChatKind.PRIVATE, first_name))
        return user

    def add_channel(self, chat_id: int, title: str, username: str = "") -> Chat:
        """Make a channel where the bot may post."""
        return self._add_chat(Chat(chat_id, ChatKind.CHANNEL, title, username))

    def add_group(self, chat_id: int, title: str) -> Chat:
        """Make a group that the bot is in."""
        return self._add_chat(Chat(chat_id, ChatKind.SUPERGROUP, title))

    def block(self, chat_id: int) -> None:
        """Let the person of a private chat, or a channel, shut the bot out."""
        self._blocked.add(chat_id)

    def unblock(self, chat_id: int) -> None:
        """Take the bot back."""
        self._blocked.discard(chat_id)

    def user_sends(
        self, user_id: int, text: str, *, chat_id: int | None = None, reply_to: int | None = None
    ) -> int:
        """Let a person write, perhaps in reply; return the id of the update that tells the bot."""
        chat = self._chats[user_id if chat_id is None else chat_id]
        is_post = chat.kind is ChatKind.CHANNEL
        sender = None if is_post else self._users[user_id]
        message = self._new_message(chat, sender, text, detect(text))
        if reply_to is not None:
            message = replace(message, reply_to=self.message(chat.id, reply_to))
        self._keep(message)
        return self._tell("channel_post" if is_post else "message", message.as_json())

    def user_edits(
        self, user_id: int, message_id: int, text: str, *, chat_id: int | None = None
    ) -> int:
        """Let a person change what was written; return the id of the update."""
        chat_id = user_id if chat_id is None else chat_id
        old = self._messages[chat_id][message_id]
        message = replace(old, text=text, entities=detect(text), edited_at=self.now())
        self._keep(message)
        is_post = message.chat.kind is ChatKind.CHANNEL
        return self._tell("edited_channel_post" if is_post else "edited_message", message.as_json())

    def user_taps(self, user_id: int, chat_id: int, message_id: int, data: str) -> str:
        """Let a person tap a button (any data, any message, even a deleted one); return its id.

        Telegram hands out such updates too: clients can be modified, and taps can be late.
        """
        number = len(self._callbacks) + 1
        callback_id = str(4_382_000_000_000_000_000 + number * 7_919)
        callback = Callback(callback_id, user_id, chat_id, message_id, data, self.now())
        self._callbacks[callback_id] = callback
        self._tell("callback_query", self._callback_json(callback))
        return callback_id

    # Looking

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return self._clock.now()

    def chat(self, chat_id: int) -> Chat:
        """Return a chat; KeyError where there is none."""
        return self._chats[chat_id]

    def user(self, user_id: int) -> User:
        """Return a person; KeyError where there is none."""
        return self._users[user_id]

    def messages(self, chat_id: int) -> list[ChatMessage]:
        """Return what stands in a chat, oldest first."""
        return list(self._messages[chat_id].values())

    def message(self, chat_id: int, message_id: int) -> ChatMessage | None:
        """Return one message; None where it was deleted or never was."""
        return self._messages.get(chat_id, {}).get(message_id)

    def photo(self, file_id: str) -> Photo | None:
        """Return a picture by its file id."""
        return self._photos.get(file_id)

    def callback(self, callback_id: str) -> Callback:
        """Return a tap and its answer so far."""
        return self._callbacks[callback_id]

    @property
    def confirmed_offset(self) -> int:
        """Return the offset that the bot confirmed last."""
        return self.updates.confirmed_offset

    def pending_updates(self) -> list[Json]:
        """Return the updates that the bot has not confirmed yet."""
        return self.updates.waiting()

    async def wait(self, predicate: Callable[[], T], deadline_seconds: float | None = 5.0) -> T:
        """Return the predicate's value as soon as it is truthy; TimeoutError at the deadline.

        It is asked again after every change: a message, an edit, an answer, an update, a call.
        """
        return await self.changes.wait(predicate, deadline_seconds)

    def stop(self) -> None:
        """End every long poll and page for good: call it just before the server stops."""
        self.is_stopped = True
        self.changes.wake()

    # The bot

    def open_chat(self, reference: str) -> Chat:
        """Return the chat that a chat_id names and the bot may write to; RefusalError otherwise."""
        chat = self._find_chat(reference)
        if chat is None:
            raise bad_request("chat not found" if reference else "chat_id is empty")
        if chat.id in self._blocked:
            if chat.kind is ChatKind.PRIVATE:
                raise blocked()
            place = "channel" if chat.kind is ChatKind.CHANNEL else "supergroup"
            raise RefusalError(403, f"Forbidden: bot is not a member of the {place} chat")
        return chat

    def write(self, chat: Chat) -> None:
        """Count a message or an edit against the limits; RefusalError 429 where it is too fast."""
        self.pace.check(chat, is_private=chat.kind is ChatKind.PRIVATE)

    def bot_sends(
        self,
        chat: Chat,
        text: str,
        entities: tuple[Entity, ...],
        *,
        buttons: Keyboard = (),
        photo: Photo | None = None,
        is_silent: bool = False,
    ) -> ChatMessage:
        """Put a message of the bot into a chat."""
        sender = None if chat.kind is ChatKind.CHANNEL else self.bot
        message = self._new_message(chat, sender, text, entities)
        message = replace(message, buttons=buttons, photo=photo, is_silent=is_silent)
        self._keep(message)
        return message

    def bot_edits(self, message: ChatMessage) -> ChatMessage:
        """Replace a message by its new form."""
        self._keep(message)
        return message

    def bot_deletes(self, message: ChatMessage) -> None:
        """Take a message away."""
        del self._messages[message.chat.id][message.id]
        self.changes.note("deleted", chat_id=message.chat.id, message_id=message.id)

    def bot_answers(self, callback_id: str, answer: CallbackAnswer) -> None:
        """Show a tap's answer; RefusalError where the tap is unknown, answered or too old."""
        callback = self._callbacks.get(callback_id)
        if callback is None or callback.answer is not None:
            raise bad_request(QUERY_TOO_OLD)
        if self.now() - callback.at > self._callback_age:
            raise bad_request(QUERY_TOO_OLD)
        self._callbacks[callback_id] = replace(callback, answer=answer)
        self.changes.note("answer", chat_id=callback.chat_id, callback_id=callback_id)

    def add_photo(self, content: bytes, size: ImageSize) -> Photo:
        """Keep a picture and give it a file id."""
        file_id = f"photo{len(self._photos) + 1:06d}"
        photo = Photo(file_id, content, size.width, size.height, size.media_type)
        self._photos[file_id] = photo
        return photo

    # Inside

    def _add_chat(self, chat: Chat) -> Chat:
        self._chats[chat.id] = chat
        self._messages.setdefault(chat.id, {})
        return chat

    def _find_chat(self, reference: str) -> Chat | None:
        if reference.startswith("@"):
            named = (c for c in self._chats.values() if c.username and c.username == reference[1:])
            return next(named, None)
        is_number = reference.removeprefix("-").isdecimal()
        return self._chats.get(int(reference)) if is_number else None

    def _new_message(
        self, chat: Chat, sender: User | None, text: str, entities: tuple[Entity, ...]
    ) -> ChatMessage:
        # private chats share one count per bot, groups and channels have their own
        count = 0 if chat.kind is ChatKind.PRIVATE else chat.id
        self._last_ids[count] = max(self._last_ids[count] + 1, FIRST_MESSAGE_ID)
        return ChatMessage(self._last_ids[count], chat, sender, self.now(), text, entities)

    def _keep(self, message: ChatMessage) -> None:
        self._messages[message.chat.id][message.id] = message
        self.changes.note("message", chat_id=message.chat.id, message_id=message.id)

    def _tell(self, kind: str, body: Json) -> int:
        update_id = self.updates.add(kind, body)
        self.changes.note("update")
        return update_id

    def _callback_json(self, callback: Callback) -> Json:
        chat = self._chats[callback.chat_id]
        message = self.message(callback.chat_id, callback.message_id)
        gone: Json = {"message_id": callback.message_id, "chat": chat.as_json(), "date": 0}
        return {
            "id": callback.id,
            "from": self._users[callback.user_id].as_json(),
            "message": gone if message is None else message.as_json(),
            "chat_instance": str(-abs(chat.id) * 7_919 - 1),
            "data": callback.data,
        }
