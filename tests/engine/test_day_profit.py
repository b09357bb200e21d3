"""What a day has gained and lost: from midnight in Korea on, realised or not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.day_profit import day_profit
from market.orders import OrderState, Side
from tests.engine.pretend_market import SAMSUNG

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

SELL = {"side": Side.SELL, "price": None}


async def trade(world: World, quantity: int, **changes: object) -> None:
    order = await world.sent(quantity=Decimal(quantity), **changes)
    assert order.state is OrderState.ACCEPTED, order.code
    world.venue.fill(order, quantity)
    await world.sweep()
    world.pass_time(61)


async def gained(world: World) -> Decimal:
    return await world.desk._book.write(lambda page: day_profit(page, SAMSUNG.id))


def test_a_day_counts_what_it_realised_and_what_it_did_not(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await trade(world, 10)
        first = await gained(world)
        assert first <= 0  # the fee
        await world.sweep(71_000)
        assert await gained(world) == first + 10_000
        await trade(world, 4, **SELL)
        await world.sweep(69_000)
        assert -12_000 < await gained(world) - first < 10_000

    run(scenario)


def test_the_next_day_begins_at_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await trade(world, 10)
        await world.sweep(68_000)
        await world.desk.lapse()
        assert await gained(world) < -20_000 + 1
        for clock in (world.market_clock, world.wall_clock):
            clock.advance(timedelta(hours=15))
        await world.desk.lapse()
        assert await gained(world) == 0
        await world.sweep(68_500)
        assert await gained(world) == 5_000

    run(scenario)


def test_after_a_start_the_day_counts_from_the_close_before(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await trade(world, 10)
        for clock in (world.market_clock, world.wall_clock):
            clock.advance(timedelta(days=1))
        await world.restart()
        await world.desk.lapse()
        assert await gained(world) == 0  # nobody knows a price yet
        await world.sweep(69_000)
        assert await gained(world) == -10_000  # the day before closed at 70,000

    run(scenario)


def test_a_day_that_has_lost_too_much_buys_no_more(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await trade(world, 40)
        await world.sweep(65_000)
        denied = await world.propose(price=Decimal(65_000), quantity=Decimal(3))
        assert denied.code == "risk.daily_loss"
        assert dict(denied.facts)["limit"] == "150,000"
        assert (await world.propose(side=Side.SELL, price=None)).state is OrderState.PROPOSED

    run(scenario, risk={"max_daily_loss": "150000"})
