"""The order a condition calls for: its size and price rules compiled once, a ticket a signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.ticket import Ticket

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from conditions.compile import Condition
    from conditions.scalar import Scalar
    from market.directory import Directory
    from market.messages import Person
    from market.orders import Side
    from market.signals import Signal


@dataclass(frozen=True, slots=True)
class OrderRule:
    """The `order:` of a condition file, compiled."""

    condition: Condition
    side: Side
    size: Scalar
    price: Scalar | None
    within: timedelta
    max_drift: Decimal

    def ticket(self, signal: Signal, directory: Directory, person: Person) -> Ticket:
        """Return the ticket of one signal, to be confirmed by one person."""
        return Ticket(
            key=f"signal:{signal.id}",
            instrument=directory.known(signal.instrument),
            side=self.side,
            quantity=None,
            size=self.size,
            price=None,
            price_rule=self.price,
            user_id=person.id,
            origin=f"condition:{signal.condition}",
            within=self.within,
            max_drift=self.max_drift,
            signal_id=signal.id,
        )
