from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from brokers.paper_volume import Look, following, grown, room_in
from market.orders import OrderState, Side
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Instrument, Kind, Tick, Venue
from tests.brokers.paper_venue import DAY, PaperVenue, kst, run, run_from
from tests.contracts.broker_contract import CASH, INSTRUMENT, order

if TYPE_CHECKING:
    from pathlib import Path

TOMORROW = date(2026, 11, 25)
CALENDAR = KrxCalendar({})


def count(number: float, hour: int = 10, second: int = 0, day: date = DAY) -> Tick:
    at = kst(hour, 0, second, day=day)
    return Tick(INSTRUMENT, at, at, 70_000.0, day_volume=number)


LOOK = Look(kst(10, 0, 0), Decimal(500), Decimal("0.3"))


@pytest.mark.parametrize(
    ("look", "tick", "volume"),
    [
        (None, count(500), 0),
        (LOOK, count(500, second=5), 0),
        (LOOK, count(530, second=5), 30),
        (LOOK, count(400, second=5), 0),
        (LOOK, count(40, hour=9, day=TOMORROW), 40),
        (LOOK, count(900, hour=9, day=TOMORROW), 900),
        (Look(kst(10), None), count(500, second=5), 0),
    ],
)
def test_a_count_tells_what_has_traded_since_the_last_look(
    look: Look | None, tick: Tick, volume: int
) -> None:
    assert grown(look, tick, CALENDAR) == volume


@pytest.mark.parametrize(("second", "volume"), [(0, 0), (1, 7)])
def test_a_trade_that_is_shown_twice_counts_once(second: int, volume: int) -> None:
    tick = replace(count(0, second=second), day_volume=None, volume=7.0)
    assert grown(Look(kst(10), None), tick, CALENDAR) == volume
    assert grown(None, tick, CALENDAR) == 7


def test_a_day_of_coins_begins_at_midnight_in_utc() -> None:
    assert grown(LOOK, count(40, hour=8, day=TOMORROW), AlwaysOpen()) == 0
    assert grown(LOOK, count(40, hour=9, day=TOMORROW), AlwaysOpen()) == 40


@pytest.mark.parametrize(
    ("tick", "after"),
    [
        (count(530, second=5), Look(kst(10, 0, 5), Decimal(530), Decimal("0.3"))),
        (count(400, second=5), Look(kst(10, 0, 5), Decimal(500), Decimal("0.3"))),
        (count(400, hour=9), LOOK),
        (count(40, day=TOMORROW), Look(kst(10, day=TOMORROW), Decimal(40), Decimal("0.3"))),
    ],
)
def test_what_is_counted_once_is_never_counted_again(tick: Tick, after: Look) -> None:
    assert following(LOOK, tick, CALENDAR) == after


def test_what_is_too_little_for_a_share_is_kept_for_the_next_look() -> None:
    share, spare, shares = Decimal("0.1"), Decimal(0), Decimal(0)
    for _ in range(10):
        room, spare = room_in(Decimal(5), share, spare, Kind.STOCK)
        shares += room
    assert shares == 5
    assert spare == 0
    assert room_in(Decimal("0.5"), share, Decimal(0), Kind.COIN) == (Decimal("0.05"), Decimal(0))


def test_an_order_takes_its_share_of_what_trades_tick_by_tick(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.count(70_000, 1_000)
        await venue.broker.place(order(price=None))
        for traded, price in ((40, 70_000), (0, 70_100), (30, 70_200), (500, 70_300)):
            await venue.count(price, traded)
        fills = await venue.broker.fills("")
        assert [(int(one.quantity), int(one.price)) for one in fills] == [
            (4, 70_000),
            (3, 70_200),
            (3, 70_300),
        ]
        found = await venue.broker.find(order())
        assert found is not None
        assert (found.state, int(found.filled_quantity)) == (OrderState.FILLED, 10)
        assert found.average_price == Decimal(70_150)

    run(tmp_path, scenario)


def test_the_older_order_is_served_first_and_what_it_leaves_goes_on(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.count(70_000, 1_000)
        await venue.broker.place(order("low", price=Decimal(60_000), quantity=Decimal(1)))
        await venue.broker.place(order("one", quantity=Decimal(3)))
        await venue.broker.place(order("two", quantity=Decimal(5)))
        await venue.count(70_000, 50)
        fills = await venue.broker.fills("")
        assert [(one.order_id, int(one.quantity)) for one in fills] == [("one", 3), ("two", 2)]
        assert await venue.state("two") is OrderState.PARTIALLY_FILLED

    run(tmp_path, scenario)


def test_parts_cost_what_the_whole_would(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.count(70_055, 1_000)
        await venue.broker.place(order(price=None))
        for _ in range(10):
            await venue.count(70_055, 10)
        await venue.broker.place(order("out", side=Side.SELL, price=None))
        for _ in range(10):
            await venue.count(70_055, 10)
        fills = await venue.broker.fills("")
        assert len(fills) == 20
        assert sum(one.cost for one in fills[:10]) == 105  # 0.015 % of 700,550
        assert sum(one.cost for one in fills[10:]) == 105 + 1_401
        assert (await venue.broker.accounts())[0].cash == CASH - 105 - 105 - 1_401

    run(tmp_path, scenario)


def test_a_count_begins_with_the_order_and_survives_our_death(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.count(70_000, 5_000)
        await venue.broker.place(order())
        await venue.restart()
        await venue.count(70_000, 20)
        assert (await venue.fill()).quantity == 2
        await venue.restart()
        await venue.count(70_000, 20)
        assert await venue.fill_count() == 2

    run(tmp_path, scenario)


@pytest.mark.parametrize("pause", [timedelta(seconds=0), timedelta(hours=1)])
def test_what_nobody_has_counted_fills_nothing(tmp_path: Path, pause: timedelta) -> None:
    async def scenario(venue: PaperVenue) -> None:
        if pause:
            await venue.count(70_000, 10)
            venue.clock.advance(pause)  # nobody has looked for so long
        await venue.broker.place(order())
        await venue.count(70_000, 5_000)
        assert await venue.fill_count() == 0
        await venue.count(70_000, 10)
        assert (await venue.fill()).quantity == 1

    run(tmp_path, scenario)


def test_the_rest_of_a_market_order_expires_with_its_session(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.count(70_000, 1_000)
        await venue.broker.place(order(price=None))
        await venue.count(70_000, 40)
        venue.clock.move_to(kst(15, 36))
        found = await venue.broker.find(order())
        assert found is not None
        assert (found.state, int(found.filled_quantity)) == (OrderState.EXPIRED, 4)
        account = (await venue.broker.accounts())[0]
        assert account.buying_power == account.cash

    run(tmp_path, scenario)


def test_the_auction_before_the_close_trades_only_with_its_print(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.count(70_000, 1_000)
        await venue.broker.place(order())
        venue.clock.move_to(kst(15, 25))
        await venue.count(69_000, 0)  # what the auction would come to by now
        venue.clock.move_to(kst(15, 29, 59))
        await venue.count(69_500, 0)
        venue.clock.move_to(kst(15, 30, 10))
        await venue.broker.place(order("late", quantity=Decimal(1)))  # for tomorrow
        await venue.count(69_500, 100)
        await venue.count(69_500, 0)
        fill = await venue.fill()
        assert (fill.order_id, int(fill.price), int(fill.quantity)) == ("one", 69_500, 10)

    run_from(tmp_path, scenario, kst(15, 19))


def test_a_leveraged_fund_moves_twice_as_far(tmp_path: Path) -> None:
    fund = Instrument(Venue.KRX, "122630", "KODEX 레버리지", kind=Kind.ETF)

    async def scenario(venue: PaperVenue) -> None:
        await venue.know(fund)
        await venue.see(20_000, fund.id, previous_close=20_000.0)
        wide = order(instrument=fund.id, price=Decimal(31_900), quantity=Decimal(1))
        await venue.broker.place(wide)
        venue.clock.advance(timedelta(seconds=1))
        await venue.see(31_900, fund.id, previous_close=20_000.0)
        assert (await venue.fill()).price == 31_900

    run(tmp_path, scenario)
