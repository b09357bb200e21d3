"""Reading Binance's answers: every value is there and of its kind, or nothing is concluded."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from market.errors import OutcomeUnknown

Row = dict[str, Any]


def odd(what: object) -> OutcomeUnknown:
    """Return the error for an answer of another shape than ours; nothing follows from it."""
    return OutcomeUnknown("unavailable", f"binance answered oddly: {str(what)[:80]}")


def row_of(value: Any) -> Row:
    """Return an object."""
    if not isinstance(value, dict):
        raise odd(value)
    return value


def rows_of(value: Any) -> list[Row]:
    """Return a list of objects."""
    if not isinstance(value, list):
        raise odd(value)
    return [row_of(row) for row in value]


def text_of(row: Row, name: str) -> str:
    """Return a text."""
    value = row.get(name)
    if not isinstance(value, str):
        raise odd(f"{name}: {value!r} in {row}")
    return value


def int_of(row: Row, name: str) -> int:
    """Return a whole number."""
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise odd(f"{name}: {value!r} in {row}")
    return value


def flag_of(row: Row, name: str) -> bool:
    """Return a yes or no."""
    value = row.get(name)
    if not isinstance(value, bool):
        raise odd(f"{name}: {value!r} in {row}")
    return value


def decimal_of(row: Row, name: str) -> Decimal:
    """Return an amount, which Binance writes as a text."""
    try:
        value = Decimal(text_of(row, name))
    except InvalidOperation as error:
        raise odd(f"{name}: {row.get(name)!r}") from error
    if not value.is_finite():
        raise odd(f"{name}: {value}")
    return value


def plain(amount: Decimal) -> str:
    """Return an amount without exponent and without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
