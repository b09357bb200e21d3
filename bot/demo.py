"""`ticktalk demo`: the whole system on this computer, to look at or unattended."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import webbrowser
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bot.app import App, Outside, build
from bot.demo_driver import Driver
from bot.demo_visitor import Handled, Visitor
from bot.demo_world import START, World, open_world, welcome
from bot.events import EventLog
from bot.logs import ErrorCount
from bot.market_time import ScaledTime, UnscaledTime
from bot.plugins import compile_config
from bot.runner import Runner
from conditions.ready import make_ready
from config.load import PACKAGED, find_settings, load
from market.clock import ManualClock, SystemClock
from market.sessions import KST
from market.types import Venue
from sandbox.telegram_faults import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import BinaryIO

    from config.load import Config

logger = logging.getLogger(__name__)

DEFAULT_MINUTES = 30
PULSE_SECONDS = 0.2
WAITING_SPEED = 1.0
AFTER_CLOSE = timedelta(minutes=2)
BEFORE_OPEN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says; see its help."""

    config_path: Path | None
    speed: float
    seed: int
    port: int
    language: str
    no_open: bool
    market_minutes: int | None
    autopilot: bool
    as_json: bool


async def run_demo(options: DemoOptions, stream: BinaryIO | None, stop: asyncio.Event) -> int:
    """Run the demo; return the exit status. Raises TicktalkError, such as for a taken port."""
    config = _config(options)
    logger.info("compiling the indicators (a moment at the first start)")
    await asyncio.to_thread(make_ready, compile_config(config))
    with tempfile.TemporaryDirectory(prefix="ticktalk-demo-") as folder:
        if options.autopilot:
            return await _unattended(config, options, Path(folder), stream)
        await _attended(config, options, Path(folder), stream, stop)
    return 0


def _config(options: DemoOptions) -> Config:
    """Load the files of --config, else the packaged ones; the environment points elsewhere."""
    packaged = PACKAGED / "settings.yaml"
    path = find_settings(options.config_path, {}) if options.config_path else packaged
    return load(path, {})


async def _unattended(
    config: Config, options: DemoOptions, folder: Path, stream: BinaryIO | None
) -> int:
    errors = ErrorCount()
    logging.getLogger().addHandler(errors)
    wall, market = SystemClock(), ManualClock(START)
    handled = Handled()
    world = await open_world(
        config, folder, market=market, wall=wall, language=options.language, seed=options.seed
    )
    try:
        outside = Outside(wall, UnscaledTime(market), EventLog(wall, stream))
        app = build(world.config, outside, handled)
        try:
            await welcome(app, options.language)
            await app.start_market()
            await app.start_chat()
            visitor = Visitor(world.core, app, handled)
            driver = Driver(app, world, market, visitor)
            await driver.drive(options.market_minutes or DEFAULT_MINUTES)
            report = await driver.report(errors)
        finally:
            await app.close()
    finally:
        await world.close()
        logging.getLogger().removeHandler(errors)
    _print_report(report.as_json(), as_json=options.as_json)
    return 0 if report.is_good else 1


def _print_report(report: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(report) + b"\n")
        sys.stdout.buffer.flush()
        return
    for name, value in report.items():
        sys.stdout.write(f"{name:>18}  {value}\n")


async def _attended(
    config: Config,
    options: DemoOptions,
    folder: Path,
    stream: BinaryIO | None,
    stop: asyncio.Event,
) -> None:
    # At 60 times the speed a sweep may well take longer than the pause between two.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    time = ScaledTime(SystemClock(), START, WAITING_SPEED)
    async with _world_and_app(config, options, folder, stream, time) as (world, app):
        await welcome(app, options.language)
        runner = Runner(app, time)
        pace = Pace(app, world, time, runner, options)
        sys.stdout.write(f"\n  ticktalk demo: open {world.serving.url}   (Ctrl+C stops)\n\n")
        sys.stdout.flush()
        if not options.no_open:
            await asyncio.to_thread(webbrowser.open, world.serving.url)
        keeping = asyncio.create_task(pace.keep(stop), name="pace")
        try:
            await runner.run(stop)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


@asynccontextmanager
async def _world_and_app(
    config: Config, options: DemoOptions, folder: Path, stream: BinaryIO | None, time: ScaledTime
) -> AsyncIterator[tuple[World, App]]:
    wall = SystemClock()
    world = await open_world(
        config,
        folder,
        market=time,
        wall=wall,
        language=options.language,
        seed=options.seed,
        port=options.port,
        limits=DEFAULT_LIMITS,
    )
    try:
        app = build(world.config, Outside(wall, time, EventLog(wall, stream)))
        try:
            yield world, app
        finally:
            await app.close()
    finally:
        await world.close()


class Pace:
    """Keeps the market's pace: slow while a card waits, no closed hours, a strip that tells."""

    def __init__(
        self, app: App, world: World, time: ScaledTime, runner: Runner, options: DemoOptions
    ) -> None:
        self._app = app
        self._world = world
        self._time = time
        self._runner = runner
        self._speed = options.speed
        minutes = options.market_minutes
        self._end = None if minutes is None else START + timedelta(minutes=minutes)
        self._calendar = app.services.calendars[Venue.KRX]

    async def keep(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, or set it at the end of the asked market minutes."""
        while not stop.is_set():
            self.beat(stop)
            await asyncio.sleep(PULSE_SECONDS)

    def beat(self, stop: asyncio.Event) -> None:
        """Set the pace for what is so now."""
        is_waiting = self._app.desk.open_cards() > 0
        is_slow = is_waiting or not self._runner.is_watching  # no bar is late before we watch
        is_changed = self._time.set_speed(WAITING_SPEED if is_slow else self._speed)
        if self._skip_closed_hours() or is_changed:
            self._runner.jobs.pace_changed()
        self._show(is_waiting=is_waiting)
        if self._end is not None and self._time.now() >= self._end:
            stop.set()

    def _skip_closed_hours(self) -> bool:
        now = self._time.now()
        window = self._calendar.window(self._calendar.session_day(now))
        if self._calendar.is_open(now) or (window and now < window.close + AFTER_CLOSE):
            return False
        opening = self._calendar.next_open(now) - BEFORE_OPEN
        if now >= opening:
            return False
        self._time.leap_to(opening)
        return True

    def _show(self, *, is_waiting: bool) -> None:
        local = self._time.now().astimezone(KST)
        self._world.page.set_status(
            {
                "market_time": local.strftime("%m-%d %H:%M"),
                "speed": f"{self._time.speed:g}×",
                "note": "order card waiting / 주문 확인 대기" if is_waiting else "",
            }
        )
