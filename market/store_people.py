"""What came in from chat, each once, and the people who may use the bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from market.messages import Person, Role
from market.tables import table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_INBOX = table("inbox")
_KEYS = table("used_keys")
_PEOPLE = table("people")


@dataclass(frozen=True, slots=True)
class Received:
    """An update as it came in; `payload` is its JSON text."""

    update_id: int
    payload: str
    received_at: datetime


class InboxTable:
    """Updates that came in, and keys that work once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receive(self, update_id: int, payload: str, at: datetime) -> bool:
        """Keep an update; False if it is known."""
        statement = (
            upsert(_INBOX)
            .values(update_id=update_id, payload=payload, received_at=at, done_at=None)
            .on_conflict_do_nothing(index_elements=["update_id"])
        )
        return self._connection.execute(statement).rowcount == 1

    def unprocessed(self) -> list[Received]:
        """Return the updates that are not done, in their order."""
        statement = (
            select(_INBOX.c.update_id, _INBOX.c.payload, _INBOX.c.received_at)
            .where(_INBOX.c.done_at.is_(None))
            .order_by(_INBOX.c.update_id)
        )
        return [Received(*row) for row in self._connection.execute(statement)]

    def done(self, update_id: int, at: datetime) -> None:
        """Mark an update as done."""
        self._connection.execute(
            update(_INBOX).where(_INBOX.c.update_id == update_id).values(done_at=at)
        )

    def is_done(self, update_id: int) -> bool:
        """Return whether an update was received and done."""
        statement = select(_INBOX.c.update_id).where(
            _INBOX.c.update_id == update_id, _INBOX.c.done_at.is_not(None)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def claim_key(self, key: str, at: datetime) -> bool:
        """Use a key up; False if it was used before."""
        return self._connection.execute(_CLAIM_KEY, {"key": key, "used_at": at}).rowcount == 1


class PeopleTable:
    """The people who may use the bot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, user_id: int) -> Person | None:
        """Return a person by Telegram user id."""
        row = self._connection.execute(_PERSON, {"id": user_id}).one_or_none()
        return None if row is None else _person(row)

    def put(self, person: Person, at: datetime) -> None:
        """Keep a person in place of the entry before."""
        values = {
            "role": person.role.value,
            "language": person.language,
            "name": person.name,
            "changed_at": at,
        }
        self._connection.execute(
            upsert(_PEOPLE)
            .values(id=person.id, **values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )

    def remove(self, user_id: int) -> None:
        """Forget a person, known or not."""
        self._connection.execute(delete(_PEOPLE).where(_PEOPLE.c.id == user_id))

    def all(self) -> list[Person]:
        """Return everybody, by id."""
        return [_person(row) for row in self._connection.execute(_EVERYBODY)]

    def owner(self) -> Person | None:
        """Return the owner, if somebody has claimed the bot."""
        return next((person for person in self.all() if person.role is Role.OWNER), None)


# Statements are built once: to build one takes longer than to execute it.
_PERSON = select(_PEOPLE).where(_PEOPLE.c.id == bindparam("id"))
_EVERYBODY = select(_PEOPLE).order_by(_PEOPLE.c.id)
_CLAIM_KEY = upsert(_KEYS).on_conflict_do_nothing(index_elements=["key"])


def _person(row: Row[Any]) -> Person:
    return Person(row.id, Role(row.role), row.language, row.name)
