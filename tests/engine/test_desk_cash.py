"""Money at the broker that no order of ours explains: told, agreed to, stopping nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.cash import differing
from engine.reconcile import corrections
from market.orders import OrderState
from tests.engine.pretend_market import OWNER, TRADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


async def told(world: World) -> list[str]:
    """Return what the owner was told of money."""
    await world.deliver()
    texts = [one.text for one in world.chat if one.chat_id == OWNER.id]
    return [text for text in texts if text.startswith("notice.cash")]


async def look(world: World) -> None:
    """Let a minute pass and compare the books."""
    world.pass_time(60)
    await world.desk.reconcile()


async def bought(world: World) -> None:
    """Buy ten shares, which the venue's money pays for."""
    await look(world)
    order = await world.sent()
    world.venue.fill(order, 10)
    world.venue.cash -= 700_100
    await world.sweep()


def test_trades_of_ours_are_no_difference(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await bought(world)
        for _ in range(6):
            await look(world)
        await world.restart()
        await look(world)
        assert await told(world) == []

    run(scenario)


def test_a_deposit_is_told_once_and_stops_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await bought(world)
        world.venue.cash += 500_000
        for _ in range(9):
            await look(world)
        await world.restart()
        await look(world)
        (text,) = await told(world)
        assert "'off': '+500,000'" in text
        world.pass_time(60)
        order = await world.propose(quantity=Decimal(3))
        assert (await world.confirm(order)).code == "order.confirmed"

    run(scenario)


def test_the_owner_agrees_to_it_and_that_is_kept(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await bought(world)
        assert (await world.desk.adopt_cash(OWNER.id)).code == "adopt.none_cash"
        world.venue.cash -= 15_000
        for _ in range(3):
            await look(world)
        assert (await world.desk.adopt_cash(TRADER.id)).code == "order.not_allowed"
        adopted = await world.desk.adopt_cash(OWNER.id)
        assert (adopted.code, adopted.facts) == ("adopt.cash_done", {"count": "1"})
        assert await world.store.read(differing) == []
        (kept,) = await world.store.read(corrections)
        assert (kept["user_id"], kept["before"], kept["after"]) == (OWNER.id, "9299900", "9284900")
        await look(world)
        assert len(await told(world)) == 1

    run(scenario)


def test_a_silent_broker_is_not_agreed_with(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_open = True
        await world.restart()
        world.venue.is_silent = True
        assert (await world.desk.adopt_cash(OWNER.id)).code == "adopt.untold"

    run(scenario)


def test_money_of_a_fill_that_nobody_ordered_is_counted(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await bought(world)
        order = await world.sent(quantity=Decimal(2))
        assert order.state is OrderState.ACCEPTED
        stray = world.venue.fill(order, 1)
        world.venue.trades[-1] = replace(stray, order_id="stranger")
        world.venue.cash -= 70_100
        await world.sweep()
        for _ in range(9):
            await look(world)
        assert await told(world) == []

    run(scenario)
