"""The outbox in the store: every message on its way to a chat, and where cards live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from market.errors import StoreError
from market.messages import Button, Message
from market.tables import table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_OUTBOX = table("outbox")
_CARDS = table("cards")
_UNSENT = ("queued", "sending")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that waits; `is_repeat` means that it may have been sent before a crash."""

    id: int
    message: Message
    enqueued_at: datetime
    attempts: int
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class SentCard:
    """The message in which a card lives."""

    message_id: int
    is_photo: bool


class OutboxTable:
    """Messages in the order in which each chat shall see them: queued, sending, sent, failed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enqueue(self, message: Message, at: datetime) -> int:
        """Queue a message and return its id.

        A card that is still queued for the chat is replaced in its place: only the newest state
        of a card is sent. One that is being sent stays, the new state is queued behind it.
        """
        waiting = self._queued_card(message.chat_id, message.card)
        if waiting is not None:
            self._update(waiting, **_content(message), enqueued_at=at, changed_at=at, attempts=0)
            return waiting
        values = {
            **_content(message),
            "chat_id": message.chat_id,
            "card": message.card,
            "state": "queued",
            "enqueued_at": at,
            "not_before": at,
            "changed_at": at,
            "attempts": 0,
            "is_repeat": False,
            "message_id": None,
            "error": "",
        }
        return int(self._connection.execute(_ENQUEUE, values).scalar_one())

    def pending(self, now: datetime) -> list[Outgoing]:
        """Return the messages that may be sent now, oldest first.

        None overtakes an older one of its chat that is being sent or has to wait.
        """
        held: set[int] = set()
        ready: list[Outgoing] = []
        for row in self._connection.execute(_PENDING):
            if row.state == "sending" or row.not_before > now:
                held.add(row.chat_id)
            elif row.chat_id not in held:
                ready.append(_outgoing(row))
        return ready

    def claim(self, id: int, at: datetime) -> None:  # noqa: A002  # the contract's name
        """Mark a queued message as being sent; StoreError if it is not queued."""
        if self._connection.execute(_CLAIM, {"which": id, "changed_at": at}).rowcount != 1:
            raise StoreError(f"message {id} of the outbox is not queued, it cannot be claimed")

    def sent(
        self,
        id: int,  # noqa: A002  # the contract's name
        message_id: int | None,
        is_photo: bool,
        at: datetime,
    ) -> None:
        """Mark a message as sent; a card now lives in `message_id` (None: where it was)."""
        self._update(id, state="sent", message_id=message_id, changed_at=at)
        row = self._row(id)
        if row.card is not None and message_id is not None:
            self._place(row.chat_id, row.card, message_id, is_photo=is_photo)

    def retry(self, id: int, not_before: datetime, error: str) -> None:  # noqa: A002  # as above
        """Queue a message again in its place, to be sent at `not_before` or later."""
        self._update(id, state="queued", not_before=not_before, error=error)
        self._fold(self._row(id))

    def failed(self, id: int, error: str, at: datetime) -> None:  # noqa: A002  # as above
        """Give a message up."""
        self._update(id, state="failed", error=error, changed_at=at)

    def drop(self, chat_id: int, reason: str, at: datetime) -> int:
        """Give up all that still waits for a chat; return how many messages."""
        waiting = (_OUTBOX.c.chat_id == chat_id) & (_OUTBOX.c.state == "queued")
        changed = update(_OUTBOX).where(waiting)
        done = self._connection.execute(changed.values(state="failed", error=reason, changed_at=at))
        return done.rowcount

    def recover(self, at: datetime) -> int:
        """Queue what was being sent when we stopped, as repeats; return how many."""
        rows = self._connection.execute(
            select(_OUTBOX).where(_OUTBOX.c.state == "sending").order_by(_OUTBOX.c.id)
        ).all()
        for row in rows:
            self._update(row.id, state="queued", is_repeat=True, changed_at=at)
            self._fold(row)
        return len(rows)

    def card(self, chat_id: int, card: str) -> SentCard | None:
        """Return where a card lives, if it was ever sent."""
        asked = {"chat_id": chat_id, "card": card}
        row = self._connection.execute(_CARD, asked).one_or_none()
        return None if row is None else SentCard(row.message_id, row.is_photo)

    def card_at(self, chat_id: int, message_id: int) -> str | None:
        """Return the key of the card that lives in a message."""
        asked = {"chat_id": chat_id, "message_id": message_id}
        found: str | None = self._connection.execute(_CARD_AT, asked).scalar_one_or_none()
        return found

    def message_at(self, chat_id: int, message_id: int) -> Message | None:
        """Return what was sent as a message of a chat, the newest where the chat began anew."""
        statement = (
            select(_OUTBOX)
            .where(
                _OUTBOX.c.state == "sent",
                _OUTBOX.c.chat_id == chat_id,
                _OUTBOX.c.message_id == message_id,
            )
            .order_by(_OUTBOX.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _message(row)

    def waiting(self) -> int:
        """Return how many messages are neither sent nor given up."""
        statement = select(func.count()).where(_OUTBOX.c.state.in_(_UNSENT))
        return int(self._connection.execute(statement).scalar_one())

    def counts(self) -> dict[str, int]:
        """Return how many messages are in each state."""
        statement = select(_OUTBOX.c.state, func.count()).group_by(_OUTBOX.c.state)
        return {row[0]: row[1] for row in self._connection.execute(statement)}

    def _queued_card(self, chat_id: int, card: str | None) -> int | None:
        if card is None:
            return None
        asked = {"chat_id": chat_id, "card": card}
        found: int | None = self._connection.execute(_QUEUED_CARD, asked).scalar_one_or_none()
        return found

    def _fold(self, row: Row[Any]) -> None:
        # A message that is queued again takes the newer state of its card that came meanwhile.
        if row.card is None:
            return
        newer = self._connection.execute(
            select(_OUTBOX).where(
                _OUTBOX.c.state == "queued",
                _OUTBOX.c.chat_id == row.chat_id,
                _OUTBOX.c.card == row.card,
                _OUTBOX.c.id > row.id,
            )
        ).one_or_none()
        if newer is None:
            return
        self._connection.execute(delete(_OUTBOX).where(_OUTBOX.c.id == newer.id))
        self._update(row.id, **_content(_message(newer)), enqueued_at=newer.enqueued_at)

    def _place(self, chat_id: int, card: str, message_id: int, *, is_photo: bool) -> None:
        # A chat that began anew counts its messages from 1 again: the newest card is the one there.
        self._connection.execute(_EMPTY_PLACE, {"chat": chat_id, "message": message_id})
        place = {"message_id": message_id, "is_photo": is_photo}
        self._connection.execute(_PLACE, {"chat_id": chat_id, "card": card, **place})

    def _row(self, outgoing: int) -> Row[Any]:
        return self._connection.execute(_ROW, {"id": outgoing}).one()

    def _update(self, outgoing: int, **values: Any) -> None:
        if self._connection.execute(_UPDATE, {"which": outgoing, **values}).rowcount != 1:
            raise StoreError(f"the outbox has no message {outgoing}")


# Statements are built once: to build one takes longer than to execute it.
_ENQUEUE = insert(_OUTBOX).returning(_OUTBOX.c.id)
_PENDING = select(_OUTBOX).where(_OUTBOX.c.state.in_(_UNSENT)).order_by(_OUTBOX.c.id)
_ROW = select(_OUTBOX).where(_OUTBOX.c.id == bindparam("id"))
_UPDATE = update(_OUTBOX).where(_OUTBOX.c.id == bindparam("which"))
_CLAIM = _UPDATE.where(_OUTBOX.c.state == "queued").values(
    state="sending", attempts=_OUTBOX.c.attempts + 1, changed_at=bindparam("changed_at")
)
_QUEUED_CARD = select(_OUTBOX.c.id).where(
    _OUTBOX.c.state == "queued",
    _OUTBOX.c.chat_id == bindparam("chat_id"),
    _OUTBOX.c.card == bindparam("card"),
)
_CARD = select(_CARDS).where(
    _CARDS.c.chat_id == bindparam("chat_id"), _CARDS.c.card == bindparam("card")
)
_CARD_AT = select(_CARDS.c.card).where(
    _CARDS.c.chat_id == bindparam("chat_id"), _CARDS.c.message_id == bindparam("message_id")
)
_EMPTY_PLACE = delete(_CARDS).where(
    _CARDS.c.chat_id == bindparam("chat"), _CARDS.c.message_id == bindparam("message")
)
_INSERT_CARD = upsert(_CARDS)
_PLACE = _INSERT_CARD.on_conflict_do_update(
    index_elements=["chat_id", "card"],
    set_={name: _INSERT_CARD.excluded[name] for name in ("message_id", "is_photo")},
)


def _content(message: Message) -> dict[str, Any]:
    return {
        "text": message.text,
        "buttons": [
            [[button.label, button.data, button.url] for button in row] for row in message.buttons
        ],
        "chart": message.chart,
        "is_silent": message.is_silent,
    }


def _message(row: Row[Any]) -> Message:
    return Message(
        chat_id=row.chat_id,
        text=row.text,
        buttons=tuple(tuple(Button(*button) for button in line) for line in row.buttons),
        card=row.card,
        chart=row.chart,
        is_silent=row.is_silent,
    )


def _outgoing(row: Row[Any]) -> Outgoing:
    return Outgoing(row.id, _message(row), row.enqueued_at, row.attempts, row.is_repeat)
