"""Stops at KIS: stop-limit orders of the day, known again like every order there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
import pytest

from brokers.broker import BrokerOrder, Protective
from brokers.kis_book import KisBook
from brokers.kis_stops import stop_prices
from market.errors import OrderRejected, OutcomeUnknown
from market.known import remember
from market.orders import OrderState, Side
from market.sessions import KST
from market.types import Instrument, Kind, Venue
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.kis_venue import KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from pathlib import Path

TRIGGER = Decimal(67_950)
STOP = order("stop", side=Side.SELL, price=None)


async def bought(venue: KisVenue) -> None:
    """Hold ten shares bought at 70,000."""
    await venue.broker.place(order("entry"))
    await venue.trade(70_000)
    assert len(await venue.broker.fills("")) == 1


async def seen(venue: KisVenue) -> BrokerOrder:
    found = await venue.broker.find(STOP)
    assert found is not None
    return found


async def sold(venue: KisVenue) -> list[tuple[Decimal, Decimal]]:
    fills = [one for one in await venue.broker.fills("") if one.order_id == "stop"]
    return [(one.quantity, one.price) for one in fills]


async def until(venue: KisVenue, moment: datetime) -> None:
    await venue.wait((moment - venue.clock.now()).total_seconds())


def test_a_stop_is_a_limit_two_percent_beyond_its_trigger(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert isinstance(venue.broker, Protective)
        assert venue.broker.takes_stops(STOP.instrument)
        assert not venue.broker.takes_stops("UPBIT:KRW-BTC")
        await bought(venue)
        await venue.broker.place_stop(STOP, TRIGGER)
        body = orjson.loads(venue.wire.requests[-1].content)
        assert (body["ORD_DVSN"], body["CNDT_PRIC"]) == ("22", "67900")  # on the tick below
        assert (body["ORD_UNPR"], body["ORD_QTY"], body["SLL_TYPE"]) == ("66500", "10", "01")

    run(tmp_path, scenario)


def test_it_rests_is_triggered_and_its_trades_are_its_fills(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        await venue.broker.place_stop(STOP, TRIGGER)
        await venue.trade(68_000)
        assert (await seen(venue)).state is OrderState.ACCEPTED
        (resting,) = await venue.broker.open_orders()
        assert (resting.client_order_id, resting.quantity) == ("tt-stop", Decimal(10))
        await venue.trade(67_900, most=4)
        assert (await seen(venue)).state is OrderState.PARTIALLY_FILLED
        assert len(await sold(venue)) == 1
        await venue.restart()
        await venue.trade(67_000)
        assert await sold(venue) == [(Decimal(4), Decimal(67_900)), (Decimal(6), Decimal(67_000))]
        assert (await seen(venue)).state is OrderState.FILLED
        assert await venue.broker.positions() == []

    run(tmp_path, scenario)


def test_below_its_limit_it_rests_and_can_be_taken_away(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        await venue.broker.place_stop(STOP, TRIGGER)
        await venue.trade(66_000)  # fell through
        assert await sold(venue) == []
        await venue.broker.cancel(STOP)
        assert (await seen(venue)).state is OrderState.CANCELED
        await venue.trade(67_000)
        assert await sold(venue) == []

    run(tmp_path, scenario)


def test_a_stop_sets_its_shares_aside(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        await venue.broker.place_stop(STOP, TRIGGER)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order("sale", side=Side.SELL, price=None))
        assert caught.value.code == "no_position"

    run(tmp_path, scenario)


def test_a_stop_whose_price_has_come_already_is_refused(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place_stop(STOP, Decimal(70_100))
        assert caught.value.code == "price"
        assert await venue.broker.find(STOP) is None

    run(tmp_path, scenario)


@pytest.mark.parametrize("fault", [OrderFault.LOST_REQUEST, OrderFault.LOST_ANSWER])
def test_one_that_was_never_answered_is_known_by_its_trigger_too(
    tmp_path: Path, fault: OrderFault
) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        limit = {"side": Side.SELL, "price": Decimal(66_500), "quantity": Decimal(10)}
        venue.plan.script(Channel.ORDER, fault)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place_stop(STOP, TRIGGER)
        if fault is OrderFault.LOST_REQUEST:
            venue.by_hand(order("hand", **limit))  # all alike but the trigger
        await venue.restart()
        await venue.wait(31)
        await venue.broker.fills("")
        found = await venue.broker.find(STOP)
        assert (found is None) == (fault is OrderFault.LOST_REQUEST)

    run(tmp_path, scenario)


def test_a_limit_in_doubt_is_never_taken_for_a_stop(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        await venue.broker.place_stop(STOP, TRIGGER)
        placed = venue.account.orders[-1]
        venue.account.orders.remove(placed)
        venue.plan.script(Channel.ORDER, OrderFault.LOST_REQUEST)
        limit = order("limit", side=Side.SELL, price=Decimal(66_500))
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place(limit)
        foreign = replace(placed, number="0000000099", at=venue.clock.now())
        venue.account.orders.append(foreign)
        await venue.wait(31)
        assert await venue.broker.find(limit) is None

    run(tmp_path, scenario)


def test_it_ends_with_the_regular_session(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await bought(venue)
        await venue.broker.place_stop(STOP, TRIGGER)
        await until(venue, datetime(2026, 11, 24, 15, 39, tzinfo=KST))
        assert (await seen(venue)).state is OrderState.ACCEPTED
        await until(venue, datetime(2026, 11, 24, 15, 41, tzinfo=KST))
        assert (await seen(venue)).state is OrderState.EXPIRED

    run(tmp_path, scenario)


def test_a_virtual_account_takes_none(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert not venue.broker.takes_stops(STOP.instrument)

    run(tmp_path, scenario, is_virtual=True)


def test_prices_are_on_the_ticks_of_what_is_sold(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        fund = Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)
        await venue.store.write(lambda tx: remember(tx, fund))
        one = order("stop", instrument=fund.id, side=Side.SELL)
        found = await venue.store.read(lambda tx: stop_prices(tx, one, Decimal("33333.3")))
        assert found == (Decimal(33_330), Decimal(32_660))
        cover = order("stop", instrument=fund.id, side=Side.BUY)
        found = await venue.store.read(lambda tx: stop_prices(tx, cover, Decimal("33333.3")))
        assert found == (Decimal(33_335), Decimal(34_005))

    run(tmp_path, scenario)


def test_orders_that_were_kept_before_there_were_stops_are_read(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order("entry"))
        key = "kis/real/order/tt-entry"

        def forget(tx: object) -> None:
            documents = tx.documents  # type: ignore[attr-defined]  # a transaction
            kept = documents.get(key)
            documents.put(key, {name: kept[name] for name in kept if name != "trigger"})

        await venue.store.write(forget)
        sent = await venue.store.read(lambda tx: KisBook(tx, "real").get("tt-entry"))
        assert sent is not None
        assert sent.trigger is None

    run(tmp_path, scenario)
