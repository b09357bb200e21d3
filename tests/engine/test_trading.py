"""What may be sent in which state: the table cell by cell, alone and through the desk."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pauses import BUYS, EVERYTHING, Halt, Pause, Scope, Trading
from engine.trading import (
    REASONS,
    TABLE,
    OrderKind,
    Permit,
    TradingState,
    held_back,
    kind_of,
    may_go_by_itself,
    permit,
)
from market.orders import Order, OrderState, PositionSide, Side
from tests.engine.pretend_market import NOON, OWNER, SAMSUNG, TRADER
from tests.engine.risk_makers import order, sell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

WRITTEN = """
                     active  paused  sales_paused  disarmed  differs  halted
entry_by_condition   yes     no      tap           no        no       no
entry_by_command     tap     no      tap           no        no       no
exit_by_condition    yes     tap     no            tap       no       no
exit_by_command      tap     tap     tap           tap       tap      no
protection           yes     yes     yes           yes       yes      no
cancel               yes     yes     yes           yes       yes      yes
"""
"""The table once more, as docs/orders.md has it."""

HEAD, *LINES = WRITTEN.strip("\n").splitlines()
CELLS = [
    (TradingState(state), OrderKind(line.split()[0]), Permit[word.upper()])
    for line in LINES
    for state, word in zip(HEAD.split(), line.split()[1:], strict=True)
]
KINDS = {
    OrderKind.ENTRY_BY_CONDITION: (Side.BUY, "condition:volume-breakout"),
    OrderKind.ENTRY_BY_COMMAND: (Side.BUY, "command"),
    OrderKind.EXIT_BY_CONDITION: (Side.SELL, "condition:volume-breakout"),
    OrderKind.EXIT_BY_COMMAND: (Side.SELL, "command"),
    OrderKind.PROTECTION: (Side.SELL, "protection:stop"),
}
"""What makes an order of each kind; a cancel is none."""


def of_kind(kind: OrderKind) -> Order:
    side, origin = KINDS[kind]
    return order(side=side, origin=origin)


@pytest.mark.parametrize("origin", ["command", "condition:fall"])
def test_a_sale_that_opens_a_short_position_is_an_entry(origin: str) -> None:
    for_long = order(origin=origin)
    for_short = replace(for_long, side=Side.SELL, position=PositionSide.SHORT)
    assert kind_of(for_short) is kind_of(for_long)
    covering = replace(for_short, side=Side.BUY)
    assert kind_of(covering) is kind_of(replace(for_long, side=Side.SELL))


def test_the_table_is_whole() -> None:
    assert len(CELLS) == len(TradingState) * len(OrderKind)
    assert set(TABLE) == set(TradingState)
    assert all(set(row) == set(OrderKind) for row in TABLE.values())
    assert set(REASONS) == set(TradingState) - {TradingState.ACTIVE}


@pytest.mark.parametrize(("state", "kind", "allowed"), CELLS)
def test_each_cell(state: TradingState, kind: OrderKind, allowed: Permit) -> None:
    assert permit(kind, {TradingState.ACTIVE, state})[0] is allowed
    if kind is OrderKind.CANCEL:
        return
    asked = of_kind(kind)
    assert kind_of(asked) is kind
    states = frozenset({TradingState.ACTIVE, state})
    assert held_back(asked, states) == ("" if allowed > Permit.NO else REASONS[state])
    assert may_go_by_itself(asked, states) == (allowed is Permit.YES)


@given(states=st.sets(st.sampled_from(TradingState), min_size=1), kind=st.sampled_from(OrderKind))
def test_of_several_states_the_strictest_decides(
    states: set[TradingState], kind: OrderKind
) -> None:
    allowed, decisive = permit(kind, states)
    assert allowed is min(TABLE[one][kind] for one in states)
    assert decisive in states
    assert TABLE[decisive][kind] is allowed


async def bring(world: World, state: TradingState) -> None:
    """Bring a desk into a state."""
    await world.desk.arm(OWNER.id)
    match state:
        case TradingState.PAUSED:
            await world.desk.pause(TRADER.id)
        case TradingState.SALES_PAUSED:
            await world.desk.pause(TRADER.id, Scope(side=Side.SELL))
        case TradingState.DISARMED:
            await world.desk.disarm(TRADER.id)
        case TradingState.DIFFERS:
            await differ(world)
        case TradingState.HALTED:
            await world.desk.halt(TRADER.id)
            await world.desk.arm(OWNER.id)


async def differ(world: World) -> None:
    """Let the broker hold one share more than we know of."""
    world.venue.beside[SAMSUNG.id] = Decimal(1)
    for _ in range(2):  # an order on its way makes the first look a suspicion
        await world.desk.reconcile()


async def holding(world: World) -> None:
    """Let a live desk hold twenty shares."""
    world.is_live = world.is_open = True
    await world.restart()
    await world.desk.arm(OWNER.id)
    bought = await world.sent(quantity=Decimal(20))
    world.venue.fill(bought, 20)
    await world.sweep()
    world.pass_time(61)


@pytest.mark.parametrize(("state", "kind", "allowed"), CELLS)
def test_each_cell_through_the_desk(
    run: Callable[..., None], state: TradingState, kind: OrderKind, allowed: Permit
) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        if kind is OrderKind.CANCEL:
            resting = await world.sent()
            await bring(world, state)
            outcome = await world.desk.cancel(resting.id, TRADER.id)
            assert (outcome.code == "order.canceled") == (allowed is Permit.YES)
            return
        side, origin = KINDS[kind]
        posts = len(world.venue.posts)
        waiting = await world.propose(side=side, origin=origin)
        await bring(world, state)
        proposed = await world.propose(side=side, origin=origin, quantity=Decimal(3))
        outcome = await world.confirm(waiting)
        if allowed is Permit.NO:
            assert outcome.code == proposed.code == REASONS[state]
            assert len(world.venue.posts) == posts
        else:
            assert proposed.state is OrderState.PROPOSED
            assert outcome.code == "order.confirmed"
            assert len(world.venue.posts) == posts + 1

    run(scenario)


@pytest.mark.parametrize(
    ("state", "kind", "allowed"), [cell for cell in CELLS if cell[1] is not OrderKind.CANCEL]
)
def test_each_cell_without_a_tap(
    run: Callable[..., None], state: TradingState, kind: OrderKind, allowed: Permit
) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        await bring(world, state)
        side, origin = KINDS[kind]
        posts = len(world.venue.posts)
        found = await world.propose(side=side, origin=origin, auto_below=Decimal(800_000))
        is_sent = found.state is OrderState.ACCEPTED
        assert is_sent == (allowed is Permit.YES)
        assert len(world.venue.posts) == posts + int(is_sent)
        if allowed is Permit.TAP:
            assert found.state is OrderState.PROPOSED
            assert (await world.confirm(found)).code == "order.confirmed"

    run(scenario)


SCOPES = [
    (Scope(), True),
    (BUYS, True),
    (Scope(venue="KRX"), True),
    (Scope(venue="UPBIT"), False),
    (Scope(instrument=SAMSUNG.id), True),
    (Scope(instrument="KRX:000660"), False),
    (Scope(condition="volume-breakout"), False),
    (Scope(venue="KRX", instrument=SAMSUNG.id, side=Side.BUY), True),
    (Scope(venue="UPBIT", instrument=SAMSUNG.id), False),
]


@pytest.mark.parametrize(("scope", "is_covered"), SCOPES)
def test_a_scope_covers_what_it_names(scope: Scope, *, is_covered: bool) -> None:
    trading = Trading((Pause(scope, 1, NOON),))
    assert (trading.states_of(order()) != {TradingState.ACTIVE}) == is_covered


def test_a_scope_of_a_condition_covers_its_orders_alone() -> None:
    trading = Trading((Pause(Scope(condition="a"), 1, NOON),))
    both = {TradingState.ACTIVE, TradingState.PAUSED, TradingState.SALES_PAUSED}
    assert trading.states_of(order(origin="condition:a")) == both
    assert trading.states_of(sell(origin="condition:b")) == {TradingState.ACTIVE}


@given(
    scope=st.sampled_from([one for one, _ in SCOPES]),
    other=st.sampled_from([one for one, _ in SCOPES]),
    side=st.sampled_from(Side),
    origin=st.sampled_from(["command", "condition:volume-breakout"]),
)
def test_what_lies_within_a_scope_is_covered_by_it(
    scope: Scope, other: Scope, side: Side, origin: str
) -> None:
    asked = order(side=side, origin=origin)
    if scope.lies_within(other) and scope.covers(asked):
        assert other.covers(asked)
    assert scope.lies_within(EVERYTHING)


def test_a_resume_ends_what_lies_within_and_a_pause_takes_the_place_of_its_like() -> None:
    pauses = [Pause(one, 1, NOON) for one in (BUYS, Scope(venue="KRX"), Scope(venue="UPBIT"))]
    trading = Trading()
    for pause in (*pauses, replace(pauses[0], user_id=2)):
        trading = trading.paused(pause)
    assert [one.user_id for one in trading.pauses] == [1, 1, 2]
    left = trading.resumed(Scope(venue="KRX"))
    assert [one.scope for one in left.pauses] == [Scope(venue="UPBIT"), BUYS]
    assert trading.resumed(EVERYTHING).pauses == ()
    assert replace(trading, halt=Halt(1, NOON)).state is TradingState.HALTED
