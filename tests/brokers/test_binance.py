"""What only Binance asks of its broker: clocks, windows, memory, modes, fees, two markets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from brokers.binance import BinanceBroker
from brokers.binance_poll import SURE_AFTER_MS
from brokers.broker import BROKERS, BrokerParts, Closing, Holdings, Live, OpenOrders, Ticks
from config.settings import Settings
from market.errors import ConfigError, OutcomeUnknown
from market.grid import Grid
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.binance_house import SPOT_ID, BinanceHouse, Run, refusal, runner, spot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def test_binance_is_registered_and_has_all_the_optional_ports(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        for port in (OpenOrders, Holdings, Ticks, Live, Closing):
            assert isinstance(house.broker, port)

    assert "binance" in BROKERS
    run(scenario)


def test_without_keys_there_is_no_broker(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        parts = BrokerParts(house.store, house.http, Settings(), house.clock, house.clock, {})
        with pytest.raises(ConfigError, match="TICKTALK_BINANCE_API_KEY"):
            BinanceBroker(parts)

    run(scenario)


@pytest.mark.parametrize("ahead", [-3600, -4, 4, 3600])
def test_a_clock_that_is_wrong_from_the_start_is_made_up_for(run: Run, ahead: int) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.venue_clock.ahead = timedelta(seconds=ahead)
        await house.broker.place(spot())
        found = await house.broker.find(spot())
        assert found is not None

    run(scenario)


def test_a_clock_that_goes_wrong_is_measured_anew_and_the_read_asked_once_more(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        house.venue_clock.ahead = timedelta(seconds=30)
        house.exchange.asked.clear()
        assert await house.broker.find(spot()) is not None
        assert len(house.asked("GET /api/v3/time")) == 1
        assert len(house.asked("GET /api/v3/order")) == 2

    run(scenario)


def test_an_order_refused_for_its_time_was_not_executed_and_is_not_sent_again(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot("first", quantity=Decimal(1)))
        house.venue_clock.ahead = timedelta(seconds=30)
        assert await refusal(house.broker.place(spot(quantity=Decimal(1)))) == "clock"
        assert house.orders_sent == 2
        await house.broker.place(spot("next", quantity=Decimal(1)))
        assert house.orders_sent == 3
        assert await house.broker.find(spot()) is None

    run(scenario)


def test_a_request_that_arrives_after_its_window_is_never_executed(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.plan.late_by = timedelta(seconds=6)
        house.plan.script(Channel.ORDER, OrderFault.LATE_REQUEST)
        with pytest.raises(OutcomeUnknown):
            await house.broker.place(spot())
        await house.wait(SURE_AFTER_MS / 1000)
        assert await house.broker.find(spot()) is None
        assert house.spot.orders == []

    run(scenario)


@pytest.mark.parametrize("is_killed", [False, True])
def test_absent_is_said_only_when_nothing_can_be_under_way(run: Run, *, is_killed: bool) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.plan.script(Channel.ORDER, OrderFault.LOST_REQUEST)
        with pytest.raises(OutcomeUnknown):
            await house.broker.place(spot())
        if is_killed:
            await house.restart()
        await house.wait(SURE_AFTER_MS / 1000 - 0.001)
        with pytest.raises(OutcomeUnknown):
            await house.broker.find(spot())
        await house.wait(0.001)
        assert await house.broker.find(spot()) is None
        assert await refusal(house.broker.place(spot())) == "duplicate"
        assert house.orders_sent == 1

    run(scenario)


def test_the_venue_would_take_an_id_again_and_we_never_do(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        await house.broker.cancel(spot())
        await house.wait(30 * 86_400)
        assert await refusal(house.broker.place(spot())) == "duplicate"
        assert house.orders_sent == 1

    run(scenario)


def test_an_id_that_the_venue_has_open_is_asked_for_after_our_files_were_lost(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        await house.store.write(lambda tx: tx.documents.delete("binance/order/tt-one"))
        assert await refusal(house.broker.place(spot(quantity=Decimal(1)))) == "duplicate"
        found = await house.broker.find(spot())
        assert found is not None
        await house.trade(Decimal(70_000))
        (fill,) = await house.broker.fills("")
        assert fill.quantity == 10

    run(scenario)


def test_filters_refuse_before_anything_is_sent(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        odd = spot(price=Decimal("70000.05"))
        assert await refusal(house.broker.place(odd)) == "price"
        assert await refusal(house.broker.place(spot(quantity=Decimal("0.0005")))) == "quantity"
        unknown = spot(instrument="BINANCE:NOSUCHUSDT")
        assert await refusal(house.broker.place(unknown)) == "instrument"
        assert await refusal(house.broker.place(spot("x" * 40))) == "client_id"
        assert house.orders_sent == 0
        assert len(house.asked("GET /api/v3/exchangeInfo?symbol=BTCUSDT")) == 1
        assert await house.broker.tick_size(SPOT_ID, Decimal(1)) == Decimal("0.10")
        assert await house.broker.grid(SPOT_ID) == Grid(
            Decimal("0.10"), Decimal("0.001"), Decimal(5)
        )

    run(scenario)


def test_filters_that_have_changed_are_asked_for_again_after_a_refusal(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot("first", quantity=Decimal(1)))
        coarse = house.rules["BTCUSDT"]
        house.rules["BTCUSDT"] = type(coarse)(tick=Decimal(500))
        odd = spot(price=Decimal(70_100), quantity=Decimal(1))
        assert await refusal(house.broker.place(odd)) == "price"
        assert house.orders_sent == 2
        assert await refusal(house.broker.place(odd)) == "price"
        assert house.orders_sent == 2

    run(scenario)


def test_a_venue_that_wants_to_be_left_alone_gets_no_order(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot("first", quantity=Decimal(1)))
        house.exchange.weights[False].ban(house.venue_clock.now())
        assert await refusal(house.broker.place(spot("two", quantity=Decimal(1)))) == "busy"
        sent = house.orders_sent
        assert await refusal(house.broker.place(spot("three", quantity=Decimal(1)))) == "busy"
        assert house.orders_sent == sent

    run(scenario)


def test_what_has_to_be_known_first_and_cannot_be_is_busy(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.plan.script(Channel.READ, *[OrderFault.BROKEN_BEFORE] * 40)
        assert await refusal(house.broker.place(spot())) == "busy"
        assert house.orders_sent == 0
        house.plan.heal()
        assert await house.broker.find(spot()) is None
        await house.broker.place(spot())

    run(scenario)


def test_a_kill_while_the_request_is_under_way_leaves_a_trace(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot("first", quantity=Decimal(1)))

        async def hang(request: httpx.Request) -> httpx.Response:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        begun = asyncio.Event()
        house.broker._markets["USDT"].api._client = httpx.AsyncClient(
            transport=httpx.MockTransport(hang)
        )
        placing = asyncio.create_task(house.broker.place(spot(quantity=Decimal(1))))
        await begun.wait()
        placing.cancel()
        await asyncio.wait({placing})
        await house.restart()
        assert await refusal(house.broker.place(spot(quantity=Decimal(1)))) == "duplicate"

    run(scenario)


def test_a_cancel_tells_what_has_ended_from_what_never_was(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        assert await refusal(house.broker.cancel(spot())) == "unknown_order"
        await house.broker.place(spot())
        await house.broker.cancel(spot())
        assert await refusal(house.broker.cancel(spot())) == "closed"

    run(scenario)
