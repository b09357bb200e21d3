"""Orders that nobody taps: confirmed by the program, or turned into a resting limit."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from engine.desk_confirm import GRACE
from market.errors import SourceUnavailable
from market.orders import OrderState, Otherwise, Side
from tests.engine.desk_world import World
from tests.engine.pretend_market import SAMSUNG, TRADER, VIEWER
from tests.engine.sudden_death import Killed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from market.orders import Order

CONDITION = "condition:volume-breakout"


async def by_itself(world: World, **changes: Any) -> Order:
    """Let a condition call for an order that is confirmed below 800,000 won."""
    return await world.propose(**{"origin": CONDITION, "auto_below": Decimal(800_000), **changes})


def test_a_small_order_of_a_condition_is_confirmed_without_a_tap(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        found = await by_itself(world)
        assert found.state is OrderState.ACCEPTED
        assert found.is_automatic
        assert len(world.venue.posts) == 1
        events = await world.store.read(lambda tx: tx.orders.events(found.id))
        assert [(state.value, code) for _, state, _, code in events] == [
            ("proposed", ""),
            ("confirmed", "order.automatic"),
            ("submitted", "order.automatic"),
            ("accepted", ""),
        ]

    run(scenario)


@pytest.mark.parametrize("bound", [700_000, 1])
def test_an_order_that_is_not_below_the_bound_waits_for_a_tap(
    run: Callable[..., None], bound: int
) -> None:
    async def scenario(world: World) -> None:
        found = await by_itself(world, auto_below=Decimal(bound))
        assert found.state is OrderState.PROPOSED
        assert world.venue.posts == []
        assert (await world.confirm(found)).code == "order.confirmed"
        assert not (await world.order(found)).is_automatic

    run(scenario)


def test_a_price_that_moved_meanwhile_asks_a_person(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        ticket = world.ticket(origin=CONDITION, auto_below=Decimal(800_000))

        async def move() -> None:
            if world.market.asked == 1:
                world.market.prices[SAMSUNG.id] = 70_500.0
                world.pass_time(5)

        world.market.after_answer = move
        found = await world.desk.propose(ticket)
        await world.deliver()
        assert (found.state, found.version) == (OrderState.PROPOSED, 2)
        assert world.venue.posts == []
        assert (await world.confirm(found)).code == "order.confirmed"

    run(scenario)


def test_risk_looks_again_at_what_confirms_itself(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        ticket = world.ticket(origin=CONDITION, auto_below=Decimal(800_000))

        async def halt() -> None:
            if world.market.asked == 1:
                world.market.is_halted = True
                world.pass_time(5)

        world.market.after_answer = halt
        found = await world.desk.propose(ticket)
        assert (found.state, found.code) == (OrderState.DENIED, "risk.halted")
        assert world.venue.posts == []

    run(scenario)


def test_nothing_confirms_itself_for_somebody_who_may_not_trade(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        assert (await by_itself(world, user_id=VIEWER.id)).state is OrderState.DENIED

    run(scenario)


def test_a_pause_before_the_claim_leaves_an_automatic_exit_to_a_tap(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        bought = await world.sent()
        world.venue.fill(bought, 10)
        await world.sweep()
        world.pass_time(61)
        ticket = world.ticket(side=Side.SELL, origin=CONDITION, auto_below=Decimal(800_000))

        async def pause_once_proposed() -> None:
            if world.events.events[-1][1].get("state") == "proposed":
                world.store.before_write = nothing
                await world.desk.pause(TRADER.id)

        nothing = world.store.before_write
        world.store.before_write = pause_once_proposed
        found = await world.desk.propose(ticket)
        assert found.state is OrderState.PROPOSED
        assert len(world.venue.posts) == 1

    run(scenario)


def test_a_kill_anywhere_never_sends_an_automatic_order_twice(tmp_path: Path) -> None:
    async def scenario(kill_at: int) -> bool:
        world = World(tmp_path / f"{kill_at}.sqlite")
        try:
            await world.settle_in()
            ticket = world.ticket(origin=CONDITION, auto_below=Decimal(800_000))
            world.fate.kill_at = world.fate.points + kill_at
            is_dead = False
            try:
                await world.desk.propose(ticket)
            except Killed:
                is_dead = True
            await world.restart()
            again = await world.desk.propose(ticket)
            world.pass_time(30)
            await world.desk.settle()
            assert len(world.venue.posts) <= 1
            assert again.state is not OrderState.CONFIRMED
            return is_dead
        finally:
            world.store.close()

    kill_at = 1
    while asyncio.run(scenario(kill_at)):
        kill_at += 1
    assert kill_at > 5


async def unanswered(world: World, **changes: Any) -> Order:
    """Let a card pass its time without an answer."""
    order = await world.propose(
        **{"origin": CONDITION, "otherwise": Otherwise.LIMIT, "price": None, **changes}
    )
    world.pass_time(90)
    return order


def test_an_unanswered_card_can_become_a_limit_at_its_price(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await unanswered(world)
        world.market.prices[SAMSUNG.id] = 72_000.0
        assert await world.desk.lapse() == 1
        found = await world.order(order)
        assert (found.state, found.price) == (OrderState.ACCEPTED, Decimal(70_000))
        assert found.is_automatic
        assert await world.desk.lapse() == 0
        assert len(world.venue.posts) == 1
        codes = await world.store.read(lambda tx: tx.orders.events(order.id))
        assert codes[1][3] == "order.otherwise"

    run(scenario)


def test_a_limit_of_its_own_is_kept(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await unanswered(world, price=Decimal(69_500))
        await world.desk.lapse()
        assert (await world.order(order)).price == Decimal(69_500)

    run(scenario)


def test_a_late_tap_leaves_the_resting_limit_to_the_desk(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await unanswered(world)
        assert (await world.confirm(order)).code == "order.expired"
        await world.desk.lapse()
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert (await world.confirm(order)).code == "order.already"
        assert len(world.venue.posts) == 1

    run(scenario)


@pytest.mark.parametrize("state", ["paused", "halted", "disarmed"])
def test_where_the_program_may_not_send_by_itself_the_card_lapses(
    run: Callable[..., None], state: str
) -> None:
    async def scenario(world: World) -> None:
        world.is_live = True
        await world.restart()
        await world.desk.arm(TRADER.id)
        order = await unanswered(world)
        if state == "paused":
            await world.desk.pause(TRADER.id)
        elif state == "halted":
            await world.desk.halt(TRADER.id)
        else:
            await world.desk.disarm(TRADER.id)
        await world.desk.lapse()
        found = await world.order(order)
        assert (found.state, found.code) == (OrderState.LAPSED, "order.expired")
        assert world.venue.posts == []

    run(scenario)


def test_risk_looks_at_the_resting_limit(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await unanswered(world)
        world.market.prices[SAMSUNG.id] = 60_000.0
        await world.desk.lapse()
        found = await world.order(order)
        assert (found.state, found.code) == (OrderState.DENIED, "risk.away")
        assert found.facts == (("limit", "66,000"), ("asked", "70,000"))

    run(scenario)


def test_without_a_price_it_is_tried_again_for_a_minute_and_then_lapses(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await unanswered(world)
        world.market.error = SourceUnavailable("down")
        await world.desk.lapse()
        assert (await world.order(order)).state is OrderState.PROPOSED
        world.pass_time(GRACE.total_seconds())
        await world.desk.lapse()
        assert (await world.order(order)).state is OrderState.PROPOSED
        world.pass_time(1)
        assert await world.desk.lapse() == 1
        assert (await world.order(order)).state is OrderState.LAPSED

    run(scenario)


def test_a_start_long_after_places_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await unanswered(world)
        world.wall_clock.advance(timedelta(minutes=5))
        await world.restart()
        assert (await world.order(order)).state is OrderState.LAPSED
        assert world.venue.posts == []

    run(scenario)
