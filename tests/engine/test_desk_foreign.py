"""Orders made elsewhere: adopted with all that follows, cancelled by one request, or left alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from brokers.broker import Adoption, OpenOrder
from engine.desk_foreign import foreign_id
from engine.difference import read_differences
from engine.reconcile import read_foreign
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Position, Side
from tests.engine.desk_world import World
from tests.engine.pretend_market import HYNIX, NOON, OWNER, SAMSUNG, TRADER
from tests.engine.scripted_venue import OpenBroker
from tests.engine.sudden_death import Killed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from engine.outcome import Outcome
    from market.orders import Fill, Order
    from market.store import Transaction

    Run: TypeAlias = Callable[[Callable[["ForeignWorld"], Awaitable[None]]], None]

NOTE = "scripted/adopted/"
KILLS = (1, 5, 7, 8, 9)
"""In the look, before the wish is looked at, before and after both are kept, and not at all."""


def elsewhere(number: int = 1, **changes: Any) -> OpenOrder:
    """Return an order for ten shares that somebody made in the broker's own app."""
    amounts = Decimal(10), Decimal(70_000), Decimal(0)
    made = OpenOrder(f"A{number}", "", SAMSUNG.id, Side.BUY, *amounts, NOON)
    return replace(made, **changes)


class ForeignBroker(OpenBroker):
    """One at which orders made elsewhere rest; its notes are in the store."""

    async def adopt(self, found: OpenOrder, order: Order) -> Adoption:
        self._fate.check()
        self._listen()
        resting = [
            one for one in self._venue.foreign if one.broker_order_id == found.broker_order_id
        ]
        if not resting:
            raise OrderRejected("closed", "it rests no more")

        def keep(tx: Transaction) -> None:
            tx.documents.put(NOTE + order.client_order_id, {"id": found.broker_order_id})

        return Adoption(resting[0].filled_quantity, keep)

    async def cancel_foreign(self, found: OpenOrder) -> None:
        self._fate.pass_point()
        self._venue.cancels.append(found.broker_order_id)
        word = self._venue.script.popleft() if self._venue.script else "accept"
        if word == "lose request":
            raise OutcomeUnknown("timeout", "no answer")
        if word.startswith("refuse"):
            raise OrderRejected("closed", "it has traded")
        self._venue.foreign.remove(found)
        self._fate.pass_point()
        if word == "lose answer":
            raise OutcomeUnknown("timeout", "no answer")


class ForeignWorld(World):
    """A world whose broker takes orders made elsewhere."""

    def connect(self) -> ForeignBroker:
        """Return its broker."""
        return ForeignBroker(self.venue, self.fate)

    async def adopt(self, one: OpenOrder, user_id: int = OWNER.id) -> Outcome:
        """Adopt an order."""
        return await self.desk.foreign.adopt(foreign_id(one), user_id)

    async def cancel(self, one: OpenOrder, user_id: int = OWNER.id) -> Outcome:
        """Cancel an order."""
        return await self.desk.foreign.cancel(foreign_id(one), user_id)

    async def rests(self, *found: OpenOrder) -> None:
        """Let orders made elsewhere rest at the venue, and be seen."""
        self.venue.foreign = list(found)
        await self.desk.reconcile()

    async def adopted(self, one: OpenOrder) -> Order | None:
        """Return what has become of an order, None where it is not ours."""
        return await self.store.read(lambda tx: tx.orders.get(foreign_id(one)))

    def trade(self, order: Order, quantity: int) -> Fill:
        """Let a part of an adopted order trade."""
        self.venue.foreign = []
        return self.venue.fill(order, quantity)


@pytest.fixture
def foreign(tmp_path: Path) -> Run:
    """Run a scenario in a world with orders made elsewhere."""

    def start(scenario: Callable[[ForeignWorld], Awaitable[None]]) -> None:
        async def body() -> None:
            world = ForeignWorld(tmp_path / "desk.sqlite")
            await world.settle_in()
            try:
                await scenario(world)
            finally:
                world.store.close()

        asyncio.run(body())

    return start


def test_an_adopted_order_is_ours_from_what_has_traded_on(foreign: Run) -> None:
    async def scenario(world: ForeignWorld) -> None:
        await world.rests(elsewhere())
        seen = elsewhere(filled_quantity=Decimal(3))  # three have traded since the last look
        world.venue.foreign = [seen]
        outcome = await world.adopt(seen)
        assert outcome.code == "foreign.adopted"
        order = await world.adopted(seen)
        assert order is not None
        assert (order.state, order.quantity, order.price) == (
            OrderState.ACCEPTED,
            Decimal(7),
            Decimal(70_000),
        )
        assert (order.origin, order.user_id, order.broker_order_id) == ("foreign", OWNER.id, "A1")
        assert await world.store.read(read_foreign) == []
        assert "accepted" in await world.card(order)
        world.trade(order, 7)
        await world.sweep()
        assert (await world.order(order)).state is OrderState.FILLED
        assert await world.position() == Decimal(7)  # the three are the broker's, to be adopted
        assert (await world.adopt(seen)).code == "order.already"
        assert world.venue.posts == []

    foreign(scenario)


def test_an_adopted_order_does_not_turn_foreign_again(foreign: Run) -> None:
    async def scenario(world: ForeignWorld) -> None:
        await world.rests(elsewhere(), elsewhere(2, instrument=HYNIX.id))
        await world.adopt(elsewhere())
        await world.desk.reconcile()
        left = await world.store.read(read_foreign)
        assert [one.broker_order_id for one in left] == ["A2"]

    foreign(scenario)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": None}, "foreign.market"),
        ({"side": Side.SELL}, "foreign.uncovered"),
    ],
)
def test_what_our_book_could_not_follow_is_not_adopted(
    foreign: Run, change: dict[str, Any], code: str
) -> None:
    async def scenario(world: ForeignWorld) -> None:
        one = elsewhere(**change)
        await world.rests(one)
        assert (await world.adopt(one)).code == code
        assert await world.adopted(one) is None

    foreign(scenario)


def test_a_sale_is_adopted_where_we_hold_what_it_sells(foreign: Run) -> None:
    async def scenario(world: ForeignWorld) -> None:
        held = Position(SAMSUNG.id, Decimal(10), Decimal(60_000))
        await world.store.write(lambda tx: tx.orders.put_position(held))
        world.venue.beside[SAMSUNG.id] = Decimal(10)
        one, two = elsewhere(side=Side.SELL), elsewhere(2, side=Side.SELL)
        await world.rests(one, two)
        assert (await world.adopt(one)).code == "foreign.adopted"
        assert (await world.adopt(two)).code == "foreign.uncovered"

    foreign(scenario)


def test_nothing_is_adopted_while_the_books_differ(foreign: Run) -> None:
    async def scenario(world: ForeignWorld) -> None:
        world.venue.beside[SAMSUNG.id] = Decimal(5)
        await world.rests(elsewhere())
        assert await world.store.read(read_differences)
        assert (await world.adopt(elsewhere())).code == "foreign.differs"

    foreign(scenario)


@pytest.mark.parametrize("wish", ["adopt", "cancel"])
def test_what_may_be_our_own_order_in_doubt_is_left_alone(foreign: Run, wish: str) -> None:
    async def scenario(world: ForeignWorld) -> None:
        world.venue.script.append("lose answer")
        await world.sent()
        await world.rests(elsewhere(), elsewhere(2, instrument=HYNIX.id))
        assert (await getattr(world, wish)(elsewhere())).code == "foreign.in_doubt"
        other = await getattr(world, wish)(elsewhere(2, instrument=HYNIX.id))
        assert other.code in {"foreign.adopted", "foreign.cancelled"}

    foreign(scenario)


@pytest.mark.parametrize("wish", ["adopt", "cancel"])
def test_only_the_owner_touches_orders_made_elsewhere(foreign: Run, wish: str) -> None:
    async def scenario(world: ForeignWorld) -> None:
        await world.rests(elsewhere())
        for user_id in (TRADER.id, 999):
            assert (await getattr(world, wish)(elsewhere(), user_id)).code == "foreign.owner"
        assert (await getattr(world, wish)(elsewhere(9))).code == "foreign.gone"
        assert await world.adopted(elsewhere()) is None
        assert world.venue.cancels == []

    foreign(scenario)


@pytest.mark.parametrize(
    ("word", "code", "left"),
    [
        ("accept", "foreign.cancelled", 0),
        ("refuse", "order.cancel_refused", 1),
        ("lose request", "foreign.unanswered", 1),
        ("lose answer", "foreign.unanswered", 0),
    ],
)
def test_a_cancel_is_one_request_whatever_comes_of_it(
    foreign: Run, word: str, code: str, left: int
) -> None:
    async def scenario(world: ForeignWorld) -> None:
        await world.rests(elsewhere())
        world.venue.script.append(word)
        first, second = await asyncio.gather(world.cancel(elsewhere()), world.cancel(elsewhere()))
        assert {first.code, second.code} <= {code, "foreign.asked", "foreign.gone"}
        assert first.code == code
        await world.restart()
        await world.sweep()
        assert world.venue.cancels == ["A1"]
        assert len(await world.store.read(read_foreign)) == left
        if left:
            assert (await world.cancel(elsewhere())).code == "foreign.asked"
            world.pass_time(61)
            assert (await world.cancel(elsewhere())).code == "foreign.cancelled"

    foreign(scenario)


def test_a_silent_venue_adopts_nothing(foreign: Run) -> None:
    async def scenario(world: ForeignWorld) -> None:
        await world.rests(elsewhere())
        world.venue.is_silent = True
        assert (await world.adopt(elsewhere())).code == "adopt.untold"
        world.venue.is_silent = False
        world.venue.foreign = []
        assert (await world.adopt(elsewhere())).code == "foreign.gone"

    foreign(scenario)


def test_a_kill_leaves_the_order_and_the_brokers_note_together(tmp_path: Path) -> None:
    async def life(kill_at: int) -> bool:
        world = ForeignWorld(tmp_path / f"{kill_at}.sqlite")
        await world.settle_in()
        await world.rests(elsewhere())
        world.fate.kill_at = world.fate.points + kill_at
        was_killed = False
        try:
            await world.adopt(elsewhere())
        except Killed:
            was_killed = True
            await world.restart()
        world.fate.kill_at = None
        order = await world.adopted(elsewhere())
        notes = await world.store.read(lambda tx: tx.documents.items(NOTE))
        assert len(notes) == int(order is not None)
        assert (await world.adopt(elsewhere())).code in {"foreign.adopted", "order.already"}
        world.store.close()
        return was_killed

    killed = [asyncio.run(life(kill_at)) for kill_at in KILLS]
    assert killed == [True, True, True, True, False]


def test_paper_has_no_orders_made_elsewhere(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        for does in (world.desk.foreign.adopt, world.desk.foreign.cancel):
            assert (await does("aaaaaaaaaaaa", OWNER.id)).code == "foreign.unable"

    run(scenario)
