from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from brokers.paper_bars import Part, meet_bar
from brokers.paper_match import Terms
from brokers.paper_order import PaperOrder
from market.orders import Side
from market.types import Bar, Instrument, Kind, Timeframe, Venue
from tests.brokers.paper_venue import PaperVenue, kst, run
from tests.contracts.broker_contract import INSTRUMENT, order

if TYPE_CHECKING:
    from pathlib import Path

STOCK = Instrument(Venue.KRX, "005930", "Samsung")
TERMS = Terms(Decimal("0.00015"), Decimal("0.1"), 0, timedelta(0))
NONE = Decimal(0)


def resting(price: int | None = 70_000, side: Side = Side.BUY, **changes: Any) -> PaperOrder:
    made = PaperOrder(
        client_id="tt-one",
        broker_id="paper-1",
        order_id="one",
        instrument=INSTRUMENT,
        side=side,
        quantity=Decimal(10),
        price=None if price is None else Decimal(price),
        reserve_price=Decimal(80_000),
        accepted_at=kst(9, 59),
        ends_at=None,
    )
    return replace(made, **changes)


def bar(opened: float, low: float, high: float, volume: float = 1_000.0) -> Bar:
    close = (low + high) / 2
    return Bar(INSTRUMENT, Timeframe.M1, kst(10), opened, high, low, close, volume, 1.0)


@pytest.mark.parametrize(
    ("side", "limit", "prices", "expected"),
    [
        (Side.BUY, None, (70_100, 69_000, 71_000), 70_100),
        (Side.BUY, 70_000, (69_900, 69_900, 71_000), 69_900),
        (Side.BUY, 70_000, (70_000, 70_000, 71_000), 70_000),
        (Side.BUY, 70_000, (70_100, 69_900, 71_000), 70_000),
        (Side.BUY, 70_000, (70_100, 70_000, 71_000), None),
        (Side.SELL, None, (70_100, 69_000, 71_000), 70_100),
        (Side.SELL, 70_000, (70_100, 69_000, 70_100), 70_100),
        (Side.SELL, 70_000, (69_900, 69_000, 70_100), 70_000),
        (Side.SELL, 70_000, (69_900, 69_000, 70_000), None),
        (Side.BUY, 70_100, (70_033.5, 70_000, 71_000), 70_100),
        (Side.SELL, None, (70_033.5, 69_000, 71_000), 70_000),
    ],
)
def test_a_bar_fills_what_is_certain(
    side: Side, limit: int | None, prices: tuple[float, float, float], expected: int | None
) -> None:
    part, _ = meet_bar(resting(limit, side), bar(*prices), STOCK, TERMS, NONE)
    assert (None if part is None else int(part.price)) == expected


def test_a_market_order_slips_and_takes_its_share_of_the_bar() -> None:
    terms = replace(TERMS, slippage_ticks=2)
    part, spare = meet_bar(resting(None), bar(7e4, 7e4, 7e4, 57.0), STOCK, terms, Decimal("0.4"))
    assert part == Part(Decimal(6), Decimal(70_200), Decimal(63))
    assert spare == Decimal("0.1")


def test_a_bar_that_began_before_the_order_arrived_fills_nothing() -> None:
    late = resting(accepted_at=kst(10) - timedelta(seconds=1))
    terms = replace(TERMS, latency=timedelta(seconds=2))
    assert meet_bar(late, bar(7e4, 7e4, 7e4), STOCK, terms, NONE)[0] is None
    assert meet_bar(late, bar(7e4, 7e4, 7e4), STOCK, TERMS, NONE)[0] is not None


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("limit", [None, 70_000])
def test_bars_of_one_price_fill_as_ticks_do(tmp_path: Path, side: Side, limit: int | None) -> None:
    random = Random(5)  # noqa: S311  prices of a test
    told = [(70_000 + 100 * random.randint(-3, 3), random.randint(0, 60)) for _ in range(40)]

    async def scenario(venue: PaperVenue) -> None:
        await venue.know(STOCK)
        if side is Side.SELL:
            await venue.broker.place(order("stock", price=None))
            await venue.trade(70_000)
        await venue.count(70_000, 0)
        price = None if limit is None else Decimal(limit)
        await venue.broker.place(order(side=side, price=price))
        for tick_price, traded in told:
            await venue.count(tick_price, traded)
        live = [one for one in await venue.broker.fills("") if one.order_id == "one"]
        made, spare, parts = resting(limit, side), NONE, []
        for tick_price, traded in told:
            flat = bar(tick_price, tick_price, tick_price, traded)
            part, spare = meet_bar(made, flat, STOCK, TERMS, spare)
            if part is not None:
                parts.append(part)
                made = made.with_part(part.quantity, part.price, part.cost)
        assert [Part(one.quantity, one.price, one.cost) for one in live] == parts
        assert len(parts) > 1
        assert made.remaining == 0

    run(tmp_path, scenario)


def test_coins_are_taken_at_the_price_that_was_shown() -> None:
    coin = Instrument(Venue.UPBIT, "KRW-XRP", "XRP", kind=Kind.COIN)
    part, _ = meet_bar(resting(None), bar(3_000.5, 3_000, 3_001), coin, TERMS, NONE)
    assert part is not None
    assert part.price == Decimal("3000.5")
