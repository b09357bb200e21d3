"""What brokers promise about orders that were made elsewhere: `class TestMine(ForeignContract)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from brokers.broker import Adoption, ForeignOrders, OpenOrder, OpenOrders
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState
from sandbox.order_faults import Channel, OrderFault
from tests.contracts.real_broker_contract import PERSISTENT, RealBrokerContract, RealVenue

if TYPE_CHECKING:
    from brokers.broker import Broker


class ForeignContract(RealBrokerContract):
    """The promises of `ForeignOrders`, on top of those of brokers of real venues."""

    def test_of_an_adopted_order_only_what_trades_from_then_on_is_ours(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            part = self.quantity / 10
            venue.by_hand(self.order())
            await venue.trade_some(self.price, 3 * part)
            found, adoption = await self.adopted(venue)
            assert (found.quantity, adoption.traded) == (self.quantity, 3 * part)
            assert await venue.broker.fills("") == []
            stands = await venue.broker.find(self.order())
            assert stands is not None
            assert stands.broker_order_id == found.broker_order_id
            assert stands.filled_quantity == 0
            await venue.trade_some(self.price, 2 * part)
            told = await venue.broker.fills("")
            await venue.restart()
            await venue.trade(self.price)
            told += await venue.broker.fills(told[-1].id)
            assert [fill.quantity for fill in told] == [2 * part, 5 * part]
            assert {fill.order_id for fill in told} == {"one"}
            whole = self.quantity * self.price
            assert all(0 <= fill.cost <= whole / 100 for fill in told)
            ended = await venue.broker.find(self.order())
            assert ended is not None
            assert (ended.state, ended.filled_quantity) == (OrderState.FILLED, 7 * part)
            assert venue.orders_sent == 0

        self.play(scenario)

    def test_an_adopted_order_can_be_cancelled_as_ours(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            venue.by_hand(self.order())
            found, _ = await self.adopted(venue)
            await venue.restart()
            await venue.broker.cancel(self.order())
            ended = await venue.broker.find(self.order())
            assert ended is not None
            assert (ended.state, ended.broker_order_id) == (
                OrderState.CANCELED,
                found.broker_order_id,
            )
            assert await self.resting(venue.broker) == []

        self.play(scenario)

    def test_what_rests_no_more_is_neither_adopted_nor_cancelled(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            venue.by_hand(self.order())
            (found,) = await self.resting(venue.broker)
            await venue.trade(self.price)
            broker = self.foreign(venue.broker)
            with pytest.raises(OrderRejected):
                await broker.adopt(found, self.order())
            with pytest.raises(OrderRejected):
                await broker.cancel_foreign(found)
            assert await venue.broker.fills("") == []

        self.play(scenario)

    def test_an_order_is_adopted_once(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            venue.by_hand(self.order())
            _, adoption = await self.adopted(venue)
            with pytest.raises(OrderRejected):
                await venue.store.write(adoption.keep)

        self.play(scenario)

    @pytest.mark.parametrize(
        "fault", [None, OrderFault.LOST_REQUEST, OrderFault.LOST_ANSWER, OrderFault.ODD_ANSWER]
    )
    def test_a_cancel_of_an_order_made_elsewhere_is_one_request(
        self, fault: OrderFault | None
    ) -> None:
        async def scenario(venue: RealVenue) -> None:
            venue.by_hand(self.order())
            (found,) = await self.resting(venue.broker)
            if fault is None:
                await self.foreign(venue.broker).cancel_foreign(found)
            else:
                venue.plan.script(Channel.ORDER, fault)
                with pytest.raises(OutcomeUnknown):
                    await self.foreign(venue.broker).cancel_foreign(found)
            left = await self.resting(venue.broker)
            assert left == ([found] if fault is OrderFault.LOST_REQUEST else [])

        self.play(scenario)

    def test_a_venue_that_cannot_be_asked_adopts_nothing(self) -> None:
        async def scenario(venue: RealVenue) -> None:
            venue.by_hand(self.order())
            (found,) = await self.resting(venue.broker)
            venue.plan.script(Channel.READ, *[OrderFault.LOST_REQUEST] * PERSISTENT)
            with pytest.raises(OutcomeUnknown):
                await self.foreign(venue.broker).adopt(found, self.order())

        self.play(scenario)

    async def adopted(self, venue: RealVenue) -> tuple[OpenOrder, Adoption]:
        """Adopt the one order that rests as `order()`, as the desk does it."""
        (found,) = await self.resting(venue.broker)
        adoption = await self.foreign(venue.broker).adopt(found, self.order())
        await venue.store.write(adoption.keep)
        return found, adoption

    async def resting(self, broker: Broker) -> list[OpenOrder]:
        """Return what rests at the venue."""
        assert isinstance(broker, OpenOrders)
        return await broker.open_orders()

    def foreign(self, broker: Broker) -> ForeignOrders:
        """Return the broker as one that takes orders made elsewhere."""
        assert isinstance(broker, ForeignOrders)
        return broker
