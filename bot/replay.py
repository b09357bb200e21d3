"""A day once more: recorded prices, or bars of files, through the pipeline of a mute bot."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.app import Outside, build
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.replay_plan import bars_plan, recorded_plan
from bot.replay_report import report_of
from bot.universe_members import with_stored_universes
from conditions.ready import make_ready
from engine.rewind import past_of
from market.clock import ManualClock
from market.errors import SourceError, StoreError, TicktalkError
from market.messages import Person, Role
from market.sessions import KST
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from bot.app import App
    from bot.replay_plan import Plan
    from bot.replay_report import Report
    from config.load import Config

logger = logging.getLogger(__name__)

OWNER = 1
"""Orders are proposed to somebody; nobody is told of them."""
_ALL_ON_PAPER = {"name": "paper", "krx": "", "upbit": "", "binance": ""}
_NO_TOKEN = "1:" + "replay" * 6
"""The form of a token; no request is ever made with it."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What is played, from where, how fast (0: as fast as it goes), and which part is shown."""

    day: date | None
    bars: Path | None = None
    speed: float = 0.0
    since: time | None = None
    until: time | None = None


async def run_replay(
    config: Config, options: ReplayOptions, database: Path, show: Callable[[str], None]
) -> Report:
    """Play a day into a database of its own; return what fired, beside what had fired live.

    Raises TicktalkError where there is nothing to play.
    """
    config = with_stored_universes(config, options.day)
    clock = ManualClock(_midnight(options.day))
    plan = await _plan(config, options, clock)
    clock.move_to(plan.began)
    app = build(_muted(config, database), _outside(clock), sources=plan.sources)
    try:
        await asyncio.to_thread(make_ready, app.services.pipeline.conditions)
        owner = Person(OWNER, Role.OWNER, config.settings.telegram.language, "replay")
        await app.store.write(lambda tx: tx.people.put(owner, plan.began))
        if options.bars is None:
            await _rewind(app, config, plan.began)
        show(f"from {_told(plan.began)}: {len(plan.steps)} sweeps")
        await _play(app, plan, clock, options)
        return await report_of(app, config, plan, options.since, options.until)
    finally:
        await app.close()


async def _plan(config: Config, options: ReplayOptions, clock: ManualClock) -> Plan:
    if options.bars is not None:
        return await bars_plan(config, options.bars, options.day, clock)
    return recorded_plan(config, Path(config.settings.record.path), clock)


def _midnight(day: date | None) -> datetime:
    return datetime(1971, 1, 1, tzinfo=KST) if day is None else datetime.combine(day, time(), KST)


def _outside(clock: ManualClock) -> Outside:
    return Outside(clock, UnscaledTime(clock), EventLog(clock))


def _muted(config: Config, database: Path) -> Config:
    """Return the configuration of a bot that writes elsewhere, and to nobody."""
    settings = config.settings
    telegram = settings.telegram.model_copy(update={"token": SecretStr(_NO_TOKEN), "channel": None})
    store = settings.store.model_copy(update={"path": str(database)})
    broker = settings.broker.model_copy(update=_ALL_ON_PAPER)
    changed = {"telegram": telegram, "store": store, "broker": broker}
    return replace(config, settings=settings.model_copy(update=changed))


async def _rewind(app: App, config: Config, began: datetime) -> None:
    """Let the database begin with what the live one held before the day, if there is one.

    A live bot that had no history then has recorded how it got it.
    """
    depth = config.settings.crawl.history_bars
    try:
        with Store.read_only(config.settings.store.path) as live:
            for series in app.pipeline.series:
                past = live.read(partial(past_of, series=series, at=began, depth=depth))
                await app.store.write(past.put)
    except StoreError as error:
        logger.warning("the replay begins without what the live database knows: %s", error)


async def _play(app: App, plan: Plan, clock: ManualClock, options: ReplayOptions) -> None:
    await app.desk.recover()
    try:
        await app.pipeline.start()
    except SourceError as error:
        raise TicktalkError(f"the replay cannot begin: {error}") from error
    if plan.has_days:
        await app.pipeline.prepare()
    for at, venue in plan.steps:
        local = at.astimezone(KST).time()
        if options.until is not None and local >= options.until:
            break
        if options.speed and (options.since is None or local >= options.since):
            await asyncio.sleep((at - clock.now()).total_seconds() / options.speed)
        clock.move_to(at)
        await app.pipeline.crawl(venue)
        await app.desk.lapse()


def _told(at: datetime) -> str:
    return f"{at.astimezone(KST):%Y-%m-%d %H:%M:%S}"
