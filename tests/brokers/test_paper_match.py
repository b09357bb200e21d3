from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.orders import OrderState, Side
from tests.brokers.paper_venue import PaperVenue, kst, run, run_from
from tests.contracts.broker_contract import CASH, order

if TYPE_CHECKING:
    from pathlib import Path


def test_an_order_does_not_trade_at_a_price_from_before_it(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.see(70_000)
        await venue.broker.place(order())
        accepted = venue.clock.now()
        await venue.see(70_000)  # the same moment
        venue.clock.advance(timedelta(seconds=10))
        await venue.see(70_000, at=accepted)  # seen now, but traded before
        await venue.see(70_000, seen_at=accepted)
        assert await venue.fill_count() == 0
        await venue.trade(70_000)
        assert (await venue.fill()).at == venue.clock.now()

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("side", "limit", "price", "expected"),
    [
        (Side.BUY, 70_000, 69_500, 69_500),
        (Side.BUY, 70_000, 70_000, 70_000),
        (Side.BUY, 70_000, 70_100, None),
        (Side.SELL, 70_000, 70_500, 70_500),
        (Side.SELL, 70_000, 70_000, 70_000),
        (Side.SELL, 70_000, 69_900, None),
    ],
)
def test_a_limit_order_takes_the_price_if_it_is_the_limit_or_better(
    tmp_path: Path, side: Side, limit: int, price: int, expected: int | None
) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order("stock", price=None))
        await venue.trade(70_000)
        wanted = order(side=side, price=Decimal(limit), quantity=Decimal(4))
        await venue.broker.place(wanted)
        await venue.trade(price)
        prices = [fill.price for fill in await venue.broker.fills("") if fill.order_id == "one"]
        assert prices == ([] if expected is None else [expected])

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("side", "slippage", "expected"),
    [(Side.BUY, 0, 70_000), (Side.BUY, 2, 70_200), (Side.SELL, 2, 69_800)],
)
def test_a_market_order_slips_by_whole_ticks(
    tmp_path: Path, side: Side, slippage: int, expected: int
) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order("stock"))
        await venue.trade(70_000)
        await venue.broker.place(order(side=side, price=None, quantity=Decimal(4)))
        await venue.trade(70_000)
        assert (await venue.broker.fills(""))[-1].price == expected

    run(tmp_path, scenario, slippage_ticks=slippage)


def test_slippage_stops_at_the_days_limit_and_at_the_lowest_price(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order("up", price=None, quantity=Decimal(1)))
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(90_900, previous_close=70_000.0)
        assert (await venue.fill()).price == 91_000
        penny = order("in", instrument="KRX:000001", price=Decimal(3), quantity=Decimal(1))
        await venue.broker.place(penny)
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(2, "KRX:000001")
        await venue.broker.place(replace(penny, id="out", side=Side.SELL, price=None))
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(2, "KRX:000001")
        assert (await venue.broker.fills(""))[-1].price == 1

    run(tmp_path, scenario, slippage_ticks=5)


@pytest.mark.parametrize(
    ("at", "trades"),
    [
        (kst(8, 59, 59), False),
        (kst(9), True),
        (kst(15, 19, 59), True),
        (kst(15, 20), False),
        (kst(15, 29, 59), False),
        (kst(15, 30), True),
        (kst(15, 30, 30), True),
        (kst(15, 30, 31), False),
        (kst(16, 25), False),
        (kst(9, 30, day=date(2026, 11, 26)), False),
        (kst(16, 15, day=date(2026, 11, 26)), True),
        (kst(10, day=date(2026, 11, 28)), False),
    ],
)
def test_orders_trade_in_session_and_at_the_auctions_print(
    tmp_path: Path, at: datetime, *, trades: bool
) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        venue.clock.move_to(at)
        await venue.see(70_000)
        assert await venue.fill_count() == int(trades)

    run_from(tmp_path, scenario, at - timedelta(hours=7))


def test_a_halted_instrument_does_not_trade(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(70_000, halted=True)
        assert await venue.fill_count() == 0
        await venue.trade(70_000)
        assert await venue.fill_count() == 1

    run(tmp_path, scenario)


def test_a_price_outside_the_days_limits_trades_nothing(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(48_900, previous_close=70_000.0)
        assert await venue.fill_count() == 0
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(49_000, previous_close=70_000.0)
        assert await venue.fill_count() == 1
        await venue.broker.place(order("high", price=None, quantity=Decimal(1)))
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(91_100, previous_close=70_000.0)
        assert await venue.fill_count() == 1
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(91_000, previous_close=70_000.0)
        assert await venue.fill_count() == 2
        await venue.broker.place(order("free", price=None, quantity=Decimal(1)))
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(91_100, previous_close=0.0)
        assert await venue.fill_count() == 3

    run(tmp_path, scenario)


def test_a_day_order_ends_with_its_session_and_frees_the_money(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        venue.clock.move_to(kst(15, 35, 30))
        assert await venue.state() is OrderState.ACCEPTED  # the print may still be shown to us
        venue.clock.advance(timedelta(milliseconds=1))
        assert await venue.state() is OrderState.EXPIRED
        assert (await venue.broker.accounts())[0].buying_power == CASH

    run(tmp_path, scenario)


def test_a_day_order_takes_a_late_print_but_not_tomorrows_price(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order(quantity=Decimal(1)))
        venue.clock.move_to(kst(15, 31))
        await venue.see(70_000, at=kst(15, 30, 30))
        assert await venue.state() is OrderState.FILLED
        venue.clock.move_to(kst(15, 32))
        await venue.broker.place(order("night", quantity=Decimal(1)))
        venue.clock.move_to(kst(10, day=date(2026, 11, 25)))
        await venue.see(70_000)
        assert await venue.state("night") is OrderState.FILLED  # it was for the next session
        await venue.broker.place(order("day", quantity=Decimal(1)))
        venue.clock.move_to(kst(11, day=date(2026, 11, 26)))
        await venue.see(70_000)
        assert await venue.state("day") is OrderState.EXPIRED

    run(tmp_path, scenario)
