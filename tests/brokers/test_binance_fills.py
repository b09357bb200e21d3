"""Trades of our orders: every one, once, in their order, with what they cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from brokers.binance_journal import Journal
from market.errors import OutcomeUnknown
from market.orders import OrderState, Side
from sandbox.binance_faults import Fault
from sandbox.binance_order_types import Wish
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.binance_house import (
    FUTURES_ID,
    SPOT_ID,
    BinanceHouse,
    Run,
    futures,
    runner,
    spot,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def foreign(name: str = "web_1", quantity: int = 1, price: int = 70_000) -> Wish:
    return Wish("BTCUSDT", "BUY", Decimal(quantity), Decimal(price), name)


async def quantities(house: BinanceHouse, after: str = "") -> list[Decimal]:
    return [fill.quantity for fill in await house.broker.fills(after)]


@pytest.mark.parametrize("orders", ["spot", "futures"])
def test_every_part_of_an_order_is_told_as_it_trades(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        one = spot() if orders == "spot" else futures()
        await house.broker.place(one)
        await house.trade(Decimal(70_000), volume=4)
        assert await quantities(house) == [4]
        found = await house.broker.find(one)
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.PARTIALLY_FILLED, Decimal(4))
        await house.restart()
        await house.trade(Decimal(69_900), volume=5)
        first, second = await house.broker.fills("")
        assert await house.broker.fills(first.id) == [second]
        await house.broker.cancel(one)
        assert await quantities(house) == [4, 5]
        found = await house.broker.find(one)
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.CANCELED, Decimal(9))

    run(scenario, orders)


def test_a_list_of_trades_that_is_behind_loses_none(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        await house.trade(Decimal(70_000), volume=4)
        await house.trade(Decimal(70_000))
        first, second = (trade.id for trade in house.spot.trades)
        house.spot.unseen = {first, second}
        assert await quantities(house) == []
        house.spot.unseen = {first}
        assert await quantities(house) == [6]
        await house.restart()
        house.spot.unseen = set()
        assert await quantities(house) == [6, 4]
        house.exchange.asked.clear()
        assert await quantities(house) == [6, 4]
        assert house.exchange.asked == []  # all is here, nobody is asked any more

    run(scenario)


def test_trades_of_several_orders_are_told_in_the_order_of_their_time(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.spot_account.balances["BTC"] = Decimal(1)
        sale = spot("sale", side=Side.SELL, quantity=Decimal(1), price=Decimal(71_000))
        await house.broker.place(sale)
        await house.wait(1)
        await house.broker.place(spot("buy", quantity=Decimal(1)))
        await house.trade(Decimal(70_000))
        await house.trade(Decimal(71_000))
        fills = await house.broker.fills("")
        assert [fill.order_id for fill in fills] == ["buy", "sale"]
        assert [fill.id for fill in fills] == sorted(fill.id for fill in fills)

    run(scenario)


def test_trades_that_are_not_ours_are_not_told(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.spot.place(foreign())
        await house.broker.place(spot())
        await house.trade(Decimal(70_000))
        assert await quantities(house) == [10]

    run(scenario)


def test_more_trades_than_a_page_holds_are_all_taken(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        for _ in range(2_300):
            house.spot.catch_up()
            house.spot._fill(house.spot.orders[0], Decimal("0.001"), Decimal(70_000), is_maker=True)
        fills = await house.broker.fills("")
        assert len(fills) == 2_300
        assert sum(fill.quantity for fill in fills) == Decimal("2.3")
        assert len(house.asked("GET /api/v3/myTrades")) == 3

    run(scenario)


def test_trades_of_futures_older_than_a_week_are_looked_for(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(futures())
        await house.trade(Decimal(70_000), volume=4)
        await house.wait(20 * 86_400)
        await house.trade(Decimal(70_000), volume=6)
        assert await quantities(house) == [4, 6]

    run(scenario, "futures")


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_fee_taken_from_the_coins_is_a_cost_and_not_held(run: Run, *, is_killed: bool) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.spot.maker_fee = Decimal("0.001")
        await house.broker.place(spot())
        await house.trade(Decimal(70_000), volume=4)
        found = await house.broker.find(spot())
        assert found is not None
        assert found.filled_quantity == 4  # more than any fill has told yet
        await house.broker.fills("")
        await house.broker.cancel(spot())
        if is_killed:
            await house.restart()
        (fill,) = await house.broker.fills("")
        assert (fill.quantity, fill.price, fill.cost) == (
            Decimal("3.996"),
            Decimal(70_000),
            Decimal(280),
        )
        (held,) = await house.broker.positions()
        assert held.quantity == fill.quantity
        found = await house.broker.find(spot())
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.CANCELED, fill.quantity)

    run(scenario)


def test_what_is_left_after_fees_can_be_sold(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.spot.maker_fee = house.spot.taker_fee = Decimal("0.001")
        await house.broker.place(spot(quantity=Decimal("0.002")))
        await house.trade(Decimal(70_000))
        (fill,) = await house.broker.fills("")
        assert fill.quantity == Decimal("0.001998")
        out = spot("out", side=Side.SELL, price=None, quantity=fill.quantity)
        await house.broker.place(out)
        assert house.spot.orders[-1].quantity == Decimal("0.001")
        (sold,) = await house.broker.fills(fill.id)
        assert (sold.quantity, sold.cost) == (Decimal("0.001"), Decimal("0.07"))
        found = await house.broker.find(out)
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.FILLED, sold.quantity)

    run(scenario)


def test_a_fee_in_bnb_is_told_in_usdt_at_its_price_then(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.spot.maker_fee = Decimal("0.001")
        house.spot_account.bnb_price = Decimal(600)
        await house.broker.place(spot())
        await house.trade(Decimal(70_000))
        (fill,) = await house.broker.fills("")
        (asked,) = house.klines()
        assert "symbol=BNBUSDT" in asked
        assert Decimal(500) < fill.cost < Decimal(900)
        await house.restart()
        assert await house.broker.fills("") == [fill]

    run(scenario)


def test_a_fee_whose_price_cannot_be_asked_holds_the_fill_back_until_it_can(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.spot.maker_fee = Decimal("0.001")
        house.spot_account.bnb_price = Decimal(600)
        await house.broker.place(spot())
        await house.trade(Decimal(70_000))
        house.wires.faults.fault = Fault.PAGE
        with pytest.raises(OutcomeUnknown):
            await house.broker.fills("")
        house.wires.faults.fault = None
        assert await quantities(house) == [10]

    run(scenario)


def test_one_market_that_does_not_answer_does_not_hold_back_the_other(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot("s", quantity=Decimal(1)))
        await house.broker.place(spot("t", quantity=Decimal(1)))
        await house.wait(1)
        await house.broker.place(futures("f", quantity=Decimal(1)))
        await house.trade(Decimal(70_000))
        house.exchange.asked.clear()
        house.plan.script(Channel.READ, *[OrderFault.BROKEN_BEFORE] * 3)
        (fill,) = await house.broker.fills("")
        assert fill.instrument == FUTURES_ID
        assert len(house.asked("GET /api/v3/order")) == 3  # tried three times, and then let be
        assert len(await house.broker.fills(fill.id)) == 2

    run(scenario, "both")


def test_an_order_that_never_arrived_is_not_asked_about_for_ever(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.plan.script(Channel.ORDER, OrderFault.LOST_REQUEST)
        with pytest.raises(OutcomeUnknown):
            await house.broker.place(spot())
        await house.wait(599)
        assert await quantities(house) == []
        assert await house.store.read(lambda tx: len(Journal(tx).unsettled())) == 1
        await house.wait(2)
        assert await quantities(house) == []
        assert await house.store.read(lambda tx: Journal(tx).unsettled()) == []

    run(scenario)


def test_a_trade_that_both_markets_number_alike_is_two_fills(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot("s", quantity=Decimal(1)))
        await house.broker.place(futures("f", quantity=Decimal(1)))
        await house.trade(Decimal(70_000))
        numbers = [venue.trades[0].id for venue in (house.spot, house.futures)]
        assert numbers[0] == numbers[1]
        fills = await house.broker.fills("")
        assert {fill.instrument for fill in fills} == {SPOT_ID, FUTURES_ID}

    run(scenario, "both")


def test_ids_of_fills_grow_although_the_clock_goes_back(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        for name in ("one", "two"):
            await house.broker.place(spot(name, quantity=Decimal(1)))
        await house.trade(Decimal(70_000))
        first, second = await house.broker.fills("")
        assert first.id < second.id

        def put_ahead(journal: Journal) -> str:
            return journal._next_id(0)

        later = await house.store.write(lambda tx: put_ahead(Journal(tx)))
        assert later > second.id

    run(scenario)


@pytest.mark.parametrize("orders", ["spot", "futures"])
def test_all_that_rest_are_listed_and_ghosts_are_not(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        make, venue = (spot, house.spot) if orders == "spot" else (futures, house.futures)
        await house.broker.place(make("gone", quantity=Decimal(1)))
        await house.broker.cancel(make("gone"))
        await house.wait(1)
        venue.place(foreign())
        await house.wait(1)
        await house.broker.place(make("ours", quantity=Decimal(2), price=Decimal(69_000)))
        house.plan.script(Channel.READ, OrderFault.GHOST_ROW)
        theirs, ours = await house.broker.open_orders()
        assert (theirs.client_order_id, theirs.quantity) == ("web_1", Decimal(1))
        assert (ours.client_order_id, ours.price) == ("tt-ours", Decimal(69_000))
        assert ours.instrument == make().instrument
        assert theirs.at < ours.at

    run(scenario, orders)


@pytest.mark.parametrize("orders", ["spot", "futures"])
def test_rows_of_nothing_are_no_positions(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        make = spot if orders == "spot" else futures
        await house.broker.place(make())
        await house.trade(Decimal(70_000))
        await house.broker.place(make("out", side=Side.SELL, price=None))
        house.plan.script(Channel.READ, OrderFault.GHOST_ROW)
        assert await house.broker.positions() == []

    run(scenario, orders)
