"""Reads `position:` of a condition's test: what is held of the instrument, and in which slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.fields import Fields
from config.values import read_number

if TYPE_CHECKING:
    from config.strict_yaml import Node
    from market.errors import Problem

POSITION_KEYS = ("price", "quantity", "opened", "closed")


@dataclass(frozen=True, slots=True)
class TrialPosition:
    """A position opened as slot `opened` begins, and closed as slot `closed` begins (None: never).

    A quantity below 0 was sold short.
    """

    price: float
    quantity: float
    opened: int
    closed: int | None


def read_position(node: Node, count: int, problems: list[Problem]) -> TrialPosition:
    """Return the position of a test of so many slots (0: not known)."""
    fields = Fields(node, POSITION_KEYS, problems)
    written = fields.text("price")
    price = fields.value("price", _amount, 1.0) if written.text else 1.0
    quantity = fields.value("quantity", _quantity, 1.0)
    opened = fields.value("opened", lambda text: _slot(text, count), 0)
    sold = fields.optional_text("closed")
    if sold is None:
        return TrialPosition(price, quantity, opened, None)
    closed = fields.value("closed", lambda text: _slot(text, count), opened + 1)
    if closed <= opened:
        problems.append(sold.problem("'closed' must be a later slot than 'opened'"))
    return TrialPosition(price, quantity, opened, closed)


def _amount(text: str) -> float:
    amount = read_number(text)
    if amount <= 0:
        raise ValueError(f"'{text}' must be more than 0")
    return float(amount)


def _quantity(text: str) -> float:
    quantity = read_number(text)
    if not quantity:
        raise ValueError(f"'{text}' must not be 0; below 0 it was sold short")
    return float(quantity)


def _slot(text: str, count: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"'{text}' is no slot; write 61")
    if count and int(text) >= count:
        raise ValueError(f"'{text}': slots go from 0 to {count - 1}")
    return int(text)
