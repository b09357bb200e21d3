"""Each venue of a database belongs to one broker: pretended and real holdings are never mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.exact import venue_of
from market.errors import StoreError
from market.orders import AT_BROKER, OrderState
from market.types import Venue

if TYPE_CHECKING:
    from engine.brokers import Brokers
    from market.store import Store, Transaction

KEY = "desk/broker"
"""The owner of each venue is kept below it, and at it that of all in databases of version 7."""
FIRST = "paper"
"""Whose orders a database holds that was written before this was kept."""

ONCE_THERE = AT_BROKER | {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED}
"""States of orders that a broker has, had, or may have."""


async def claim_venues(store: Store, brokers: Brokers) -> None:
    """Note whose orders and holdings a database holds at each venue.

    Raises StoreError, with all venues, where they are another broker's than the one in use.
    """

    def write(tx: Transaction) -> list[str]:
        used = tx.orders.venues_in(ONCE_THERE)
        used |= {venue_of(one.instrument) for one in tx.orders.positions()}
        objections = []
        for venue in Venue:
            seat = brokers.at(venue)
            owner = _owner(tx, venue) if venue in used else None
            if owner is not None and (seat is None or seat.name != owner):
                objections.append(_objection(venue, owner, "nobody" if seat is None else seat.name))
            elif seat is not None:
                tx.documents.put(f"{KEY}/{venue}", {"name": seat.name})
        return objections

    objections = await store.write(write)
    if objections:
        raise StoreError("; ".join(objections))


def _owner(tx: Transaction, venue: Venue) -> str:
    kept = tx.documents.get(f"{KEY}/{venue}") or tx.documents.get(KEY)
    return FIRST if kept is None else str(kept["name"])


def _objection(venue: Venue, owner: str, name: str) -> str:
    return (
        f"the orders and holdings at {venue} in this database are those of the broker '{owner}',"
        f" but settings let '{name}' trade there: set broker.{venue.lower()} to {owner}, or use"
        " another database (store.path, or TICKTALK_STORE_PATH)"
    )
