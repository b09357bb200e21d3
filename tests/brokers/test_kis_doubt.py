"""Orders that nobody answered for: found by their fingerprint, surely absent, or for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from brokers.kis_book import KisBook
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import Order, OrderState, Side
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.kis_venue import KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from pathlib import Path

    from brokers.kis_book import Sent


async def doubted(venue: KisVenue, fault: OrderFault, one: Order | None = None) -> None:
    """Place an order whose answer never comes."""
    venue.plan.script(Channel.ORDER, fault)
    with pytest.raises(OutcomeUnknown):
        await venue.broker.place(order() if one is None else one)


async def unsure(venue: KisVenue, code: str, one: Order | None = None) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await venue.broker.find(order() if one is None else one)
    assert caught.value.code == code


async def kept(venue: KisVenue, name: str = "one") -> Sent:
    found = await venue.store.read(lambda tx: KisBook(tx, "real").get(f"tt-{name}"))
    assert found is not None
    return found


def test_a_request_under_way_is_not_absent_before_its_time(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_REQUEST)
        await unsure(venue, "unsettled")
        await venue.wait(29)
        await unsure(venue, "unsettled")
        await venue.wait(1)
        assert await venue.broker.find(order()) is None

    run(tmp_path, scenario)


def test_after_a_kill_the_waiting_counts_from_when_we_would_have_given_up(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_REQUEST)
        sent = await kept(venue)
        await venue.store.write(lambda tx: KisBook(tx, "real").put(replace(sent, over_at=None)))
        await venue.restart()
        await venue.wait(31)
        await unsure(venue, "unsettled")
        await venue.wait(5)
        assert await venue.broker.find(order()) is None

    run(tmp_path, scenario)


def test_an_absent_order_stays_absent_and_cannot_be_sent_again(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_REQUEST)
        await venue.wait(60)
        assert await venue.broker.find(order()) is None
        venue.by_hand(order())
        assert await venue.broker.find(order()) is None
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order())
        assert caught.value.code == "duplicate"

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": Decimal(9)},
        {"price": Decimal(69_900)},
        {"side": Side.SELL},
        {"instrument": "KRX:000660"},
    ],
    ids=["quantity", "price", "side", "code"],
)
def test_an_order_that_differs_is_not_taken_for_ours(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.account.place(
            Side.BUY,
            {
                "PDNO": "005930",
                "ORD_DVSN": "00",
                "ORD_QTY": "1",
                "ORD_UNPR": "70000",
                "EXCG_ID_DVSN_CD": "KRX",
            },
        )
        venue.account.trade("005930", Decimal(70_000))
        venue.account.holdings["005930"].quantity = 20
        await doubted(venue, OrderFault.LOST_REQUEST)
        venue.by_hand(order(**change))
        await venue.wait(60)
        assert await venue.broker.find(order()) is None

    run(tmp_path, scenario)


def test_an_order_of_ours_is_not_taken_for_another(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        small = {"quantity": Decimal(1)}
        first = await venue.broker.place(order("first", **small))
        await doubted(venue, OrderFault.LOST_REQUEST, order("second", **small))
        await venue.wait(60)
        assert await venue.broker.find(order("second", **small)) is None
        found = await venue.broker.find(order("first", **small))
        assert found is not None
        assert found.broker_order_id == first

    run(tmp_path, scenario)


def test_two_orders_alike_are_for_a_person_to_tell_apart(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        small = order(quantity=Decimal(1))
        await doubted(venue, OrderFault.LOST_ANSWER, small)
        by_hand = venue.by_hand(small)
        await venue.wait(60)
        await unsure(venue, "ambiguous", small)
        await venue.trade(70_000)
        assert await venue.broker.fills("") == []
        offered = await venue.broker.candidates(small)
        assert [one.broker_order_id[-10:] for one in offered] == ["0000000001", by_hand]
        await venue.broker.settle(small, offered[0].broker_order_id)
        (fill,) = await venue.broker.fills("")
        assert fill.order_id == "one"
        found = await venue.broker.find(small)
        assert found is not None
        assert found.state is OrderState.FILLED
        assert await venue.broker.candidates(small) == []

    run(tmp_path, scenario)


def test_a_person_can_say_that_none_of_them_is_ours(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_REQUEST)
        with pytest.raises(OrderRejected):
            await venue.broker.settle(order(), "06590-0000000009")
        with pytest.raises(OutcomeUnknown):  # its request may still be under way
            await venue.broker.settle(order(), None)
        await venue.wait(60)
        await venue.broker.settle(order(), None)
        assert await venue.broker.find(order()) is None
        with pytest.raises(OrderRejected):
            await venue.broker.settle(order("other"), None)

    run(tmp_path, scenario)


def test_an_order_alike_about_that_time_makes_us_doubt_the_clock(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.by_hand(order(quantity=Decimal(1)))
        await venue.wait(120)
        await doubted(venue, OrderFault.LOST_REQUEST, order(quantity=Decimal(1)))
        await venue.wait(60)
        await unsure(venue, "ambiguous", order(quantity=Decimal(1)))

    run(tmp_path, scenario)


def test_an_order_alike_long_before_does_not_matter(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.by_hand(order(quantity=Decimal(1)))
        await venue.wait(3600)
        await doubted(venue, OrderFault.LOST_REQUEST, order(quantity=Decimal(1)))
        await venue.wait(60)
        assert await venue.broker.find(order(quantity=Decimal(1))) is None

    run(tmp_path, scenario)


def test_two_doubts_alike_of_which_one_came_are_for_a_person(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        one, two = (order(name, quantity=Decimal(1)) for name in ("one", "two"))
        await doubted(venue, OrderFault.LOST_REQUEST, one)
        await doubted(venue, OrderFault.LOST_ANSWER, two)
        await venue.wait(60)
        await unsure(venue, "ambiguous", one)
        await unsure(venue, "ambiguous", two)

    run(tmp_path, scenario)


def test_two_doubts_alike_of_which_both_came_are_both_found(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        one, two = (order(name, quantity=Decimal(1)) for name in ("one", "two"))
        await doubted(venue, OrderFault.LOST_ANSWER, one)
        await doubted(venue, OrderFault.BROKEN_AFTER, two)
        await unsure(venue, "unsettled", one)
        await venue.wait(60)
        found = [await venue.broker.find(each) for each in (one, two)]
        numbers = {each.broker_order_id for each in found if each is not None}
        assert len(numbers) == 2
        await venue.trade(70_000)
        assert {fill.order_id for fill in await venue.broker.fills("")} == {"one", "two"}

    run(tmp_path, scenario)


def test_an_order_is_found_although_the_clocks_differ_a_little(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_ANSWER)
        venue.account.orders[0].at -= timedelta(seconds=4)
        assert await venue.broker.find(order()) is not None

    run(tmp_path, scenario)


def test_a_sending_that_is_under_way_here_is_not_looked_for(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_REQUEST)
        venue.broker._placing.in_flight.add("tt-one")
        await venue.wait(60)
        await unsure(venue, "unsettled")

    run(tmp_path, scenario)


def test_an_order_in_doubt_can_be_found_on_a_later_day(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await doubted(venue, OrderFault.LOST_ANSWER)
        await venue.trade(70_000)
        await venue.wait(86_400)
        await venue.restart()
        (fill,) = await venue.broker.fills("")
        assert fill.order_id == "one"
        assert fill.at < venue.clock.now() - timedelta(hours=20)

    run(tmp_path, scenario)
