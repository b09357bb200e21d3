"""The unattended demo: market time is stepped by hand, and the run answers for what it did."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.demo_world import CHANNEL, START
from bot.schedule import InSession
from market.orders import OrderState
from market.types import Venue, to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from bot.app import App
    from bot.demo_visitor import Visitor
    from bot.demo_world import World
    from bot.logs import ErrorCount
    from market.clock import ManualClock
    from market.signals import Signal
    from market.store import Transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What an unattended run did; `problems` says in words why `errors` is not zero.

    `signals_exact` is the share of signals whose bar equals the venue's minute chart: it must be 1.
    """

    ticks: int
    bars: int
    signals: int
    signals_exact: float
    alerts_delivered: int
    orders_filled: int
    commands_answered: int
    errors: int
    problems: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Return whether everything is as it should be."""
        return self.errors == 0

    def as_json(self) -> dict[str, object]:
        """Return the report as one JSON object."""
        return asdict(self)


class Driver:
    """Steps from sweep to sweep: crawl, lapse, deliver, let the visitor act."""

    def __init__(self, app: App, world: World, clock: ManualClock, visitor: Visitor) -> None:
        self._app = app
        self._world = world
        self._clock = clock
        self._visitor = visitor
        self._ticks = 0
        crawl = app.services.config.settings.crawl
        calendar = app.services.calendars[Venue.KRX]
        lengths = (series.timeframe.length for series in app.pipeline.series)
        self._schedule = InSession(
            crawl.every_seconds, crawl.offset_seconds, [calendar], min(lengths, default=None)
        )

    async def drive(self, market_minutes: int) -> None:
        """Run through some minutes of market time; the last one settles the visitor's goodbye."""
        end = self._clock.now() + timedelta(minutes=market_minutes)
        goodbye = end - timedelta(minutes=1)
        has_said_goodbye = False
        while (at := self._schedule.after(self._clock.now())) <= end:
            await self._step(at)
            if at >= goodbye and not has_said_goodbye:
                has_said_goodbye = True
                await self._visitor.close()
            else:
                await self._visitor.act()

    async def _step(self, at: datetime) -> None:
        self._clock.move_to(at)
        self._ticks += await self._app.pipeline.crawl()
        await self._app.desk.lapse()
        await self._app.outbox.drain()

    async def report(self, errors: ErrorCount) -> Report:
        """Count what happened, and say what is missing."""
        counted = await self._app.store.read(_count)
        exact = sum(self._is_exact(signal) for signal in counted.signals)
        alerts = len([one for one in self._world.core.messages(CHANNEL) if one.photo is not None])
        checks = {
            "no ticks were crawled": self._ticks > 0,
            "no bars were closed": self._bars() > 0,
            "a signal's bar differs from the venue's": exact == len(counted.signals),
            "no alert with its chart reached the channel": alerts > 0,
            "no order was filled": counted.filled > 0,
            f"{counted.waiting} messages were not delivered": counted.waiting == 0,
            f"{counted.failed} messages could not be delivered": counted.failed == 0,
        }
        problems = [problem for problem, is_well in checks.items() if not is_well]
        problems += self._visitor.problems + errors.messages
        return Report(
            ticks=self._ticks,
            bars=self._bars(),
            signals=len(counted.signals),
            signals_exact=exact / len(counted.signals) if counted.signals else 0.0,
            alerts_delivered=alerts,
            orders_filled=counted.filled,
            commands_answered=self._visitor.answered,
            errors=len(problems),
            problems=tuple(problems),
        )

    def _bars(self) -> int:
        """Return how many bars of the series have closed since the start."""
        return sum(
            int((one.panel.starts > to_ms(START - one.timeframe.length)).sum())
            for one in self._app.pipeline.series
        )

    def _is_exact(self, signal: Signal) -> bool:
        """Return whether a signal was decided on the very bar that the venue's chart shows."""
        start = signal.bar_start
        end = start + signal.timeframe.length
        code = signal.instrument.removeprefix("KRX:")
        minutes = self._world.simulator.minutes(code, start, end, self._clock.now())
        shown = signal.snapshot
        bar = (shown.open[-1], shown.high[-1], shown.low[-1], shown.close[-1], shown.volume[-1])
        return bar == (
            minutes[0].open,
            max(one.high for one in minutes),
            min(one.low for one in minutes),
            minutes[-1].close,
            sum(one.volume for one in minutes),
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    filled: int
    waiting: int
    failed: int
    signals: tuple[Signal, ...]


def _count(tx: Transaction) -> _Counted:
    return _Counted(
        filled=len(tx.orders.in_states([OrderState.FILLED])),
        waiting=tx.outbox.waiting(),
        failed=tx.outbox.counts().get("failed", 0),
        signals=tuple(tx.signals.recent(10_000)),
    )
