"""Tests of conditions on what is held, on their whole way: bought, judged, sold, restarted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from engine.look import live_looks, replayed_look, stored_look
from market.orders import OrderState, PositionSide, Side
from market.types import Verdict
from tests.engine.held_world import HeldWorld
from tests.engine.pipeline_world import Killed, condition, moments, quiet_morning, told
from tests.engine.traded_market import CALENDAR, HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from conditions.compile import Condition

SELL_ALL = (
    "order:",
    "  side: sell",
    "  size: all",
    "  confirm: {within: 600s, max_drift: 5%}",
)


def stop(when: str = "position.profit <= -3%", *lines: str) -> Condition:
    return condition(when, "fire: every bar", "cooldown: 5 minutes", *SELL_ALL, *lines, name="stop")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., HeldWorld]]:
    worlds: list[HeldWorld] = []

    def make(*conditions: Condition) -> HeldWorld:
        world = HeldWorld(tmp_path / "ticktalk.sqlite", *conditions, start=kst("09:50"))
        quiet_morning(world, until="10:01")
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.close()


def trades(world: HeldWorld, start: str, end: str, price: float) -> None:
    """Let both trade once a minute at a price."""
    at = kst(start)
    while at <= kst(end):
        for instrument in (SAMSUNG, HYNIX):
            world.market.trade(at + timedelta(seconds=30), price, of=instrument)
        at += timedelta(minutes=1)


def play(world: HeldWorld, scenario: Callable[[HeldWorld], Awaitable[None]]) -> None:
    async def body() -> None:
        await world.boot()
        await scenario(world)

    asyncio.run(body())


async def bought_at_ten(world: HeldWorld) -> None:
    """Buy ten at 100 within the bar of 10:00, and let the price fall to 96 from 10:05 on."""
    trades(world, "10:02", "10:04", 100.0)
    trades(world, "10:05", "10:29", 96.0)
    await world.sweeps("10:00:02", "10:01:02")
    await world.buy("update:1")
    await world.sweeps("10:01:12", "10:09:52")


def test_what_is_held_is_sold_and_nothing_else(opened: Callable[..., HeldWorld]) -> None:
    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        assert await world.fired() == []
        await world.sweeps("10:10:02", "10:11:02")
        assert await world.fired() == ["005930 10:05"]
        (sale,) = await world.proposed()
        assert (sale.instrument, sale.side, sale.quantity) == (SAMSUNG.id, Side.SELL, Decimal(10))
        await world.confirm(sale)
        await world.sweeps("10:11:12", "10:29:52")
        assert await world.fired() == ["005930 10:05"]
        position = await world.store.read(lambda tx: tx.orders.position(SAMSUNG.id))
        assert position is not None
        assert position.quantity == 0
        assert [one.state for one in await world.orders()] == [OrderState.FILLED] * 2

    play(opened(stop()), scenario)


def test_it_fires_again_while_it_is_so_and_at_once_after_buying_again(
    opened: Callable[..., HeldWorld],
) -> None:
    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        await world.sweeps("10:10:02", "10:15:22")
        assert await world.fired() == ["005930 10:05", "005930 10:10"]
        first, second = await world.proposed()
        await world.confirm(first)
        await world.sweeps("10:15:32", "10:16:22")
        outcome = await world.confirm(second)
        assert outcome.code == "risk.short_sale"
        trades(world, "10:30", "10:31", 100.0)
        trades(world, "10:32", "10:39", 90.0)
        await world.sweeps("10:16:32", "10:30:52")
        await world.buy("update:2", 3)
        await world.sweeps("10:31:02", "10:36:02")
        assert (await world.fired())[2:] == ["005930 10:30"]
        assert [one.quantity for one in await world.proposed()] == [3]

    play(opened(stop()), scenario)


def test_a_sale_of_what_is_not_held_is_not_proposed(opened: Callable[..., HeldWorld]) -> None:
    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        await world.sweeps("10:10:02", "10:11:02")
        assert sorted(await world.fired()) == ["000660 10:05", "005930 10:05"]
        assert [one.instrument for one in await world.proposed()] == [SAMSUNG.id]

    play(opened(condition("close < 97", *SELL_ALL, name="stop")), scenario)


@pytest.mark.parametrize("side", ["short", "cover"])
def test_a_condition_says_which_side_it_opens_or_closes(
    opened: Callable[..., HeldWorld], side: str
) -> None:
    order = ("order:", f"  side: {side}", "  size: 1", "  confirm: {within: 600s}")

    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        await world.sweeps("10:10:02", "10:11:02")
        made = [one for one in await world.orders() if one.position is PositionSide.SHORT]
        if side == "cover":  # there is nothing to buy back
            assert made == []
            return
        # shares are never sold short, whatever a condition says
        assert {one.instrument for one in made} == {SAMSUNG.id, HYNIX.id}
        assert {(one.side, one.code) for one in made} == {(Side.SELL, "risk.short_venue")}

    play(opened(condition("close < 97", *order, name="fall")), scenario)


def test_a_buy_may_ask_that_nothing_is_held(opened: Callable[..., HeldWorld]) -> None:
    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        await world.sweeps("10:10:02", "10:11:02")
        assert await world.fired() == ["000660 10:05"]

    play(opened(condition("close < 97 and position.quantity == 0")), scenario)


def test_why_tells_what_was_held_then_and_now(opened: Callable[..., HeldWorld]) -> None:
    asked = stop()

    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        await world.sweeps("10:10:02", "10:11:02")
        universe = (SAMSUNG.id, HYNIX.id)
        (live,) = live_looks(world.pipeline.series, "stop", None)
        stored = await world.store.read(lambda tx: stored_look(tx, asked, universe, CALENDAR, 400))
        now = world.clock.now()
        for look in (live, stored):
            samsung, hynix = (look.why(name, now, 0) for name in universe)
            assert samsung.verdict is Verdict.TRUE
            assert samsung.when.operands[0].value == pytest.approx(-0.04)
            assert hynix.verdict is Verdict.UNKNOWN
            assert "not_held" in [one.reason for one in hynix.waits]
        for moment, verdict in (("10:00", Verdict.UNKNOWN), ("10:05", Verdict.FALSE)):
            at = kst(moment)
            look_at = partial(replayed_look, instrument=SAMSUNG.id, at=at)
            past = await world.store.read(
                partial(look_at, condition=asked, universe=universe, calendar=CALENDAR, depth=400)
            )
            why = past.why(SAMSUNG.id, at, 0)
            assert why.verdict is verdict
            is_unknown = verdict is Verdict.UNKNOWN
            assert ("not_held" in [one.reason for one in why.waits]) is is_unknown

    play(opened(asked), scenario)


def test_an_exchange_that_asks_for_positions_knows_them(opened: Callable[..., HeldWorld]) -> None:
    async def scenario(world: HeldWorld) -> None:
        await bought_at_ten(world)
        assert world.pipeline.series[0].panel.positions is None
        await world.exchange(stop())
        await world.sweeps("10:10:02", "10:11:02")
        assert await world.fired() == ["005930 10:05"]

    play(opened(condition("close > 1_000")), scenario)


EVERYONE = (SAMSUNG, HYNIX, NAVER)
UNIVERSE = f"[{', '.join(one.id for one in EVERYONE)}]"
SWEEPS = list(moments(kst("10:00:02"), kst("11:00:32")))[::2]
BUYS = {number: EVERYONE[number // 7 % 3] for number in range(5, 175, 7)}
NAMES = ("stop", "target", "lasting", "trailing", "empty")

Kill = tuple[str, int]


def wild_conditions() -> tuple[Condition, ...]:
    return (
        condition("position.profit < -6%", *SELL_ALL, name="stop", universe=UNIVERSE),
        condition("position.profit > 8%", *SELL_ALL, name="target", universe=UNIVERSE),
        condition("position.age >= 10 minutes for 2 bars", name="lasting", universe=UNIVERSE),
        condition(
            "position.profit < highest(position.profit, 3) - 5%", name="trailing", universe=UNIVERSE
        ),
        condition(
            "position.quantity == 0 for 2 bars",
            "clear: position.quantity > 0",
            name="empty",
            universe=UNIVERSE,
        ),
    )


class HeldHour:
    """An hour in which somebody buys all the time and confirms every sale; it may be cut short."""

    def __init__(self, path: Path, kill: Kill | None) -> None:
        self.world = HeldWorld(path, *wild_conditions(), start=kst("10:00"))
        self.kill = kill
        self.deaths = 0

    async def run(self) -> tuple[list[str], list[tuple[object, ...]]]:
        random = Random(11)  # noqa: S311  # a market, not a secret
        for instrument in EVERYONE:
            price = 105.0
            for minute in range(121):
                price = min(125.0, max(90.0, price + random.choice((-7, -4, 4, 7))))
                at = kst("09:00:30") + timedelta(minutes=minute)
                self.world.market.trade(at, price, of=instrument)
        await self.world.boot()
        if self.kill is not None and self.kill[0] == "write":
            self.world.store.kill_after = self.world.store.writes + self.kill[1]
        for number, at in enumerate(SWEEPS):
            self.world.clock.move_to(at)
            for step in (self.world.pipeline.crawl, lambda number=number: self._trade(number)):
                await self._survive(step)
            if self.kill == ("sweep", number):
                await self._die()
        signals = sorted(told(one) + one.condition for one in await self.world.signals())
        orders = [
            (one.id, one.state, one.quantity, one.average_price)
            for one in await self.world.orders()
        ]
        return signals, sorted(orders)

    async def _trade(self, number: int) -> None:
        for sale in await self.world.proposed():
            if sale.side is Side.SELL:
                await self.world.confirm(sale)
        if number in BUYS:
            await self.world.buy(f"update:{number}", of=BUYS[number])

    async def _survive(self, step: Callable[[], Awaitable[object]]) -> None:
        try:
            await step()
        except Killed:
            await self._die()
            if step != self.world.pipeline.crawl:
                await step()

    async def _die(self) -> None:
        self.deaths += 1
        await self.world.boot()
        await self.world.real.recover()


def outcome(path: Path, kill: Kill | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
    hour = HeldHour(path, kill)
    try:
        found = asyncio.run(hour.run())
    finally:
        hour.world.close()
    assert hour.deaths == (kill is not None)
    return found


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[str], list[tuple[object, ...]]]:
    return outcome(tmp_path_factory.mktemp("undisturbed") / "ticktalk.sqlite")


def test_the_hour_is_worth_the_test(
    undisturbed: tuple[list[str], list[tuple[object, ...]]],
) -> None:
    signals, orders = undisturbed
    assert {name for name in NAMES if any(name in one for one in signals)} == set(NAMES)
    assert len(orders) > 25


@pytest.mark.parametrize("number", range(3, 182, 17))
def test_a_restart_anywhere_gives_the_same_signals_and_orders(
    tmp_path: Path, undisturbed: tuple[list[str], list[tuple[object, ...]]], number: int
) -> None:
    assert outcome(tmp_path / "ticktalk.sqlite", ("sweep", number)) == undisturbed
