"""Orders that only a person can tell apart: asked once, answered once, over every kill."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from brokers.broker import BrokerOrder, OpenOrder
from engine.desk_doubt import Choice
from engine.doubt import read_doubt
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side
from tests.engine.desk_world import World
from tests.engine.pretend_market import NOON, OTHER, OWNER, SAMSUNG, TRADER, VIEWER
from tests.engine.scripted_venue import ScriptedBroker
from tests.engine.sudden_death import Killed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from engine.outcome import Outcome
    from market.orders import Order

    Run: TypeAlias = Callable[[Callable[["UnsureWorld"], Awaitable[None]]], None]


def candidate(number: int, filled: int = 0) -> OpenOrder:
    """Return one of the orders at the venue that may be ours."""
    amounts = Decimal(10), Decimal(70_000), Decimal(filled)
    return OpenOrder(f"V{number}", "", SAMSUNG.id, Side.BUY, *amounts, NOON)


class UnsureBroker(ScriptedBroker):
    """One that cannot tell orders apart; what it was told outlives it in the venue's lists."""

    async def find(self, order: Order) -> BrokerOrder | None:
        self._fate.check()
        if order.id not in self._told:
            raise OutcomeUnknown("ambiguous", "several are alike")
        said = self._told[order.id]
        accepted = OrderState.ACCEPTED
        return None if said is None else BrokerOrder(said, accepted, Decimal(0), Decimal(0))

    async def candidates(self, order: Order) -> list[OpenOrder]:
        self._fate.check()
        self._listen()
        return self._venue.foreign

    async def settle(self, order: Order, broker_order_id: str | None) -> None:
        self._fate.pass_point()
        self._listen()
        if order.id in self._told or (self._venue.script and self._venue.script.popleft()):
            raise OrderRejected("unknown_order", "it is another one")
        self._told[order.id] = broker_order_id
        self._fate.pass_point()

    @property
    def _told(self) -> dict[str, str | None]:
        told: dict[str, str | None] = self._venue.__dict__.setdefault("told", {})
        return told


class UnsureWorld(World):
    """A world whose broker is in doubt."""

    def connect(self) -> UnsureBroker:
        """Return the unsure one."""
        return UnsureBroker(self.venue, self.fate)

    async def doubted(self) -> Order:
        """Leave an order in doubt between two, and let the question arrive."""
        self.venue.script.append("lose request")
        order = await self.sent()
        self.venue.foreign = [candidate(1), candidate(2)]
        await self.sweep()
        await self.deliver()
        return order

    async def answer(self, order: Order, number: int | None = 0, **changes: object) -> Outcome:
        """Tap an answer in the chat of the trader."""
        card = await self.store.read(lambda tx: tx.outbox.card(TRADER.id, f"doubt/{order.id}"))
        assert card is not None
        choice = Choice(order.id, 1, number, TRADER.id, card.message_id)
        return await self.desk.doubts.answer(replace(choice, **changes))  # type: ignore[arg-type]  # named values of a test

    async def question(self, order: Order) -> list[str]:
        """Return what the question has said so far, newest last."""
        await self.deliver()
        return [one.text for one in self.chat if one.card == f"doubt/{order.id}"]


@pytest.fixture
def unsure(tmp_path: Path) -> Callable[[Callable[[UnsureWorld], Awaitable[None]]], None]:
    """Run a scenario in a world in doubt."""

    def start(scenario: Callable[[UnsureWorld], Awaitable[None]]) -> None:
        async def body() -> None:
            world = UnsureWorld(tmp_path / "desk.sqlite")
            await world.settle_in()
            try:
                await scenario(world)
            finally:
                world.store.close()

        asyncio.run(body())

    return start


def test_the_orders_person_is_asked_once(unsure: Run) -> None:
    async def scenario(world: UnsureWorld) -> None:
        order = await world.doubted()
        for _ in range(5):
            await world.sweep()
        assert await world.question(order) == ["which v1 of 2 in_doubt"]
        assert [one.chat_id for one in world.chat if one.card == f"doubt/{order.id}"] == [TRADER.id]
        assert (await world.propose()).code == "risk.in_doubt"  # blocked meanwhile

    unsure(scenario)


def test_other_candidates_are_another_version(unsure: Run) -> None:
    async def scenario(world: UnsureWorld) -> None:
        order = await world.doubted()
        world.venue.foreign = [candidate(1, filled=3), candidate(2)]
        for _ in range(3):
            await world.sweep()
        assert (await world.question(order))[-1].startswith("which v1")
        world.venue.foreign = [candidate(2)]
        for _ in range(3):
            await world.sweep()
        assert (await world.question(order))[-1].startswith("which v2 of 1")
        assert (await world.answer(order)).code == "order.outdated"
        assert (await world.answer(order, version=2)).code == "doubt.done"
        assert (await world.order(order)).broker_order_id == "V2"

    unsure(scenario)


@pytest.mark.parametrize(
    ("number", "state", "broker_id"),
    [(1, OrderState.ACCEPTED, "V2"), (None, OrderState.NOT_SENT, None)],
)
def test_an_answer_settles_it_once(
    unsure: Run, number: int | None, state: OrderState, broker_id: str | None
) -> None:
    async def scenario(world: UnsureWorld) -> None:
        order = await world.doubted()
        first, second = await asyncio.gather(
            world.answer(order, number), world.answer(order, number)
        )
        assert first.code == "doubt.done"
        assert second.code in {"doubt.said", "order.already"}
        settled = await world.order(order)
        assert (settled.state, settled.broker_order_id) == (state, broker_id)
        assert (await world.answer(order, 0)).code == "order.already"
        assert (await world.question(order))[
            -1
        ] == f"which v1 of 2 {state} said '{broker_id or ''}'"
        assert await world.store.read(lambda tx: read_doubt(tx, order.id)) is None

    unsure(scenario)


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"user_id": VIEWER.id}, "order.not_allowed"),
    ({"user_id": 999}, "order.not_allowed"),
    ({"user_id": OTHER.id}, "order.not_yours"),
    ({"message": None}, "order.forged"),
    ({"message": 1}, "order.forged"),
    ({"user_id": OWNER.id}, "order.forged"),
    ({"version": 2}, "order.outdated"),
    ({"number": 2}, "order.outdated"),
    ({"order_id": "x"}, "order.unknown"),
)


def test_taps_that_do_not_count(unsure: Run) -> None:
    async def scenario(world: UnsureWorld) -> None:
        order = await world.doubted()
        for changes, code in REFUSED:
            assert (await world.answer(order, **changes)).code == code, changes
        assert (await world.order(order)).state is OrderState.IN_DOUBT
        assert world.venue.__dict__.get("told", {}) == {}

    unsure(scenario)


def test_an_answer_that_the_broker_does_not_take_is_asked_for_again(unsure: Run) -> None:
    async def scenario(world: UnsureWorld) -> None:
        order = await world.doubted()
        world.venue.script.append("no")
        refused = await world.answer(order)
        assert (refused.code, refused.facts) == (
            "doubt.refused",
            {"reason": "rejected.unknown_order"},
        )
        assert (await world.question(order))[-1] == "which v2 of 2 in_doubt"
        assert (await world.answer(order, 1, version=2)).code == "doubt.done"

    unsure(scenario)


def test_an_answer_that_was_not_heard_is_said_again_by_itself(unsure: Run) -> None:
    async def scenario(world: UnsureWorld) -> None:
        order = await world.doubted()
        world.venue.is_silent = True
        assert (await world.answer(order)).code == "doubt.later"
        assert (await world.answer(order, 1)).code == "doubt.said"
        world.venue.is_silent = False
        await world.sweep()
        assert (await world.order(order)).broker_order_id == "V1"

    unsure(scenario)


def test_without_the_person_the_owner_is_asked(unsure: Run) -> None:
    async def scenario(world: UnsureWorld) -> None:
        world.venue.script.append("lose request")
        order = await world.sent()
        await world.let_in(replace(TRADER, role=VIEWER.role))
        await world.sweep()
        await world.deliver()
        assert [one.chat_id for one in world.chat if one.card == f"doubt/{order.id}"] == [OWNER.id]

    unsure(scenario)


def test_a_kill_anywhere_around_an_answer_settles_it_once(tmp_path: Path) -> None:
    async def life(kill_at: int) -> bool:
        world = UnsureWorld(tmp_path / f"{kill_at}.sqlite")
        await world.settle_in()
        order = await world.doubted()
        world.fate.kill_at = world.fate.points + kill_at
        was_killed = False
        try:
            await world.answer(order, 1)
        except Killed:
            was_killed = True
            await world.restart()
        world.fate.kill_at = None
        await world.sweep()
        if (await world.order(order)).state is OrderState.IN_DOUBT:  # nothing was written down
            await world.deliver()
            assert (await world.answer(order, 1)).code == "doubt.done"
        assert (await world.order(order)).broker_order_id == "V2"
        assert await world.store.read(lambda tx: read_doubt(tx, order.id)) is None
        world.store.close()
        return was_killed

    killed = [
        asyncio.run(life(kill_at)) for kill_at in range(1, 10, 2)
    ]  # before each write and request
    assert killed == [True, True, True, True, False]
