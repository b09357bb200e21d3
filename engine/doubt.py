"""An order that only a person can tell apart from others at the venue, kept until it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.open_orders import read_open_order, write_open_order
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from brokers.broker import OpenOrder
    from market.store import Transaction

_DOUBT = "desk/doubt/"
_SAID = "desk/doubt_said/"
NONE_OF_THEM = ""
"""What a person says where the order is none of the candidates."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """The orders at the venue that an order of ours may be; another list is another version.

    `said` is the broker's id of the one that a person named, NONE_OF_THEM, or None before anybody
    has said anything; `user_id` is who said it.
    """

    order_id: str
    version: int
    candidates: tuple[OpenOrder, ...]
    said: str | None = None
    user_id: int = 0

    def choice(self, number: int | None) -> str | None:
        """Return what a button stands for: a candidate's id, NONE_OF_THEM; None for no button."""
        if number is None:
            return NONE_OF_THEM
        is_there = 0 <= number < len(self.candidates)
        return self.candidates[number].broker_order_id if is_there else None

    def is_about(self, candidates: Sequence[OpenOrder]) -> bool:
        """Tell whether these are the same orders, however much of them has traded meanwhile."""
        names = [one.broker_order_id for one in candidates]
        return names == [one.broker_order_id for one in self.candidates]


def read_doubt(tx: Transaction, order_id: str) -> Doubt | None:
    """Return what is in doubt about an order, None where a person need not say anything."""
    value = tx.documents.get(_DOUBT + order_id)
    return None if value is None else _doubt(order_id, value)


def read_doubts(tx: Transaction) -> list[Doubt]:
    """Return all that a person has to tell apart, or has told but is not settled yet."""
    kept = tx.documents.items(_DOUBT)
    return [_doubt(key.removeprefix(_DOUBT), value) for key, value in kept]


def put_doubt(tx: Transaction, one: Doubt) -> None:
    """Keep a doubt in place of the one before."""
    tx.documents.put(
        _DOUBT + one.order_id,
        {
            "version": one.version,
            "candidates": [write_open_order(each) for each in one.candidates],
            "said": one.said,
            "user_id": one.user_id,
        },
    )


def forget_doubt(tx: Transaction, one: Doubt, now: datetime) -> None:
    """Forget a doubt that is over; what a person said stays written down."""
    tx.documents.delete(_DOUBT + one.order_id)
    if one.said is not None:
        told = {"said": one.said, "user_id": one.user_id, "at": to_ms(now)}
        tx.documents.put(_SAID + one.order_id, told)


def _doubt(order_id: str, value: Mapping[str, Any]) -> Doubt:
    return Doubt(
        order_id=order_id,
        version=int(value["version"]),
        candidates=tuple(read_open_order(one) for one in value["candidates"]),
        said=value["said"],
        user_id=int(value["user_id"]),
    )
