"""What is settled in the end by people, and what must come about by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from brokers.broker import Doubtful
from market.orders import AT_BROKER, OrderState
from tests.simulation.guard import IN_TIME_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.guard import Guard
    from tests.simulation.life import Life
    from tests.simulation.people import People

APART_SECONDS = 5


async def tell_apart(life: Life) -> int:
    """Say, as a person with the venue's own app would, which orders in doubt are; return how many.

    Brokers that find out by themselves are not told.
    """
    broker = life.broker
    if not isinstance(broker, Doubtful):
        return 0
    doubted = life.store.look(lambda tx: tx.orders.in_states({OrderState.IN_DOUBT}))
    for order in doubted:
        found = await broker.candidates(order)
        await broker.settle(order, found[0].broker_order_id if found else None)
    await life.sweep()
    return len(doubted)


async def cancel_wished(life: Life, people: People, fail: Callable[[str, str], None]) -> None:
    """A wish to cancel may have been lost once; at a healthy venue the second one is not."""
    wished = [
        order.id
        for order in life.store.look(lambda tx: tx.orders.in_states(AT_BROKER))
        if order.is_cancel_requested
    ]
    await people.cancel_all(wished)
    await life.sweep()
    for order in life.store.look(lambda tx: tx.orders.in_states(AT_BROKER)):
        if order.id in wished:
            fail("cancel", f"order {order.id} cannot be cancelled: {order.state}")


async def check_guarded(life: Life, guard: Guard) -> None:
    """Look for a while whether positions are looked after, and once at what panics came to."""
    neglected = life.store.look(guard.neglected)
    for _ in range(IN_TIME_SECONDS // APART_SECONDS):
        await asyncio.sleep(APART_SECONDS)
        neglected &= life.store.look(guard.neglected)
    guard.check_kept(neglected)
    life.store.look(guard.check_panic)
