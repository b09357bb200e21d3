"""Whatever people, prices, venues and kills do in whatever order: the books stay right."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.desk_adjust import Change
from market.orders import OPEN, TRANSITIONS, Order, OrderState, Side
from tests.engine.desk_world import World
from tests.engine.pretend_market import OTHER, OWNER, TRADER
from tests.engine.sudden_death import Killed

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from market.store import Transaction

T = TypeVar("T")

WORDS = ("lose request", "lose answer", "refuse cash", "refuse duplicate", "accept")
RESTING = {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}
MANY = st.integers(0, 10**6)


class DeskMachine(RuleBasedStateMachine):
    """Plays a desk in front of the scripted venue."""

    is_paper = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(
            Path(self.folder.name) / "desk.sqlite",
            is_paper=self.is_paper,
            risk={"max_orders_per_minute": 100},
        )
        self.proposed: list[Order] = []

    def teardown(self) -> None:
        self.world.store.close()
        self.loop.close()
        self.folder.cleanup()

    def run(self, action: Coroutine[Any, Any, T]) -> T | None:
        """Do something; if the process dies in it, start another one."""
        try:
            return self.loop.run_until_complete(action)
        except Killed:
            self.loop.run_until_complete(self.world.restart())
            return None

    def read(self, function: Any) -> Any:
        return self.loop.run_until_complete(self.world.store.read(function))

    def pick(self, number: int) -> Order:
        return self.proposed[number % len(self.proposed)]

    @initialize()
    def people(self) -> None:
        self.run(self.world.settle_in())

    @rule(side=st.sampled_from(Side), quantity=st.integers(1, 12), has_limit=st.booleans())
    def propose(self, *, side: Side, quantity: int, has_limit: bool) -> None:
        price = Decimal(70_000) if has_limit else None
        order = self.run(self.world.propose(side=side, quantity=Decimal(quantity), price=price))
        if order is not None:
            self.proposed.append(order)

    @precondition(lambda self: self.proposed)
    @rule(number=MANY, taps=st.integers(1, 3))
    def confirm(self, number: int, taps: int) -> None:
        async def tap() -> None:
            order = await self.world.order(self.pick(number))
            answers = await asyncio.gather(
                *(self.world.confirm(order) for _ in range(taps)), return_exceptions=True
            )
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
            codes = [one.code for one in answers if not isinstance(one, BaseException)]
            assert codes.count("order.confirmed") <= 1

        self.run(tap())

    @precondition(lambda self: self.proposed)
    @rule(number=MANY, version=st.integers(0, 3), user=st.sampled_from([TRADER.id, OTHER.id]))
    def confirm_oddly(self, number: int, version: int, user: int) -> None:
        order = self.pick(number)
        self.run(self.world.confirm(order, version=version, user_id=user))

    @precondition(lambda self: self.proposed)
    @rule(number=MANY, change=st.sampled_from(Change), taps=st.integers(1, 2))
    def adjust(self, number: int, change: Change, taps: int) -> None:
        async def tap() -> None:
            order = await self.world.order(self.pick(number))
            for _ in range(taps):
                await self.world.adjust(change, order)
            assert (await self.world.order(order)).version <= order.version + 1

        self.run(tap())

    @precondition(lambda self: self.proposed)
    @rule(number=MANY)
    def decline(self, number: int) -> None:
        self.run(self.world.decline(self.pick(number)))

    @precondition(lambda self: self.proposed)
    @rule(number=MANY)
    def cancel(self, number: int) -> None:
        self.run(self.world.desk.cancel(self.pick(number).id, TRADER.id))

    @rule(seconds=st.sampled_from([1, 11, 61, 95]))
    def wait_and_lapse(self, seconds: int) -> None:
        self.world.pass_time(seconds)
        self.run(self.world.desk.lapse())

    @rule(price=st.sampled_from([69_000, 69_900, 70_000, 70_100, 72_000]))
    def sweep(self, price: int) -> None:
        self.run(self.world.sweep(price))

    @rule(is_paused=st.booleans())
    def pause(self, *, is_paused: bool) -> None:
        desk = self.world.desk
        self.run(desk.pause(OWNER.id) if is_paused else desk.resume(OWNER.id))

    @precondition(lambda self: not self.is_paper)
    @rule(word=st.sampled_from(WORDS))
    def next_answer(self, word: str) -> None:
        self.world.venue.script.append(word)

    @precondition(lambda self: not self.is_paper)
    @rule(number=MANY, quantity=st.integers(1, 12))
    def trade(self, number: int, quantity: int) -> None:
        orders = [
            order
            for order in self.world.venue.placed.values()
            if self.world.venue.orders[order.client_order_id].state in RESTING
        ]
        if orders:
            order = orders[number % len(orders)]
            held = self.world.venue.orders[order.client_order_id]
            left = int(order.quantity - held.filled_quantity)
            self.world.venue.fill(order, min(quantity, left))

    @rule(points=st.integers(1, 12))
    def die_soon(self, points: int) -> None:
        self.world.fate.kill_at = self.world.fate.points + points

    @rule()
    def die_now(self) -> None:
        self.loop.run_until_complete(self.world.restart())

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        posts = self.world.venue.posts
        assert len(posts) == len(set(posts))

    @invariant()
    def every_way_is_in_the_table(self) -> None:
        def read(tx: Transaction) -> list[list[tuple[int, OrderState]]]:
            orders = tx.orders.recent(1000)
            return [[one[:2] for one in tx.orders.events(order.id)] for order in orders]

        for steps in self.read(read):
            for (version, state), (next_version, next_state) in pairwise(steps):
                assert next_state is state or next_state in TRANSITIONS[state]
                is_asked_again = state is next_state is OrderState.PROPOSED
                assert next_version == version + int(is_asked_again)

    @invariant()
    def positions_are_the_sum_of_fills(self) -> None:
        def read(tx: Transaction) -> None:
            total = Decimal(0)
            for order in tx.orders.recent(1000):
                filled = sum((one.quantity for one in tx.orders.fills(order.id)), Decimal(0))
                assert order.filled_quantity == filled <= order.quantity
                total += filled if order.side is Side.BUY else -filled
            held = tx.orders.position("KRX:005930")
            assert total == (0 if held is None else held.quantity) >= 0

        self.read(read)

    @invariant()
    def cards_count_what_waits(self) -> None:
        waiting = self.read(lambda tx: len(tx.orders.in_states({OrderState.PROPOSED})))
        assert self.world.desk.open_cards() == waiting

    def settle_all(self) -> None:
        """Start afresh, let the venue answer everything, and compare."""
        self.world.venue.script.clear()
        self.loop.run_until_complete(self.world.restart())
        for _ in range(3):
            self.world.pass_time(21)
            with suppress(Killed):
                self.loop.run_until_complete(self.world.desk.settle())

    @rule()
    def books_agree(self) -> None:
        self.settle_all()
        venue = self.world.venue
        for order in self.read(lambda tx: tx.orders.recent(1000)):
            at_venue = venue.orders.get(order.client_order_id)
            if at_venue is None:
                assert order.state not in OPEN - {OrderState.PROPOSED}
                assert order.filled_quantity == 0
            else:
                assert order.state is at_venue.state
                assert order.filled_quantity == at_venue.filled_quantity


class PaperDeskMachine(DeskMachine):
    """Plays a desk in front of the paper venue."""

    is_paper = True

    @rule()
    def books_agree(self) -> None:
        self.settle_all()

        async def compare() -> None:
            account = (await self.world.broker.accounts())[0]
            spent = Decimal(0)
            for order in await self.world.store.read(lambda tx: tx.orders.recent(1000)):
                found = await self.world.broker.find(order)
                if found is None:
                    assert order.state not in OPEN - {OrderState.PROPOSED}
                else:
                    assert order.state is found.state
                    assert order.filled_quantity == found.filled_quantity
                sign = 1 if order.side is Side.BUY else -1
                spent += sign * order.filled_quantity * order.average_price + order.cost
            assert account.cash == self.world.settings.broker.cash - spent
            assert account.buying_power >= 0

        self.loop.run_until_complete(compare())


PACE = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestDeskMachine = DeskMachine.TestCase
TestDeskMachine.settings = PACE
TestPaperDeskMachine = PaperDeskMachine.TestCase
TestPaperDeskMachine.settings = PACE
