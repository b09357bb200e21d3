from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from brokers.broker import BrokerOrder
from engine.desk_settle import ASKED_AT_ONCE, learn
from market.orders import OrderState, Position, Side
from tests.engine.pretend_market import HYNIX, SAMSUNG

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


def money(*amounts: int) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def test_fills_move_order_position_and_card_together(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 4, 69_900, 40)
        assert await world.desk.settle() == 1
        part = await world.order(order)
        assert part.state is OrderState.PARTIALLY_FILLED
        assert (part.filled_quantity, part.average_price, part.cost) == money(4, 69_900, 40)
        assert await world.card(order) == "Samsung Electronics partially_filled v1"
        world.venue.fill(order, 6, 70_000, 60)
        assert await world.desk.settle() == 1
        whole = await world.order(order)
        assert whole.state is OrderState.FILLED
        assert (whole.filled_quantity, whole.average_price, whole.cost) == money(10, 69_960, 100)
        assert await world.card(order) == "Samsung Electronics filled v1"
        held = await world.store.read(lambda tx: tx.orders.position(SAMSUNG.id))
        assert held == Position(SAMSUNG.id, Decimal(10), Decimal(69_960), Decimal(-100))
        assert await world.desk.settle() == 0

    run(scenario)


def test_a_sale_realizes_its_gain_after_costs(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        bought = await world.sent()
        world.venue.fill(bought, 10, 70_000, 100)
        await world.desk.settle()
        sold = await world.sent(side=Side.SELL, quantity=Decimal(4))
        world.venue.fill(sold, 4, 71_000, 700)
        await world.desk.settle()
        held = await world.store.read(lambda tx: tx.orders.position(SAMSUNG.id))
        assert held == Position(SAMSUNG.id, Decimal(6), Decimal(70_000), Decimal(3_200))

    run(scenario)


def test_a_fill_that_is_told_twice_counts_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        fill = world.venue.fill(order, 4)
        world.venue.trades += [fill, fill]
        assert await world.desk.settle() == 1
        assert await world.desk.settle() == 0
        await world.restart()
        assert await world.position() == 4

    run(scenario)


def test_a_fill_of_an_unknown_order_is_told_to_the_owner_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        foreign = replace(order, id="foreign")
        world.venue.fill(order, 10)
        world.venue.fill(foreign, 5)
        for _ in range(3):
            await world.desk.settle()
        await world.restart()
        await world.deliver()
        notices = [one.text for one in world.chat if one.text.startswith("notice.foreign_fill")]
        assert len(notices) == 1
        assert "'order': 'foreign'" in notices[0]
        errors = [facts for kind, facts in world.events.events if kind == "error"]
        assert [facts["code"] for facts in errors] == ["notice.foreign_fill"]
        assert await world.position() == 10
        assert (await world.order(order)).state is OrderState.FILLED

    run(scenario)


def test_a_fill_of_nothing_is_told_to_the_owner(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 0)
        assert await world.desk.settle() == 1
        assert await world.desk.settle() == 0
        await world.deliver()
        assert any(one.text.startswith("notice.foreign_fill") for one in world.chat)
        assert (await world.order(order)).state is OrderState.ACCEPTED

    run(scenario)


def test_a_card_is_drawn_with_the_money_after_the_fill(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 10)
        world.venue.cash -= 700_100
        await world.sweep(71_000)
        view = world.cards.views[order.id]
        assert view.equity == 10_000_000 - 700_100 + 710_000
        assert view.buying_power_after == 9_299_900

    run(scenario)


@pytest.mark.parametrize("ending", ["filled", "declined"])
def test_what_the_broker_says_of_an_ended_order_changes_nothing(
    run: Callable[..., None], ending: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        if ending == "filled":
            await world.confirm(order)
            world.venue.fill(order, 10)
            await world.desk.settle()
        else:
            await world.decline(order)
        before = await world.order(order)
        canceled = BrokerOrder("V9", OrderState.CANCELED, Decimal(10), Decimal(70_000))
        for found in (None, canceled):
            await world.desk._book.write(lambda page, found=found: learn(page, order.id, found))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert await world.order(order) == before

    run(scenario)


def test_a_late_fill_after_a_cancel_is_taken(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        outcome = await world.desk.cancel(order.id, order.user_id)
        assert outcome.code == "order.canceled"
        world.venue.fill(order, 4)
        await world.desk.settle()
        assert (await world.order(order)).filled_quantity == 4
        assert await world.position() == 4
        world.pass_time(20)
        await world.desk.settle()
        assert (await world.order(order)).state is OrderState.CANCELED

    run(scenario)


@pytest.mark.parametrize("ending", ["refused", "filled", "too much"])
def test_a_fill_that_cannot_be_moves_the_position_and_alarms(
    run: Callable[..., None], ending: str
) -> None:
    async def scenario(world: World) -> None:
        if ending == "refused":
            world.venue.script.append("refuse cash")
        order = await world.sent()
        if ending != "refused":
            world.venue.fill(order, 10 if ending == "filled" else 9)
            await world.desk.settle()
        world.venue.fill(order, 3)
        await world.desk.settle()
        await world.deliver()
        expected = {"refused": 3, "filled": 13, "too much": 12}
        assert await world.position() == expected[ending]
        assert any(one.text.startswith("notice.odd_fill") for one in world.chat)
        state = (await world.order(order)).state
        assert state is (OrderState.REJECTED if ending == "refused" else OrderState.FILLED)

    run(scenario)


@pytest.mark.parametrize("state", [OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED])
def test_an_order_that_ended_without_us_is_learnt_of(
    run: Callable[..., None], state: OrderState
) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.end(order, state)
        await world.sweep()
        stored = await world.order(order)
        assert stored.state is state
        assert stored.code == ("rejected.other" if state is OrderState.REJECTED else "")
        assert f" {state}" in await world.card(order)

    run(scenario)


def test_the_rest_of_a_partly_filled_order_ends_as_cancelled(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 4)
        world.venue.end(order, OrderState.REJECTED)
        await world.sweep()
        stored = await world.order(order)
        assert stored.state is OrderState.CANCELED
        assert stored.filled_quantity == 4

    run(scenario)


def test_an_order_does_not_end_before_its_fills_are_known(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 4)
        late = world.venue.trades.pop()
        world.venue.end(order, OrderState.CANCELED)
        await world.sweep()
        assert (await world.order(order)).state is OrderState.ACCEPTED
        world.venue.trades.append(late)
        world.pass_time(20)
        await world.sweep()
        stored = await world.order(order)
        assert stored.state is OrderState.CANCELED
        assert stored.filled_quantity == 4

    run(scenario)


def test_a_doubt_about_a_filled_order_ends_with_its_fills(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.venue.script.append("lose answer")
        order = await world.sent()
        world.venue.fill(order, 10)
        late = world.venue.trades.pop()
        await world.desk.settle()
        assert (await world.order(order)).state is OrderState.ACCEPTED
        world.venue.trades.append(late)
        await world.desk.settle()
        assert (await world.order(order)).state is OrderState.FILLED

    run(scenario)


def test_an_accepted_order_that_the_broker_lost_blocks_and_alarms(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        held = world.venue.orders.pop(order.client_order_id)
        for _ in range(3):
            await world.sweep()
        assert (await world.order(order)).state is OrderState.IN_DOUBT
        assert (await world.propose(quantity=Decimal(2))).code == "risk.in_doubt"
        await world.deliver()
        assert sum(one.text.startswith("notice.vanished") for one in world.chat) == 1
        world.venue.orders[order.client_order_id] = held
        await world.sweep()
        assert (await world.order(order)).state is OrderState.ACCEPTED

    run(scenario)


def test_a_silent_broker_changes_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 10)
        world.venue.is_silent = True
        assert await world.sweep() == 0
        await world.restart()
        assert (await world.order(order)).state is OrderState.ACCEPTED
        world.venue.is_silent = False
        assert await world.sweep() == 1

    run(scenario)


def test_few_orders_are_asked_about_at_once_and_doubts_first(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        orders = [await world.sent(quantity=Decimal(count + 1)) for count in range(8)]
        world.venue.script.append("lose answer")
        doubted = await world.sent(instrument=HYNIX, quantity=Decimal(1), price=None)
        asked = world.venue.asked
        await world.desk.settle()
        assert asked[0] == doubted.id
        assert len(asked) == ASKED_AT_ONCE
        await world.desk.settle()
        assert sorted(asked) == sorted([one.id for one in orders] + [doubted.id])
        await world.desk.settle()
        assert len(asked) == len(orders) + 1
        world.pass_time(20)
        await world.desk.settle()
        assert len(asked) == len(orders) + 1 + ASKED_AT_ONCE

    run(scenario, risk={"max_position": Decimal(50_000_000), "max_orders_per_minute": 100})


def test_a_cancel_that_is_on_its_way_is_learnt_of_soon(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent(price=Decimal(69_000))
        outcome = await world.desk.cancel(order.id, order.user_id)
        assert outcome.code == "order.cancel_requested"
        world.pass_time(2)
        await world.desk.settle()
        assert (await world.order(order)).state is OrderState.CANCELED

    run(scenario, is_paper=True, broker={"latency_ms": 500})
