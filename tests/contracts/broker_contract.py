"""What every broker promises: inherit, give `venue()`, and the tests come with it.

A broker's test writes `class TestMyBroker(BrokerContract)` and implements `venue()`, which opens
the broker in front of a (pretend) venue of its own with `cash` and no positions. Where the venue
trades other things at other prices, the class says which: `instrument`, `price`, `step`,
`quantity`, `cash`. Brokers of real venues inherit `RealBrokerContract`, which promises more.
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
    from market.types import InstrumentId

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

    async def trade(self, price: Decimal) -> None:
        """Let the instrument trade at a price, some time after what happened before."""
        ...

    async def restart(self) -> None:
        """Kill our side and start it again: `broker` is a new object in front of the same venue."""
        ...


class BrokerContract(ABC):
    """The promises of `brokers.broker.Broker`.

    `cash` buys one order of `quantity` at `price`, not two; `step` is a multiple of the tick, and
    a hundredth of the price at most.
    """

    instrument: InstrumentId = INSTRUMENT
    price = Decimal(70_000)
    step = Decimal(100)
    quantity = Decimal(10)
    cash = CASH

    def order(self, name: str = "one", **changes: Any) -> Order:
        """Return a confirmed limit buy of `quantity` at `price`."""
        ours = {
            "instrument": self.instrument,
            "quantity": self.quantity,
            "price": self.price,
            "reference_price": self.price,
        }
        return order(name, **(ours | changes))

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
            number = await venue.broker.place(self.order())
            found = await venue.broker.find(self.order())
            assert found is not None
            assert found.broker_order_id == number
            assert found.state is OrderState.ACCEPTED
            assert found.filled_quantity == 0

        self.run(scenario)

    def test_an_order_that_was_never_placed_is_surely_absent(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order("other"))
            assert await venue.broker.find(self.order()) is None

        self.run(scenario)

    def test_a_placed_order_survives_our_death(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            number = await venue.broker.place(self.order())
            await venue.restart()
            found = await venue.broker.find(self.order())
            assert found is not None
            assert found.broker_order_id == number
            await venue.trade(self.price)
            assert len(await venue.broker.fills("")) == 1

        self.run(scenario)

    def test_a_second_order_with_the_same_client_id_is_refused(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order())
            for _ in range(2):
                with pytest.raises(OrderRejected) as caught:
                    await venue.broker.place(self.order())
                assert caught.value.code == "duplicate"
                await venue.restart()
            await venue.trade(self.price)
            with pytest.raises(OrderRejected):
                await venue.broker.place(self.order())
            assert len(await venue.broker.fills("")) == 1

        self.run(scenario)

    def test_two_placements_at_once_make_one_order(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            answers = await asyncio.gather(
                venue.broker.place(self.order()),
                venue.broker.place(self.order()),
                return_exceptions=True,
            )
            refused = [one for one in answers if isinstance(one, OrderRejected)]
            assert len(refused) == 1
            await venue.trade(self.price)
            assert len(await venue.broker.fills("")) == 1

        self.run(scenario)

    def test_an_order_fills_at_its_limit_or_better(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order())
            await venue.trade(self.price + self.step)
            assert await venue.broker.fills("") == []
            await venue.trade(self.price - self.step)
            (fill,) = await venue.broker.fills("")
            assert (fill.order_id, fill.instrument, fill.side) == ("one", self.instrument, Side.BUY)
            assert fill.quantity == self.quantity
            assert fill.price <= self.price
            assert fill.cost >= 0
            found = await venue.broker.find(self.order())
            assert found is not None
            assert found.state is OrderState.FILLED
            assert found.filled_quantity == self.quantity
            assert found.average_price == fill.price

        self.run(scenario)

    def test_fills_are_told_in_order_and_only_after_the_given_id(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            for name in ("one", "two", "three"):
                await venue.broker.place(self.order(name, quantity=self.quantity / 10))
                await venue.trade(self.price)
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
            await venue.broker.place(self.order())
            account = (await venue.broker.accounts())[0]
            assert account.cash == self.cash
            assert account.buying_power <= self.cash - self.quantity * self.price

        self.run(scenario)

    def test_more_than_the_buying_power_is_refused(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order())
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.place(self.order("two"))
            assert caught.value.code == "cash"
            assert await venue.broker.find(self.order("two")) is None

        self.run(scenario)

    def test_more_than_is_held_cannot_be_sold(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order())
            await venue.trade(self.price)
            rest = self.order(
                "rest",
                side=Side.SELL,
                quantity=self.quantity * 6 / 10,
                price=self.price + 10 * self.step,
            )
            await venue.broker.place(rest)
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.place(replace(rest, id="again"))
            assert caught.value.code == "no_position"
            await venue.broker.cancel(rest)
            await venue.broker.place(replace(rest, id="third"))  # ids are used once, refused or not

        self.run(scenario)

    def test_money_and_costs_add_up(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order())
            await venue.trade(self.price)
            await venue.broker.place(
                self.order("out", side=Side.SELL, price=self.price + 10 * self.step)
            )
            await venue.trade(self.price + 10 * self.step)
            bought, sold = await venue.broker.fills("")
            gain = (sold.price - bought.price) * self.quantity - bought.cost - sold.cost
            account = (await venue.broker.accounts())[0]
            assert account.cash == account.buying_power == self.cash + gain

        self.run(scenario)

    def test_a_cancelled_order_never_trades(self) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            await venue.broker.place(self.order())
            await venue.broker.cancel(self.order())
            await venue.restart()
            await venue.trade(self.price - 10 * self.step)
            found = await venue.broker.find(self.order())
            assert found is not None
            assert found.state is OrderState.CANCELED
            assert found.filled_quantity == 0
            assert await venue.broker.fills("") == []
            assert (await venue.broker.accounts())[0].buying_power == self.cash

        self.run(scenario)

    @pytest.mark.parametrize("ending", ["unknown", "filled", "canceled"])
    def test_what_has_ended_cannot_be_cancelled(self, ending: str) -> None:
        async def scenario(venue: BrokerVenue) -> None:
            if ending != "unknown":
                await venue.broker.place(self.order())
            if ending == "filled":
                await venue.trade(self.price)
            if ending == "canceled":
                await venue.broker.cancel(self.order())
            with pytest.raises(OrderRejected):
                await venue.broker.cancel(self.order())

        self.run(scenario)
