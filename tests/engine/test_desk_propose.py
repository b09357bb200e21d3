from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.ticket import order_id
from market.errors import SourceUnavailable
from market.orders import OrderState
from market.types import Instrument, Kind, Venue
from tests.engine.pretend_market import HYNIX, NOON, VIEWER

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.orders import Account
    from tests.engine.desk_world import World


def test_a_ticket_becomes_a_proposal_with_its_card(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        ticket = world.ticket()
        order = await world.desk.propose(ticket)
        assert order.id == order_id(ticket.key)
        assert order.state is OrderState.PROPOSED
        assert order.version == 1
        assert order.reference_price == 70_000
        assert order.expires_at == NOON + timedelta(seconds=90)
        assert await world.order(order) == order
        assert await world.card(order) == "Samsung Electronics proposed v1"
        assert world.desk.open_cards() == 1
        assert world.venue.posts == []

    run(scenario)


def test_the_same_ticket_twice_is_one_order(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        ticket = world.ticket()
        first, second = await asyncio.gather(world.desk.propose(ticket), world.desk.propose(ticket))
        assert first == second
        await world.deliver()
        await world.confirm(first)
        again = await world.desk.propose(ticket)
        assert again.state is OrderState.ACCEPTED
        assert len(world.venue.posts) == 1

    run(scenario)


def test_a_card_shows_what_the_order_costs_and_leaves(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        view = world.cards.views[order.id]
        assert view.price == 70_000
        assert view.price_age_seconds == 0
        assert (view.cost, view.fee, view.tax) == (Decimal(700_000), Decimal(105), Decimal(0))
        assert view.equity == 10_000_000
        assert view.buying_power_after == 9_299_895
        assert view.seconds_left == 90

    run(scenario)


def test_a_card_reckons_with_the_fee_of_its_venue(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        coin = Instrument(Venue.UPBIT, "KRW-XRP", "Ripple", kind=Kind.COIN)
        world.market.prices[coin.id] = 3_000.0
        order = await world.propose(instrument=coin, quantity=Decimal(100), price=Decimal(3_000))
        assert order.state is OrderState.PROPOSED
        assert world.cards.views[order.id].fee == 150

    run(scenario, is_paper=True)


def test_a_denied_proposal_is_kept_with_its_reason_and_its_card(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose(quantity=Decimal(100))
        assert (order.state, order.code) == (OrderState.DENIED, "risk.notional")
        assert await world.card(order) == "Samsung Electronics denied v1 risk.notional"
        assert (await world.confirm(order)).code == "order.already"
        assert world.desk.open_cards() == 0

    run(scenario)


@pytest.mark.parametrize("user", [VIEWER.id, 404])
def test_a_ticket_of_somebody_who_may_not_trade_is_denied(
    run: Callable[..., None], user: int
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose(user_id=user)
        assert (order.state, order.code) == (OrderState.DENIED, "order.not_allowed")

    run(scenario)


def test_without_any_price_a_proposal_is_denied_as_stale(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.market.error = SourceUnavailable("down")
        order = await world.propose()
        assert (order.state, order.code) == (OrderState.DENIED, "risk.stale")

    run(scenario)


def test_a_proposal_may_use_a_price_of_the_last_sweep(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await world.sweep()
        world.market.error = SourceUnavailable("down")
        world.pass_time(15)
        order = await world.propose()
        assert order.state is OrderState.PROPOSED
        assert world.cards.views[order.id].price_age_seconds == 15
        world.pass_time(10)
        stale = await world.propose(instrument=HYNIX, price=Decimal(200_000))
        assert stale.code == "risk.stale"

    run(scenario)


def test_a_price_does_not_grow_old_while_a_proposal_is_written(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        ask = world.broker.accounts

        async def slowly() -> tuple[Account, ...]:
            world.market_clock.advance(timedelta(seconds=30))  # 50 ms at 600 times the speed
            return await ask()

        world.line.accounts = slowly  # type: ignore[method-assign]
        assert (await world.propose()).state is OrderState.PROPOSED

    run(scenario)
