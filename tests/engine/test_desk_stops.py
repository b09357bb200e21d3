"""Stops at the venue: one rests for what is protected, and nothing is ever on sale twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from engine.protect_book import read_protection
from engine.trading import TABLE, VENUE_STOP, OrderKind, Permit, TradingState
from engine.venue_stops import read_stop
from market.orders import AT_BROKER, Order, OrderState, Side
from market.protect import Protect, Rung
from tests.engine.pretend_market import NOON, OWNER, SAMSUNG, TRADER
from tests.engine.sudden_death import Killed
from tests.engine.test_trading import bring

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

STOP = Protect(stop_loss=Decimal("0.03"))
LEVEL = Decimal(67_900)
LADDER = Protect(
    stop_loss=Decimal("0.03"),
    ladder=(Rung(Decimal("0.03"), Decimal("0.5")), Rung(Decimal(1), Decimal("0.5"))),
)


async def start(world: World, *, is_live: bool = False) -> None:
    """Open a desk whose broker lets stops rest."""
    world.is_open, world.is_live = True, is_live
    world.venue.has_stops = True
    await world.restart()
    if is_live:
        await world.desk.arm(OWNER.id)


async def bought(world: World, protect: Protect = STOP, quantity: int = 10, **more: Any) -> None:
    """Hold some protected shares, bought a moment ago."""
    order = await world.sent(
        quantity=Decimal(quantity), protect=protect, origin="condition:a", **more
    )
    world.venue.fill(order, quantity)
    await world.sweep(70_000)


async def resting(world: World, protect: Protect = STOP, *, is_live: bool = False) -> Order:
    """Hold ten protected shares with a stop at the venue; return it."""
    await start(world, is_live=is_live)
    await bought(world, protect)
    await world.sweep(70_000)
    (stop,) = await stops(world)
    assert stop.state is OrderState.ACCEPTED
    world.pass_time(61)
    return stop


async def stops(world: World) -> list[Order]:
    """Return all stops there ever were, oldest first."""
    return [one for one in await orders(world) if one.origin == VENUE_STOP]


async def sales(world: World) -> list[Order]:
    """Return the other sales, oldest first."""
    found = [one for one in await orders(world) if one.side is Side.SELL]
    return [one for one in found if one.origin != VENUE_STOP]


async def orders(world: World) -> list[Order]:
    return await world.store.read(lambda tx: tx.orders.since(NOON))


async def told(world: World, code: str) -> int:
    """Return how often the owner was told something."""
    await world.deliver()
    texts = [one.text for one in world.chat if one.chat_id == OWNER.id]
    return sum(text.startswith(f"notice.{code} ") for text in texts)


def on_sale(world: World) -> Decimal:
    """Return what the venue has on sale, stops and all."""
    venue = world.venue
    open_orders = [
        order
        for order in venue.placed.values()
        if venue.orders[order.client_order_id].state in AT_BROKER and order.side is Side.SELL
    ]
    return sum(
        (one.quantity - venue.orders[one.client_order_id].filled_quantity for one in open_orders),
        Decimal(0),
    )


def held(world: World) -> Decimal:
    """Return what the account holds at the venue."""
    return sum((one.quantity for one in world.venue.positions()), Decimal(0))


def test_one_stop_rests_at_the_level_for_all_that_is_held(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        for _ in range(3):
            await world.sweep(69_000)
        assert [one.id for one in await stops(world)] == [stop.id]
        assert world.venue.triggers == {stop.id: LEVEL}
        assert (stop.quantity, stop.price, stop.is_automatic) == (Decimal(10), None, True)
        assert await world.card(stop) == ""  # nobody has to do anything about it

    run(scenario)


def test_fills_that_come_one_by_one_make_one_stop(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        order = await world.sent(quantity=Decimal(10), protect=STOP, origin="condition:a")
        for _ in range(5):
            world.venue.fill(order, 2)
            world.pass_time(4)
            await world.desk.settle()
        assert await stops(world) == []
        await world.sweep(70_000)
        (stop,) = await stops(world)
        assert stop.quantity == 10

    run(scenario)


def test_a_stop_that_triggers_is_taken_as_fills_and_told(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.venue.fill(stop, 10, price=67_800)
        for _ in range(4):
            await world.sweep(67_800)
        assert await world.position() == 0
        assert (await world.order(stop)).state is OrderState.FILLED
        assert await sales(world) == []
        assert world.venue.cancels == []
        assert await told(world, "stop_sold") == 1
        assert await world.card(stop) != ""
        assert await world.store.read(lambda tx: read_protection(tx, SAMSUNG.id)) is None

    run(scenario)


def test_our_own_exit_takes_the_stop_away_first(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.line.before_post = lambda: _nothing_on_sale(world)
        await world.sweep(67_900)
        (sale,) = await sales(world)
        assert (sale.state, sale.quantity) == (OrderState.ACCEPTED, Decimal(10))
        assert (await world.order(stop)).state is OrderState.CANCELED
        assert on_sale(world) == 10
        for _ in range(3):
            await world.sweep(67_900)
        assert len(await stops(world)) == len(await sales(world)) == 1
        assert await told(world, "stop_gone") == 0

    run(scenario)


async def _nothing_on_sale(world: World) -> None:
    assert on_sale(world) == 0


def test_a_stop_that_has_triggered_meanwhile_leaves_nothing_to_send(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.venue.is_silent = True  # its fill cannot be known when the price is judged
        world.venue.fill(stop, 10, price=67_900)
        await world.sweep(67_900)
        assert await sales(world) == []
        world.venue.is_silent = False
        await world.sweep(67_900)
        await world.sweep(67_900)
        assert await sales(world) == []
        assert await world.position() == 0
        assert len(world.venue.posts) == 2

    run(scenario)


def test_what_a_stop_has_left_is_sold_by_our_exit(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.venue.fill(stop, 4, price=67_900)
        await world.sweep(69_000)  # the price is back, but the stop was reached
        (sale,) = await sales(world)
        assert (sale.quantity, sale.origin) == (Decimal(6), "protection:stop_loss")
        assert (await world.order(stop)).state is OrderState.CANCELED
        assert on_sale(world) == held(world) == 6

    run(scenario)


def test_a_sale_by_hand_waits_for_the_stop_to_be_away(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.line.before_post = lambda: _nothing_on_sale(world)
        sale = await world.sent(side=Side.SELL, quantity=Decimal(4), price=Decimal(75_000))
        assert sale.state is OrderState.ACCEPTED
        assert (await world.order(stop)).state is OrderState.CANCELED
        world.pass_time(30)
        for _ in range(2):
            await world.sweep(70_000)
        assert len(await stops(world)) == 1  # while something is being sold, none is placed
        world.line.before_post = _anything
        world.venue.fill(sale, 4, price=75_000)
        for _ in range(3):
            await world.sweep(70_000)
        assert [one.quantity for one in await stops(world)] == [Decimal(10), Decimal(6)]
        assert on_sale(world) == held(world) == 6

    run(scenario)


async def _anything() -> None:
    return


def test_nothing_is_sent_while_the_venue_does_not_cancel_the_stop(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await resting(world)
        proposed = await world.propose(side=Side.SELL, quantity=Decimal(4))
        world.venue.script.append("lose request")
        outcome = await world.confirm(proposed)
        assert outcome.code == "order.stop_in_way"
        assert len(world.venue.posts) == 2
        world.venue.script.clear()
        world.pass_time(6)
        assert (await world.confirm(proposed)).code == "order.confirmed"
        assert on_sale(world) == 4

    run(scenario)


def test_a_stop_that_cannot_be_taken_away_is_an_alarm(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await resting(world)
        world.venue.script.extend(["lose request"] * 20)
        for _ in range(3):
            await world.sweep(67_000)
        assert await told(world, "unprotected_stop_in_way") == 0
        await world.sweep(67_000)
        assert await told(world, "unprotected_stop_in_way") == 1
        assert await sales(world) == []
        world.venue.script.clear()
        await world.sweep(67_000)
        (sale,) = await sales(world)
        assert sale.state is OrderState.ACCEPTED

    run(scenario)


def test_more_that_is_bought_moves_the_stop_and_the_old_one_goes_first(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await resting(world)
        await bought(world, quantity=5)
        world.line.before_post = lambda: _nothing_on_sale(world)
        for _ in range(3):
            await world.sweep(70_000)
        old, new = await stops(world)
        assert (old.state, new.state) == (OrderState.CANCELED, OrderState.ACCEPTED)
        assert new.quantity == 15
        assert await told(world, "stop_gone") == 0

    run(scenario)


def test_an_old_stop_whose_cancel_is_lost_is_not_followed_by_another(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await resting(world)
        await bought(world, quantity=5)
        world.venue.script.extend(["lose request"] * 2)
        await world.sweep(70_000)
        await world.sweep(70_000)
        assert len(await stops(world)) == 1
        for _ in range(3):
            await world.sweep(70_000)
        assert [one.quantity for one in await stops(world)] == [Decimal(10), Decimal(15)]

    run(scenario)


def test_a_rung_sells_its_share_and_a_smaller_stop_follows(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await resting(world, LADDER)
        await world.sweep(72_100)
        (rung,) = await sales(world)
        assert (rung.quantity, on_sale(world)) == (Decimal(5), Decimal(5))
        world.venue.fill(rung, 5, price=72_100)
        for _ in range(4):
            await world.sweep(72_100)
        assert [one.quantity for one in await stops(world)] == [Decimal(10), Decimal(5)]

    run(scenario)


def test_a_refused_stop_is_told_with_its_reason_and_tried_again_later(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        await bought(world)
        world.venue.script.append("refuse price")
        for _ in range(3):
            await world.sweep(70_000)
        assert await told(world, "stop_refused") == 1
        assert len(await stops(world)) == 1
        world.pass_time(60)
        await world.sweep(67_900)  # our own protection goes on
        (sale,) = await sales(world)
        assert sale.state is OrderState.ACCEPTED
        world.venue.end(sale, OrderState.CANCELED)
        world.market.prices[SAMSUNG.id] = 70_000

    run(scenario)


def test_a_refusal_that_may_pass_is_tried_again_soon_and_told_to_nobody(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        await bought(world)
        world.venue.script.extend(["refuse busy"] * 2)
        for _ in range(12):
            await world.sweep(70_000)
        assert [one.state for one in await stops(world)] == [
            OrderState.REJECTED,
            OrderState.REJECTED,
            OrderState.ACCEPTED,
        ]
        assert await told(world, "stop_refused") == 0

    run(scenario)


@pytest.mark.parametrize("word", ["lose answer", "lose request"])
def test_a_stop_in_doubt_is_asked_for_and_never_sent_again(
    run: Callable[..., None], word: str
) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        await bought(world)
        world.venue.script.append(word)
        world.pass_time(10)
        await world.desk.lapse()  # looks without settling
        world.venue.is_silent = True
        await world.sweep(67_000)
        (stop,) = await stops(world)
        assert stop.state is OrderState.IN_DOUBT
        assert await sales(world) == []  # it may be there, and sell
        assert await told(world, "stop_in_doubt") == 1
        assert await told(world, "unprotected_in_doubt") == 1
        world.venue.is_silent = False
        await world.sweep(67_000)
        await world.sweep(67_000)
        (sale,) = await sales(world)
        assert sale.state is OrderState.ACCEPTED
        assert on_sale(world) == 10
        assert world.venue.posts.count(stop.client_order_id) == 1

    run(scenario)


def test_after_a_restart_the_stop_is_known(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        await world.restart()
        for _ in range(3):
            await world.sweep(70_000)
        assert [one.id for one in await stops(world)] == [stop.id]
        world.venue.fill(stop, 10, price=67_900)
        await world.restart()
        await world.sweep(67_900)
        assert await world.position() == 0

    run(scenario)


@pytest.mark.parametrize("state", list(TradingState))
def test_in_each_state_of_trading_a_stop_is_placed_or_not(
    run: Callable[..., None], state: TradingState
) -> None:
    async def scenario(world: World) -> None:
        await start(world, is_live=True)
        await bought(world)
        await bring(world, state)
        for _ in range(2):
            await world.sweep(70_000)
        is_placed = TABLE[state][OrderKind.PROTECTION] is Permit.YES
        assert len(await stops(world)) == int(is_placed)

    run(scenario)


@pytest.mark.parametrize("state", list(TradingState))
def test_in_each_state_of_trading_a_stop_stays(
    run: Callable[..., None], state: TradingState
) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world, is_live=True)
        await bring(world, state)
        for _ in range(3):
            await world.sweep(70_000)
        assert [(one.id, one.state) for one in await stops(world)] == [
            (stop.id, OrderState.ACCEPTED)
        ]

    run(scenario)


def test_a_halt_moves_no_stop_for_a_sale_that_may_not_go(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        proposed = await world.propose(side=Side.SELL, quantity=Decimal(4))
        await world.desk.halt(TRADER.id)
        assert (await world.confirm(proposed)).code == "risk.trading_halted"
        await world.sweep(67_000)
        assert (await world.order(stop)).state is OrderState.ACCEPTED
        assert world.venue.cancels == []

    run(scenario)


def test_a_stop_of_the_day_is_placed_anew_at_the_next_open(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.pass_time(10 * 3600)  # 22:01 in Seoul
        world.venue.end(stop, OrderState.EXPIRED)
        for _ in range(3):
            await world.sweep(70_000)
        assert (await world.order(stop)).state is OrderState.EXPIRED
        world.pass_time(10.6 * 3600)  # 08:37
        await world.sweep(70_000)
        assert len(await stops(world)) == 1
        world.pass_time(1_800)  # 09:07
        await world.sweep(70_000)
        _, anew = await stops(world)
        assert anew.state is OrderState.ACCEPTED
        assert await told(world, "stop_gone") == 0

    run(scenario)


def test_a_stop_that_somebody_cancels_is_placed_again_later(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        await world.desk.cancel(stop.id, TRADER.id)
        for _ in range(3):
            await world.sweep(70_000)
        assert len(await stops(world)) == 1
        assert await told(world, "stop_gone") == 0
        world.pass_time(600)
        await world.sweep(70_000)
        (_, second) = await stops(world)
        world.venue.end(second, OrderState.CANCELED)  # in the broker's own app
        world.pass_time(30)
        await world.sweep(70_000)
        await world.sweep(70_000)
        assert await told(world, "stop_gone") == 1

    run(scenario)


def test_a_position_that_is_gone_leaves_no_stop(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.venue.beside[SAMSUNG.id] = Decimal(-10)  # sold in the broker's own app
        for _ in range(3):
            await world.desk.reconcile()
            await world.sweep(70_000)
        assert (await world.order(stop)).state is OrderState.CANCELED
        await world.desk.adopt(SAMSUNG.id, OWNER.id)
        for _ in range(3):
            await world.sweep(70_000)
        assert on_sale(world) == 0

    run(scenario)


def test_a_panic_takes_the_stop_away_and_sells(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        stop = await resting(world)
        world.line.before_post = lambda: _nothing_on_sale(world)
        await world.desk.panic(OWNER.id)
        await world.sweep(70_000)
        assert (await world.order(stop)).state is OrderState.CANCELED
        sale, *_ = await sales(world)
        assert (sale.origin, sale.quantity) == ("protection:panic", Decimal(10))
        for _ in range(2):
            await world.sweep(70_000)
        assert len(await stops(world)) == 1

    run(scenario)


@pytest.mark.parametrize(
    "protect", [Protect(stop_loss=Decimal("0.03"), at_venue=False), Protect(time_stop=timedelta(1))]
)
def test_who_asks_for_none_gets_none(run: Callable[..., None], protect: Protect) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        await bought(world, protect)
        for _ in range(3):
            await world.sweep(70_000)
        assert await stops(world) == []

    run(scenario)


def test_where_the_venue_takes_no_stops_protection_is_ours_alone(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        world.venue.has_stops = False
        await bought(world)
        for _ in range(3):
            await world.sweep(70_000)
        assert await stops(world) == []
        kept = await world.store.read(lambda tx: read_stop(tx, SAMSUNG.id))
        assert kept.wished is None

    run(scenario)


def test_a_kill_at_any_point_never_has_more_on_sale_than_is_held(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        await start(world)
        points, is_whole = 0, False
        while not is_whole:
            points += 1
            world.market.prices[SAMSUNG.id] = 70_000
            await bought(world)
            world.store.close()
            world.open(kill_at=points)
            world.line.before_post = lambda: _nothing_on_sale(world)
            try:
                await world.desk.recover()
                for price in (70_000, 70_000, 67_900, 67_900):
                    await world.sweep(price)
                is_whole, world.fate.kill_at = True, None
            except Killed:
                world.store.close()
                world.open()
                world.line.before_post = lambda: _nothing_on_sale(world)
                await world.desk.recover()
            for _ in range(6):
                await world.sweep(67_900)
            (sale,) = [one for one in await sales(world) if one.state in AT_BROKER]
            assert on_sale(world) == held(world) == sale.quantity == 10, points
            assert max(map(world.venue.posts.count, world.venue.posts)) == 1
            world.line.before_post = _anything
            world.venue.fill(sale, 10, price=72_000)  # no loss of the day, or buying ends
            await world.sweep(67_900)
            world.pass_time(61)
        assert points > 30

    run(scenario, risk={"max_day": Decimal(1_000_000_000)})
