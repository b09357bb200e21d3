"""Stops at Binance: they rest, are triggered once, and what they trade are fills of the stop."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from brokers.binance_stops import parse_algo, spot_parameters, to_step
from brokers.binance_streams import _client_id
from brokers.broker import Protective
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side
from sandbox.binance_order_types import Wish
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.binance_house import (
    FUTURES_ID,
    SPOT_ID,
    BinanceHouse,
    Run,
    futures,
    refusal,
    runner,
    spot,
)
from tests.brokers.test_binance_orders import FIXTURES, filters
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from pathlib import Path

    from brokers.broker import BrokerOrder
    from market.orders import Order

MARKETS = pytest.mark.parametrize("orders", ["spot", "futures"])
TRIGGER = Decimal("69000.07")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


async def bought(house: BinanceHouse, orders: str) -> Order:
    """Hold 10 at 70,000; return a sale of all of it that is to wait."""
    make = spot if orders == "spot" else futures
    await house.trade(Decimal(70_000))
    await house.broker.place(make("entry", price=None))
    assert len(await house.broker.fills("")) == 1
    return make("stop", side=Side.SELL, price=None)


async def seen(house: BinanceHouse, one: Order) -> BrokerOrder:
    found = await house.broker.find(one)
    assert found is not None
    return found


async def sold(house: BinanceHouse) -> list[tuple[str, Decimal, Decimal]]:
    fills = [one for one in await house.broker.fills("") if one.side is Side.SELL]
    return [(one.order_id, one.quantity, one.price) for one in fills]


def stops_sent(house: BinanceHouse) -> int:
    return len(house.asked("POST /fapi/v1/algoOrder?")) + sum(
        "stopPrice=" in one for one in house.asked("POST /api/v3/order?")
    )


@MARKETS
def test_a_stop_rests_is_triggered_once_and_its_trades_are_its_fills(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        assert isinstance(house.broker, Protective)
        assert house.broker.takes_stops(stop.instrument)
        await house.broker.place_stop(stop, TRIGGER)
        await house.trade(Decimal("69000.10"))  # the trigger is on the tick below
        assert (await seen(house, stop)).state is OrderState.ACCEPTED
        assert await sold(house) == []
        await house.trade(Decimal(69_000))
        await house.trade(Decimal(68_000))
        assert await sold(house) == [("stop", Decimal(10), Decimal(69_000))]
        found = await seen(house, stop)
        assert (found.state, found.filled_quantity) == (OrderState.FILLED, Decimal(10))
        await house.restart()
        assert await sold(house) == [("stop", Decimal(10), Decimal(69_000))]
        assert (await seen(house, stop)).state is OrderState.FILLED
        assert await house.broker.positions() == []
        assert stops_sent(house) == 1

    run(scenario, orders)


@MARKETS
def test_a_stop_that_triggers_while_nobody_is_there_is_told_afterwards(
    run: Run, orders: str
) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        await house.broker.place_stop(stop, TRIGGER)
        await house.trade(Decimal(68_500))
        await house.wait(86_400)
        await house.restart()
        assert await sold(house) == [("stop", Decimal(10), Decimal(68_500))]
        assert (await seen(house, stop)).state is OrderState.FILLED

    run(scenario, orders)


@MARKETS
def test_a_stop_that_was_cancelled_sells_nothing(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        await house.broker.place_stop(stop, TRIGGER)
        await house.broker.cancel(stop)
        assert (await seen(house, stop)).state is OrderState.CANCELED
        await house.trade(Decimal(68_000))
        assert await sold(house) == []
        assert await refusal(house.broker.cancel(stop)) == "closed"
        assert await refusal(house.broker.place_stop(stop, TRIGGER)) == "duplicate"

    run(scenario, orders)


@MARKETS
def test_the_cancel_of_a_triggered_stop_is_refused_and_its_fills_are_there(
    run: Run, orders: str
) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        await house.broker.place_stop(stop, TRIGGER)
        await house.trade(Decimal(69_000))
        assert await refusal(house.broker.cancel(stop)) == "closed"
        assert len(await sold(house)) == 1

    run(scenario, orders)


@MARKETS
@pytest.mark.parametrize("fault", [OrderFault.LOST_REQUEST, OrderFault.LOST_ANSWER])
def test_a_stop_that_was_never_answered_is_looked_for_by_its_id(
    run: Run, orders: str, fault: OrderFault
) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        house.plan.script(Channel.ORDER, fault)
        with pytest.raises(OutcomeUnknown):
            await house.broker.place_stop(stop, TRIGGER)
        await house.restart()
        await house.wait(11)
        found = await house.broker.find(stop)
        assert (found is None) == (fault is OrderFault.LOST_REQUEST)
        await house.trade(Decimal(69_000))
        assert len(await sold(house)) == (fault is OrderFault.LOST_ANSWER)
        assert stops_sent(house) == 1

    run(scenario, orders)


@MARKETS
def test_a_stop_whose_price_has_come_already_is_refused_and_not_kept(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        assert await refusal(house.broker.place_stop(stop, Decimal(71_000))) == "price"
        await house.wait(11)
        assert await house.broker.find(stop) is None
        await house.broker.place_stop(stop, TRIGGER)  # nothing of it was kept
        assert (await seen(house, stop)).state is OrderState.ACCEPTED

    run(scenario, orders)


def test_a_stop_of_futures_that_reduces_nothing_any_more_is_rejected(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, "futures")
        await house.broker.place_stop(stop, TRIGGER)
        await house.broker.place(futures("sale", side=Side.SELL, price=None))
        await house.trade(Decimal(68_000))
        assert (await seen(house, stop)).state is OrderState.REJECTED
        assert [one for one, _, _ in await sold(house)] == ["sale"]
        assert house.futures_account.held["BTCUSDT"].quantity == 0

    run(scenario, "futures")


@MARKETS
def test_stops_are_among_the_open_orders_and_foreign_ones_too(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, orders)
        number = await house.broker.place_stop(stop, TRIGGER)
        (found,) = await house.broker.open_orders()
        assert (found.broker_order_id, found.client_order_id) == (number, "tt-stop")
        assert (found.side, found.price, found.quantity) == (Side.SELL, None, Decimal(10))

    run(scenario, orders)


def test_a_foreign_stop_of_futures_can_be_cancelled_but_not_adopted(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await bought(house, "futures")
        made = Wish("BTCUSDT", "SELL", Decimal(3), None, "web_1", is_reduce_only=True)
        house.futures.algos.place(made, Decimal(69_000), None)
        (foreign,) = await house.broker.open_orders()
        assert foreign.client_order_id == "web_1"
        ours = futures("adopted", side=Side.SELL, price=None)
        assert await refusal(house.broker.adopt(foreign, ours)) == "other"
        await house.broker.cancel_foreign(foreign)
        assert await house.broker.open_orders() == []
        assert await refusal(house.broker.cancel_foreign(foreign)) == "closed"

    run(scenario, "futures")


def test_a_stop_of_spot_sets_its_coins_aside(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        stop = await bought(house, "spot")
        await house.broker.place_stop(stop, TRIGGER)
        sale = house.broker.place(spot("sale", side=Side.SELL, price=None))
        assert await refusal(sale) == "no_position"

    run(scenario)


def test_a_stop_tells_the_user_stream_what_becomes_of_it(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        told: list[str] = []
        house.futures.algos.listeners.append(
            lambda event: told.append(f"{_client_id(event)} {event['o']['X']}")
        )
        stop = await bought(house, "futures")
        await house.broker.place_stop(stop, TRIGGER)
        await house.trade(Decimal(69_000))
        assert told == ["tt-stop NEW", "tt-stop TRIGGERING", "tt-stop FINISHED"]

    run(scenario, "futures")


def test_the_documented_event_names_our_id() -> None:
    if not FIXTURES.is_dir():
        pytest.skip("the recorded answers are not beside this repository")
    name = "ws_futures_ALGO_UPDATE.official_example.json"
    told = json.loads((FIXTURES / name).read_text(encoding="utf-8"))
    assert _client_id(told) == "Q5xaq5EGKgXXa0fD7fs0Ip"


def test_a_symbol_without_stops_at_the_market_gets_one_with_a_limit_far_below() -> None:
    sale = order(instrument=SPOT_ID, side=Side.SELL, price=None)
    both = filters(order_types=frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT"}))
    assert spot_parameters(sale, Decimal(69_000), both)["type"] == "STOP_LOSS"
    limited = filters(order_types=frozenset({"STOP_LOSS_LIMIT"}))
    found = spot_parameters(sale, Decimal(69_000), limited)
    assert (found["type"], found["price"]) == ("STOP_LOSS_LIMIT", "65550")
    with pytest.raises(OrderRejected) as caught:
        spot_parameters(sale, Decimal(69_000), filters())
    assert caught.value.code == "no_stops"


@pytest.mark.parametrize(
    ("amount", "is_up", "expected"),
    [("100.04", False, "100.0"), ("100.04", True, "100.1"), ("100.1", True, "100.1")],
)
def test_amounts_on_a_grid(amount: str, expected: str, *, is_up: bool) -> None:
    assert to_step(Decimal(amount), Decimal("0.1"), up=is_up) == Decimal(expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"algoStatus": "SOMETHING"},
        {"algoStatus": "FINISHED"},
        {"side": "?"},
        {"algoId": "7"},
        {"quantity": None},
    ],
)
def test_nothing_is_concluded_from_an_odd_stop(changes: dict[str, object]) -> None:
    row = {
        "algoId": 7,
        "clientAlgoId": "tt-one",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "1",
        "algoStatus": "NEW",
        "actualOrderId": "",
        "createTime": 1,
    }
    assert parse_algo(row).order.state is OrderState.ACCEPTED
    with pytest.raises(OutcomeUnknown):
        parse_algo({**row, **changes})


def test_stops_go_where_orders_may_go(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        assert house.broker.takes_stops(SPOT_ID)
        assert not house.broker.takes_stops(FUTURES_ID)

    run(scenario)
