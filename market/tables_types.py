"""Column types: money as decimal text, time as UTC milliseconds, documents as JSON text."""

# ruff: noqa: ARG002  # SQLAlchemy hands the dialect to every type, ours do not depend on it

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BigInteger, String
from sqlalchemy.types import TypeDecorator

from market.types import from_ms, to_ms
from market.unfilled import read_unfilled, write_unfilled

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Dialect

    from market.unfilled import Unfilled


class DecimalText(TypeDecorator[Decimal]):
    """A finite Decimal as its text: SQLite would make a float of it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Return the text; ValueError for NaN and infinity, which are no money."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"{value} is not an amount")
        return str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Return the Decimal that was written, digit for digit."""
        return None if value is None else Decimal(value)


class UtcMilliseconds(TypeDecorator["datetime"]):
    """An aware time as whole UTC milliseconds; what is finer is cut off."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return milliseconds; TypeError for a time without zone."""
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the aware UTC time."""
        return None if value is None else from_ms(value)


class UnfilledText(TypeDecorator["Unfilled"]):
    """What becomes of an order that does not fill, in the words of market/unfilled.py."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Unfilled | None, dialect: Dialect) -> str:
        """Return its words, "" for none."""
        return write_unfilled(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Unfilled | None:
        """Return what the words mean."""
        return read_unfilled(value or "")


class JsonText(TypeDecorator[Any]):
    """A JSON document as text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Return the text; TypeError for what JSON does not know."""
        return orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the document."""
        return None if value is None else orjson.loads(value)
