"""KIS over real sockets: processes that share a token, and a live price."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette

from config.settings import KisSettings, Settings
from crawlers.kis import KisSource
from market.clock import ManualClock, SystemClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Venue
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator
from sandbox.server import serve
from tests.crawlers.kis_world import Line
from venues.live_socket import connect

if TYPE_CHECKING:
    from pathlib import Path

    from market.clock import Clock

APP_KEY, APP_SECRET = "PSplanted", "planted/secret"
CALENDAR = KrxCalendar({})
PROCESSES = 4
MINUTE = timedelta(minutes=1)
DEADLINE_SECONDS = 60

ASKS_FOR_A_TOKEN = """
import asyncio, hashlib, os, sys

import httpx

from config.settings import KisSettings
from venues.kis_token import KisAccess
from market.clock import SystemClock

async def main():
    settings = KisSettings(
        rest_url=os.environ["REST"],
        app_key=os.environ["KEY"],
        app_secret=os.environ["SECRET"],
        token_path=os.environ["FILE"],
    )
    sys.stdin.readline()
    async with httpx.AsyncClient() as http:
        access = KisAccess(http, settings, SystemClock())
        token, approval = await access.token(), await access.approval()
    sys.stdout.write(hashlib.sha256(f"{token} {approval}".encode()).hexdigest())

asyncio.run(main())
"""


def pretend(clock: Clock) -> tuple[Starlette, KisKeys, Faults, Simulator]:
    instruments = [Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")]
    simulator = Simulator(instruments, CALENDAR, seed=3, halted="", illiquid="")
    keys, faults = KisKeys(clock, APP_KEY, APP_SECRET), Faults()
    return (
        Starlette(routes=kis_routes(Kis(simulator, clock, keys), faults)),
        keys,
        faults,
        simulator,
    )


async def ask_from_many_processes(rest: str, file: Path) -> set[bytes]:
    """Start processes, let them ask at the same moment, return what they got."""
    environ = {**os.environ, "REST": rest, "KEY": APP_KEY, "SECRET": APP_SECRET, "FILE": str(file)}
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", ASKS_FOR_A_TOKEN, stdin=pipe, stdout=pipe, env=environ
        )
        for _ in range(PROCESSES)
    ]
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert {process.returncode for process in processes} == {0}
    return {output for output, _ in answers}


def test_processes_that_share_the_file_have_one_token_issued(tmp_path: Path) -> None:
    async def scenario() -> None:
        app, keys, faults, _ = pretend(SystemClock())
        serving = await serve(app)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                got = await ask_from_many_processes(serving.url, tmp_path / "kis_token.json")
        finally:
            await serving.stop()
        assert len(got) == 1
        assert (keys.issued, keys.refused) == (1, 0)
        assert sorted(faults.asked) == ["Approval", "tokenP"]

    asyncio.run(scenario())


def test_a_price_comes_over_a_real_websocket(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = ManualClock(datetime(2026, 9, 9, 10, 30, tzinfo=KST))
        app, _, faults, simulator = pretend(clock)
        serving = await serve(app)
        kis = KisSettings(
            rest_url=serving.url,
            socket_url=serving.url.replace("http", "ws", 1),
            app_key=SecretStr(APP_KEY),
            app_secret=SecretStr(APP_SECRET),
            token_path=str(tmp_path / "kis_token.json"),
        )
        line = Line(partial(connect, ping_seconds=None))
        async with httpx.AsyncClient() as http:
            calendars = {Venue.KRX: CALENDAR}
            source = KisSource(http, Settings(kis=kis), clock, calendars, connect=line.connect)
            try:
                source.follow(["KRX:005930"])
                await line.until(lambda: "OPSP0000" in "".join(line.heard))
                clock.advance(timedelta(minutes=1))
                await line.until(lambda: any(one[0] == "0" for one in line.heard))
                (tick,) = await source.ticks(["KRX:005930"])
                (quote,) = simulator.snapshot(["005930"], clock.now())
                assert (tick.price, tick.day_volume) == (quote.price, quote.volume)
                assert faults.asked == ["Approval"]
                assert len(await source.bars("KRX:005930", clock.now() - 9 * MINUTE, clock.now()))
            finally:
                await source.close()
                await serving.stop()

    asyncio.run(scenario())
