"""Computes universes once a day is over: lists, figures, who bought, and then the ranks.

A source that fails leaves the universes as they were; what it told meanwhile is kept.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.exact import venue_of
from engine.fact_asking import FactAsking
from engine.holdings import read_holdings
from engine.membership import Known, members_of_day
from market.fact_groups import FactGroup
from market.orders import OPEN
from market.segments import SEGMENTS
from market.types import EPOCH, Venue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from engine.fact_asking import Tellers
    from engine.membership import Wish
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import InstrumentId
    from market.universe import UniverseOfDay

logger = logging.getLogger(__name__)

SETTLING = {
    Venue.KRX: timedelta(hours=5),
    Venue.UPBIT: timedelta(minutes=5),
    Venue.BINANCE: timedelta(minutes=5),
}
"""How long after a session everything about its day is told. The after-market of KRX trades until
20:00 (since 2026-09-14), four and a half hours after the close."""
_REST_DAYS = 30
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run is going to ask, and how long that takes at the pace of the source."""

    requests: int
    minutes: float

    def __str__(self) -> str:
        return f"{self.requests:,} requests, about {max(1, round(self.minutes))} min"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    venue: Venue
    day: date
    done: int
    of: int
    budget: Budget


@dataclass(frozen=True, slots=True)
class Change:
    """Who joined a universe and who left it."""

    name: str
    members: int
    joined: tuple[InstrumentId, ...]
    left: tuple[InstrumentId, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be known of a venue: universes, and facts of single instruments for conditions.

    `wanted` are instruments with the facts that conditions ask of them, `segments` where those are
    listed.
    """

    venue: Venue
    wishes: tuple[Wish, ...] = ()
    wanted: Mapping[InstrumentId, FactGroup] = field(default_factory=dict)
    segments: tuple[str, ...] = ()

    @property
    def markets(self) -> tuple[str, ...]:
        """Return the markets whose lists it needs."""
        of_universes = (one for wish in self.wishes for one in wish.spec.segments)
        return tuple(dict.fromkeys((*of_universes, *self.segments)))


class Universes:
    """Everything comes by arguments: the store, who tells what of a venue, sessions and paces.

    `paces` are requests a second; `note` hears how a run goes.
    """

    def __init__(
        self,
        store: Store,
        tellers: Mapping[Venue, Tellers],
        calendars: Mapping[Venue, Calendar],
        paces: Mapping[Venue, float],
        note: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._tellers = tellers
        self._calendars = calendars
        self._paces = paces
        self._note = note
        self._running = asyncio.Lock()
        self._progress: Progress | None = None

    @property
    def progress(self) -> Progress | None:
        """Return how far the run has come that asks who bought, None where there is none."""
        return self._progress

    def day_over(self, venue: Venue, now: datetime) -> date:
        """Return the newest day of a venue about which everything is told by now."""
        return day_over(self._calendars[venue], now, SETTLING[venue])

    async def refresh(self, task: Task, now: datetime) -> tuple[Change, ...]:
        """Compute the universes of a venue for the newest day that is over.

        Returns what has changed against the universes in force. Raises SourceError and StoreError,
        with these as they were.
        """
        async with self._running:
            day = self.day_over(task.venue, now)
            asking = FactAsking(self._store, self._tellers[task.venue], day, self._heard)
            await asking.listing(task.markets)
            changes: tuple[Change, ...] = ()
            if task.wishes:
                await self._learn(replace(task, wanted={}), asking, day)
                changes = await self._decide(task, day)
            # last, so that a trouble with single instruments keeps no universe waiting
            await self._learn(replace(task, wishes=()), asking, day)
            return changes

    async def _learn(self, task: Task, asking: FactAsking, day: date) -> None:
        figures = await self._to_ask(task, asking, day, FactGroup.FIGURES)
        await asking.figures(figures, await self._prices())
        flows = await self._to_ask(task, asking, day, FactGroup.FLOWS)
        if flows:
            budget = Budget(len(flows), len(flows) / self._paces[task.venue] / 60)
            self._progress = Progress(task.venue, day, 0, len(flows), budget)
            logger.info("%s, %s: asking who bought: %s", task.venue, day, budget)
            self._heard(0, len(flows))
            try:
                await asking.flows(flows)
            finally:
                self._progress = None

    def _heard(self, done: int, of: int) -> None:
        """Note how far a run is, and log every tenth of it."""
        if self._progress is None:
            return
        self._progress = replace(self._progress, done=done, of=of)
        if done and done * 10 // of > (done - 1) * 10 // of:
            logger.info("%s: asked about %d of %d", self._progress.venue, done, of)
        self._note(self._progress)

    async def _to_ask(
        self, task: Task, asking: FactAsking, day: date, group: FactGroup
    ) -> list[InstrumentId]:
        """Return of whom facts are to be asked: of candidates by what is known so far."""
        known = await self._known(day)
        names = dict.fromkeys(name for name, groups in task.wanted.items() if groups & group)
        for wish in task.wishes:
            if wish.rule is None or not self._is_asked(wish.rule.needs, group):
                continue
            lines = wish.lines(known.listed)
            rows = await asyncio.to_thread(_candidates, wish, known)
            names |= dict.fromkeys(lines[row].instrument.id for row in rows)
        return await asking.untold(names, group)

    def _is_asked(self, needs: FactGroup, group: FactGroup) -> bool:
        """Tell whether a question is asked: figures also tell how many shares are listed."""
        return bool(needs & group) or (
            group is FactGroup.FIGURES and bool(needs & (FactGroup.FLOWS | FactGroup.LISTING))
        )

    async def _prices(self) -> dict[InstrumentId, float]:
        listed = await self._store.read(lambda tx: tx.facts.listing())
        return {one.instrument.id: one.line.price for one in listed if one.line.price is not None}

    async def _known(self, day: date) -> Known:
        def read(tx: Transaction) -> Known:
            facts = tx.facts.of_day(day)
            holdings, _ = read_holdings(tx, EPOCH)  # since when something is held is not asked
            return Known(day, tx.facts.listing(), facts, held(tx), holdings)

        return await self._store.read(read)

    async def _decide(self, task: Task, day: date) -> tuple[Change, ...]:
        """Decide who is a member, and keep that of all universes in one transaction."""
        known = await self._known(day)
        names = [wish.spec.name for wish in task.wishes]

        def read(tx: Transaction) -> dict[str, UniverseOfDay | None]:
            return {name: tx.universes.newest(name) for name in names}

        before = {
            name: () if one is None else one.instruments
            for name, one in (await self._store.read(read)).items()
        }
        made = [
            await asyncio.to_thread(members_of_day, wish, known, before[wish.spec.name])
            for wish in task.wishes
        ]

        def write(tx: Transaction) -> None:
            for one in made:
                tx.universes.put(one)

        await self._store.write(write)
        return tuple(_change(one, before[one.name]) for one in made)


def day_over(calendar: Calendar, now: datetime, settling: timedelta) -> date:
    """Return the newest day whose session has been over for so long."""
    day = calendar.session_day(now)
    for _ in range(_REST_DAYS):
        window = calendar.window(day)
        if window is not None and window.close + settling <= now:
            return day
        day -= _DAY
    raise ValueError(f"no session in the {_REST_DAYS} days before {now}")


def held(tx: Transaction) -> frozenset[InstrumentId]:
    """Return what is held or on order."""
    orders = [order.instrument for order in tx.orders.in_states(OPEN)]
    return frozenset([*orders, *(one.instrument for one in tx.orders.positions() if one.quantity)])


def by_venue(wishes: Iterable[Wish]) -> dict[Venue, tuple[Wish, ...]]:
    """Return universes by the venue whose lists they need."""
    found: dict[Venue, tuple[Wish, ...]] = {}
    for wish in wishes:
        venue = SEGMENTS[wish.spec.segments[0]]
        found[venue] = (*found.get(venue, ()), wish)
    return found


def of_venue(
    wanted: Mapping[InstrumentId, FactGroup], venue: Venue
) -> dict[InstrumentId, FactGroup]:
    """Return the wanted facts of one venue's instruments."""
    return {name: groups for name, groups in wanted.items() if venue_of(name) is venue}


def _candidates(wish: Wish, known: Known) -> Sequence[int]:
    if wish.rule is None:
        return ()
    rows: list[int] = wish.rule.candidates(known.panel(wish.lines(known.listed))).tolist()
    return rows


def _change(made: UniverseOfDay, before: Sequence[InstrumentId]) -> Change:
    now = made.instruments
    return Change(
        made.name,
        len(now),
        tuple(one for one in now if one not in set(before)),
        tuple(one for one in before if one not in set(now)),
    )
