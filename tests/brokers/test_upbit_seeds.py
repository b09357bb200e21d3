"""Many orders at Upbit under seeded faults and kills: none twice, none lost, every fill once."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from market.errors import OrderError, OutcomeUnknown
from market.orders import OrderState, Side
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from tests.brokers.upbit_venue import MARKET, UpbitVenue, coin_order, upbit_venue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Fill, Order

ORDERS = 6
F = OrderFault
_NEVER_CAME = (F.LOST_REQUEST, F.BROKEN_BEFORE, F.MAINTENANCE, F.REVOKED)
_ORDER = (*_NEVER_CAME, F.LOST_ANSWER, F.LATE_REQUEST, F.LATE_ANSWER, F.BROKEN_AFTER, F.ODD_ANSWER)
_READ = (F.LOST_REQUEST, F.LOST_ANSWER, F.BROKEN_BEFORE, F.ODD_ANSWER, F.MAINTENANCE)
_MESSAGE = (F.DUPLICATED, F.REORDERED, F.LOST_MESSAGE, F.STALLED, F.DROPPED)
CHANCES = {
    Channel.ORDER: dict.fromkeys(_ORDER, 0.06),
    Channel.READ: dict.fromkeys(_READ, 0.08),
    Channel.MESSAGE: dict.fromkeys(_MESSAGE, 0.1),
}


class Session:
    """A trader who never sends an order twice, is killed now and then, and takes every fill."""

    def __init__(self, venue: UpbitVenue, seed: int) -> None:
        self.venue = venue
        self.random = Random(seed)  # noqa: S311  faults, not secrets
        self.told: list[Fill] = []
        self.orders: list[Order] = []

    async def act(self) -> None:
        """Do one thing that a trader does, and die at it sometimes."""
        doing = self.random.choice([self.place, self.cancel, self.look, self.trade])
        if self.random.random() < 0.8:
            await doing()
            return
        task = asyncio.create_task(doing())
        for _ in range(self.random.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await self.venue.restart()

    async def place(self) -> None:
        if len(self.orders) == ORDERS:
            return
        price = self.random.choice([None, Decimal(70_000), Decimal(70_500)])
        side = Side.BUY if self.random.random() < 0.7 else Side.SELL
        quantity = Decimal(self.random.randrange(10, 200)) / 100
        one = coin_order(f"o{len(self.orders)}", price=price, side=side, quantity=quantity)
        self.orders.append(one)
        await ignoring(lambda: self.venue.broker.place(one))

    async def cancel(self) -> None:
        if self.orders:
            one = self.random.choice(self.orders)
            await ignoring(lambda: self.venue.broker.cancel(one))

    async def trade(self) -> None:
        price = 70_000 + 50 * self.random.randrange(-12, 13)
        volume = self.random.choice([None, Decimal("0.35"), Decimal("0.01")])
        await self.venue.trade(price, volume)

    async def look(self) -> None:
        async def take() -> None:
            self.told += await self.venue.broker.fills(self.told[-1].id if self.told else "")

        await ignoring(take)


async def ignoring(ask: Callable[[], Awaitable[object]]) -> None:
    try:
        await ask()
    except OrderError:
        return


async def settle(venue: UpbitVenue, one: Order) -> OrderState | None:
    for _ in range(60):
        try:
            found = await venue.broker.find(one)
        except OutcomeUnknown:
            await venue.wait(5)
            continue
        return None if found is None else found.state
    raise AssertionError(f"never sure of {one.id}")


async def judge(session: Session) -> None:
    """Compare what we were told with the venue's own books."""
    venue = session.venue
    venue.plan.heal()
    await venue.wait(60)
    posted = Counter(venue.exchange.posted)
    assert all(count == 1 for count in posted.values())
    states = {one.client_order_id: await settle(venue, one) for one in session.orders}
    await session.look()
    at_venue = {order.identifier: order for order in venue.orders.orders.values()}
    assert {name for name, state in states.items() if state is not None} == set(at_venue)
    for one in session.orders:
        fills = [fill for fill in session.told if fill.order_id == one.id]
        order = at_venue.get(one.client_order_id)
        executed = Decimal(0) if order is None else order.executed
        fee = Decimal(0) if order is None else order.paid_fee
        assert sum((fill.quantity for fill in fills), Decimal(0)) == executed
        assert sum((fill.cost for fill in fills), Decimal(0)) == fee
    assert [fill.id for fill in session.told] == sorted({fill.id for fill in session.told})
    assert session.told == await venue.broker.fills("")
    held = venue.orders.balances.get(MARKET.partition("-")[2])
    signed = [fill.quantity * (1 if fill.side is Side.BUY else -1) for fill in session.told]
    assert sum(signed, Decimal(0)) == (Decimal(0) if held is None else held.free + held.locked)


@pytest.mark.parametrize("seed", range(6))
def test_no_order_twice_none_lost_and_every_fill_once(tmp_path: Path, seed: int) -> None:
    async def body() -> None:
        async with upbit_venue(tmp_path, plan=FaultPlan(CHANCES, seed)) as venue:
            session = Session(venue, seed)
            for _ in range(40):
                await session.act()
            await judge(session)

    asyncio.run(body())
