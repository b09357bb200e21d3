"""What every broker promises: inherit, give `venue()`, and the tests come with it.

A broker's test writes `class TestMyBroker(BrokerContract)` and implements `venue()`, which opens
the broker in front of a (pretend) venue of its own with 1,000,000 won and no positions.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from market.errors import OrderRejected
from market.orders import Order, OrderState, Side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from brokers.broker import Broker

CASH = Decimal(1_000_000)
INSTRUMENT = "KRX:005930"
NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def order(name: str = "one", **changes: Any) -> Order:
    """Return a confirmed limit buy of 10 at 70,000."""
    made = Order(
        id=name,
        version=1,
        instrument=INSTRUMENT,
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(70_000),
        state=OrderState.SUBMITTED,
        user_id=1,
        origin="command",
        proposed_at=NOON,
        expires_at=NOON + timedelta(seconds=90),
        reference_price=Decimal(70_000),
        reference_at=NOON,
        max_drift=Decimal("0.003"),
    )
    return replace(made, **changes)


class BrokerVenue(Protocol):
    """A broker in front of a venue where the test makes the prices."""

    @property
    def broker(self) -> Broker:
        """Return the broker."""
        ...

    async def trade(self, price: int) -> None:
        """Let the instrument trade at a price, some time after what happened before."""
        ...

    async def restart(self) -> None:
        """Kill our side and start it again: `broker` is a new object in front of the same venue."""
        ...


class BrokerContract(ABC):
    """The promises of `brokers.broker.Broker`."""

    @abstractmethod
    def venue(self) -> AbstractAsyncContextManager[BrokerVenue]:
        """Open a broker in front of a fresh venue."""

    def run(self, scenario: Callable[[BrokerVenue], Awaitable[None]]) -> None:
        """Run a scenario against a fresh venue."""

        async def body() -> None:
            async with self.venue() as venue:
                await scenario(venue)

        asyncio.run(body())

    def test_a_placed_order_is_found_under_its_client_id(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            number = await venue.broker.place(order())
            found = await venue.broker.find(order())
            assert found is not None
            assert found.broker_order_id == number
            assert found.state is OrderState.ACCEPTED
            assert found.filled_quantity == 0

        self.run(scenario)

    def test_an_order_that_was_never_placed_is_surely_absent(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order("other"))
            assert await venue.broker.find(order()) is None

        self.run(scenario)

    def test_a_placed_order_survives_our_death(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            number = await venue.broker.place(order())
            await venue.restart()
            found = await venue.broker.find(order())
            assert found is not None
            assert found.broker_order_id == number
            await venue.trade(70_000)
            assert len(await venue.broker.fills("")) == 1

        self.run(scenario)

    def test_a_second_order_with_the_same_client_id_is_refused(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            for _ in range(2):
                with pytest.raises(OrderRejected) as caught:
                    await venue.broker.place(order())
                assert caught.value.code == "duplicate"
                await venue.restart()
            await venue.trade(70_000)
            with pytest.raises(OrderRejected):
                await venue.broker.place(order())
            assert len(await venue.broker.fills("")) == 1

        self.run(scenario)

    def test_two_placements_at_once_make_one_order(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            answers = await asyncio.gather(
                venue.broker.place(order()), venue.broker.place(order()), return_exceptions=True
            )
            refused = [one for one in answers if isinstance(one, OrderRejected)]
            assert len(refused) == 1
            await venue.trade(70_000)
            assert len(await venue.broker.fills("")) == 1

        self.run(scenario)

    def test_an_order_fills_at_its_limit_or_better(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            await venue.trade(70_100)
            assert await venue.broker.fills("") == []
            await venue.trade(69_900)
            (fill,) = await venue.broker.fills("")
            assert (fill.order_id, fill.instrument, fill.side) == ("one", INSTRUMENT, Side.BUY)
            assert fill.quantity == 10
            assert fill.price <= 70_000
            assert fill.cost >= 0
            found = await venue.broker.find(order())
            assert found is not None
            assert found.state is OrderState.FILLED
            assert found.filled_quantity == 10
            assert found.average_price == fill.price

        self.run(scenario)

    def test_fills_are_told_in_order_and_only_after_the_given_id(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            for name in ("one", "two", "three"):
                await venue.broker.place(order(name, quantity=Decimal(1)))
                await venue.trade(70_000)
            fills = await venue.broker.fills("")
            assert [fill.order_id for fill in fills] == ["one", "two", "three"]
            assert [fill.id for fill in fills] == sorted({fill.id for fill in fills})
            assert await venue.broker.fills(fills[0].id) == fills[1:]
            assert await venue.broker.fills(fills[-1].id) == []
            await venue.restart()
            assert await venue.broker.fills("") == fills

        self.run(scenario)

    def test_open_buys_set_money_aside(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            account = await venue.broker.account()
            assert account.cash == CASH
            assert account.buying_power <= CASH - 700_000

        self.run(scenario)

    def test_more_than_the_buying_power_is_refused(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.place(order("two"))
            assert caught.value.code == "cash"
            assert await venue.broker.find(order("two")) is None

        self.run(scenario)

    def test_more_than_is_held_cannot_be_sold(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            await venue.trade(70_000)
            rest = order("rest", side=Side.SELL, quantity=Decimal(6), price=Decimal(80_000))
            await venue.broker.place(rest)
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.place(replace(rest, id="again"))
            assert caught.value.code == "no_position"
            await venue.broker.cancel(rest)
            await venue.broker.place(replace(rest, id="again"))

        self.run(scenario)

    def test_money_and_costs_add_up(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            await venue.trade(70_000)
            await venue.broker.place(order("out", side=Side.SELL, price=Decimal(71_000)))
            await venue.trade(71_000)
            bought, sold = await venue.broker.fills("")
            gain = (sold.price - bought.price) * 10 - bought.cost - sold.cost
            account = await venue.broker.account()
            assert account.cash == account.buying_power == CASH + gain

        self.run(scenario)

    def test_a_cancelled_order_never_trades(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(order())
            await venue.broker.cancel(order())
            await venue.restart()
            await venue.trade(60_000)
            found = await venue.broker.find(order())
            assert found is not None
            assert found.state is OrderState.CANCELED
            assert found.filled_quantity == 0
            assert await venue.broker.fills("") == []
            assert (await venue.broker.account()).buying_power == CASH

        self.run(scenario)

    @pytest.mark.parametrize("ending", ["unknown", "filled", "canceled"])
    def test_what_has_ended_cannot_be_cancelled(self, ending: str) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            if ending != "unknown":
                await venue.broker.place(order())
            if ending == "filled":
                await venue.trade(70_000)
            if ending == "canceled":
                await venue.broker.cancel(order())
            with pytest.raises(OrderRejected):
                await venue.broker.cancel(order())

        self.run(scenario)
