"""A seed's world from its first minute to its last: lives, deaths, people, and the reckoning."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from random import seed as seed_all
from typing import TYPE_CHECKING

from config.settings import Settings
from market.clock import SystemClock
from market.currency import currency_of
from market.store import Store
from tests.simulation.chat import PEOPLE, Chat
from tests.simulation.checks import Books, check_all, check_interrupted, check_lapsed
from tests.simulation.ending import cancel_wished, check_guarded, tell_apart
from tests.simulation.guard import Guard, is_guarded
from tests.simulation.life import Life, Surroundings
from tests.simulation.people import People
from tests.simulation.prices import Prices
from tests.simulation.sentry import Sentry
from tests.simulation.taps import Crowd
from tests.simulation.venue import Ground, Stage, stage_of
from tests.virtual_time import VirtualClock, run_virtual

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.orders import OrderState
    from market.store import Transaction

ROUNDS = 4
"""How often all is settled in the end, further apart than an order is asked about again."""
APART_SECONDS = 25
LEISURE = 2
"""In the end the jobs take their time."""
MEMORY = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it
NEVER = 10**9
"""A point that no life gets to."""


@dataclass
class Report:
    """What a seed came to.

    `points` are all places at which it could have died; `acted` those that the life in which the
    people's last action fell had passed by then; `asked` how often a person had to say which
    order at the venue is ours.
    """

    seed: int
    orders: int = 0
    kills: int = 0
    faults: int = 0
    points: int = 0
    acted: int = 0
    asked: int = 0
    states: Counter[OrderState] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Return how many violations of a kind there are."""
        return sum(one == kind for one, _ in self.violations)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a seed is played: None where the seed decides; `kill_at` is a point of the first life."""

    actions: Sequence[str] | None = None
    kill_at: int | None = None
    fault_chance: float | None = None


def run_seed(broker: str, seed: int, plan: Plan | None = None) -> Report:
    """Play a seed in virtual time, on a store file in memory, and check everything in the end."""
    folder = tempfile.mkdtemp(prefix="ticktalk-", dir=MEMORY if MEMORY.is_dir() else None)
    try:
        seed_all(seed)  # retries pause by chance, and draw it from the one that all share
        path = Path(folder) / "bot.sqlite"
        path.write_bytes(_empty_store())
        return run_virtual(_play(stage_of(broker), seed, plan or Plan(), path))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _play(stage: Stage, seed: int, plan: Plan, path: Path) -> Report:
    return await World(stage, seed, plan, path).play()


@lru_cache(maxsize=1)
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        Store.open(path, SystemClock()).close()
        return path.read_bytes()


class World:
    """Everything there is for one seed."""

    def __init__(self, stage: Stage, seed: int, plan: Plan, path: Path) -> None:
        self._random = random = Random(seed)  # noqa: S311  a simulation, no secrets
        self._plan = plan
        self._stage = stage
        self._report = Report(seed)
        start, self._until = stage.hours(random)
        clock = VirtualClock(start)
        chance = random.choice((0, 0.1, 0.3)) if plan.fault_chance is None else plan.fault_chance
        prices = Prices(random, clock, stage.instruments, stage.base_prices)
        venue = stage.open(Ground(random, clock, prices, chance))
        settings = Settings(**{**stage.sections(path.parent), "risk": self._limits()})
        sentry = Sentry(settings, clock, prices, self._fail)
        chat = Chat()
        self._around = Surroundings(
            path, stage, settings, random, clock, prices, venue, chat, sentry, self._fail
        )
        guard = Guard(clock, prices, chat, self._fail) if is_guarded(seed) else None
        crowd = Crowd(random, clock, stage, prices, chat, sentry, self._fail, self._settle, guard)
        self._guard = guard
        self._deaths: list[datetime] = []
        self._people = People(crowd, lambda: self._life)
        self._lives_to_come = random.randint(0, 4) if plan.kill_at is None else 0
        self._life = Life(self._around, plan.kill_at or self._next_end())
        self._life.is_hunted = self._is_hunted()

    async def play(self) -> Report:
        """Let people and fate have their way, then settle everything and check it."""
        await self._let_in()
        self._life.start()
        lives = asyncio.create_task(self._reincarnate())
        market = asyncio.create_task(self._trade())
        await self._act()
        await self._finish([lives, market])
        return self._report

    async def _act(self) -> None:
        random = self._random
        undecided: Sequence[str | None] = [None] * random.randint(12, 40)
        actions = self._plan.actions or undecided
        for name in actions:
            await self._alive()
            await self._people.act(name)
            await asyncio.sleep(random.choice((0, 0.05, 0.5, 1, 3, 8)))
        self._report.acted = self._life.fate.points

    async def _alive(self) -> None:
        """Wait until somebody listens: mostly until the bot has recovered."""
        while self._life.fate.is_dead:  # noqa: ASYNC110  it is another life each time
            await asyncio.sleep(1)
        if self._random.random() < 0.8:
            ready = asyncio.create_task(self._life.is_ready.wait())
            ended = asyncio.create_task(self._life.ended.wait())
            await asyncio.wait([ready, ended], return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            ended.cancel()

    async def _reincarnate(self) -> None:
        """Start the bot again whenever it has died."""
        while True:
            await self._life.ended.wait()
            await self._life.bury()
            self._report.kills += 1
            self._deaths.append(self._around.clock.now())
            self._report.points += self._life.fate.points
            await asyncio.sleep(self._random.uniform(2, 20))
            self._life = Life(self._around, self._next_end())
            self._life.is_hunted = self._is_hunted()
            self._life.start()

    def _next_end(self) -> int | None:
        """Return the point at which the next life ends, None where it may live on."""
        if self._lives_to_come == 0:
            return None
        self._lives_to_come -= 1
        return self._random.randint(1, self._random.choice((20, 150, 400)))

    def _is_hunted(self) -> bool:
        """Tell whether a life shall rather end while an order or a cancel is on its way."""
        return self._life.fate.kill_at is not None and self._random.random() < 0.5

    async def _trade(self) -> None:
        while True:
            self._around.prices.step()
            await self._around.venue.trade()
            await asyncio.sleep(self._random.uniform(0.5, 4))

    async def _finish(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Let the venue be healthy and the bot live on, and look at what is left."""
        self._report.faults = self._around.venue.heal()
        self._around.prices.is_fair = True
        self._life.fate.kill_at, self._life.is_hunted = None, False
        self._lives_to_come = 0
        await self._live_on()
        if self._random.random() < 0.3:
            self._life.fate.die("an orderly end")
            await asyncio.sleep(0.1)
            await self._live_on()
        self._life.leisure = LEISURE
        for _ in range(ROUNDS):
            await asyncio.sleep(APART_SECONDS)
        if self._until is not None:
            left = self._until - self._around.clock.now()
            await asyncio.sleep(max(0.0, left.total_seconds()))
        self._report.asked += await tell_apart(self._life)
        await cancel_wished(self._life, self._people, self._fail)
        if self._guard is not None:
            await check_guarded(self._life, self._guard)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(APART_SECONDS)  # nothing trades any more, but it is told late
        await self._life.sweep()
        await self._life.desk.lapse()
        await asyncio.sleep(APART_SECONDS)  # until every message has been delivered
        await self._life.desk.reconcile()
        await self._people.buy_one()
        await self._check()
        self._report.points += self._life.fate.points
        await self._life.bury()

    async def _live_on(self) -> None:
        while self._life.fate.is_dead or not self._life.is_ready.is_set():  # noqa: ASYNC110  as above
            await asyncio.sleep(1)

    async def _settle(self) -> None:
        """Let what was sent trade and be told, and every message arrive."""
        await self._around.venue.trade()
        for _ in range(2):
            await asyncio.sleep(APART_SECONDS)
            await self._life.sweep()
        await asyncio.sleep(APART_SECONDS)

    async def _check(self) -> None:
        around, report = self._around, self._report
        books = self._life.store.look(Books)
        truth = await around.venue.truth(self._life.store)
        check_all(books, truth, around.venue.cash, around.chat, self._fail)
        check_interrupted(books, self._deaths, self._fail)
        check_lapsed(books, around.clock.now(), self._fail)
        for accounts in (await self._life.desk.accounts()).values():
            currency = currency_of(around.stage.instruments[0].id)
            cash = sum(one.cash for one in accounts or () if one.currency == currency)
            if accounts is None or cash != truth.cash:
                self._fail("position_errors", f"the broker says {accounts}, not {truth.cash}")
        report.orders = len(books.orders)
        report.states.update(order.state for order in books.orders)

    async def _let_in(self) -> None:
        def write(tx: Transaction) -> None:
            for person in PEOPLE:
                tx.people.put(person, self._around.clock.now())

        store = self._life.store
        store._transact(store._writer, write)

    def _limits(self) -> dict[str, int]:
        random = self._random
        counts = {
            "max_orders_per_minute": random.choice((3, 10, 30)),
            "duplicate_seconds": random.choice((0, 10)),
        }
        money = {
            "max_order": random.choice((1_500_000, 3_000_000)),
            "max_position": 5_000_000,
            "max_market": 50_000_000,
            "max_total": 20_000_000,
            "max_day": 100_000_000,
            "max_daily_loss": 50_000_000,
        }
        return counts | money | {f"{name}_usdt": most for name, most in money.items()}

    def _fail(self, kind: str, text: str) -> None:
        at = timedelta(seconds=round(asyncio.get_running_loop().time(), 3))
        self._report.violations.append((kind, f"{at} {text}"))
