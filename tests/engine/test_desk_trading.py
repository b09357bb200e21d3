"""Pauses, halts and arming, as the desk keeps, shows and ends them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.pauses import BUYS, Scope, read_kept, read_trading
from engine.trading import TradingState
from market.orders import OrderState, Side
from market.types import to_ms
from tests.engine.pretend_market import HYNIX, NOON, OTHER, OWNER, SAMSUNG, TRADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

HALF_AN_HOUR = timedelta(minutes=30)


def notices(world: World, code: str) -> list[int]:
    """Return who was told something."""
    return [one.chat_id for one in world.chat if one.text.startswith(f"{code} ")]


def test_a_pause_ends_by_the_market_clock_and_is_told_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        until = NOON + HALF_AN_HOUR
        await world.desk.pause(TRADER.id, Scope(venue="KRX", side=Side.BUY), until)
        await world.restart()
        assert (await world.propose()).code == "risk.paused"
        world.market_clock.advance(HALF_AN_HOUR)
        world.wall_clock.advance(timedelta(seconds=61))
        assert (await world.propose(quantity=Decimal(9))).state is OrderState.PROPOSED
        for _ in range(3):
            await world.desk.lapse()
            await world.deliver()
        assert sorted(notices(world, "notice.pause_over_of")) == [TRADER.id, OWNER.id]
        assert await world.store.read(read_kept) == await world.desk.trading()
        assert (await world.desk.trading()).state is TradingState.ACTIVE

    run(scenario)


def test_the_end_of_a_pause_of_everything_is_told_to_the_owner(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await world.desk.pause(OWNER.id, BUYS, NOON + HALF_AN_HOUR)
        await world.desk.pause(OWNER.id, Scope(venue="UPBIT"))
        world.pass_time(1800)
        await world.desk.lapse()
        await world.deliver()
        assert notices(world, "notice.pause_over") == [OWNER.id]
        assert [one.scope for one in (await world.desk.trading()).pauses] == [Scope(venue="UPBIT")]

    run(scenario)


def test_cards_that_wait_tell_what_holds_them_back(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        samsung = await world.propose()
        hynix = await world.propose(instrument=HYNIX, price=Decimal(200_000), quantity=Decimal(2))
        await world.desk.pause(TRADER.id, Scope(instrument=SAMSUNG.id, side=Side.BUY))
        assert (await world.card(samsung)).endswith("proposed v1 risk.paused")
        assert (await world.card(hynix)).endswith("proposed v1")
        await world.desk.halt(OTHER.id)
        assert (await world.card(samsung)).endswith("risk.trading_halted")
        assert (await world.card(hynix)).endswith("risk.trading_halted")
        await world.desk.resume(OWNER.id)
        assert (await world.card(samsung)).endswith("proposed v1")
        assert (await world.confirm(hynix)).code == "order.confirmed"
        assert world.events.states(samsung) == ["proposed"]  # drawn anew, but not changed

    run(scenario)


def test_only_the_owner_ends_a_halt(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await world.desk.pause(TRADER.id)
        halted = await world.desk.halt(TRADER.id)
        assert halted.halt is not None
        assert (halted.halt.user_id, halted.halt.at) == (TRADER.id, NOON)
        world.pass_time(5)
        assert (await world.desk.halt(OTHER.id)).halt == halted.halt
        resumed = await world.desk.resume(TRADER.id)
        assert (resumed.pauses, resumed.state) == ((), TradingState.HALTED)
        assert (await world.desk.resume(OWNER.id, Scope(venue="KRX"))).halt is not None
        await world.restart()
        assert (await world.desk.trading()).state is TradingState.HALTED
        assert (await world.desk.resume(OWNER.id)).state is TradingState.ACTIVE

    run(scenario)


def test_a_halt_between_the_tap_and_the_claim_stops_an_exit(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        bought = await world.sent()
        world.venue.fill(bought, 10)
        await world.sweep()
        order = await world.propose(side=Side.SELL)

        async def halt_once_tapped() -> None:
            world.store.before_write = nothing
            await world.desk.halt(OTHER.id)

        nothing = world.store.before_write
        world.store.before_write = halt_once_tapped
        assert (await world.confirm(order)).code == "risk.trading_halted"
        assert (await world.order(order)).state is OrderState.DENIED
        assert len(world.venue.posts) == 1

    run(scenario)


def test_a_live_broker_is_disarmed_until_it_is_armed(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_live = True
        await world.restart()
        assert (await world.propose()).code == "risk.disarmed"
        arming = await world.desk.arm(OWNER.id)
        assert await world.desk.arming() == arming
        assert (await world.propose()).state is OrderState.PROPOSED
        assert await world.desk.disarm(TRADER.id)
        assert not await world.desk.disarm(TRADER.id)
        assert (await world.propose(quantity=Decimal(3))).code == "risk.disarmed"

    run(scenario)


def test_an_idle_broker_is_disarmed_and_that_is_told_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_live = True
        await world.restart()
        await world.desk.arm(OWNER.id)
        world.pass_time(3600)
        await world.sent()  # using it counts
        world.pass_time(2 * 3600 - 1)
        assert await world.desk.arming() is not None
        world.pass_time(1)
        assert await world.desk.arming() is None
        assert (await world.propose()).code == "risk.disarmed"
        for _ in range(2):
            await world.desk.lapse()
            await world.deliver()
        assert notices(world, "notice.disarmed_idle") == [OWNER.id]

    run(scenario, access={"idle_hours": 2})


def test_a_start_disarms_and_tells(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_live = True
        await world.restart()
        await world.desk.arm(OWNER.id)
        for _ in range(2):
            await world.restart()
            await world.deliver()
        assert await world.desk.arming() is None
        assert notices(world, "notice.disarmed_restart") == [OWNER.id]

    run(scenario)


def test_a_pause_that_was_kept_before_scopes_is_one_of_all_purchases(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        kept = {"state": "paused", "user_id": 7, "at": to_ms(NOON)}
        await world.store.write(lambda tx: tx.documents.put("trading", kept))
        (pause,) = (await world.desk.trading()).pauses
        assert (pause.scope, pause.user_id, pause.at, pause.until) == (BUYS, 7, NOON, None)
        await world.store.write(lambda tx: tx.documents.put("trading", {**kept, "state": "active"}))
        found = await world.store.read(lambda tx: read_trading(tx, NOON))
        assert found.state is TradingState.ACTIVE

    run(scenario)
