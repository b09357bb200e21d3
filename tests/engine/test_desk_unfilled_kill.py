"""A kill before and after every write and request while an order is being replaced."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.replacing import replacement_id, wished_replacements
from market.orders import OPEN, OrderState
from market.unfilled import Then, Unfilled
from tests.engine.desk_world import World
from tests.engine.pretend_market import SAMSUNG, TRADER
from tests.engine.sudden_death import Killed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Order
    from market.store import Transaction

    Script = Callable[[World], Awaitable[None]]

SOON = timedelta(seconds=10)
REPRICE = Unfilled(Then.REPRICE, SOON, 2)
RESTING = {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}
WHOLE = 10


async def follow(world: World, unfilled: Unfilled, *answers: str) -> Order:
    """Send an order of which a part fills, and let it be followed; the venue answers so."""
    order = await world.sent(origin="condition:a", unfilled=unfilled, max_drift=Decimal("0.01"))
    world.venue.fill(order, 4)
    world.venue.script.extend(answers)
    for price in (70_100, 70_200, 70_300):
        await world.sweep(price)
    return order


async def reprice(world: World) -> None:
    await follow(world, REPRICE)


async def go_to_market(world: World) -> None:
    await follow(world, Unfilled(Then.MARKET, SOON))


async def cancel_only(world: World) -> None:
    await follow(world, Unfilled(Then.CANCEL, SOON))


async def lose_the_cancels_answer(world: World) -> None:
    await follow(world, REPRICE, "lose answer", "lose answer")


async def lose_the_cancel(world: World) -> None:
    await follow(world, REPRICE, "lose request")


async def fill_late(world: World) -> None:
    order = await follow(world, REPRICE)
    world.venue.fill(order, 2)
    await world.sweep()


async def take_back(world: World) -> None:
    order = await follow(world, REPRICE, "lose request")
    await world.desk.cancel(order.id, TRADER.id)
    await world.sweep()


async def settle(world: World) -> None:
    """Let time pass until nothing is due any more, then let all that rests trade."""
    world.venue.script.clear()
    for _ in range(9):
        await world.sweep()
        assert await at_stake(world) <= WHOLE
    for order in list(world.venue.placed.values()):
        held = world.venue.orders[order.client_order_id]
        if held.state in RESTING:
            world.venue.fill(order, int(order.quantity - held.filled_quantity))
    for _ in range(3):
        await world.sweep()


async def at_stake(world: World) -> Decimal:
    """Return what has traded and what may still trade at the venue."""
    traded = sum((fill.quantity for fill in world.venue.trades), Decimal(0))
    resting = Decimal(0)
    for order in world.venue.placed.values():
        held = world.venue.orders[order.client_order_id]
        if held.state in RESTING:
            resting += order.quantity - held.filled_quantity
    return traded + resting


async def check(world: World) -> None:
    """Hold our book against the venue's."""

    def read(tx: Transaction) -> tuple[list[Order], list[str]]:
        return tx.orders.recent(100), wished_replacements(tx)

    orders, wished = await world.store.read(read)
    assert wished == []
    assert len(world.venue.posts) == len(set(world.venue.posts))
    assert await world.position() == await at_stake(world) <= WHOLE
    for order in orders:
        at_venue = world.venue.orders.get(order.client_order_id)
        assert order.state not in OPEN or order.state is OrderState.PROPOSED
        if at_venue is None:
            assert order.filled_quantity == 0
        else:
            assert order.state is at_venue.state
            assert order.filled_quantity == at_venue.filled_quantity
        if order.replaces is not None:
            assert order.id == replacement_id(order.replaces)


async def live_and_die(path: Path, script: Script, kill_at: int | None) -> int:
    """Play a script, die at a point, start again and settle; return how many points there were."""
    world = World(path)
    try:
        await world.settle_in()
        world.store.close()
        world.open(kill_at)
        with suppress(Killed):
            await script(world)
        points = world.fate.points
        world.market.prices[SAMSUNG.id] = 70_400.0
        await world.restart()
        await settle(world)
        await check(world)
        return points
    finally:
        world.store.close()


SCRIPTS = [
    reprice,
    go_to_market,
    cancel_only,
    lose_the_cancels_answer,
    lose_the_cancel,
    fill_late,
    take_back,
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_kill_anywhere_never_trades_more_than_was_confirmed(
    tmp_path: Path, script: Script
) -> None:
    points = asyncio.run(live_and_die(tmp_path / "whole", script, None))
    assert points > 20
    for point in range(7, points + 1):  # what lies before is test_desk_kill's
        asyncio.run(live_and_die(tmp_path / f"killed-{point}", script, point))


def test_what_is_written_first_is_found_again(tmp_path: Path) -> None:
    """Die right after each step of a replacement, and look at what comes of it."""

    async def scenario(last: str) -> tuple[OrderState | None, int]:
        world = World(tmp_path / last)
        try:
            await world.settle_in()
            order = await world.sent(origin="condition:a", unfilled=REPRICE)
            new_id = replacement_id(order.id)

            def has_come(state: str) -> bool:
                return any(
                    facts["id"] == new_id and facts["state"] == state
                    for kind, facts in world.events.events
                    if kind == "order"
                )

            async def die() -> None:
                world.fate.is_dead = has_come(last)

            world.store.before_write = die
            with suppress(Killed):
                await world.sweep(70_100)
            await world.restart()
            found = await world.store.read(lambda tx: tx.orders.get(new_id))
            for _ in range(9):
                await world.sweep()
            return None if found is None else found.state, len(world.venue.posts)
        finally:
            world.store.close()

    assert asyncio.run(scenario("confirmed")) == (OrderState.LAPSED, 1)
    assert asyncio.run(scenario("submitted"))[1] == 2
