from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from brokers.broker import BROKERS
from brokers.paper import PaperBroker
from config.settings import BrokerSettings, Settings
from market.clock import ManualClock
from market.errors import OrderRejected
from market.known import remember
from market.orders import Fill, OrderState, Side
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.store import Store
from market.types import Instrument, Kind, Tick, Venue
from tests.contracts.broker_contract import CASH, INSTRUMENT, BrokerContract, order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from market.sessions import Calendar

DAY = date(2026, 11, 24)
SPECIAL = {date(2026, 11, 26): (time(10), time(16, 30))}


def kst(hour: int, minute: int = 0, second: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute, second), KST)


class PaperVenue:
    """The paper broker on a store file of its own, with a clock that the test moves."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.path = path
        self.settings = Settings(broker=BrokerSettings(cash=CASH, **changes))
        self.clock = ManualClock(kst(10))
        self.writes = 0
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.path)
        calendars: dict[Venue, Calendar] = {
            Venue.KRX: KrxCalendar(SPECIAL),
            Venue.UPBIT: AlwaysOpen(),
        }
        self.broker = PaperBroker(self.store, self.settings, self.clock, calendars)

    async def restart(self) -> None:
        self.store.close()
        self.open()

    async def trade(self, price: int) -> None:
        self.clock.advance(timedelta(seconds=1))
        await self.see(price)

    async def see(self, price: float, instrument: str = INSTRUMENT, **changes: Any) -> None:
        now = self.clock.now()
        seen = Tick(instrument, now, now, price, day_volume=1.0)
        await self.broker.observe([replace(seen, **changes)])

    async def know(self, instrument: Instrument) -> None:
        await self.store.write(lambda tx: remember(tx, instrument))

    async def fill(self) -> Fill:
        (found,) = await self.broker.fills("")
        return found

    async def fill_count(self) -> int:
        return len(await self.broker.fills(""))

    async def state(self, name: str = "one") -> OrderState | None:
        found = await self.broker.find(order(name))
        return None if found is None else found.state


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


def run(path: Path, scenario: Callable[[PaperVenue], Awaitable[None]], **changes: Any) -> None:
    venue = PaperVenue(path / "paper.sqlite", **changes)
    try:
        asyncio.run(_coroutine(scenario, venue))
    finally:
        venue.store.close()


async def _coroutine(scenario: Callable[[PaperVenue], Awaitable[None]], venue: PaperVenue) -> None:
    await scenario(venue)


def test_paper_is_registered_by_name() -> None:
    assert BROKERS.get("paper") is PaperBroker


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
        await venue.see(70_000)
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
        venue.clock.move_to(at - timedelta(seconds=1))
        await venue.broker.place(order())
        venue.clock.move_to(at)
        await venue.see(70_000)
        assert await venue.fill_count() == int(trades)

    venue_start = min(at, kst(10)) - timedelta(hours=10)
    run_from(tmp_path, scenario, venue_start)


def run_from(
    path: Path, scenario: Callable[[PaperVenue], Awaitable[None]], start: datetime
) -> None:
    async def moved(venue: PaperVenue) -> None:
        venue.clock = ManualClock(start)
        await venue.restart()
        await scenario(venue)

    run(path, moved)


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
        assert (await venue.broker.account()).cash == CASH - 212 - tax

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
        assert (await venue.broker.account()).buying_power == CASH

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
        assert (await venue.broker.account()).buying_power == CASH

    run(tmp_path, scenario)


def test_another_orders_money_is_not_spent(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order(price=None, quantity=Decimal(7)))
        await venue.broker.place(order("low", price=Decimal(60_000), quantity=Decimal(8)))
        await venue.trade(75_000)
        assert await venue.state() is OrderState.CANCELED
        assert await venue.state("low") is OrderState.ACCEPTED

    run(tmp_path, scenario)


def test_a_day_order_ends_with_its_session_and_frees_the_money(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        venue.clock.move_to(kst(15, 35, 30))
        assert await venue.state() is OrderState.ACCEPTED  # the print may still be shown to us
        venue.clock.advance(timedelta(milliseconds=1))
        assert await venue.state() is OrderState.EXPIRED
        assert (await venue.broker.account()).buying_power == CASH

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


def test_a_coin_trades_at_any_hour_in_fractions_without_tax(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        coin = order(instrument="UPBIT:KRW-XRP", quantity=Decimal("1.5"), price=None)
        await venue.broker.place(replace(coin, reference_price=Decimal(3_000)))
        venue.clock.move_to(kst(3, day=date(2026, 11, 29)))
        await venue.see(3_000.5, "UPBIT:KRW-XRP")
        fill = await venue.fill()
        assert (fill.price, fill.quantity) == (Decimal("3000.5"), Decimal("1.5"))

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
