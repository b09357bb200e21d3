"""Prices between sweeps: judged each, in memory, and acted on at once and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.protect_book import read_protection
from market.orders import OrderState
from market.protect import Protect, Rung
from tests.engine.pretend_market import HYNIX, SAMSUNG
from tests.engine.test_desk_protect import STOP, buy, exits
from tests.engine.test_protect import SHARES, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

TRAILING = Protect(trailing_stop=Decimal("0.05"))
RUNG = Protect(ladder=(Rung(Decimal("0.03"), Decimal("0.5")),))


def tell(world: World, *prices: int) -> None:
    """Let prices come in one after the other, as a socket tells them."""
    for price in prices:
        world.market.prices[SAMSUNG.id] = price
        world.desk.guard.hear([world.market.tick(SAMSUNG.id)])


async def has_touched(world: World) -> bool:
    """Tell whether a level was touched; if so, do what is done then."""
    waiting = asyncio.ensure_future(world.desk.guard.touched())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if not waiting.done():
        waiting.cancel()
        return False
    await world.desk.guard.look_at_once()
    return True


def test_a_stop_touched_between_two_sweeps_sells_once_though_the_price_is_back(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        tell(world, 69_000, 67_900, 66_000, 71_000)
        assert await has_touched(world)
        assert not await has_touched(world)
        tell(world, 66_000)
        assert not await has_touched(world)
        await world.sweep(71_000)
        (sale,) = await exits(world)
        assert (sale.quantity, sale.state) == (Decimal(10), OrderState.ACCEPTED)
        assert len(world.venue.posts) == 2

    run(scenario)


def test_a_thousand_prices_that_touch_nothing_reach_no_store(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        points = world.fate.points
        tell(world, *range(68_000, 69_000))
        assert not await has_touched(world)
        assert world.fate.points == points
        quote = world.quotes.last(SAMSUNG.id)
        assert quote is not None
        assert quote.price == 68_999

    run(scenario)


def test_what_is_no_price_touches_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        tell(world, 0, -1)
        assert not await has_touched(world)

    run(scenario)


def test_the_highest_price_between_two_sweeps_raises_a_trailing_stop(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await buy(world, TRAILING)
        tell(world, 69_000, 80_000, 77_000)  # what was before the high is nothing to it
        assert not await has_touched(world)
        await world.sweep(77_000)
        kept_now = await world.store.read(lambda tx: read_protection(tx, SAMSUNG.id))
        assert kept_now is not None
        assert kept_now.best == 80_000
        await world.restart()
        await world.sweep(76_000)
        assert len(await exits(world)) == 1

    run(scenario)


def test_a_rung_that_was_only_touched_sells_its_part(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world, RUNG)
        tell(world, 72_100, 70_000, 72_500)
        assert await has_touched(world)
        assert [one.quantity for one in await exits(world)] == [5]

    run(scenario)


def test_a_price_that_comes_while_somebody_looks_is_not_lost(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        come = iter([67_000])

        async def tell_once() -> None:
            for price in come:
                tell(world, price)
                world.market.prices[SAMSUNG.id] = 71_000
                world.desk.guard.hear([world.market.tick(SAMSUNG.id)])

        world.store.before_write = tell_once
        looking = asyncio.ensure_future(world.desk.guard.look())
        await asyncio.sleep(0)
        await world.desk.guard.touched()
        await world.desk.guard.look_at_once()
        await looking
        assert len(await exits(world)) == 1

    run(scenario)


def test_what_is_sold_or_never_protected_is_not_judged(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        assert SAMSUNG.id in world.desk.guard.watched
        assert HYNIX.id not in world.desk.guard.watched
        await world.sweep(67_000)
        (sale,) = await exits(world)
        world.venue.fill(sale, 10, price=67_000)
        await world.sweep(67_000)
        await world.sweep(67_000)
        assert SAMSUNG.id not in world.desk.guard.watched
        tell(world, 60_000)
        assert not await has_touched(world)

    run(scenario)


def test_a_level_that_counted_from_another_average_price_is_judged_anew(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        watch = world.desk.guard.watched
        one = kept(instrument=SAMSUNG.id, protect=STOP)
        position = replace(SHARES, instrument=SAMSUNG.id)
        assert watch.brought(one, position) == one  # another position than the one that is kept
        tell(world, 67_000)
        held = await world.store.read(lambda tx: read_protection(tx, SAMSUNG.id))
        assert held is not None
        at_70_000 = replace(position, average_price=Decimal(70_000))
        at_60_000 = replace(position, average_price=Decimal(60_000))
        assert watch.brought(held, at_70_000).ended_by is not None
        assert watch.brought(held, at_60_000).ended_by is None

    run(scenario)
