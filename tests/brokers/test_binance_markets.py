"""Two markets in one broker: futures without leverage, and where orders may go."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from brokers.binance_poll import PURGED_AFTER_MS
from market.errors import OutcomeUnknown
from market.orders import Account, OrderState, Side
from tests.brokers.binance_house import (
    CASH,
    FUTURES_ID,
    SPOT_ID,
    BinanceHouse,
    Run,
    futures,
    refusal,
    runner,
    spot,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def test_leverage_is_made_1_before_the_first_order_of_a_symbol_and_once(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        for number in range(3):
            await house.broker.place(futures(f"o{number}", quantity=Decimal(1)))
        assert house.futures_account.leverages["BTCUSDT"] == 1
        (asked,) = house.asked("POST /fapi/v1/leverage")
        assert "symbol=BTCUSDT&leverage=1&" in asked
        await house.restart()
        await house.broker.place(futures("more", quantity=Decimal(1)))
        assert len(house.asked("POST /fapi/v1/leverage")) == 1  # looked at, and it was 1

    run(scenario, "futures")


def test_nothing_is_ordered_with_a_leverage_that_does_not_become_1(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.futures_account.is_stubborn = True
        assert await refusal(house.broker.place(futures())) == "leverage"
        assert house.orders_sent == 0
        assert await house.broker.find(futures()) is None

    run(scenario, "futures")


def test_hedge_mode_is_refused_and_left_as_it_is(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        house.futures_account.is_hedged = True
        assert await refusal(house.broker.place(futures())) == "hedge_mode"
        assert house.orders_sent == 0
        house.futures_account.is_hedged = False
        await house.broker.place(futures())

    run(scenario, "futures")


def test_a_sale_never_opens_a_short_position(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(Decimal(70_000))
        assert await refusal(house.broker.place(futures("s", side=Side.SELL))) == "no_position"
        await house.broker.place(futures(price=None))
        sale = futures("out", side=Side.SELL, price=Decimal(71_000))
        await house.broker.place(sale)
        # somebody closes half of it in the app
        house.futures_account.held["BTCUSDT"].quantity = Decimal(5)
        await house.trade(Decimal(71_000))
        assert house.futures_account.held["BTCUSDT"].quantity == 0
        fills = await house.broker.fills("")
        assert [fill.quantity for fill in fills] == [10, 5]

    run(scenario, "futures")


def test_orders_go_only_where_the_settings_let_them(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        assert await refusal(house.broker.place(futures())) == "market"
        assert house.exchange.asked == []
        assert await house.broker.find(futures()) is None  # but they can be asked about

    run(scenario)


def test_each_market_has_its_own_purse(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        five = Decimal(5)
        await house.broker.place(spot("s", quantity=five))
        await house.broker.place(futures("f", quantity=five))
        half = CASH / 2
        assert await house.broker.accounts() == (
            Account(half, half - 350_000, "USDT", "spot"),
            Account(half, half - 350_000, "USDT", "futures"),
        )
        await house.trade(Decimal(70_000))
        fills = await house.broker.fills("")
        assert {fill.instrument for fill in fills} == {SPOT_ID, FUTURES_ID}
        held = await house.broker.positions()
        assert [(one.instrument, one.quantity, one.average_price) for one in held] == [
            (SPOT_ID, Decimal(5), Decimal(0)),
            (FUTURES_ID, Decimal(5), Decimal(70_000)),
        ]
        cash = [account.cash for account in await house.broker.accounts()]
        costs = {fill.instrument: fill.cost for fill in fills}
        assert cash == [half - 350_000 - costs[one] for one in (SPOT_ID, FUTURES_ID)]

    run(scenario, "both")


def test_what_futures_have_purged_had_been_cancelled_without_a_trade(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(futures())
        await house.broker.cancel(futures())
        await house.wait(PURGED_AFTER_MS / 1000 + 1)
        found = await house.broker.find(futures())
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.CANCELED, Decimal(0))
        assert await house.broker.fills("") == []
        house.exchange.asked.clear()
        assert await house.broker.fills("") == []
        assert house.exchange.asked == []

    run(scenario, "futures")


def test_what_spot_has_archived_had_been_cancelled_without_a_trade(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.broker.place(spot())
        await house.broker.cancel(spot())
        await house.wait(89 * 86_400)
        found = await house.broker.find(spot())
        assert found is not None
        await house.wait(86_400)
        assert await house.broker.find(spot()) == found

    run(scenario)


@pytest.mark.parametrize("orders", ["spot", "futures"])
def test_an_order_that_was_accepted_is_never_called_absent(run: Run, orders: str) -> None:
    async def scenario(house: BinanceHouse) -> None:
        make, venue = (spot, house.spot) if orders == "spot" else (futures, house.futures)
        number = int(await house.broker.place(make()))
        venue.lost.add(number)
        await house.wait(3600)
        with pytest.raises(OutcomeUnknown, match="had accepted"):
            await house.broker.find(make())
        assert await house.broker.fills("") == []
        venue.lost.clear()
        await house.trade(Decimal(70_000))
        assert len(await house.broker.fills("")) == 1

    run(scenario, orders)
