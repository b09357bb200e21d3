"""A short position from its card to its end, on paper: opened, protected, never turned round."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from brokers.paper import PaperBroker
from engine.protect_book import read_protection
from market.orders import OrderState, PositionSide, Side
from market.protect import Protect
from market.types import Instrument, Kind, Venue
from tests.engine.desk_world import World
from tests.engine.pretend_market import NOON, OWNER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Order

FUTURE = Instrument(Venue.BINANCE, "BTCUSDT.P", "Bitcoin futures", "USDT-M", Kind.COIN)
STOP = Protect(stop_loss=Decimal("0.03"), trailing_stop=Decimal("0.05"))
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
ONE = Decimal("0.01")


class ShortWorld(World):
    """A desk on paper that trades one future; settings say whether it may be sold short."""

    @property
    def paper(self) -> PaperBroker:
        assert isinstance(self.broker, PaperBroker)
        return self.broker

    async def see(self, price: float) -> None:
        """Let a second pass and a price come in."""
        self.market.prices[FUTURE.id] = price
        self.pass_time(1)
        ticks = [self.market.tick(FUTURE.id)]
        self.quotes.note(ticks)
        await self.paper.observe(ticks)
        await self.desk.settle()

    async def trade(self, side: Side, position: PositionSide, **changes: Any) -> Order:
        """Propose and confirm a market order, and let it trade."""
        asked = {"quantity": ONE, "price": None, "origin": "condition:a"} | changes
        order = await self.sent(instrument=FUTURE, side=side, position=position, **asked)
        await self.see(self.market.prices[FUTURE.id])
        self.pass_time(61)
        return await self.order(order)

    async def since(self, start: str) -> list[Order]:
        """Return the orders of an origin, oldest first."""
        found = await self.store.read(lambda tx: tx.orders.since(NOON))
        return [one for one in found if one.origin.startswith(start)]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    def start(scenario: Callable[[ShortWorld], Awaitable[None]], **limits: Any) -> None:
        async def body() -> None:
            risk = {"shorts": True, "duplicate_seconds": 0} | limits
            world = ShortWorld(tmp_path / "a.sqlite", is_paper=True, risk=risk)
            world.market.prices[FUTURE.id] = 60_000.0
            await world.settle_in()
            await world.see(60_000.0)
            await scenario(world)
            world.store.close()

        asyncio.run(body())

    return start


def test_a_short_is_opened_gains_on_the_way_down_and_is_bought_back(
    run: Callable[..., None],
) -> None:
    async def scenario(world: ShortWorld) -> None:
        opened = await world.trade(Side.SELL, SHORT)
        assert (opened.state, opened.position) == (OrderState.FILLED, SHORT)
        assert await world.position(FUTURE) == -ONE
        await world.see(50_000.0)
        closed = await world.trade(Side.BUY, SHORT)
        assert closed.state is OrderState.FILLED
        held = await world.store.read(lambda tx: tx.orders.position(FUTURE.id))
        assert held is not None
        assert held.quantity == 0
        gained = (opened.average_price - closed.average_price) * ONE
        assert held.realized == gained - opened.cost - closed.cost > 95
        usdt = next(one for one in await world.broker.accounts() if one.currency == "USDT")
        assert usdt.cash - world.settings.broker.cash_usdt == held.realized
        assert usdt.buying_power == usdt.cash

    run(scenario)


def test_nothing_is_sold_short_unless_settings_want_it(run: Callable[..., None]) -> None:
    async def scenario(world: ShortWorld) -> None:
        asked = {"side": Side.SELL, "position": SHORT, "quantity": ONE, "price": None}
        denied = await world.propose(instrument=FUTURE, **asked)
        assert (denied.state, denied.code) == (OrderState.DENIED, "risk.shorts")
        assert await world.paper.open_orders() == []

    run(scenario, shorts=False)


@pytest.mark.parametrize("side", PositionSide)
def test_a_position_is_never_turned_round(run: Callable[..., None], side: PositionSide) -> None:
    other = SHORT if side is LONG else LONG

    async def scenario(world: ShortWorld) -> None:
        await world.trade(side.entry, side)
        asked: dict[str, Any] = {"instrument": FUTURE, "price": None, "quantity": ONE}
        against = await world.propose(**asked, side=other.entry, position=other)
        assert against.code == "risk.opposite"
        none = await world.propose(**asked, side=other.exit, position=other)
        assert none.code == ("risk.short_sale" if other is LONG else "risk.no_short")
        too_much = await world.propose(
            **asked | {"quantity": 2 * ONE}, side=side.exit, position=side
        )
        assert too_much.code == ("risk.no_position" if side is LONG else "risk.no_short")
        assert await world.position(FUTURE) == ONE * side.sign

    run(scenario)


def test_the_stop_of_a_short_lies_above_and_buys_back_once(run: Callable[..., None]) -> None:
    async def scenario(world: ShortWorld) -> None:
        await world.trade(Side.SELL, SHORT, protect=STOP)
        for price in (61_000.0, 61_700.0):
            await world.see(price)
        assert await world.since("protection:") == []
        for price in (61_900.0, 61_900.0, 61_900.0):
            await world.see(price)
        (stop,) = await world.since("protection:")
        assert (stop.side, stop.position, stop.quantity) == (Side.BUY, SHORT, ONE)
        assert stop.origin == "protection:stop_loss"
        assert await world.position(FUTURE) == 0
        await world.see(61_900.0)
        assert await world.store.read(lambda tx: read_protection(tx, FUTURE.id)) is None

    run(scenario)


def test_the_trailing_stop_of_a_short_counts_from_the_lowest_price(
    run: Callable[..., None],
) -> None:
    async def scenario(world: ShortWorld) -> None:
        await world.trade(Side.SELL, SHORT, protect=STOP)
        for price in (50_000.0, 52_000.0):
            await world.see(price)
        assert await world.since("protection:") == []
        for price in (52_600.0, 52_600.0):
            await world.see(price)
        (stop,) = await world.since("protection:")
        assert stop.origin == "protection:trailing_stop"
        assert await world.position(FUTURE) == 0

    run(scenario)


def test_panic_buys_shorts_back(run: Callable[..., None]) -> None:
    async def scenario(world: ShortWorld) -> None:
        await world.trade(Side.SELL, SHORT)
        assert await world.desk.panic(OWNER.id)
        for _ in range(4):
            await world.see(60_000.0)
        (exit_order, *_) = await world.since("protection:panic")
        assert (exit_order.side, exit_order.position) == (Side.BUY, SHORT)
        assert exit_order.price is not None
        assert exit_order.price > 60_000
        assert await world.position(FUTURE) == 0

    run(scenario)


def test_a_restart_knows_which_side_an_order_is_of(run: Callable[..., None]) -> None:
    async def scenario(world: ShortWorld) -> None:
        resting = await world.sent(
            instrument=FUTURE,
            side=Side.SELL,
            position=SHORT,
            quantity=ONE,
            price=Decimal(62_000),
        )
        await world.restart()
        assert (await world.order(resting)).position is SHORT
        world.pass_time(61)
        against = await world.propose(instrument=FUTURE, quantity=ONE, price=Decimal(59_000))
        assert against.code == "risk.opposite"
        await world.see(62_100.0)
        assert await world.position(FUTURE) == -ONE

    run(scenario)
