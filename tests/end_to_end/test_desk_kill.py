"""Twenty real kills of a trading desk at random moments: every order at the venue exactly once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from market.clock import SystemClock
from market.orders import OrderState
from market.store import Store
from sandbox.order_faults import FaultPlan
from sandbox.server import serve
from sandbox.upbit_keys import UpbitKeys
from sandbox.upbit_order_routes import UpbitExchange
from sandbox.upbit_orders import UpbitOrders
from tests.simulation.checks import Books, check_books
from tests.simulation.venues.upbit import ACCESS_KEY, SECRET_KEY, read_truth

if TYPE_CHECKING:
    from asyncio.subprocess import Process

PROCESS = Path(__file__).with_name("desk_process.py")
KILLS = 20
LONGEST_LIFE_SECONDS = 0.2
DEADLINE_SECONDS = 60.0
CASH = Decimal(1_000_000_000)
MARKET = "KRW-ZETA"


class Posted(list[str]):
    """The ids of all orders that were posted, and an event for whoever waits for one."""

    def __init__(self) -> None:
        super().__init__()
        self.has_grown = asyncio.Event()

    def append(self, posted: str) -> None:
        """Note one more."""
        super().append(posted)
        self.has_grown.set()


class House:
    """The pretend Upbit on a loopback port, and the nursery of processes that trade there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.random = Random(20)  # noqa: S311  when to kill, no secret
        self.orders = UpbitOrders(SystemClock(), CASH)
        keys = UpbitKeys(ACCESS_KEY, SECRET_KEY)
        self.exchange = UpbitExchange(self.orders, keys, FaultPlan())
        self.exchange.posted = self.posted = Posted()

    async def run(self) -> None:
        """Let one life after the other begin and be killed; the last looks what became of it."""
        serving = await serve(Starlette(routes=self.exchange.routes()))
        market = asyncio.create_task(self._trade())
        nursery = await self._open(serving.url)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                for number in range(KILLS):
                    await self._live_and_die(nursery, number)
                market.cancel()
                assert await self._tell(nursery, "settle") > 0
                assert await self._told(nursery) == "over 0"
        finally:
            market.cancel()
            nursery.kill()
            await nursery.wait()
            await serving.stop()

    async def _open(self, url: str) -> Process:
        environment = {**os.environ, "PYTHONPATH": str(PROCESS.parents[2])}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROCESS),
            str(self.path),
            url,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def _live_and_die(self, nursery: Process, number: int) -> None:
        """Kill a life some time after it has sent its first order."""
        self.posted.has_grown.clear()
        child = await self._tell(nursery, f"{number} {self.random.randrange(10**6)}")
        await self.posted.has_grown.wait()
        await asyncio.sleep(self.random.uniform(0, LONGEST_LIFE_SECONDS))  # any moment is right
        os.kill(child, signal.SIGKILL)
        assert await self._told(nursery) == f"over {signal.SIGKILL.value}"

    async def _tell(self, nursery: Process, line: str) -> int:
        assert nursery.stdin is not None
        nursery.stdin.write(f"{line}\n".encode())
        await nursery.stdin.drain()
        return int(await self._told(nursery))

    async def _told(self, nursery: Process) -> str:
        assert nursery.stdout is not None
        return (await nursery.stdout.readline()).decode().strip()

    async def _trade(self) -> None:
        while True:
            price = Decimal(70_000 + 50 * self.random.randint(-4, 4))
            self.orders.trade(MARKET, price, Decimal(self.random.randint(1, 200)) / 100)
            await asyncio.sleep(0.01)


def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    house = House(tmp_path / "desk.sqlite")
    asyncio.run(house.run())
    assert not [one for one, count in Counter(house.exchange.posted).items() if count > 1]
    store = Store.open(house.path)
    violations: list[tuple[str, str]] = []
    try:
        books = asyncio.run(store.read(Books))
    finally:
        store.close()
    truth = read_truth(house.orders, books.orders)
    check_books(books, truth, CASH, lambda kind, text: violations.append((kind, text)))
    assert violations == []
    states = Counter(order.state for order in books.orders)
    assert states[OrderState.FILLED] > 0
    assert len(truth.orders) >= KILLS
