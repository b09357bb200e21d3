"""A database belongs to one broker: pretended holdings and real ones are never mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.errors import StoreError

if TYPE_CHECKING:
    from market.store import Store, Transaction

KEY = "desk/broker"
FIRST = "paper"
"""Whose orders a database holds that was written before this was kept."""


async def claim_database(store: Store, broker: str) -> None:
    """Note whose orders a database holds; raises StoreError where they are another broker's."""

    def write(tx: Transaction) -> str:
        kept = tx.documents.get(KEY)
        owner = kept["name"] if kept is not None else FIRST if tx.orders.recent(1) else broker
        if kept is None:
            tx.documents.put(KEY, {"name": owner})
        return str(owner)

    owner = await store.write(write)
    if owner != broker:
        raise StoreError(
            f"this database holds the orders of the broker '{owner}', not of '{broker}': give"
            " each broker a database of its own (store.path, or TICKTALK_STORE_PATH)"
        )
