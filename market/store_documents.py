"""Small JSON objects under keys: settings of the moment, the paper account, jobs' marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select
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
        found: dict[str, Any] | None
        found = self._connection.execute(_GET, {"key": key}).scalar_one_or_none()
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a document in place of the one before; write Decimals as text yourself."""
        self._connection.execute(_PUT, {"key": key, "value": dict(value)})

    def delete(self, key: str) -> None:
        """Forget a document, known or not."""
        self._connection.execute(_DELETE, {"name": key})

    def items(self, prefix: str, after: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Return (key, document) of keys that begin with `prefix` and follow `after`, by key."""
        bounds = {"first": prefix, "end": prefix + _LAST_CHARACTER, "after": after}
        return [(key, value) for key, value in self._connection.execute(_ITEMS, bounds)]


# Statements are built once: to build one takes longer than to execute it.
_GET = select(_DOCUMENTS.c.value).where(_DOCUMENTS.c.key == bindparam("key"))
_INSERT = upsert(_DOCUMENTS)
_PUT = _INSERT.on_conflict_do_update(index_elements=["key"], set_={"value": _INSERT.excluded.value})
_DELETE = delete(_DOCUMENTS).where(_DOCUMENTS.c.key == bindparam("name"))
_ITEMS = (
    select(_DOCUMENTS.c.key, _DOCUMENTS.c.value)
    .where(
        # A range, because LIKE ignores case on SQLite.
        _DOCUMENTS.c.key >= bindparam("first"),
        _DOCUMENTS.c.key < bindparam("end"),
        _DOCUMENTS.c.key > bindparam("after"),
    )
    .order_by(_DOCUMENTS.c.key)
)
