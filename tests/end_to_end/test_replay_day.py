"""A recorded stretch of a pretend day, played again: the same signals, from a cold start or not."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.app import Outside, build
from bot.demo_world import START, open_world, welcome
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.replay import ReplayOptions, run_replay
from bot.schedule import InSession
from market.clock import ManualClock
from market.sessions import KST
from market.store import Store
from market.types import Venue
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from pathlib import Path

    from bot.replay_report import Report
    from config.load import Config
    from market.signals import Signal

DAY = START.date()


async def record(folder: Path, *stretches: tuple[datetime, datetime]) -> Config:
    """Run a bot for some stretches of market time, a restart between two of them."""
    files = packaged_config()
    market = ManualClock(stretches[0][0])
    world = await open_world(files, folder, market=market, wall=market)
    try:
        for start, end in stretches:
            market.move_to(start)
            app = build(world.config, Outside(market, UnscaledTime(market), EventLog(market)))
            try:
                await welcome(app, "en")
                await app.start_market()
                crawl = files.settings.crawl
                calendar = files.calendars[Venue.KRX]
                sweeps = InSession(crawl.every_seconds, crawl.offset_seconds, [calendar])
                while (at := sweeps.after(market.now())) <= end:
                    market.move_to(at)
                    await app.pipeline.crawl()
                    await app.desk.lapse()
            finally:
                await app.close()
    finally:
        await world.close()
    return world.config


def signals(path: Path) -> list[Signal]:
    """Return what a database holds, oldest first."""
    with Store.read_only(path) as store:
        return store.read(lambda tx: tx.signals.recent(10_000))[::-1]


async def played(config: Config, folder: Path, day: date = DAY) -> tuple[Report, list[Signal]]:
    """Play a day; return the report and all signals."""
    database = folder / "replay.sqlite"
    report = await run_replay(config, ReplayOptions(day), database, lambda _: None)
    return report, signals(database)


def kst(text: str) -> datetime:
    hours, minutes = text.split(":")
    return START.replace(hour=int(hours), minute=int(minutes), tzinfo=KST)


def test_an_hour_that_was_recorded_fires_the_same_again(tmp_path: Path) -> None:
    async def scenario() -> tuple[Report, list[Signal], list[Signal]]:
        config = await record(tmp_path, (START, kst("10:54")))
        report, replayed = await played(config, tmp_path)
        return report, replayed, signals(tmp_path / "demo.sqlite")

    report, replayed, live = asyncio.run(scenario())
    assert len(live) >= 5
    assert replayed == live
    assert report.count("same") == len(live) == len(report.lines)
    assert report.notes == ()
    assert any(line.order.startswith("buy ") for line in report.lines)


def test_a_day_of_a_bot_that_has_run_before_fires_the_same_again(tmp_path: Path) -> None:
    """The history is not in that day's record but in the database, and so is what had fired."""
    next_day = timedelta(days=1)

    async def scenario() -> tuple[Report, list[Signal], list[Signal]]:
        first = (kst("14:50"), kst("15:32"))
        second = (kst("08:59") + next_day, kst("09:45") + next_day)
        config = await record(tmp_path, first, second)
        report, replayed = await played(config, tmp_path, DAY + next_day)
        live = signals(tmp_path / "demo.sqlite")
        return report, replayed, [one for one in live if one.bar_start > second[0]]

    report, replayed, live = asyncio.run(scenario())
    assert live
    assert replayed == live
    assert report.count("same") == len(report.lines) == len(live)
