"""Small JSON objects under keys: settings of the moment, the paper account, jobs' marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from market.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

_DOCUMENTS = table("documents")
_LAST_CHARACTER = "\U0010ffff"


class DocumentTable:
    """JSON objects by key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> dict[str, Any] | None:
        """Return a document."""
        statement = select(_DOCUMENTS.c.value).where(_DOCUMENTS.c.key == key)
        found: dict[str, Any] | None = self._connection.execute(statement).scalar_one_or_none()
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a document in place of the one before; write Decimals as text yourself."""
        values = {"key": key, "value": dict(value)}
        statement = upsert(_DOCUMENTS).values(values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["key"], set_={"value": statement.excluded.value}
            )
        )

    def delete(self, key: str) -> None:
        """Forget a document, known or not."""
        self._connection.execute(delete(_DOCUMENTS).where(_DOCUMENTS.c.key == key))

    def items(self, prefix: str, after: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Return (key, document) of keys that begin with `prefix` and follow `after`, by key."""
        # A range, because LIKE ignores case on SQLite.
        statement = (
            select(_DOCUMENTS.c.key, _DOCUMENTS.c.value)
            .where(
                _DOCUMENTS.c.key >= prefix,
                _DOCUMENTS.c.key < prefix + _LAST_CHARACTER,
                _DOCUMENTS.c.key > after,
            )
            .order_by(_DOCUMENTS.c.key)
        )
        return [(key, value) for key, value in self._connection.execute(statement)]
