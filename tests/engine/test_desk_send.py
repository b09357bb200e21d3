from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.desk_send import reason_of
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState
from tests.engine.pretend_market import HYNIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


@pytest.mark.parametrize(
    ("code", "reason"),
    [("cash", "rejected.cash"), ("price", "rejected.price"), ("strange", "rejected.other")],
)
def test_a_refusal_ends_the_order_with_the_brokers_reason(
    run: Callable[..., None], code: str, reason: str
) -> None:
    async def scenario(world: World) -> None:
        world.venue.script.append(f"refuse {code}")
        order = await world.propose()
        outcome = await world.confirm(order)
        assert (outcome.code, dict(outcome.facts)) == ("order.rejected", {"reason": reason})
        stored = await world.order(order)
        assert (stored.state, stored.code) == (OrderState.REJECTED, reason)
        assert dict(stored.facts) == {"told": "refused"}
        assert reason in await world.card(order)
        await world.restart()
        assert len(world.venue.posts) == 1

    run(scenario)


def test_every_reason_has_a_key() -> None:
    assert reason_of(OrderRejected("no_position", "text")) == "rejected.no_position"
    assert reason_of(OrderRejected("", "text")) == "rejected.other"


@pytest.mark.parametrize(
    ("word", "state"),
    [("lose request", OrderState.NOT_SENT), ("lose answer", OrderState.ACCEPTED)],
)
def test_an_unanswered_order_is_in_doubt_until_the_broker_is_asked(
    run: Callable[..., None], word: str, state: OrderState
) -> None:
    async def scenario(world: World) -> None:
        world.venue.script.append(word)
        order = await world.propose()
        assert (await world.confirm(order)).code == "order.in_doubt"
        assert (await world.order(order)).state is OrderState.IN_DOUBT
        assert await world.card(order) == "Samsung Electronics in_doubt v1 order.in_doubt"
        await world.sweep()
        stored = await world.order(order)
        assert stored.state is state
        assert (stored.broker_order_id is None) == (state is OrderState.NOT_SENT)
        assert stored.code == ("order.not_sent" if state is OrderState.NOT_SENT else "")
        await world.restart()
        await world.sweep()
        assert len(world.venue.posts) == 1

    run(scenario)


def test_while_in_doubt_the_instrument_is_blocked_and_no_other(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        waiting = await world.propose(quantity=Decimal(3))
        world.venue.script.append("lose answer")
        doubted = await world.sent()
        world.venue.is_silent = True
        await world.sweep()
        assert (await world.order(doubted)).state is OrderState.IN_DOUBT
        world.venue.is_silent = False
        assert (await world.confirm(waiting)).code == "risk.in_doubt"
        assert (await world.propose(quantity=Decimal(4))).code == "risk.in_doubt"
        other = await world.propose(instrument=HYNIX, quantity=Decimal(1), price=None)
        assert other.state is OrderState.PROPOSED
        await world.desk.settle()
        assert (await world.propose(quantity=Decimal(5))).state is OrderState.PROPOSED

    run(scenario)


def test_a_refusal_as_duplicate_means_that_the_broker_has_it(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.venue.script.append("accept")
        world.venue.post(order)  # as if an earlier life of ours had sent it
        world.venue.script.append("refuse duplicate")
        assert (await world.confirm(order)).code == "order.in_doubt"
        await world.sweep()
        assert (await world.order(order)).state is OrderState.ACCEPTED

    run(scenario)


def test_a_fill_that_is_faster_than_the_answer_is_not_lost(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()

        async def fill_at_once() -> None:
            world.venue.fill(order, 10)
            await world.desk.settle()

        world.line.after_post = fill_at_once
        outcome = await world.confirm(order)
        assert outcome.code == "order.confirmed"
        stored = await world.order(order)
        assert (stored.state, stored.broker_order_id) == (OrderState.FILLED, "V1")
        assert await world.position() == 10

    run(scenario)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutcomeUnknown("timeout", "no answer"), "order.confirmed"),
        (OrderRejected("cash", "refused"), "order.already"),
    ],
)
def test_a_fill_weighs_more_than_an_answer_that_denies_it(
    run: Callable[..., None], error: Exception, code: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()

        async def fill_and_fail() -> None:
            world.venue.fill(order, 10)
            await world.desk.settle()
            raise error

        world.line.after_post = fill_and_fail
        assert (await world.confirm(order)).code == code
        assert (await world.order(order)).state is OrderState.FILLED
        faults = [facts["code"] for kind, facts in world.events.events if kind == "error"]
        assert faults == ([] if code == "order.confirmed" else ["order.contradiction"])

    run(scenario)


def test_settling_leaves_an_order_alone_that_is_being_sent(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        is_posting, may_go_on = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            is_posting.set()
            await may_go_on.wait()

        world.line.before_post = wait
        confirming = asyncio.ensure_future(world.confirm(order))
        await asyncio.wait_for(is_posting.wait(), 5)
        await world.desk.settle()
        assert (await world.order(order)).state is OrderState.SUBMITTED
        may_go_on.set()
        assert (await confirming).code == "order.confirmed"

    run(scenario)


@pytest.mark.parametrize("word", ["before", "after"])
def test_a_tap_whose_task_is_cancelled_leaves_no_order_behind(
    run: Callable[..., None], word: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        is_posting = asyncio.Event()

        async def hang() -> None:
            is_posting.set()
            await asyncio.Event().wait()

        if word == "before":
            world.line.before_post = hang
        else:
            world.line.after_post = hang
        confirming = asyncio.ensure_future(world.confirm(order))
        await asyncio.wait_for(is_posting.wait(), 5)
        confirming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await confirming
        assert (await world.order(order)).state is OrderState.SUBMITTED
        await world.desk.settle()
        expected = OrderState.NOT_SENT if word == "before" else OrderState.ACCEPTED
        assert (await world.order(order)).state is expected

    run(scenario)


def test_an_unforeseen_error_of_a_broker_is_a_doubt_not_a_loss(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()

        async def break_down() -> None:
            raise ZeroDivisionError

        world.line.after_post = break_down
        with pytest.raises(ZeroDivisionError):
            await world.confirm(order)
        await world.desk.settle()
        assert (await world.order(order)).state is OrderState.ACCEPTED
        assert len(world.venue.posts) == 1

    run(scenario)
