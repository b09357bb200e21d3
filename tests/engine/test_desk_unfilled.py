"""Orders that rest unfilled: cancelled, repriced, sent at the market; never more than was left."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from engine.replacing import replacement_id
from market.orders import Order, OrderState, Side
from market.unfilled import Then, Unfilled
from tests.engine.pretend_market import OTHER, OWNER, SAMSUNG, TRADER, VIEWER
from tests.engine.sudden_death import nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

MINUTE = timedelta(seconds=60)
CANCEL = Unfilled(Then.CANCEL, MINUTE)
REPRICE = Unfilled(Then.REPRICE, MINUTE, 2)
MARKET = Unfilled(Then.MARKET, MINUTE)


async def resting(world: World, unfilled: Unfilled = REPRICE, **changes: Any) -> Order:
    """Return an order of a condition that rests at the venue; its price then moves away."""
    order = await world.sent(origin="condition:a", unfilled=unfilled, **changes)
    assert order.state is OrderState.ACCEPTED
    world.market.prices[SAMSUNG.id] = 70_100.0
    return order


async def wait(world: World, seconds: int = 60) -> None:
    """Let so much time pass, sweep by sweep."""
    for _ in range(seconds // 10):
        await world.sweep()


async def next_of(world: World, order: Order) -> Order:
    """Return the order that has replaced another."""
    found = await world.store.read(lambda tx: tx.orders.get(replacement_id(order.id)))
    assert found is not None
    return found


async def count(world: World) -> int:
    """Return how many orders there are."""
    return len(await world.store.read(lambda tx: tx.orders.recent(100)))


def test_an_order_without_a_word_rests(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent(origin="condition:a")
        world.market.prices[SAMSUNG.id] = 70_100.0
        await wait(world, 600)
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert world.venue.cancels == []

    run(scenario)


def test_it_is_cancelled_when_its_time_is_over_and_not_before(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, CANCEL)
        await wait(world, 50)
        assert world.venue.cancels == []
        await wait(world, 10)
        assert world.venue.cancels == [order.client_order_id]
        stored = await world.order(order)
        assert (stored.state, stored.code) == (OrderState.CANCELED, "unfilled.canceled")
        await wait(world, 300)
        assert len(world.venue.cancels) == len(world.venue.posts) == await count(world) == 1

    run(scenario)


def test_what_has_filled_in_time_is_left_alone(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, CANCEL)
        world.venue.fill(order, 10)
        await wait(world, 300)
        assert (await world.order(order)).state is OrderState.FILLED
        assert world.venue.cancels == []

    run(scenario)


def test_it_is_repriced_at_the_last_price_so_many_times(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, max_drift=Decimal("0.01"))
        world.venue.fill(order, 4)
        await wait(world)
        old, second = await world.order(order), await next_of(world, order)
        assert (old.state, old.code) == (OrderState.CANCELED, "unfilled.replaced")
        assert (second.quantity, second.price) == (Decimal(6), Decimal(70_100))
        assert second.replaces == order.id
        assert (second.state, second.is_automatic) == (OrderState.ACCEPTED, True)
        assert second.unfilled == Unfilled(Then.REPRICE, MINUTE, 1)
        assert (second.origin, second.user_id) == (order.origin, order.user_id)
        world.market.prices[SAMSUNG.id] = 70_300.0
        await wait(world)
        third = await next_of(world, second)
        assert (third.quantity, third.price) == (Decimal(6), Decimal(70_300))
        assert third.unfilled is None
        world.market.prices[SAMSUNG.id] = 70_500.0
        await wait(world, 600)
        assert (await world.order(third)).state is OrderState.ACCEPTED
        assert world.venue.posts == [one.client_order_id for one in (order, second, third)]
        assert len(world.venue.cancels) == 2

    run(scenario)


def test_a_replacement_never_had_a_card_that_asks(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world)
        second = await next_of(world, order)
        await world.deliver()
        texts = [one.text for one in world.chat if one.card == f"order/{second.id}"]
        assert texts
        assert not any("proposed" in text for text in texts)
        states = await world.store.read(lambda tx: [one[1] for one in tx.orders.events(second.id)])
        assert [state.value for state in states] == [
            "proposed",
            "confirmed",
            "submitted",
            "accepted",
        ]

    run(scenario)


@pytest.mark.parametrize(
    ("side", "last", "price"),
    [
        (Side.BUY, 75_000.0, 70_200),
        (Side.BUY, 70_200.0, 70_200),
        (Side.BUY, 70_130.0, 70_100),
        (Side.SELL, 60_000.0, 69_800),
        (Side.SELL, 69_870.0, 69_900),
    ],
)
def test_the_price_goes_no_further_than_the_drift_that_was_confirmed(
    run: Callable[..., None], side: Side, last: float, price: int
) -> None:
    async def scenario(world: World) -> None:
        if side is Side.SELL:
            bought = await world.sent()
            world.venue.fill(bought, 10)
            await world.sweep()
            world.pass_time(60)
        order = await resting(world, side=side)
        await wait(world, 50)
        world.market.prices[SAMSUNG.id] = last
        await wait(world, 10)
        assert (await next_of(world, order)).price == price
        await wait(world, 300)
        assert len(world.venue.cancels) == 1  # nothing more can be gained

    run(scenario)


@pytest.mark.parametrize("last", [70_000.0, 69_900.0, 60_000.0])
def test_it_is_not_cancelled_where_no_price_is_better(
    run: Callable[..., None], last: float
) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        world.market.prices[SAMSUNG.id] = last
        await wait(world, 300)
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert world.venue.cancels == []
        world.market.prices[SAMSUNG.id] = 70_100.0
        await wait(world, 10)
        assert (await next_of(world, order)).price == 70_100

    run(scenario)


def test_it_goes_at_the_market_where_that_was_asked_for(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, MARKET)
        world.venue.fill(order, 3)
        world.market.prices[SAMSUNG.id] = 72_000.0
        await wait(world)
        second = await next_of(world, order)
        assert (second.quantity, second.price, second.unfilled) == (Decimal(7), None, None)
        assert second.reference_price == 72_000
        await wait(world, 300)
        assert len(world.venue.posts) == 2

    run(scenario)


def test_a_fill_while_it_is_being_cancelled_counts(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.pass_time(10)

        async def trade() -> None:
            world.market.before_answer = nothing
            world.venue.fill(order, 4)

        world.market.before_answer = trade  # between the look at fills and the cancel
        await world.desk.settle()
        assert (await world.order(order)).filled_quantity == 4
        assert (await next_of(world, order)).quantity == 6

    run(scenario)


def test_nothing_follows_what_fills_whole_while_it_is_being_cancelled(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.pass_time(10)

        async def trade() -> None:
            world.market.before_answer = nothing
            world.venue.fill(order, 10)

        world.market.before_answer = trade
        await world.desk.settle()
        await wait(world, 300)
        assert (await world.order(order)).state is OrderState.FILLED
        assert await count(world) == 1

    run(scenario)


def test_a_lost_cancel_replaces_nothing_and_is_asked_for_again(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.venue.script.append("lose request")
        await wait(world, 30)
        stored = await world.order(order)
        assert (stored.state, stored.is_cancel_requested) == (OrderState.ACCEPTED, True)
        assert len(world.venue.cancels) == 1
        assert await count(world) == 1
        await wait(world, 10)
        assert len(world.venue.cancels) == 2
        assert (await next_of(world, order)).state is OrderState.ACCEPTED

    run(scenario)


def test_a_lost_answer_to_a_cancel_is_learned_by_asking(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.venue.script.append("lose answer")
        await wait(world, 10)
        assert (await next_of(world, order)).state is OrderState.ACCEPTED
        assert len(world.venue.cancels) == 1

    run(scenario)


def test_a_refused_cancel_replaces_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.venue.script.append("refuse other")
        await wait(world, 20)
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert await count(world) == 1

    run(scenario)


@pytest.mark.parametrize(("silence", "is_replaced"), [(20, True), (120, False)])
def test_a_cancel_that_the_broker_does_not_confirm_replaces_nothing(
    run: Callable[..., None], *, silence: int, is_replaced: bool
) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        find = world.broker.find

        async def find_once(asked: Order) -> Any:
            found = await find(asked)
            world.venue.is_silent = True  # told once that it is cancelled, and then nothing more
            return found

        world.line.find = find_once  # type: ignore[method-assign,assignment]
        await wait(world, 10)
        assert (await world.order(order)).state is OrderState.CANCELED
        assert await count(world) == 1
        await wait(world, silence)
        assert await count(world) == 1
        world.line.find = find  # type: ignore[method-assign]
        world.venue.is_silent = False
        await wait(world, 10)
        assert await count(world) == 1 + int(is_replaced)
        code = "unfilled.replaced" if is_replaced else "unfilled.unsure"
        assert (await world.order(order)).code == code

    run(scenario)


@pytest.mark.parametrize("how", ["paused", "halted", "viewer"])
@pytest.mark.parametrize("unfilled", [CANCEL, REPRICE, MARKET])
def test_without_free_trading_it_is_cancelled_only(
    run: Callable[..., None], how: str, unfilled: Unfilled
) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, unfilled)
        code = {"paused": "risk.paused", "halted": "risk.trading_halted"}.get(how)
        if how == "paused":
            await world.desk.pause(OWNER.id)
        elif how == "halted":
            await world.desk.halt(OWNER.id)
        else:
            await world.let_in(type(VIEWER)(TRADER.id, VIEWER.role, "en", "Kim"))
        await wait(world, 300)
        stored = await world.order(order)
        assert stored.state is OrderState.CANCELED
        expected = "unfilled.canceled" if unfilled is CANCEL else code or "order.not_allowed"
        assert stored.code == expected
        assert await count(world) == len(world.venue.posts) == 1

    run(scenario)


def test_a_pause_between_cancel_and_replacement_stops_it(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.venue.script.append("lose request")
        await wait(world, 10)
        await world.desk.pause(OWNER.id)
        await wait(world, 60)
        assert (await world.order(order)).code == "risk.paused"
        await world.desk.resume(OWNER.id)
        await wait(world, 300)
        assert len(world.venue.posts) == 1

    run(scenario)


def test_a_halt_stops_a_replacement_that_was_confirmed(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)

        async def halt_once() -> None:
            if "confirmed" in world.events.states(await maybe_next()):
                world.store.before_write = nothing
                await world.desk.halt(OWNER.id)

        async def maybe_next() -> Order:
            later = await world.store.read(lambda tx: tx.orders.get(replacement_id(order.id)))
            return later or order

        world.events.events.clear()
        world.store.before_write = halt_once
        await wait(world, 10)
        second = await next_of(world, order)
        assert (second.state, second.code) == (OrderState.DENIED, "risk.trading_halted")
        assert len(world.venue.posts) == 1

    run(scenario)


def test_a_person_who_cancels_wants_nothing_to_follow(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 50)
        world.venue.script.append("lose request")
        await wait(world, 10)
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.canceled"
        await wait(world, 300)
        assert (await world.order(order)).code == ""
        assert len(world.venue.posts) == 1

    run(scenario)


def test_who_cancels_what_was_replaced_cancels_the_replacement(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world)
        second = await next_of(world, order)
        assert (await world.desk.cancel(order.id, OTHER.id)).code == "order.not_yours"
        outcome = await world.desk.cancel(order.id, TRADER.id)
        assert outcome.code == "order.canceled"
        assert outcome.order is not None
        assert outcome.order.id == second.id
        await wait(world, 300)
        assert len(world.venue.posts) == 2

    run(scenario)


def test_outside_the_session_nothing_is_cancelled_for_a_replacement(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        world.pass_time(5 * 3600)
        await wait(world, 30)
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert world.venue.cancels == []

    run(scenario)


def test_in_an_auction_nothing_goes_at_the_market(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, MARKET)
        world.pass_time(3 * 3600 + 21 * 60)  # 15:21
        await wait(world, 30)
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert world.venue.cancels == []

    run(scenario)


def test_while_there_is_no_price_nothing_is_cancelled(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        del world.market.prices[SAMSUNG.id]
        for _ in range(9):
            world.pass_time(10)
            await world.desk.settle()
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert world.venue.cancels == []

    run(scenario)


def test_an_earlier_order_that_fills_late_takes_from_its_replacement(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world)
        second = await next_of(world, order)
        world.venue.fill(order, 4)  # the venue had said that it was cancelled without a trade
        await wait(world, 20)
        assert (await world.order(second)).state is OrderState.CANCELED
        third = await next_of(world, second)
        assert (third.quantity, third.price, third.state) == (
            Decimal(6),
            Decimal(70_100),
            OrderState.ACCEPTED,
        )
        assert third.unfilled == second.unfilled
        world.venue.fill(order, 6)
        await wait(world, 20)
        assert (await world.order(third)).state is OrderState.CANCELED
        assert await count(world) == 3
        assert await world.position() == 10

    run(scenario)


def test_a_replacement_in_doubt_is_not_replaced(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world, max_drift=Decimal("0.01"))
        await wait(world, 50)
        world.venue.script.extend(["accept", "lose request"])
        await wait(world, 10)
        second = await next_of(world, order)
        world.market.prices[SAMSUNG.id] = 70_300.0
        await wait(world, 120)
        assert (await world.order(second)).state is OrderState.NOT_SENT
        assert len(world.venue.posts) == 2
        assert await count(world) == 2

    run(scenario)


def test_what_a_command_has_sent_is_never_replaced(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent(unfilled=REPRICE)
        world.market.prices[SAMSUNG.id] = 70_100.0
        await wait(world)
        assert (await world.order(order)).code == "unfilled.no_leave"
        assert await count(world) == 1

    run(scenario)


def test_the_time_counts_over_a_restart(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await resting(world)
        await wait(world, 30)
        await world.restart()
        await wait(world, 20)
        assert world.venue.cancels == []
        await world.restart()
        await wait(world, 10)
        assert (await next_of(world, order)).state is OrderState.ACCEPTED

    run(scenario)
