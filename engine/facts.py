"""Daily facts for conditions that look at them: kept in the store, filled into the panels."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from engine.exact import venue_of
from market.fact_panel import day_start
from market.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from engine.series import Series
    from market.fact_panel import FactPanel
    from market.facts import DailyFacts
    from market.store import Store, Transaction
    from market.types import InstrumentId

DAYS = 40
"""Days of facts that a panel keeps."""


class Facts:
    """Keeps the fact panels of all series: the newest days that are over by now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, series: Sequence[Series], now: datetime) -> None:
        """Fill the fact panels from the store; what they hold is put in its place again."""
        panels = [one.panel.facts for one in series if one.panel.facts is not None]
        names = {name for panel in panels for name in panel.instruments}
        if not names:
            return
        stored = await self._store.read(lambda tx: read_facts(tx, names, now))
        await asyncio.to_thread(_fill, panels, stored)


def read_facts(tx: Transaction, names: Iterable[InstrumentId], now: datetime) -> list[DailyFacts]:
    """Return the facts of instruments on the newest days that have begun, oldest first."""
    end = now.astimezone(KST).date() + timedelta(days=1)
    return tx.facts.newest(list(names), end, DAYS)


def fill_facts(tx: Transaction, panel: FactPanel | None, now: datetime) -> None:
    """Fill one panel of facts from the store, as of a moment; nothing where there is none."""
    if panel is not None:
        _fill([panel], read_facts(tx, panel.instruments, now))


def _fill(panels: Sequence[FactPanel], stored: Iterable[DailyFacts]) -> None:
    for (_, _), group in groupby(stored, key=_day_at_venue):
        facts = list(group)
        start = day_start(facts[0].instrument, facts[0].day)
        for panel in panels:
            panel.put(start, facts)


def _day_at_venue(facts: DailyFacts) -> tuple[date, str]:
    return facts.day, venue_of(facts.instrument)
