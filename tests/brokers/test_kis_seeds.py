"""Many orders at KIS under seeded faults and kills: none twice, none lost, every fill once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from market.errors import OrderError, OrderRejected, OutcomeUnknown
from market.orders import Side
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from tests.brokers.kis_venue import HTS_ID, KisVenue, kis_venue
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from brokers.broker import BrokerOrder
    from market.orders import Fill, Order
    from sandbox.kis_order_rows import VenueOrder

ORDERS = 8
F = OrderFault
_NEVER_CAME = (F.LOST_REQUEST, F.BROKEN_BEFORE, F.MAINTENANCE, F.BUSY, F.REVOKED)
_ORDER = (*_NEVER_CAME, F.LOST_ANSWER, F.LATE_REQUEST, F.LATE_ANSWER, F.BROKEN_AFTER, F.ODD_ANSWER)
_READ = (F.LOST_REQUEST, F.LOST_ANSWER, F.BROKEN_BEFORE, F.ODD_ANSWER, F.BUSY, F.GHOST_ROW)
_MESSAGE = (F.DUPLICATED, F.REORDERED, F.LOST_MESSAGE, F.DROPPED)
CHANCES = {
    Channel.ORDER: dict.fromkeys(_ORDER, 0.06),
    Channel.READ: dict.fromkeys(_READ, 0.06),
    Channel.MESSAGE: dict.fromkeys(_MESSAGE, 0.1),
}


class Session:
    """A trader who never sends an order twice, is killed now and then, and takes every fill.

    Every order has another quantity, so that a look at the venue's books tells which is which; no
    price or time does.
    """

    def __init__(self, venue: KisVenue, seed: int) -> None:
        self.venue = venue
        self.random = Random(seed)  # noqa: S311  faults, not secrets
        self.told: list[Fill] = []
        self.orders: list[Order] = []
        self.answers: dict[str, str | OrderRejected] = {}

    async def act(self) -> None:
        """Do one thing that a trader does, and die at it sometimes."""
        doing = self.random.choice(
            [self.place, self.place, self.protect, self.cancel, self.look, self.trade]
        )
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
        number = len(self.orders)
        price = self.random.choice([None, Decimal(70_000), Decimal(70_100)])
        side = Side.BUY if self.random.random() < 0.7 else Side.SELL
        one = order(f"o{number}", quantity=Decimal(number + 1), price=price, side=side)
        self.orders.append(one)
        try:
            self.answers[one.id] = await self.venue.broker.place(one)
        except OrderRejected as error:
            self.answers[one.id] = error
        except OutcomeUnknown:
            return

    async def protect(self) -> None:
        if len(self.orders) == ORDERS:
            return
        one = order(
            f"o{len(self.orders)}",
            quantity=Decimal(len(self.orders) + 1),
            price=None,
            side=Side.SELL,
        )
        self.orders.append(one)
        trigger = Decimal(70_000 - 100 * self.random.randrange(1, 4))
        try:
            self.answers[one.id] = await self.venue.broker.place_stop(one, trigger)
        except OrderRejected as error:
            self.answers[one.id] = error
        except OutcomeUnknown:
            return

    async def cancel(self) -> None:
        if self.orders:
            one = self.random.choice(self.orders)
            await ignoring(lambda: self.venue.broker.cancel(one))

    async def trade(self) -> None:
        await self.venue.wait(self.random.choice([0, 1, 40]))
        price = 70_000 + 100 * self.random.randrange(-3, 4)
        await self.venue.trade(price, self.random.choice([None, 3, 1]))

    async def look(self) -> None:
        async def take() -> None:
            self.told += await self.venue.broker.fills(self.told[-1].id if self.told else "")

        await ignoring(take)


async def ignoring(ask: Callable[[], Awaitable[object]]) -> None:
    try:
        await ask()
    except OrderError:
        return


def is_told_truly(one: Order, answer: str | OrderRejected | None, found: BrokerOrder) -> bool:
    """Tell whether what we were answered then agrees with what is found now."""
    if answer is None:  # nobody answered
        return True
    return found.broker_order_id == answer


def at_venue(venue: KisVenue, one: Order) -> VenueOrder | None:
    found = [each for each in venue.account.orders if each.quantity == one.quantity]
    placed = [each for each in found if each.kind == "0"]
    assert len(placed) <= 1, f"{one.id} was placed twice"
    return placed[0] if placed else None


async def judge(session: Session) -> None:
    """Compare what we were told with the venue's own books."""
    venue = session.venue
    venue.plan.heal()
    venue.faults.is_stalled = False
    await venue.wait(60)
    await session.look()
    for one in session.orders:
        known, found = at_venue(venue, one), await venue.broker.find(one)
        assert (known is None) == (found is None), one.id
        fills = [fill for fill in session.told if fill.order_id == one.id]
        filled, cost = (0, Decimal(0)) if known is None else (known.filled, known.cost)
        assert sum((fill.quantity for fill in fills), Decimal(0)) == filled
        assert sum((fill.cost for fill in fills), Decimal(0)) == cost
        if found is not None:
            assert found.filled_quantity == filled
            assert is_told_truly(one, session.answers.get(one.id), found)
    assert [fill.id for fill in session.told] == sorted({fill.id for fill in session.told})
    assert session.told == await venue.broker.fills("")
    assert (await venue.broker.accounts())[0].cash == venue.account.cash


@pytest.mark.parametrize("seed", range(6))
def test_no_order_twice_none_lost_and_every_fill_once(tmp_path: Path, seed: int) -> None:
    async def body() -> None:
        hears = {"hts_id": SecretStr(HTS_ID)} if seed % 2 else {}
        plan = FaultPlan(CHANCES, seed)
        async with kis_venue(tmp_path, cash=Decimal(10**8), plan=plan, **hears) as venue:
            session = Session(venue, seed)
            for _ in range(40):
                await session.act()
            await judge(session)

    asyncio.run(body())
