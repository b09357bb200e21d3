from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from market.errors import SourceChanged, SourceUnavailable
from market.orders import OrderState
from tests.engine.pretend_market import OTHER, OWNER, TRADER, VIEWER
from tests.engine.sudden_death import nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


def test_confirm_sends_once_and_tells_the_card(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        outcome = await world.confirm(order)
        assert outcome.code == "order.confirmed"
        assert outcome.order is not None
        assert outcome.order.state is OrderState.ACCEPTED
        assert outcome.order.broker_order_id == "V1"
        assert world.venue.posts == [order.client_order_id]
        assert await world.card(order) == "Samsung Electronics accepted v1"
        assert world.events.states(order) == ["proposed", "confirmed", "submitted", "accepted"]
        assert world.desk.open_cards() == 0

    run(scenario)


def test_two_taps_at_once_send_one_order(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        outcomes = await asyncio.gather(*(world.confirm(order) for _ in range(5)))
        codes = sorted(outcome.code for outcome in outcomes)
        assert codes == ["order.already"] * 4 + ["order.confirmed"]
        assert len(world.venue.posts) == 1

    run(scenario)


def test_confirm_and_decline_at_once_agree(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        sent, declined = await asyncio.gather(world.confirm(order), world.decline(order))
        stored = await world.order(order)
        if declined.code == "order.declined":
            assert (sent.code, stored.state) == ("order.already", OrderState.DECLINED)
            assert world.venue.posts == []
        else:
            assert (sent.code, declined.code) == ("order.confirmed", "order.already")

    run(scenario)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order_id": "aaaaaaaaaaaa"}, "order.unknown"),
        ({"user_id": OTHER.id}, "order.not_yours"),
        ({"user_id": OWNER.id}, "order.not_yours"),
        ({"message": 1}, "order.forged"),
        ({"message": None}, "order.forged"),
        ({"version": 2}, "order.outdated"),
        ({"version": 0}, "order.outdated"),
    ],
)
def test_a_tap_that_is_not_the_cards_own_sends_nothing(
    run: Callable[..., None], changes: dict[str, Any], code: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        outcome = await world.confirm(order, **changes)
        assert outcome.code == code
        assert world.venue.posts == []
        assert await world.order(order) == order
        assert (await world.confirm(order)).code == "order.confirmed"

    run(scenario)


def test_the_button_of_another_order_does_not_confirm_this_one(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        one = await world.propose()
        two = await world.propose(quantity=Decimal(3))
        outcome = await world.confirm(one, message=await world.message_of(two))
        assert outcome.code == "order.forged"

    run(scenario)


def test_somebody_who_lost_the_right_to_trade_cannot_confirm(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        await world.store.write(lambda tx: tx.people.remove(TRADER.id))
        assert (await world.confirm(order)).code == "order.not_allowed"
        await world.let_in(replace(VIEWER, id=TRADER.id))
        assert (await world.confirm(order)).code == "order.not_allowed"
        assert world.venue.posts == []

    run(scenario)


@pytest.mark.parametrize(("seconds", "code"), [(89.999, "order.confirmed"), (90, "order.expired")])
def test_a_card_expires_on_the_wall_clock(
    run: Callable[..., None], seconds: float, code: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.wall_clock.advance(timedelta(seconds=seconds))
        outcome = await world.confirm(order)
        assert outcome.code == code
        if code == "order.expired":
            assert world.venue.posts == []
            stored = await world.order(order)
            assert (stored.state, stored.code) == (OrderState.LAPSED, "order.expired")
            assert await world.card(order) == "Samsung Electronics lapsed v1 order.expired"
            assert (await world.confirm(order)).code == "order.expired"

    run(scenario)


def test_a_card_that_expires_while_the_price_is_fetched_is_not_sent(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.pass_time(89)

        async def slowly() -> None:
            world.wall_clock.advance(timedelta(seconds=2))

        world.market.before_answer = slowly
        assert (await world.confirm(order)).code == "order.expired"
        assert world.venue.posts == []

    run(scenario)


@pytest.mark.parametrize("price", [70_211, 69_789, 75_000, 64_000])
def test_a_price_that_moved_is_shown_and_asked_again(
    run: Callable[..., None], price: float
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.pass_time(80)
        world.market.prices["KRX:005930"] = price
        outcome = await world.confirm(order)
        assert outcome.code == "order.requoted"
        assert outcome.facts == {"old": "70,000", "new": f"{price:,}"}
        assert world.venue.posts == []
        again = await world.order(order)
        assert (again.state, again.version) == (OrderState.PROPOSED, 2)
        assert again.reference_price == Decimal(price)
        assert again.price == order.price
        assert again.expires_at == world.wall_clock.now() + timedelta(seconds=90)
        assert await world.card(order) == "Samsung Electronics proposed v2"
        assert world.desk.open_cards() == 1
        assert (await world.confirm(order)).code == "order.outdated"
        assert (await world.confirm(again)).code == "order.confirmed"

    run(scenario, risk={"max_order": Decimal(3_000_000)})


@pytest.mark.parametrize("price", [70_210, 69_790])
def test_a_price_within_the_drift_is_sent(run: Callable[..., None], price: float) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.pass_time(10)
        world.market.prices["KRX:005930"] = price
        assert (await world.confirm(order)).code == "order.confirmed"

    run(scenario)


@pytest.mark.parametrize("error", [SourceUnavailable("down"), SourceChanged("odd page")])
def test_without_a_fresh_price_nothing_is_sent_and_the_card_stays(
    run: Callable[..., None], error: Exception
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.pass_time(4)
        world.market.error = error
        assert (await world.confirm(order)).code == "order.no_price"
        assert await world.order(order) == order
        world.market.error = None
        assert (await world.confirm(order)).code == "order.confirmed"

    run(scenario)


def test_a_price_that_took_too_long_to_come_is_not_used(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.pass_time(4)

        async def slowly() -> None:
            world.pass_time(4)

        world.market.after_answer = slowly
        assert (await world.confirm(order)).code == "order.no_price"
        assert await world.order(order) == order
        world.market.after_answer = nothing
        assert (await world.confirm(order)).code == "order.confirmed"

    run(scenario)


def test_a_quote_of_the_last_seconds_is_not_asked_for_again(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        asked = world.market.asked
        world.pass_time(1.5)
        await world.confirm(order)
        assert world.market.asked == asked

    run(scenario)


def test_a_quote_that_the_accounts_answer_could_make_too_old_is_asked_for_again(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        asked = world.market.asked
        world.pass_time(2)
        assert (await world.confirm(order)).code == "order.confirmed"
        assert world.market.asked == asked + 1

    run(scenario)


def test_without_an_account_nothing_is_sent_and_the_card_stays(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.venue.is_silent = True
        assert (await world.confirm(order)).code == "order.no_account"
        denied = await world.propose(quantity=Decimal(2))
        assert denied.code == "risk.no_account"
        world.venue.is_silent = False
        assert (await world.confirm(order)).code == "order.confirmed"

    run(scenario)


def test_risk_is_checked_again_at_confirmation(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.venue.cash = Decimal(500_000)
        outcome = await world.confirm(order)
        assert outcome.code == "risk.cash"
        assert outcome.facts == {"limit": "500,000", "asked": "700,105"}
        assert (await world.order(order)).state is OrderState.DENIED
        assert await world.card(order) == "Samsung Electronics denied v1 risk.cash"
        assert world.venue.posts == []

    run(scenario)
