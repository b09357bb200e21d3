"""A desk with stops at KIS under seeded faults and kills: never more on sale than is held."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from engine.brokers import only
from engine.desk import Desk
from engine.quotes import Quotes
from engine.ticket import Ticket
from engine.trading import VENUE_STOP
from market.orders import AT_BROKER, OrderState, Side
from market.protect import Protect, Rung
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from tests.brokers.kis_venue import KisVenue, kis_venue
from tests.engine.pretend_market import (
    CALENDARS,
    NOON,
    OWNER,
    SAMSUNG,
    EventLog,
    PretendCards,
    PretendMarket,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from market.orders import Order

STEPS = 60
FAULTS = (
    *(OrderFault.LOST_REQUEST, OrderFault.LOST_ANSWER, OrderFault.LATE_REQUEST),
    *(OrderFault.BROKEN_BEFORE, OrderFault.BROKEN_AFTER, OrderFault.BUSY),
)
CHANCES = {Channel.ORDER: dict.fromkeys(FAULTS, 0.03)}
PROTECT = Protect(stop_loss=Decimal("0.01"), ladder=(Rung(Decimal("0.005"), Decimal("0.5")),))
BOUNDS = ("max_order", "max_day", "max_position", "max_market", "max_total", "max_daily_loss")
FREE = {name: Decimal(10**12) for name in BOUNDS}


@dataclass
class Trading:
    """Somebody whose conditions trade one share, killed now and then; `tried` are all orders."""

    venue: KisVenue
    random: Random
    keys: int = 0

    def open(self) -> None:
        """Start a desk on what the last one left."""
        clock = self.venue.clock
        self.market = PretendMarket(clock)
        self.desk = Desk(
            store=self.venue.store,
            brokers=only(self.venue.broker, "kis"),
            quotes=Quotes(self.market, clock),
            calendars=CALENDARS,
            settings=self.venue.settings.model_copy(
                update={
                    "risk": self.venue.settings.risk.model_copy(
                        update={**FREE, "max_orders_per_minute": 1_000, "duplicate_seconds": 0}
                    )
                }
            ),
            market_clock=clock,
            wall_clock=clock,
            cards=PretendCards(),
            events=EventLog(),
        )
        self.note()

    def note(self) -> None:
        """Let the market around the desk show the venue's last price."""
        self.market.prices[SAMSUNG.id] = float(self.venue.account.price("005930"))
        self.desk.guard.hear([self.market.tick(SAMSUNG.id)])

    async def live(self) -> None:
        for _ in range(STEPS):
            doing = asyncio.create_task(self.random.choice(self.habits)())
            if self.random.random() < 0.15:
                for _ in range(self.random.randrange(150)):
                    await asyncio.sleep(0)
                doing.cancel()
                await asyncio.wait({doing})
                await self.venue.restart()
                self.open()
                await self.desk.recover()
            else:
                await doing

    @property
    def habits(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [self.buy, self.sell, *[self.trade] * 2, *[self.look] * 3, *[self.wait] * 2]

    async def buy(self) -> None:
        await self._order(Side.BUY)

    async def sell(self) -> None:
        await self._order(Side.SELL)

    async def _order(self, side: Side) -> None:
        self.keys += 1
        ticket = Ticket(
            key=f"seed:{self.keys}",
            instrument=SAMSUNG,
            side=side,
            quantity=Decimal(self.random.randrange(1, 200)),
            size=None,
            price=None,
            price_rule=None,
            user_id=OWNER.id,
            origin="condition:a",
            within=timedelta(seconds=90),
            max_drift=Decimal(1),
            auto_below=Decimal("Infinity"),
            protect=PROTECT if side is Side.BUY else None,
        )
        await self.desk.propose(ticket)

    async def trade(self) -> None:
        last = self.venue.account.price("005930")
        step = self.random.choice([-400, -200, -100, 100, 200])
        await self.venue.trade(max(Decimal(60_000), last + step), self.random.choice([None, 30]))
        self.note()

    async def look(self) -> None:
        self.note()
        await self.desk.settle()

    async def wait(self) -> None:
        await self.venue.wait(self.random.choice([2, 6, 31]))
        self.note()
        await self.desk.lapse()


async def orders(trading: Trading) -> list[Order]:
    return await trading.venue.store.read(lambda tx: tx.orders.since(NOON))


async def judge(trading: Trading) -> None:
    """Let all calm down, then hold our book against the venue's."""
    venue = trading.venue
    venue.plan.heal()
    for _ in range(12):
        await venue.wait(15)
        await trading.look()
        venue.account.trade("005930", venue.account.price("005930"))
    await trading.look()
    found = await orders(trading)
    assert not [one for one in found if one.state in {OrderState.IN_DOUBT, OrderState.SUBMITTED}]
    # KIS itself refuses to sell what is on sale already: that it never had to is our doing
    assert not [one for one in found if one.code == "rejected.no_position"]
    placed = [one for one in venue.account.orders if one.kind == "0"]
    assert len(placed) == sum(bool(one.broker_order_id or one.filled_quantity) for one in found)
    held = await venue.store.read(lambda tx: tx.orders.position(SAMSUNG.id))
    at_venue = venue.account.holdings.get("005930")
    assert (held.quantity if held else 0) == (at_venue.quantity if at_venue else 0)
    stops = [one for one in found if one.origin == VENUE_STOP and one.state in AT_BROKER]
    waiting = [one for one in placed if one.is_waiting and one.remaining > 0]
    assert [one.quantity for one in stops] == [one.quantity for one in waiting]


@pytest.mark.parametrize("seed", range(2))
def test_stops_make_way_and_nothing_is_on_sale_twice(tmp_path: Path, seed: int) -> None:
    async def body() -> None:
        plan = FaultPlan(CHANCES, seed)
        async with kis_venue(tmp_path, cash=Decimal(10**10), plan=plan) as venue:
            venue.account.trade("005930", Decimal(70_000))
            trading = Trading(venue, Random(seed))  # noqa: S311  faults, not secrets
            await venue.store.write(lambda tx: tx.people.put(OWNER, NOON))
            trading.open()
            await trading.live()
            await judge(trading)

    asyncio.run(body())
