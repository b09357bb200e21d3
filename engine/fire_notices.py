"""What the owner hears of conditions beside their alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.messages import Role
from market.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from engine.ports import Cards
    from market.directory import Directory
    from market.messages import Message, Person
    from market.store import Transaction
    from market.types import InstrumentId

MOST_NAMES = 10
"""Instruments that one notice names."""


class FireNotices:
    """Words for the owner about conditions that are held up, unknown or broken."""

    def __init__(self, cards: Cards, directory: Directory) -> None:
        self._cards = cards
        self._directory = directory

    def limit(
        self, tx: Transaction, condition: Condition, dropped: Sequence[InstrumentId]
    ) -> Sequence[Message]:
        """Say that the day's limit keeps these back."""
        return self._cards.notice(
            "condition.limit_reached",
            owners(tx),
            condition=condition.name,
            limit=str(condition.spec.limit_per_day),
            names=", ".join(map(self._directory.name, dropped)),
        )

    def unknown(
        self, tx: Transaction, condition: Condition, names: Sequence[InstrumentId]
    ) -> Sequence[Message]:
        """Say that a condition has been unknown on these for as many bars as it asks for."""
        more = ["…"] if len(names) > MOST_NAMES else []
        return self._cards.notice(
            "condition.stays_unknown",
            owners(tx),
            condition=condition.name,
            bars=str(condition.spec.unknown_bars),
            count=str(len(names)),
            names=", ".join([*map(self._directory.name, names[:MOST_NAMES]), *more]),
        )

    def faulty(self, tx: Transaction, name: str, now: datetime) -> Sequence[Message]:
        """Say that a condition breaks, once a day."""
        if not is_first_today(tx, f"faulty/{name}", now):
            return ()
        return self._cards.notice("condition.faulty", owners(tx), condition=name)


def midnight(now: datetime) -> datetime:
    """Return when the Korean day began."""
    return now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)


def is_first_today(tx: Transaction, mark: str, now: datetime) -> bool:
    """Tell whether something happens for the first time on a day, and remember that it did."""
    today = {"day": midnight(now).date().isoformat()}
    if tx.documents.get(mark) == today:
        return False
    tx.documents.put(mark, today)
    return True


def owners(tx: Transaction) -> list[Person]:
    """Return whoever owns the bot."""
    return [one for one in tx.people.all() if one.role is Role.OWNER]
