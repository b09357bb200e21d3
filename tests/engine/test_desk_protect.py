"""Protected positions at the desk: exits once, over kills, in every state of trading."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from engine.protect_book import read_protection
from engine.trading import TABLE, OrderKind, Permit, TradingState
from market.orders import Order, OrderState, Side
from market.protect import Protect, Rung
from tests.engine.pretend_market import NOON, OWNER, SAMSUNG, TRADER
from tests.engine.sudden_death import Killed
from tests.engine.test_trading import bring

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

STOP = Protect(stop_loss=Decimal("0.03"))
LADDER = Protect(
    stop_loss=Decimal("0.03"),
    ladder=(Rung(Decimal("0.03"), Decimal("0.5")), Rung(Decimal("0.06"), Decimal("0.5"))),
)


async def buy(world: World, protect: Protect = STOP, quantity: int = 10, **changes: Any) -> Order:
    """Let a condition buy some shares that are to be protected."""
    bought = await world.sent(
        quantity=Decimal(quantity), protect=protect, origin="condition:a", **changes
    )
    world.venue.fill(bought, quantity)
    await world.sweep(70_000)
    world.pass_time(61)
    return bought


async def exits(world: World) -> list[Order]:
    """Return the exits that protection has proposed, oldest first."""
    found = await world.store.read(lambda tx: tx.orders.since(NOON))
    return [one for one in found if one.origin.startswith("protection:")]


async def alarms(world: World, code: str) -> int:
    """Return how often the owner was told of an unprotected position."""
    await world.deliver()
    texts = [one.text for one in world.chat if one.chat_id == OWNER.id]
    return sum(text.startswith(f"notice.unprotected_{code} ") for text in texts)


def test_a_stop_sells_all_once_without_a_tap(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        await world.sweep(68_000)
        assert await exits(world) == []
        for _ in range(3):
            await world.sweep(67_900)
        (sale,) = await exits(world)
        assert (sale.side, sale.quantity, sale.price) == (Side.SELL, Decimal(10), None)
        assert sale.state is OrderState.ACCEPTED
        assert sale.is_automatic
        world.venue.fill(sale, 10, price=67_900)
        await world.sweep(67_000)
        await world.sweep(67_000)
        assert await world.position() == 0
        assert len(await exits(world)) == 1
        assert await world.store.read(lambda tx: read_protection(tx, SAMSUNG.id)) is None

    run(scenario)


def test_a_stop_that_was_reached_is_not_forgotten_when_the_price_is_back(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.venue.script.append("refuse other")
        await world.sweep(67_000)
        assert await alarms(world, "denied") == 0
        await world.sweep(71_000)
        assert await alarms(world, "denied") == 1
        for _ in range(3):
            await world.sweep(71_000)
        first, second = await exits(world)
        assert (first.state, second.state) == (OrderState.REJECTED, OrderState.ACCEPTED)
        assert first.id != second.id

    run(scenario)


def test_a_ladder_sells_rung_by_rung_and_the_stop_the_rest(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world, LADDER)
        await world.sweep(72_100)
        (rung,) = await exits(world)
        assert rung.quantity == 5
        world.venue.fill(rung, 2)
        await world.sweep(72_100)  # the rest of it still rests: nothing more is sent
        assert len(await exits(world)) == 1
        world.pass_time(30)
        await world.sweep(67_000)  # the stop takes the place of the rung
        assert (await world.order(rung)).state is OrderState.CANCELED
        await world.sweep(67_000)
        _, stop = await exits(world)
        assert stop.quantity == 8
        assert stop.origin == "protection:stop_loss"

    run(scenario)


def test_sales_by_hand_make_the_exit_smaller(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        await world.sent(side=Side.SELL, quantity=Decimal(4), price=Decimal(75_000))
        await world.sweep(67_000)
        (sale,) = await exits(world)
        assert sale.quantity == 6

    run(scenario)


def test_the_newest_wish_is_for_all_that_is_held(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        await buy(world, Protect(stop_loss=Decimal("0.5")), quantity=5)
        await world.sweep(67_000)
        assert await exits(world) == []
        found = await world.store.read(lambda tx: read_protection(tx, SAMSUNG.id))
        assert found is not None
        assert found.bought == 15

    run(scenario)


def test_a_denied_order_protects_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await world.desk.pause(TRADER.id)
        await world.propose(protect=STOP)
        await world.sweep(60_000)
        assert await world.store.read(lambda tx: tx.documents.items("protect/")) == []

    run(scenario)


def test_where_a_setting_asks_exits_wait_for_a_tap(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        for _ in range(3):
            await world.sweep(67_000)
        (asked,) = await exits(world)
        assert asked.state is OrderState.PROPOSED
        await world.deliver()
        assert (await world.confirm(asked)).code == "order.confirmed"

    run(scenario, confirm={"ask_exits": True})


@pytest.mark.parametrize("state", list(TradingState))
def test_each_state_of_trading(run: Callable[..., None], state: TradingState) -> None:
    async def scenario(world: World) -> None:
        world.is_live = world.is_open = True
        await world.restart()
        await world.desk.arm(OWNER.id)
        await buy(world)
        await bring(world, state)
        await world.sweep(67_000)
        is_sent = TABLE[state][OrderKind.PROTECTION] is Permit.YES
        assert len(await exits(world)) == int(is_sent)
        assert await alarms(world, "held_back") == int(not is_sent)
        if not is_sent:
            world.pass_time(30)
            await world.desk.resume(OWNER.id)
            await world.sweep(71_000)
            assert len(await exits(world)) == 1

    run(scenario)


def test_at_night_and_before_the_open_nothing_is_sent(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.pass_time(10 * 3600)  # 22:01 in Seoul
        await world.sweep(60_000)
        world.pass_time(10.6 * 3600)  # 08:37
        await world.sweep(60_000)
        assert await exits(world) == []
        assert world.events.events[-1][0] != "error"
        world.pass_time(1_800)  # 09:07
        await world.sweep(60_000)
        assert len(await exits(world)) == 1

    run(scenario)


def test_the_closing_auction_takes_a_limit(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.pass_time((NOON.replace(hour=6, minute=21) - world.market_clock.now()).seconds)
        await world.sweep(67_000)
        (sale,) = await exits(world)
        assert sale.price == Decimal(66_500)
        assert sale.state is OrderState.ACCEPTED

    run(scenario)


def test_a_time_stop(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world, Protect(time_stop=timedelta(hours=1)))
        await world.sweep(75_000)
        assert await exits(world) == []
        world.pass_time(3_600)
        await world.sweep(75_000)
        (sale,) = await exits(world)
        assert sale.origin == "protection:time_stop"

    run(scenario)


def test_no_price_for_two_minutes_is_an_alarm_told_again(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        for seconds, count in ((60, 0), (70, 0), (60, 1), (300, 1), (301, 2)):
            world.pass_time(seconds)
            await world.desk.lapse()
            assert await alarms(world, "no_price") == count, seconds
        await world.sweep(70_000)
        await world.sweep(70_000)
        assert await alarms(world, "no_price") == 2

    run(scenario)


def test_an_exit_in_doubt_is_an_alarm_and_no_second_one(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.venue.script.append("lose answer")
        await world.sweep(67_000)
        world.venue.is_silent = True
        for _ in range(5):
            await world.sweep(67_000)
        assert len(await exits(world)) == 1
        assert await alarms(world, "in_doubt") == 1
        world.venue.is_silent = False
        await world.sweep(67_000)
        (sale,) = await exits(world)
        assert sale.state is OrderState.ACCEPTED
        assert len(world.venue.posts) == 2

    run(scenario)


def test_a_kill_at_any_point_neither_loses_an_exit_nor_sends_it_twice(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.venue.cash = Decimal(10_000_000)
        points, is_whole = 0, False
        while not is_whole:
            points += 1
            world.market.prices[SAMSUNG.id] = 70_000
            world.store.close()
            world.open(kill_at=points)
            try:
                await world.desk.recover()
                for _ in range(2):
                    await world.sweep(67_000)
                is_whole, world.fate.kill_at = True, None
            except Killed:
                world.store.close()
                world.open()
                await world.desk.recover()
            for _ in range(12):
                await world.sweep(67_000)
            sent = [one for one in await exits(world) if one.broker_order_id is not None]
            assert len(sent) == points, points
            assert len(world.venue.posts) == 2 * points
            world.venue.fill(sent[-1], 10)
            await world.sweep(67_000)
            assert await world.position() == 0
            world.pass_time(61)
            await world.sweep(70_000)
            if not is_whole:
                await buy(world)
        assert points > 6

    run(scenario)
