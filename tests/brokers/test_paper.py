from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from brokers.broker import BROKERS
from market.errors import OrderRejected
from market.orders import OrderState, Side
from market.sessions import KST
from market.types import Instrument, Kind, Venue
from tests.brokers.paper_venue import PaperVenue, kst, run, run_from
from tests.contracts.broker_contract import CASH, INSTRUMENT, BrokerContract, order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class TestPaper(BrokerContract):
    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path) -> None:
        self.path = tmp_path / "paper.sqlite"

    @asynccontextmanager
    async def venue(self) -> AsyncIterator[PaperVenue]:
        venue = PaperVenue(self.path)
        try:
            yield venue
        finally:
            venue.store.close()


def test_paper_is_registered_by_name() -> None:
    assert "paper" in BROKERS


@pytest.mark.parametrize(
    ("kind", "year", "tax"),
    [(Kind.STOCK, 2026, 1_421), (Kind.STOCK, 2025, 1_065), (Kind.ETF, 2026, 0)],
)
def test_fee_on_both_sides_and_tax_on_the_sale_are_whole_won(
    tmp_path: Path, kind: Kind, year: int, tax: int
) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.know(Instrument(Venue.KRX, "005930", "Samsung", kind=kind))
        await venue.broker.place(order(price=None))
        await venue.trade(71_055)
        await venue.broker.place(order("out", side=Side.SELL, price=None))
        await venue.trade(71_055)
        bought, sold = await venue.broker.fills("")
        assert bought.cost == 106  # 0.015 % of 710,550 is 106.58
        assert sold.cost == 106 + tax
        assert (await venue.broker.accounts())[0].cash == CASH - 212 - tax

    run_from(tmp_path, scenario, datetime(year, 11, 24, 10, tzinfo=KST))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": Decimal(70_050)}, "price"),
        ({"price": Decimal(-100)}, "price"),
        ({"price": Decimal(91_100), "quantity": Decimal(1)}, "price"),
        ({"quantity": Decimal("0.5")}, "quantity"),
        ({"quantity": Decimal(0)}, "quantity"),
        ({"quantity": Decimal(-1)}, "quantity"),
        ({"quantity": Decimal(15)}, "cash"),
        ({"side": Side.SELL}, "no_position"),
    ],
)
def test_what_a_venue_would_refuse_is_refused_and_not_kept(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.see(70_000, previous_close=70_000.0)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order(**changes))
        assert caught.value.code == code
        assert await venue.broker.find(order()) is None
        assert (await venue.broker.accounts())[0].buying_power == CASH

    run(tmp_path, scenario)


def test_the_fee_is_part_of_what_a_buy_needs(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        with pytest.raises(OrderRejected):
            await venue.broker.place(order(price=Decimal(100_000)))
        await venue.broker.place(order(price=Decimal(99_900)))

    run(tmp_path, scenario)


def test_a_market_buy_whose_price_ran_away_is_cancelled_not_overdrawn(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order(price=None, quantity=Decimal(14)))
        await venue.trade(72_000)
        assert await venue.state() is OrderState.CANCELED
        assert await venue.fill_count() == 0
        assert (await venue.broker.accounts())[0].buying_power == CASH

    run(tmp_path, scenario)


def test_another_orders_money_is_not_spent(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order(price=None, quantity=Decimal(7)))
        await venue.broker.place(order("low", price=Decimal(60_000), quantity=Decimal(8)))
        await venue.trade(75_000)
        assert await venue.state() is OrderState.CANCELED
        assert await venue.state("low") is OrderState.ACCEPTED

    run(tmp_path, scenario)


def test_a_coin_trades_at_any_hour_in_fractions_without_tax(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        coin = order(instrument="UPBIT:KRW-XRP", quantity=Decimal("2.5"), price=None)
        await venue.broker.place(replace(coin, reference_price=Decimal(3_000)))
        venue.clock.move_to(kst(3, day=date(2026, 11, 29)))
        await venue.see(3_000.5, "UPBIT:KRW-XRP")
        fill = await venue.fill()
        assert (fill.price, fill.quantity) == (Decimal("3000.5"), Decimal("2.5"))

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("instrument", "quantity", "code"),
    [("UPBIT:BTC-ETH", "1", "currency"), ("UPBIT:KRW-XRP", "1.6", "least")],
)
def test_a_coin_that_is_not_paid_in_won_or_too_small_is_refused(
    tmp_path: Path, instrument: str, quantity: str, code: str
) -> None:
    async def scenario(venue: PaperVenue) -> None:
        coin = order(instrument=instrument, quantity=Decimal(quantity), price=Decimal(3_000))
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(coin)
        assert caught.value.code == code

    run(tmp_path, scenario)


def test_tethers_pay_for_what_is_paid_in_them(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        coin = order(
            instrument="BINANCE:BTCUSDT",
            quantity=Decimal("0.1"),
            price=Decimal("60000.01"),
            reference_price=Decimal(60_000),
        )
        await venue.broker.place(coin)
        won, tethers = await venue.broker.accounts()
        assert (won.buying_power, won.currency) == (CASH, "KRW")
        assert (tethers.cash, tethers.currency) == (Decimal(10_000), "USDT")
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(replace(coin, id="two"))
        assert caught.value.code == "cash"
        venue.clock.move_to(kst(3, day=date(2026, 11, 29)))
        await venue.see(59_000.5, coin.instrument)
        fill = await venue.fill()
        cost = fill.price * fill.quantity * venue.settings.broker.binance_fee
        won, tethers = await venue.broker.accounts()
        assert (fill.price, fill.cost) == (Decimal("59000.5"), cost)
        assert won.cash == CASH
        assert tethers.cash == tethers.buying_power == 10_000 - fill.price / 10 - cost

    run(tmp_path, scenario)


def test_nothing_is_written_while_nothing_is_open(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.trade(70_000)  # the first look after a start finds that nothing is open
        venue.store.close()
        await venue.trade(70_000)  # a write would fail: the store is closed
        venue.open()
        await venue.broker.place(order())
        await venue.trade(70_000)
        assert await venue.fill_count() == 1

    run(tmp_path, scenario)


def test_an_abandoned_placement_is_found_or_absent_but_never_later(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        placing = asyncio.ensure_future(venue.broker.place(order()))
        await asyncio.sleep(0)  # let it reach the store, no longer
        placing.cancel()
        first = await venue.state()
        with pytest.raises(asyncio.CancelledError):
            await placing
        assert await venue.state() == first
        await venue.trade(70_000)
        assert await venue.fill_count() == (0 if first is None else 1)

    run(tmp_path, scenario)


def test_a_holding_knows_its_average_also_where_only_the_fills_tell_it(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        for name, price in (("one", 70_000), ("two", 71_000)):
            await venue.broker.place(order(name, price=None, quantity=Decimal(4)))
            await venue.trade(price)
        await venue.broker.place(order("out", side=Side.SELL, price=None, quantity=Decimal(2)))
        await venue.trade(75_000)
        for _ in range(2):
            (held,) = await venue.broker.positions()
            assert held.quantity == 6
            assert held.average_price == Decimal(70_500)
            await venue.store.write(
                lambda tx: tx.documents.put(f"paper/held/{INSTRUMENT}", {"quantity": "6"})
            )

    run(tmp_path, scenario)
