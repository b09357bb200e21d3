from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from market.orders import OrderState, advance
from tests.engine.pretend_market import OTHER, OWNER, TRADER, VIEWER
from tests.engine.sudden_death import nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


def test_cancelling_a_proposal_declines_it(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.declined"
        assert (await world.order(order)).state is OrderState.DECLINED
        assert world.venue.cancels == []

    run(scenario)


def test_cancelling_an_order_asks_the_broker_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        outcome = await world.desk.cancel(order.id, TRADER.id)
        assert outcome.code == "order.canceled"
        stored = await world.order(order)
        assert (stored.state, stored.is_cancel_requested) == (OrderState.CANCELED, True)
        assert await world.card(order) == "Samsung Electronics canceled v1"
        again = await world.desk.cancel(order.id, TRADER.id)
        assert again.code == "order.canceled"
        assert len(world.venue.cancels) == 1

    run(scenario)


def test_two_cancels_at_once_are_one_request(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        await asyncio.gather(*(world.desk.cancel(order.id, TRADER.id) for _ in range(3)))
        assert len(world.venue.cancels) == 1
        assert (await world.order(order)).state is OrderState.CANCELED

    run(scenario)


@pytest.mark.parametrize(
    ("user", "code"),
    [
        (OTHER.id, "order.not_yours"),
        (VIEWER.id, "order.not_allowed"),
        (404, "order.not_allowed"),
        (OWNER.id, "order.canceled"),
        (TRADER.id, "order.canceled"),
    ],
)
def test_only_its_person_and_the_owner_can_cancel(
    run: Callable[..., None], user: int, code: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        assert (await world.desk.cancel(order.id, user)).code == code
        assert len(world.venue.cancels) == int(code == "order.canceled")
        assert (await world.desk.cancel("aaaaaaaaaaaa", user)).code == "order.unknown"

    run(scenario)


def test_a_fill_before_the_cancel_wins(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 10)
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.filled"
        assert (await world.order(order)).state is OrderState.FILLED
        assert await world.position() == 10
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.filled"

    run(scenario)


def test_what_was_never_at_the_broker_cannot_be_cancelled(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.venue.script.append("refuse cash")
        order = await world.sent()
        outcome = await world.desk.cancel(order.id, TRADER.id)
        assert (outcome.code, dict(outcome.facts)) == ("order.already", {"state": "rejected"})
        assert world.venue.cancels == []

    run(scenario)


def test_a_part_before_the_cancel_is_kept(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.fill(order, 3)
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.canceled"
        stored = await world.order(order)
        assert stored.state is OrderState.CANCELED
        assert stored.filled_quantity == 3

    run(scenario)


def test_a_refused_cancel_of_an_open_order_says_why(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.script.append("refuse strange")
        outcome = await world.desk.cancel(order.id, TRADER.id)
        assert outcome.code == "order.cancel_refused"
        assert outcome.facts == {"reason": "rejected.other"}
        assert (await world.order(order)).state is OrderState.ACCEPTED

    run(scenario)


def test_a_lost_cancel_is_not_repeated_by_itself_but_by_the_person(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.script.append("lose request")
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.cancel_requested"
        assert (await world.order(order)).is_cancel_requested
        for _ in range(3):
            await world.sweep()
        assert len(world.venue.cancels) == 1
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.canceled"
        assert len(world.venue.cancels) == 2

    run(scenario)


def test_a_cancel_whose_answer_was_lost_is_learnt_of(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.script.append("lose answer")
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.canceled"

    run(scenario)


def test_a_cancel_wish_survives_a_kill_and_is_followed_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.sent()
        world.venue.script.append("lose request")
        await world.desk.cancel(order.id, TRADER.id)
        await world.restart()
        assert (await world.order(order)).state is OrderState.CANCELED
        await world.restart()
        assert len(world.venue.cancels) == 2

    run(scenario)


def test_a_cancel_of_an_order_in_doubt_waits_for_the_answer(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.venue.script.append("lose answer")
        order = await world.sent()
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.cancel_requested"
        assert world.venue.cancels == []
        await world.desk.settle()
        await world.sweep()
        assert (await world.order(order)).state is OrderState.CANCELED
        assert len(world.venue.cancels) == 1

    run(scenario)


def test_a_cancel_between_the_tap_and_the_claim_declines(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        codes: list[str] = []

        async def cancel_once_tapped() -> None:
            world.store.before_write = nothing
            codes.append((await world.desk.cancel(order.id, TRADER.id)).code)

        world.store.before_write = cancel_once_tapped
        assert (await world.confirm(order)).code == "order.already"
        assert codes == ["order.declined"]
        assert (await world.order(order)).state is OrderState.DECLINED
        assert world.venue.posts == []

    run(scenario)


def test_a_cancel_of_what_is_confirmed_and_not_sent_withdraws(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        confirmed = advance(order, OrderState.CONFIRMED)
        await world.store.write(lambda tx: tx.orders.put(confirmed))
        assert (await world.desk.cancel(order.id, TRADER.id)).code == "order.withdrawn"
        stored = await world.order(order)
        assert (stored.state, stored.code) == (OrderState.LAPSED, "order.withdrawn")
        assert world.venue.posts == []

    run(scenario)


def test_a_cancel_while_the_order_is_being_sent_follows_it(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        codes: list[str] = []

        async def cancel_meanwhile() -> None:
            codes.append((await world.desk.cancel(order.id, TRADER.id)).code)

        world.line.before_post = cancel_meanwhile
        await world.confirm(order)
        assert codes == ["order.cancel_requested"]
        assert (await world.order(order)).state is OrderState.CANCELED
        assert (len(world.venue.posts), len(world.venue.cancels)) == (1, 1)

    run(scenario)
