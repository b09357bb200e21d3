"""Run a whole pretend day through the bot and compare every bar and alert with the venue's chart.

Run it as `python benchmarks/day_run.py [--instruments N] [--seed S]`. The bot is the real one: its
Naver source over loopback HTTP, sweeps on their usual grid from before the open until the repair
after the close, the shipped conditions. Market time is stepped by hand. The last line is for
machines: bars and how many equal the chart as they were kept, signals and how many stood on the
chart's own bar, times a condition held on the chart's bar only, seconds of the run.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.app import Outside, build
from bot.demo_world import open_world, welcome
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.plugins import compile_config
from bot.schedule import InSession
from conditions.ready import make_ready
from config.load import PACKAGED, Config, load
from engine.day_report import DayReport, reports_of
from engine.repair import SETTLING
from market.clock import ManualClock, SystemClock
from market.directory import Directory
from market.sessions import KST
from market.types import Instrument, Timeframe, Venue

START = datetime(2026, 11, 24, 8, 50, tzinfo=KST)
CLOSE = datetime(2026, 11, 24, 15, 30, tzinfo=KST)


def widened(config: Config, count: int) -> Config:
    """Return the configuration with so many instruments, all of them watched."""
    known = list(config.directory)[:count]
    more = (
        Instrument(Venue.KRX, f"9{number:05}", f"종목 {number}", "KOSDAQ")
        for number in range(count - len(known))
    )
    listed = [*known, *more]
    everybody = tuple(one.id for one in listed)
    universes = dict.fromkeys(config.universes, everybody)
    return replace(config, directory=Directory(listed), universes=universes)


async def run(count: int, seed: int) -> dict[str, DayReport]:
    """Run the day and return the reports of its series."""
    config = widened(load(PACKAGED / "settings.yaml", {}), count)
    make_ready(compile_config(config))
    wall, market = SystemClock(), ManualClock(START)
    with tempfile.TemporaryDirectory(prefix="ticktalk-day-") as folder:
        world = await open_world(config, Path(folder), market=market, wall=wall, seed=seed)
        app = build(world.config, Outside(wall, UnscaledTime(market), EventLog(wall)))
        try:
            await welcome(app, "ko")
            await app.start_market()
            crawl, krx = config.settings.crawl, config.calendars[Venue.KRX]
            grid = InSession(crawl.every_seconds, crawl.offset_seconds, [krx], Timeframe.M5.length)
            while (at := grid.after(market.now())) < CLOSE + timedelta(minutes=2):
                market.move_to(at)
                await app.pipeline.crawl()
            market.move_to(CLOSE + SETTLING)
            await app.repairs.step()
            return await app.store.read(lambda tx: reports_of(tx, START.date()))
        finally:
            await app.close()
            await world.close()


def main() -> None:
    """Run the day and print its reports, then one line for machines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, default=48)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    begun = perf_counter()
    reports = asyncio.run(run(options.instruments, options.seed))
    for key, report in reports.items():
        sys.stdout.write(f"{key}: {100 * report.share_equal:.3f} % equal; worst:\n")
        for one in report.worst[:5]:
            shown = f"{one.start.astimezone(KST):%H:%M} {one.instrument} {one.field}"
            sys.stdout.write(f"  {shown}: {one.live:g}, chart {one.exact:g}\n")
    whole = list(reports.values())
    figures = {
        "instruments": options.instruments,
        "bars": sum(one.bars for one in whole),
        "equal": sum(one.equal for one in whole),
        "closes_equal": sum(one.close for one in whole),
        "lacking": sum(one.lacking for one in whole),
        "invented": sum(one.invented for one in whole),
        "fired": sum(one.fired for one in whole),
        "fired_equal": sum(one.fired_equal for one in whole),
        "hidden": sum(one.hidden_count for one in whole),
        "seconds": round(perf_counter() - begun),
    }
    sys.stdout.write(" ".join(f"{name}={value}" for name, value in figures.items()) + "\n")


if __name__ == "__main__":
    main()
