"""Short positions at the pretend Binance: opened, closed, never turned round; with leverage."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.orders import Side
from tests.brokers.binance_house import (
    CASH,
    FUTURES_ID,
    BinanceHouse,
    Run,
    cover,
    futures,
    refusal,
    runner,
    short,
)

if TYPE_CHECKING:
    from pathlib import Path

    from market.orders import Account

TEN, PRICE = Decimal(10), Decimal(70_000)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def held(house: BinanceHouse) -> Decimal:
    return house.futures_account.held["BTCUSDT"].quantity


async def purse(house: BinanceHouse) -> Account:
    return (await house.broker.accounts())[0]


def test_a_short_position_is_below_zero_and_gains_as_the_price_falls(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(PRICE)
        await house.broker.place(short(price=None))
        assert "side=SELL" in house.asked("POST /fapi/v1/order?")[0]
        (position,) = await house.broker.positions()
        assert (position.instrument, position.quantity) == (FUTURES_ID, -TEN)
        assert position.average_price == PRICE
        (fill,) = await house.broker.fills("")
        assert (fill.side, fill.quantity, fill.cost) == (Side.SELL, TEN, Decimal(350))
        before = await purse(house)
        # cash as if what is owed had been sold: with the position at its price it is the wallet
        assert before.cash == CASH - 350 + TEN * PRICE
        assert before.buying_power == CASH - 350 - TEN * PRICE
        await house.trade(Decimal(60_000))
        after = await purse(house)
        assert after.cash == before.cash
        assert after.buying_power - before.buying_power == 2 * TEN * 10_000

    run(scenario, "futures")


def test_what_was_sold_short_is_bought_back_and_no_more(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(PRICE)
        assert await refusal(house.broker.place(cover("none"))) == "no_position"
        await house.broker.place(short(price=None))
        assert await refusal(house.broker.place(cover("much", quantity=TEN + 1))) == "no_position"
        await house.broker.place(cover(price=Decimal(69_000)))
        assert "reduceOnly=true" in house.asked("POST /fapi/v1/order?")[-1]
        # somebody buys half of it back in the app
        house.futures_account.held["BTCUSDT"].quantity = Decimal(-5)
        await house.trade(Decimal(69_000))
        assert held(house) == 0
        fills = await house.broker.fills("")
        assert [one.side for one in fills] == [Side.SELL, Side.BUY]
        assert [one.quantity for one in fills] == [10, 5]

    run(scenario, "futures")


def test_a_sale_of_what_is_held_never_opens_a_short_position(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(PRICE)
        await house.broker.place(short(price=None))
        assert await refusal(house.broker.place(futures("s", side=Side.SELL))) == "no_position"
        assert held(house) == -TEN

    run(scenario, "futures")


def test_leverage_of_the_settings_is_set_and_what_is_available_buys_more(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(PRICE)
        assert (await purse(house)).buying_power == 3 * CASH
        await house.broker.place(short(price=None, quantity=Decimal(40)))
        assert house.futures_account.leverages["BTCUSDT"] == 3
        # 2,800,000 USDT of Bitcoin bind a third of that; a fee of 1,400 is paid
        left = 3 * (CASH - 1_400) - 40 * PRICE
        assert (await purse(house)).buying_power == pytest.approx(left, abs=Decimal("0.01"))

    run(scenario, "futures", leverage=3)


def test_no_leverage_keeps_a_position_from_being_closed(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(PRICE)
        await house.broker.place(short(price=None))
        await house.restart()
        house.futures_account.leverages["BTCUSDT"] = 20
        house.futures_account.is_stubborn = True
        assert await refusal(house.broker.place(short("more"))) == "leverage"
        await house.broker.place(cover(price=None))
        assert held(house) == 0

    run(scenario, "futures")


def test_a_stop_of_a_short_rests_above_and_buys_back(run: Run) -> None:
    async def scenario(house: BinanceHouse) -> None:
        await house.trade(PRICE)
        await house.broker.place(short(price=None))
        await house.broker.place_stop(cover("stop", price=None), Decimal(71_000))
        await house.trade(Decimal(70_900))
        assert held(house) == -TEN
        await house.trade(Decimal(71_000))
        assert held(house) == 0
        fills = await house.broker.fills("")
        assert [one.side for one in fills] == [Side.SELL, Side.BUY]

    run(scenario, "futures")
