"""A ranked universe: its first start, the next evening while the bot runs, a kill in between."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bot.cli import main
from bot.market_time import ScaledTime
from config.load import load, write_folder
from engine.exact import CONCURRENCY
from market.clock import SystemClock
from market.sessions import KST
from market.types import Kind, Venue
from sandbox.market import Simulator
from sandbox.market_facts import bought, figures, market_cap, sessions
from sandbox.naver import Fault, Faults, naver_routes
from tests.end_to_end.live_house import DEADLINE_SECONDS, LiveHouse, live_house

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

START = datetime(2026, 11, 24, 9, 54, tzinfo=KST)
EVENING = datetime(2026, 11, 24, 20, 30, 30, tzinfo=KST)
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
TOP = 10
FAST = 30.0
PROCESS = Path(__file__).with_name("bot_process.py")
SERVERS = ("POLLING", "CHART", "FRONT", "PAGES", "RANK", "SISE")


@dataclass
class Ranked:
    """A bot with a ranked universe, and the market that it is computed of."""

    house: LiveHouse
    market: Simulator
    faults: Faults

    def best(self, day: date) -> list[str]:
        """Return who is to be in after a day, the first one first, by what the market knows."""
        at = datetime.combine(day, EVENING.timetz())
        ranked = []
        for quote in self.market.snapshot(self.market.codes, at):
            instrument = quote.instrument
            if instrument.kind is not Kind.STOCK or market_cap(quote) <= 100_000_000_000:
                continue
            days = sessions(self.market, instrument.code, 5, day, at)
            flows = [bought(instrument, one) for one in days]
            net = sum(one.institutions + one.foreigners for one in flows)
            ranked.append((-net / figures(quote).listed, instrument.id))
        return [name for _, name in sorted(ranked)[:TOP]]

    def watched(self) -> set[str]:
        return {name for one in self.house.app.pipeline.series for name in one.panel.instruments}

    async def told(self, count: int) -> str:
        """Wait until universes were told of so many times, and return the newest."""

        def said() -> list[str]:
            return [one.text for one in self.house.said() if one.text.startswith("🧭")]

        await self.house.until_said(lambda: len(said()) >= count)
        return said()[-1]

    def asked(self) -> Counter[str]:
        """Return whose flows were asked for, and how often."""
        paths = [path for path in self.faults.asked if path.endswith("/trend")]
        return Counter(path.split("/")[3] for path in paths)


def write_files(folder: Path) -> None:
    """Make the folder of `ticktalk init`, with a shorter ranking and only its condition on."""
    write_folder(folder)
    for path in (folder / "conditions").glob("[!_]*.yaml"):
        text = path.read_text(encoding="utf-8").replace("enabled: false", "enabled: true")
        path.unlink()
        if path.stem == "smart_money_pullback":
            path.write_text(text, encoding="utf-8")
    universe = folder / "universes" / "smart-money.yaml"
    text = universe.read_text(encoding="utf-8")
    universe.write_text(text.replace("top: 480", f"top: {TOP}"), encoding="utf-8")


@asynccontextmanager
async def ranked(folder: Path) -> AsyncIterator[Ranked]:
    write_files(folder)
    time = ScaledTime(SystemClock(), START, 1.0)
    files = load(folder / "settings.yaml", {})
    market, faults = Simulator(list(files.directory), files.calendars[Venue.KRX], 7), Faults()

    def environment(url: str) -> dict[str, str]:
        urls = {f"TICKTALK_NAVER_{one}_URL": url for one in SERVERS}
        return {**urls, "TICKTALK_NAVER_REQUESTS_PER_SECOND": "1000"}

    routes = naver_routes(market, time, faults)
    async with live_house(folder, time, list(routes), environment) as house:
        yield Ranked(house, market, faults)


def csv_of(house: LiveHouse) -> list[dict[str, str]]:
    """Return what `ticktalk universe smart-money --csv` prints."""
    arguments = ["universe", "smart-money", "--csv", "--config", str(house.folder)]
    result = CliRunner().invoke(main, arguments, env=dict(house.environment))
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_a_ranking_is_computed_at_the_first_start_and_every_evening(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ranked(tmp_path) as here:
            house, first = here.house, here.best(MONDAY)
            await house.start()
            assert (
                await here.told(1) == f"🧭 유니버스 smart-money: {TOP}종목을 지금부터 지켜봅니다."
            )
            assert here.watched() == {*first}

            house.pace(FAST)
            await house.heard.until(lambda: house.heard.of("bar"))
            why = await house.type(f"/why smart-money-pullback {first[0]}")
            assert "facts.foreigners_5 > 0" in why
            assert "facts.foreigners_5 –" not in why, "the facts of the day before are known"

            rows = await asyncio.to_thread(csv_of, house)
            assert [row["instrument"] for row in rows] == first
            assert {(row["day"], row["why"]) for row in rows} == {("2026-11-23", "ranked")}
            buying, listed = (
                sum(float(row[name]) for row in rows[:1])
                for name in ("institutions_5", "listed_shares")
            )
            buying += float(rows[0]["foreigners_5"])
            assert abs(float(rows[0]["value"]) - buying / listed) < 1e-12

            house.leap(EVENING)
            told, second = await here.told(2), here.best(TUESDAY)
            joined = len({*second} - {*first})
            assert 0 < joined < TOP
            assert told.endswith(f"이제 {TOP}종목 (편입 {joined}, 편출 {joined})")
            assert here.watched() == {*second}

    asyncio.run(scenario())


async def process(house: LiveHouse, anchors: tuple[str, str]) -> Process:
    """Start the bot in a process of its own, on the same market time."""
    environment = {**house.environment, "PYTHONPATH": str(PROCESS.parents[2])}
    arguments = (str(PROCESS), str(house.folder), *anchors, "1")
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
    )


async def kill(running: Process) -> None:
    running.kill()
    await running.wait()


def test_a_kill_in_the_middle_of_a_computation_asks_nobody_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ranked(tmp_path) as here:
            anchors = SystemClock().now().isoformat(), here.house.time.now().isoformat()
            here.faults.fail(Fault.SLOW, only="/066570/trend")  # somewhere in the middle
            running = await process(here.house, anchors)
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await here.faults.arrived.wait()
                here.faults.fail(Fault.SLOW, only="/trend")  # and nothing goes on from here
            finally:
                await kill(running)
            asked = len(here.asked())
            here.faults.clear()
            here.faults.release.set()
            running = await process(here.house, anchors)
            try:
                assert "10종목" in await here.told(1)
            finally:
                await kill(running)
            assert CONCURRENCY < asked < len(here.asked())
            again = [code for code, count in here.asked().items() if count > 1]
            assert len(again) <= CONCURRENCY, "only what was on its way is asked again"
            assert here.asked()["066570"] == 2
            rows = csv_of(here.house)
            assert [row["instrument"] for row in rows] == here.best(MONDAY)

    asyncio.run(scenario())
