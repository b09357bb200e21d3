"""What the broker tells before an order is sent: when it takes orders, and how much of one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from market.orders import OrderState, Side
from market.phases import Phase
from tests.engine.test_desk_protect import buy, exits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

TO_THE_EVENING = 4.5 * 3600
"""From noon on, in seconds: 16:30 in Seoul."""


def test_an_order_of_which_the_broker_would_not_take_all_waits(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        asked = await world.propose(price=None)
        world.venue.most = Decimal(9)
        outcome = await world.confirm(asked)
        assert (outcome.code, outcome.facts) == ("order.possible", {"limit": "9", "asked": "10"})
        assert (await world.order(asked)).state is OrderState.PROPOSED
        assert world.venue.posts == []
        world.venue.most = Decimal(10)
        assert (await world.confirm(asked)).code == "order.confirmed"

    run(scenario)


def test_where_the_broker_cannot_say_it_is_asked_by_the_order_itself(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        asked = await world.propose(price=None)
        world.venue.is_silent = True  # the account is not told, either
        assert (await world.confirm(asked)).code == "order.no_account"
        world.venue.is_silent = False
        world.venue.most = None
        assert (await world.confirm(asked)).code == "order.confirmed"

    run(scenario)


def test_an_exit_of_protection_does_not_ask(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.venue.most = Decimal(0)
        await world.sweep(67_000)
        (sale,) = await exits(world)
        assert sale.state is OrderState.ACCEPTED

    run(scenario)


def test_in_the_after_market_only_a_persons_limit_goes_to_a_broker_that_takes_it(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await buy(world)
        world.pass_time(TO_THE_EVENING)
        denied = await world.propose()
        assert (denied.code, denied.facts) == ("risk.session", (("limit", "11-25 08:30"),))
        world.venue.phases |= {Phase.AFTER_MARKET}
        await world.restart()
        sold = await world.sent(side=Side.SELL, price=Decimal(70_000), quantity=Decimal(2))
        assert sold.state is OrderState.ACCEPTED
        for late in ({"price": None}, {"origin": "condition:a"}):
            assert (await world.propose(**late)).code == "risk.session"
        world.pass_time(61)
        await world.sweep(60_000)
        assert await exits(world) == [], "protection waits for the session"

    run(scenario)
