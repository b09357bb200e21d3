from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.trading import TradingState
from market.orders import OrderState, Side
from tests.engine.pretend_market import OTHER, OWNER, TRADER
from tests.engine.sudden_death import nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


def test_paused_denies_buys_and_lets_sells_go(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        bought = await world.sent()
        world.venue.fill(bought, 10)
        await world.sweep()
        waiting = await world.propose(quantity=Decimal(3))
        await world.desk.pause(OWNER.id)
        assert (await world.desk.trading()).state is TradingState.PAUSED
        assert (await world.confirm(waiting)).code == "risk.paused"
        assert (await world.propose()).code == "risk.paused"
        sold = await world.sent(side=Side.SELL)
        assert sold.state is OrderState.ACCEPTED
        await world.restart()
        assert (await world.desk.trading()).state is TradingState.PAUSED
        await world.desk.resume(OWNER.id)
        assert (await world.desk.trading()).state is TradingState.ACTIVE
        world.pass_time(60)
        assert (await world.propose(quantity=Decimal(4))).state is OrderState.PROPOSED

    run(scenario)


def test_a_pause_between_the_tap_and_the_claim_still_stops_a_buy(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()

        async def pause_once_tapped() -> None:
            world.store.before_write = nothing
            await world.desk.pause(OWNER.id)

        world.store.before_write = pause_once_tapped
        outcome = await world.confirm(order)
        assert outcome.code == "risk.paused"
        assert (await world.order(order)).state is OrderState.DENIED
        assert world.venue.posts == []

    run(scenario)


def test_decline_ends_a_proposal(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        assert (await world.desk.decline(order.id, 1, OTHER.id, 101)).code == "order.not_yours"
        assert (await world.desk.decline(order.id, 1, TRADER.id, 1)).code == "order.forged"
        assert (await world.decline(order)).code == "order.declined"
        assert await world.card(order) == "Samsung Electronics declined v1"
        assert (await world.confirm(order)).code == "order.already"
        assert (await world.decline(order)).code == "order.already"
        assert world.venue.posts == []

    run(scenario)


def test_declining_too_late_says_so(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.pass_time(90)
        assert (await world.decline(order)).code == "order.expired"

    run(scenario)


def test_lapse_ends_what_nobody_confirmed_in_time(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        early = await world.propose()
        world.pass_time(45)
        late = await world.propose(quantity=Decimal(3))
        assert await world.desk.lapse() == 0
        world.pass_time(45)
        assert await world.desk.lapse() == 1
        assert (await world.order(early)).state is OrderState.LAPSED
        assert await world.card(early) == "Samsung Electronics lapsed v1 order.expired"
        assert (await world.order(late)).state is OrderState.PROPOSED
        assert world.desk.open_cards() == 1
        assert await world.desk.lapse() == 0

    run(scenario)


def test_two_confirmations_of_two_sells_cannot_sell_more_than_is_held(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        bought = await world.sent()
        world.venue.fill(bought, 10)
        await world.sweep()
        first = await world.propose(side=Side.SELL, quantity=Decimal(6))
        second = await world.propose(side=Side.SELL, quantity=Decimal(7))
        outcomes = await asyncio.gather(world.confirm(first), world.confirm(second))
        assert sorted(one.code for one in outcomes) == ["order.confirmed", "risk.no_position"]

    run(scenario)


def test_sendings_are_counted_at_confirmation(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        cards = []
        for count in range(4):
            cards.append(
                await world.propose(quantity=Decimal(count + 1), within=timedelta(hours=1))
            )
            world.pass_time(61)
        codes = [(await world.confirm(card)).code for card in cards]
        assert codes == ["order.confirmed"] * 3 + ["risk.rate"]

    run(scenario, risk={"max_orders_per_minute": 3})
