"""What brokers of real venues promise besides: about what never arrived, came late or was broken.

`class TestMyBroker(RealBrokerContract)` gives a `RealVenue`: the broker in front of its pretend
venue, whose routes ask a `FaultPlan`. Reads must be retried with pauses that a test can bear.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

import pytest

from market.errors import OrderError, OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side
from sandbox.order_faults import Channel, OrderFault
from tests.contracts.broker_contract import BrokerContract, BrokerVenue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from decimal import Decimal

    from brokers.broker import BrokerOrder
    from market.orders import Fill, Order
    from market.store import Store
    from sandbox.order_faults import FaultPlan

NEVER_CAME = (OrderFault.LOST_REQUEST, OrderFault.BROKEN_BEFORE)
CAME = (
    OrderFault.LOST_ANSWER,
    OrderFault.LATE_ANSWER,
    OrderFault.BROKEN_AFTER,
    OrderFault.ODD_ANSWER,
)
UNREADABLE = (OrderFault.LOST_REQUEST, OrderFault.BROKEN_BEFORE, OrderFault.ODD_ANSWER)
PERSISTENT = 40
"""So many failures in a row are no accident that asking again would mend."""


class RealVenue(BrokerVenue, Protocol):
    """A broker in front of a pretend venue that can misbehave."""

    @property
    def plan(self) -> FaultPlan:
        """Return what goes wrong at the venue."""
        ...

    @property
    def store(self) -> Store:
        """Return our side's store."""
        ...

    @property
    def orders_sent(self) -> int:
        """Return how many requests for a new order have left us, those that got lost included."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the keys that nobody may ever see."""
        ...

    def by_hand(self, order: Order) -> str:
        """Place the same limit order in the venue's own app; return the venue's number of it."""
        ...

    async def trade_some(self, price: Decimal, quantity: Decimal) -> None:
        """Let the instrument trade at a price, no more of it than this."""
        ...

    async def wait(self, seconds: float) -> None:
        """Let time go on, for us and for the venue; nobody really waits."""
        ...

    def written(self) -> bytes:
        """Return all that our side has written to its files."""
        ...


class RealBrokerContract(BrokerContract):
    """The promises of brokers of real venues."""

    @abstractmethod
    def venue(self) -> AbstractAsyncContextManager[RealVenue]:
        """Open a broker in front of a fresh venue."""

    def play(self, scenario: Callable[[RealVenue], Awaitable[None]]) -> None:
        """Run a scenario against a fresh venue that can misbehave."""
        self.run(scenario)  # type: ignore[arg-type]  # our venue() is a RealVenue

    @pytest.mark.parametrize("is_killed", [False, True], ids=["alive", "killed"])
    @pytest.mark.parametrize("fault", NEVER_CAME)
    def test_an_order_that_never_came_is_in_doubt_and_then_absent(
        self, fault: OrderFault, is_killed: bool
    ) -> None:
        async def scenario(venue: RealVenue) -> None:
            await self.place_in_doubt(venue, fault)
            if is_killed:
                await venue.restart()
            assert await self.settled(venue, self.order()) is None
            await venue.trade(self.price)
            assert await venue.broker.fills("") == []

        self.play(scenario)

    @pytest.mark.parametrize("is_killed", [False, True], ids=["alive", "killed"])
    @pytest.mark.parametrize("fault", CAME)
    def test_an_order_whose_answer_went_wrong_is_found(
        self, fault: OrderFault, is_killed: bool
    ) -> None:
        async def scenario(venue: RealVenue) -> None:
            await self.place_in_doubt(venue, fault)
            if is_killed:
                await venue.restart()
            found = await self.settled(venue, self.order())
            assert found is not None
            assert found.state is OrderState.ACCEPTED
            await venue.trade(self.price)
            (fill,) = await venue.broker.fills("")
            assert (fill.order_id, fill.quantity) == ("one", self.quantity)

        self.play(scenario)

    @pytest.mark.parametrize("is_killed", [False, True], ids=["alive", "killed"])
    def test_an_order_that_is_still_under_way_is_not_called_absent(self, is_killed: bool) -> None:
        async def scenario(venue: RealVenue) -> None:
            await self.place_in_doubt(venue, OrderFault.LATE_REQUEST)
            if is_killed:
                await venue.restart()
            found = await self.settled(venue, self.order())
            assert found is not None
            await venue.trade(self.price)
            assert len(await venue.broker.fills("")) == 1

        self.play(scenario)

    def test_a_fill_of_an_order_in_doubt_is_told(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            await self.place_in_doubt(venue, OrderFault.LOST_ANSWER)
            await venue.trade(self.price)
            await venue.restart()
            (fill,) = await venue.broker.fills("")
            assert fill.order_id == "one"

        self.play(scenario)

    @pytest.mark.parametrize("fault", [OrderFault.BUSY, OrderFault.MAINTENANCE])
    def test_what_the_venue_turns_away_is_no_order(self, fault: OrderFault) -> None:
        async def scenario(venue: RealVenue) -> None:
            venue.plan.script(Channel.ORDER, fault)
            with pytest.raises(OrderError):
                await venue.broker.place(self.order())
            assert venue.orders_sent == 1
            assert await self.settled(venue, self.order()) is None

        self.play(scenario)

    @pytest.mark.parametrize("fault", [*NEVER_CAME, *CAME])
    def test_a_cancel_without_an_answer_is_asked_once_and_can_be_asked_again(
        self, fault: OrderFault
    ) -> None:
        async def scenario(venue: RealVenue) -> None:
            await venue.broker.place(self.order())
            venue.plan.script(Channel.ORDER, fault)
            with pytest.raises(OutcomeUnknown):
                await venue.broker.cancel(self.order())
            found = await self.settled(venue, self.order())
            assert found is not None
            if fault in NEVER_CAME:
                assert found.state is OrderState.ACCEPTED
                await venue.broker.cancel(self.order())
            else:
                assert found.state is OrderState.CANCELED
                with pytest.raises(OrderRejected):
                    await venue.broker.cancel(self.order())
            assert (await venue.broker.accounts())[0].buying_power == self.cash

        self.play(scenario)

    @pytest.mark.parametrize("fault", UNREADABLE)
    def test_a_read_that_fails_for_good_is_unknown_and_not_nothing(self, fault: OrderFault) -> None:
        async def scenario(venue: RealVenue) -> None:
            await venue.broker.place(self.order())
            await venue.trade(self.price)
            await venue.restart()
            venue.plan.script(Channel.READ, *[fault] * PERSISTENT)
            for ask in (
                lambda: venue.broker.find(self.order()),
                lambda: venue.broker.fills(""),
                venue.broker.accounts,
            ):
                with pytest.raises(OutcomeUnknown):
                    await ask()
            venue.plan.heal()
            await venue.wait(60)
            assert len(await venue.broker.fills("")) == 1

        self.play(scenario)

    def test_a_read_that_fails_once_is_asked_again(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            await venue.broker.place(self.order())
            venue.plan.script(Channel.READ, OrderFault.LOST_ANSWER)
            assert await venue.broker.find(self.order()) is not None

        self.play(scenario)

    def test_fills_are_told_once_whatever_becomes_of_messages(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            messages = (OrderFault.DUPLICATED, OrderFault.REORDERED, OrderFault.LOST_MESSAGE)
            venue.plan.script(Channel.MESSAGE, *messages * 2, OrderFault.DROPPED)
            told: list[Fill] = []
            for name in ("one", "two", "three", "four"):
                await venue.broker.place(self.order(name, quantity=self.quantity / 10))
                await venue.trade(self.price)
                await venue.wait(60)
                told += await venue.broker.fills(told[-1].id if told else "")
            assert [fill.order_id for fill in told] == ["one", "two", "three", "four"]
            assert await venue.broker.fills("") == told

        self.play(scenario)

    def test_a_market_order_trades_and_ends(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            await venue.trade(self.price)
            await venue.broker.place(self.order(price=None, quantity=self.quantity / 2))
            await venue.trade(self.price)
            bought = await venue.broker.fills("")
            held = sum(fill.quantity for fill in bought)
            assert held > 0
            found = await venue.broker.find(self.order())
            assert found is not None
            assert (found.state, found.filled_quantity) == (OrderState.FILLED, held)
            out = self.order("out", side=Side.SELL, price=None, quantity=held)
            await venue.broker.place(out)
            await venue.trade(self.price)
            sold = (await venue.broker.fills(""))[len(bought) :]
            assert sum(fill.quantity for fill in sold) == held
            with pytest.raises(OrderRejected):
                await venue.broker.place(self.order("again", side=Side.SELL, price=None))

        self.play(scenario)

    def test_no_secret_is_ever_shown(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        said: list[str] = []

        async def scenario(venue: RealVenue) -> None:
            for fault in (None, *NEVER_CAME, *CAME, OrderFault.BUSY, OrderFault.MAINTENANCE):
                venue.plan.script(Channel.ORDER, fault)
                one = self.order(f"o{len(said)}", quantity=self.quantity / 10)
                said.append(await _error_of(lambda one=one: venue.broker.place(one)))  # type: ignore[misc]
            venue.plan.script(Channel.READ, *[OrderFault.REVOKED] * PERSISTENT)
            said.append(await _error_of(venue.broker.accounts))
            said.append(f"{venue.broker!r} {vars(venue.broker)!r}")
            for secret in venue.secrets:
                assert secret.encode() not in venue.written()
                assert secret not in "\n".join([*said, caplog.text])

        self.play(scenario)

    async def place_in_doubt(self, venue: RealVenue, fault: OrderFault) -> None:
        """Place an order under a fault that leaves it in doubt, with one request."""
        venue.plan.script(Channel.ORDER, fault)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place(self.order())
        assert venue.orders_sent == 1

    async def settled(self, venue: RealVenue, one: Order) -> BrokerOrder | None:
        """Return what the broker knows, asked until it is sure; it must be within some minutes."""
        for _ in range(60):
            try:
                return await venue.broker.find(one)
            except OutcomeUnknown:
                await venue.wait(5)
        raise AssertionError("the broker never became sure")


async def _error_of(ask: Callable[[], Awaitable[object]]) -> str:
    try:
        await ask()
    except OrderError as error:
        return f"{error} {error!r}"
    return ""
