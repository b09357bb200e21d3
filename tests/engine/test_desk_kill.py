"""A kill before and after every write and every request: one order at the broker, or none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.orders import OPEN, OrderState, Side, advance
from tests.engine.desk_world import World
from tests.engine.pretend_market import TRADER
from tests.engine.sudden_death import Killed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Order
    from market.store import Transaction

    Script = Callable[[World], Awaitable[None]]

ENDS = {OrderState.LAPSED, OrderState.NOT_SENT, OrderState.CANCELED, OrderState.FILLED}


async def buy(world: World) -> None:
    await world.sent()
    await trade(world)


async def buy_and_cancel(world: World) -> None:
    order = await world.sent()
    await world.desk.cancel(order.id, TRADER.id)
    await trade(world)


async def buy_and_sell(world: World) -> None:
    await buy(world)
    await world.sent(side=Side.SELL, quantity=Decimal(4))
    await trade(world)


async def buy_unanswered(world: World) -> None:
    world.venue.script.append("lose answer")
    await world.sent()
    await trade(world)


async def trade(world: World) -> None:
    """Let what rests at the venue trade, some now and the rest later, and settle it."""
    for share in (4, None):
        for order in list(world.venue.placed.values()):
            held = world.venue.orders[order.client_order_id]
            if held.state in {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}:
                left = int(order.quantity - held.filled_quantity)
                world.venue.fill(order, left if share is None else min(share, left))
        await world.sweep()


async def orders_of(world: World) -> list[Order]:
    def read(tx: Transaction) -> list[Order]:
        return tx.orders.recent(100)

    return await world.store.read(read)


async def check(world: World) -> None:
    """Hold our book against the venue's once everything has been settled."""
    assert len(world.venue.posts) == len(set(world.venue.posts))
    bought = Decimal(0)
    for order in await orders_of(world):
        at_venue = world.venue.orders.get(order.client_order_id)
        fills = [fill for fill in world.venue.trades if fill.order_id == order.id]
        filled = sum((fill.quantity for fill in fills), Decimal(0))
        assert order.filled_quantity == filled
        bought += filled if order.side is Side.BUY else -filled
        if at_venue is None:
            assert order.state in ENDS | {OrderState.PROPOSED}
            assert order.state is not OrderState.FILLED
        else:
            assert order.state is at_venue.state
            assert order.broker_order_id in {at_venue.broker_order_id, None}
    assert await world.position() == bought


async def check_paper(world: World) -> None:
    """Hold our book against the paper venue's."""
    fills = await world.broker.fills("")
    bought = Decimal(0)
    for order in await orders_of(world):
        mine = [fill for fill in fills if fill.order_id == order.id]
        assert len(mine) <= 1
        filled = sum((fill.quantity for fill in mine), Decimal(0))
        assert order.filled_quantity == filled
        bought += filled if order.side is Side.BUY else -filled
        found = await world.broker.find(order)
        assert order.state not in OPEN or order.state is OrderState.PROPOSED
        if found is None:
            assert order.state in {OrderState.LAPSED, OrderState.NOT_SENT, OrderState.PROPOSED}
        else:
            assert order.state is found.state
    assert await world.position() == bought


async def live_and_die(path: Path, script: Script, kill_at: int | None, *, is_paper: bool) -> int:
    """Play a script, die at a point, start again and settle; return how many points there were."""
    world = World(path, is_paper=is_paper)
    try:
        await world.settle_in()
        world.store.close()
        world.open(kill_at)
        with suppress(Killed):
            await script(world)
        points = world.fate.points
        await world.restart()
        for _ in range(3):
            await trade(world)
            world.pass_time(20)
        await (check_paper(world) if is_paper else check(world))
        return points
    finally:
        world.store.close()


@pytest.mark.parametrize("script", [buy, buy_and_cancel, buy_and_sell, buy_unanswered])
def test_a_kill_anywhere_leaves_one_order_or_none(tmp_path: Path, script: Script) -> None:
    points = asyncio.run(live_and_die(tmp_path / "whole", script, None, is_paper=False))
    assert points > 10
    for point in range(1, points + 1):
        path = tmp_path / f"killed-{point}"
        asyncio.run(live_and_die(path, script, point, is_paper=False))


@pytest.mark.parametrize("script", [buy, buy_and_cancel, buy_and_sell])
def test_a_kill_anywhere_with_the_paper_venue(tmp_path: Path, script: Script) -> None:
    points = asyncio.run(live_and_die(tmp_path / "whole", script, None, is_paper=True))
    assert points > 10
    for point in range(1, points + 1):
        path = tmp_path / f"killed-{point}"
        asyncio.run(live_and_die(path, script, point, is_paper=True))


def test_a_kill_during_the_recovery_is_recovered_too(tmp_path: Path) -> None:
    async def scenario(first: int, second: int) -> None:
        world = World(tmp_path / f"{first}-{second}")
        try:
            await world.settle_in()
            world.store.close()
            world.open(first)
            with suppress(Killed):
                await buy_unanswered(world)
            world.store.close()
            world.open(second)
            with suppress(Killed):
                await world.desk.recover()
            await world.restart()
            for _ in range(2):
                await trade(world)
                world.pass_time(20)
            await check(world)
        finally:
            world.store.close()

    for first in range(7, 17):
        for second in range(1, 9, 2):
            asyncio.run(scenario(first, second))


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_card_survives_a_restart_and_a_confirmed_order_does_not(
    tmp_path: Path, *, is_submitted: bool
) -> None:
    async def scenario() -> None:
        world = World(tmp_path / "desk.sqlite")
        try:
            await world.settle_in()
            waiting = await world.propose(quantity=Decimal(2))
            order = await world.propose()

            async def die_once_submitted() -> None:
                world.fate.is_dead = world.events.states(order)[-1] == "submitted"

            if is_submitted:
                world.store.before_write = die_once_submitted
                with pytest.raises(Killed):
                    await world.confirm(order)
            else:
                confirmed = advance(order, OrderState.CONFIRMED)
                await world.store.write(lambda tx: tx.orders.put(confirmed))
            await world.restart()
            assert (await world.order(order)).state is (
                OrderState.ACCEPTED if is_submitted else OrderState.LAPSED
            )
            assert len(world.venue.posts) == int(is_submitted)
            assert world.desk.open_cards() == 1
            assert (await world.confirm(waiting)).code == "order.confirmed"
            late = await world.confirm(order)
            assert late.code == "order.already"
            assert len(world.venue.posts) == 1 + int(is_submitted)
        finally:
            world.store.close()

    asyncio.run(scenario())
