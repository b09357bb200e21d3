"""A panic: everything cancelled and sold, over kills at every step, or stuck and told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.panic import exit_price, read_panic
from engine.trading import TradingState
from market.grid import Grid
from market.orders import Order, OrderState, PositionSide, Side
from market.types import Instrument, Kind, Tick, Venue
from tests.engine.pretend_market import HYNIX, NOON, OWNER, SAMSUNG, TRADER
from tests.engine.sudden_death import Killed
from tests.engine.test_desk_protect import STOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


async def invested(world: World) -> None:
    """Hold two positions, with an order that rests and a card that waits."""
    for instrument, price in ((SAMSUNG, 70_000), (HYNIX, 200_000)):
        bought = await world.sent(
            instrument=instrument, price=Decimal(price), quantity=Decimal(4), protect=STOP
        )
        world.venue.fill(bought, 4, price)
        await world.sweep()
    await world.sent(quantity=Decimal(2), price=Decimal(69_000))
    await world.propose(quantity=Decimal(3))
    world.pass_time(31)


async def exits(world: World) -> list[Order]:
    found = await world.store.read(lambda tx: tx.orders.since(NOON))
    return [one for one in found if one.origin == "protection:panic"]


def trade(world: World) -> None:
    """Fill at the venue all sales that rest there."""
    for order in world.venue.placed.values():
        known = world.venue.orders[order.client_order_id]
        if order.side is Side.SELL and known.state is OrderState.ACCEPTED:
            world.venue.fill(order, int(order.quantity))


async def told(world: World, code: str) -> int:
    await world.deliver()
    return sum(one.text.startswith(f"{code} ") and one.chat_id == OWNER.id for one in world.chat)


def test_everything_is_cancelled_and_sold_and_told(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_open = True
        await world.restart()
        await invested(world)
        assert await world.desk.panic(OWNER.id)
        states = {
            one.state
            for one in await world.store.read(lambda tx: tx.orders.since(NOON))
            if one.side is Side.BUY
        }
        assert states == {OrderState.FILLED, OrderState.CANCELED, OrderState.DECLINED}
        sales = await exits(world)
        assert {(one.instrument, one.quantity, one.price) for one in sales} == {
            (SAMSUNG.id, Decimal(4), Decimal(69_500)),
            (HYNIX.id, Decimal(4), Decimal(199_500)),
        }
        assert all(one.state is OrderState.ACCEPTED and one.is_automatic for one in sales)
        assert (await world.desk.trading()).state is TradingState.PAUSED
        trade(world)
        await world.sweep()
        assert await told(world, "notice.panic_done") == 1
        assert await world.store.read(read_panic) is None
        await world.sweep(60_000)  # protection has nothing left to do
        assert len(world.venue.posts) == 5

    run(scenario)


def test_what_does_not_fill_is_sent_again_at_the_price_then(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await invested(world)
        await world.desk.panic(OWNER.id)
        world.pass_time(5)
        await world.sweep(68_000)
        await world.sweep(68_000)
        sales = [one for one in await exits(world) if one.instrument == SAMSUNG.id]
        assert [one.price for one in sales[:2]] == [Decimal(69_500), Decimal(67_500)]
        assert sales[0].state is OrderState.CANCELED
        open_now = [one for one in sales if one.state is OrderState.ACCEPTED]
        assert len(open_now) <= 1
        trade(world)
        await world.sweep()
        await world.sweep()
        trade(world)
        await world.sweep()
        assert await world.position() == 0

    run(scenario)


def test_what_is_stuck_is_told_again_and_can_be_stopped(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await invested(world)
        world.venue.script.extend(["accept", "accept", *["refuse other"] * 200])
        await world.desk.panic(OWNER.id)
        for _ in range(45):
            await world.sweep()
        assert await told(world, "notice.panic_stuck") == 2
        assert await world.desk.stop_panic()
        assert not await world.desk.stop_panic()
        posts = len(world.venue.posts)
        await world.sweep()
        assert len(world.venue.posts) == posts

    run(scenario)


def test_a_halt_keeps_exits_and_so_a_panic(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await invested(world)
        await world.desk.halt(TRADER.id)
        assert not await world.desk.panic(OWNER.id)
        assert await world.store.read(read_panic) is None
        assert await exits(world) == []

    run(scenario)


def test_at_night_it_cancels_and_waits_for_the_open(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await invested(world)
        world.pass_time(10 * 3600)
        await world.desk.panic(OWNER.id)
        await world.sweep()
        assert await exits(world) == []
        world.pass_time(11.2 * 3600)  # 09:12
        await world.sweep()
        await world.sweep()
        assert len({one.instrument for one in await exits(world)}) == 2

    run(scenario)


@pytest.mark.parametrize(("most", "price"), [("0.1", "0.305"), ("0.01", "0.303")])
def test_a_short_position_is_bought_back_above_the_last_price(most: str, price: str) -> None:
    grid = Grid(Decimal("0.001"), Decimal("0.1"))
    future = Instrument(Venue.BINANCE, "XRPUSDT.P", "Ripple", "USDT-M", Kind.COIN, grid)
    tick = Tick(future.id, NOON, NOON, 0.3, day_volume=1)
    found = exit_price(tick, future, Decimal(most), PositionSide.SHORT)
    assert found == Decimal(price)


def test_a_symbol_whose_steps_are_not_known_is_crossed_by_thousandths() -> None:
    coin = Instrument(Venue.BINANCE, "BTCUSDT", "Bitcoin", "USDT", Kind.COIN)
    tick = Tick(coin.id, NOON, NOON, 60_000.0, day_volume=1)
    assert exit_price(tick, coin, Decimal("0.1"), PositionSide.LONG) == 59_700
    assert exit_price(tick, coin, Decimal("0.1"), PositionSide.SHORT) == 60_300


@pytest.mark.parametrize(
    ("last", "base", "price"),
    [(70_000, 70_000, 69_500), (50_000, 70_000, 49_750), (49_050, 70_000, 49_000), (3, 3, 3)],
)
def test_an_exit_crosses_within_the_limits(
    run: Callable[..., None], last: int, base: int, price: int
) -> None:
    async def scenario(world: World) -> None:
        tick = replace(world.market.tick(SAMSUNG.id), price=last, previous_close=base)
        assert exit_price(tick, SAMSUNG, Decimal("0.1"), PositionSide.LONG) == price
        coin = replace(SAMSUNG, kind=Kind.COIN)
        assert exit_price(tick, coin, Decimal("0.1"), PositionSide.LONG) < last or last == 3

    run(scenario)


async def killed_at(world: World, point: int) -> bool:
    """Begin a panic in a process that dies at a point, and start another; False if it lived."""
    world.store.close()
    world.open(kill_at=point)
    try:
        await world.desk.recover()
        await world.sweep()
        await world.desk.panic(OWNER.id)
        trade(world)
        await world.sweep()
    except Killed:
        await world.restart()
        return True
    world.fate.kill_at = None
    return False


async def finish(world: World) -> None:
    """Let it go on to its end; where the kill was before its beginning it is begun now."""
    if await world.store.read(read_panic) is None and await world.position():
        await world.sweep()
        await world.desk.panic(OWNER.id)
    for _ in range(16):
        if await world.store.read(read_panic) is None:
            return
        trade(world)
        await world.sweep()


def test_a_kill_at_any_step_sells_all_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_open = True
        point, was_killed = 0, True
        while was_killed:
            point += 1
            await world.restart()
            await world.desk.resume(OWNER.id)
            await invested(world)
            was_killed = await killed_at(world, point)
            await finish(world)
            assert await world.position() == await world.position(HYNIX) == 0, point
            assert await world.store.read(read_panic) is None, point
            assert world.venue.positions() == [], point  # neither sold twice nor kept
            world.pass_time(61 if point % 25 else 24 * 3600 - 3_600)  # always in session
        assert point > 15

    run(scenario)
