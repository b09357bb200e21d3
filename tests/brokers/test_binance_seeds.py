"""Both markets of Binance under seeded faults and kills: no order twice, none lost, fills once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from market.errors import OrderError, OutcomeUnknown
from market.orders import PositionSide, Side
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from tests.brokers.binance_house import FUTURES_ID, SPOT_ID, BinanceHouse, futures, spot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from brokers.broker import BrokerOrder
    from market.orders import Fill, Order
    from sandbox.binance_order_types import VenueOrder, VenueTrade

STEPS = 45
_OF_SOCKETS = {
    OrderFault.DUPLICATED,
    OrderFault.REORDERED,
    OrderFault.LOST_MESSAGE,
    OrderFault.STALLED,
    OrderFault.DROPPED,
}
_OF_READS = set(OrderFault) - _OF_SOCKETS - {OrderFault.LATE_REQUEST}
CHANCES = {
    Channel.ORDER: dict.fromkeys(sorted(set(OrderFault) - _OF_SOCKETS), 0.05),
    Channel.READ: dict.fromkeys(sorted(_OF_READS), 0.03),
    Channel.MESSAGE: dict.fromkeys(sorted(_OF_SOCKETS), 0.1),
}


@dataclass
class Trader:
    """Does what traders do, and is killed at it now and then."""

    house: BinanceHouse
    random: Random
    orders: list[Order] = field(default_factory=list)
    told: list[Fill] = field(default_factory=list)

    async def live(self) -> None:
        for _ in range(STEPS):
            doing = asyncio.create_task(self.random.choice(self.habits)())
            if self.random.random() < 0.2:
                for _ in range(self.random.randrange(80)):
                    await asyncio.sleep(0)
                doing.cancel()
                await asyncio.wait({doing})
                await self.house.restart()
            else:
                await doing

    @property
    def habits(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [
            self.place,
            self.place,
            self.protect,
            self.cancel,
            self.trade,
            self.trade,
            self.look,
            self.pass_by,
        ]

    async def place(self) -> None:
        make = self.random.choice([spot, futures])
        positions = [PositionSide.LONG] if make is spot else list(PositionSide)
        one = make(
            f"n{len(self.orders)}",
            side=self.random.choice([Side.BUY, Side.BUY, Side.SELL]),
            position=self.random.choice(positions),
            quantity=Decimal(self.random.randrange(1, 900)) / 1000,
            price=self.random.choice([None, Decimal(69_900), Decimal(70_000), Decimal(70_100)]),
        )
        self.orders.append(one)
        await tried(self.house.broker.place(one))

    async def protect(self) -> None:
        one = self.random.choice([spot, futures])(
            f"s{len(self.orders)}",
            side=Side.SELL,
            quantity=Decimal(self.random.randrange(1, 900)) / 1000,
            price=None,
        )
        self.orders.append(one)
        trigger = Decimal(self.random.choice([69_850, 69_900, 69_950]))
        await tried(self.house.broker.place_stop(one, trigger))

    async def cancel(self) -> None:
        if self.orders:
            await tried(self.house.broker.cancel(self.random.choice(self.orders)))

    async def trade(self) -> None:
        price = Decimal(70_000 + 50 * self.random.randrange(-4, 5))
        await self.house.trade(price, self.random.choice([0.05, 0.4, 1e6]))

    async def look(self) -> None:
        try:
            self.told += await self.house.broker.fills(self.told[-1].id if self.told else "")
        except OrderError:
            return

    async def pass_by(self) -> None:
        await self.house.wait(self.random.choice([1, 4, 60, 1000]))


async def tried(doing: Awaitable[object]) -> None:
    try:
        await doing
    except OrderError:
        return


async def sure(house: BinanceHouse, one: Order) -> BrokerOrder | None:
    for _ in range(10):
        try:
            return await house.broker.find(one)
        except OutcomeUnknown:
            await house.wait(5)
    raise AssertionError(f"nobody knows what became of {one.id}")


def posted(house: BinanceHouse) -> Counter[str]:
    paths = ("/api/v3/order", "/fapi/v1/order", "/fapi/v1/algoOrder")
    texts = "\n".join(one for path in paths for one in house.asked(f"POST {path}?"))
    return Counter(re.findall(r"(?:newClientOrderId|clientAlgoId)=([^&]+)", texts))


def cost(trade: VenueTrade) -> Decimal:
    """Return a fee in USDT."""
    is_coin = trade.asset == "BTC"
    worth = trade.commission * trade.price if is_coin else trade.commission
    return worth.quantize(Decimal("0.00000001"))


def received(house: BinanceHouse, order: VenueOrder) -> Decimal:
    """Return what an order moved, less the fees that were taken from the coins."""
    trades = [*house.spot.trades, *house.futures.trades]
    ours = [trade for trade in trades if trade.order is order]
    fees = sum((trade.commission for trade in ours if trade.asset == "BTC"), Decimal(0))
    return order.filled - fees


async def judge(trader: Trader) -> None:
    """Hold what we were told against the venue's own books."""
    house = trader.house
    house.plan.heal()
    await house.wait(60)
    await trader.look()
    await trader.look()
    assert set(posted(house).values()) <= {1}
    orders = [*house.spot.orders, *house.futures.orders]
    kept: dict[str, VenueOrder] = {one.client_id: one for one in orders}
    assert len(kept) == len(orders)
    waiting = {one.client_id for one in house.futures.algos.all} - set(kept)
    for one in trader.orders:
        found, there = await sure(house, one), kept.get(one.client_order_id)
        assert (found is None) == (there is None and one.client_order_id not in waiting)
        fills = [fill for fill in trader.told if fill.order_id == one.id]
        filled = sum((fill.quantity for fill in fills), Decimal(0))
        assert filled == (Decimal(0) if there is None else received(house, there))
        assert found is None or found.filled_quantity == filled
    assert [fill.id for fill in trader.told] == sorted({fill.id for fill in trader.told})
    assert trader.told == await house.broker.fills("")
    trades = [*house.spot.trades, *house.futures.trades]
    assert sum((fill.cost for fill in trader.told), Decimal(0)) == sum(map(cost, trades))
    held = {SPOT_ID: Decimal(0), FUTURES_ID: Decimal(0)}
    for fill in trader.told:
        held[fill.instrument] += fill.quantity if fill.side is Side.BUY else -fill.quantity
    assert held[SPOT_ID] == house.spot_account.balances["BTC"]
    assert held[FUTURES_ID] == house.futures_account.held["BTCUSDT"].quantity


@pytest.mark.parametrize("seed", range(8))
def test_no_order_twice_none_lost_and_every_fill_once(tmp_path: Path, seed: int) -> None:
    async def body() -> None:
        house = BinanceHouse(tmp_path / "b.sqlite", orders="both", is_live=seed % 2 == 1)
        house.spot.maker_fee = house.spot.taker_fee = Decimal("0.001")
        house.plan = FaultPlan(CHANCES, seed, late_by=house.plan.late_by)
        house.exchange.plan = house.plan
        for feed in house.exchange.feeds.values():
            feed._plan = house.plan
        trader = Trader(house, Random(seed))  # noqa: S311  faults, not secrets
        try:
            await trader.live()
            await judge(trader)
        finally:
            await house.close()

    asyncio.run(body())
