"""The start, which is also the restart: load what is stored, fetch what was missed, in order."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from conditions.lifecycle import States
from engine.exact import ExactBars, venue_of
from engine.feed import Slot
from market.errors import SourceError
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from engine.series import Series
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import Bar, InstrumentId, Venue

logger = logging.getLogger(__name__)


class History:
    """Fills a series up to the present; slots after the last judged one come back to be judged."""

    def __init__(
        self, store: Store, exact: ExactBars, calendars: Mapping[Venue, Calendar], depth: int
    ) -> None:
        self._store = store
        self._exact = exact
        self._calendars = calendars
        self._depth = depth

    async def load(self, series: Series, now: datetime) -> list[Slot]:
        """Fill the panel; return the slots missed since the last run, oldest first.

        A first start judges nothing of the past. Raises SourceError when no instrument answered.
        """
        seen = await self._store.read(_stored(series, self._depth))
        series.judged_ms = seen.judged_ms
        for bars in seen.bars.values():
            series.panel.append(bars)
        slots = self._closed_slots(series, now)
        if not slots:
            return []
        start = (
            from_ms(series.judged_ms) + series.timeframe.length if series.judged_ms else slots[0]
        )
        fetched = await self._fetch(series, max(start, slots[0]), now)
        await self._store.write(lambda tx: tx.bars.put(fetched))
        missed = [
            bar for bar in fetched if series.judged_ms and to_ms(bar.start) > series.judged_ms
        ]
        if not series.judged_ms:
            series.panel.append(sorted(fetched, key=lambda bar: bar.start))
            series.judged_ms = to_ms(slots[-1])
        return _by_slot(missed)

    def _closed_slots(self, series: Series, now: datetime) -> list[datetime]:
        """Return the newest `depth` slots that have closed by `now`."""
        calendar = self._calendars[venue_of(series.panel.instruments[0])]
        back = timedelta(days=3)
        while True:
            slots = calendar.slots(now - back, now, series.timeframe)
            closed = [one for one in slots if calendar.slot_end(one, series.timeframe) <= now]
            if len(closed) >= self._depth or back > timedelta(days=60):
                return closed[-self._depth :]
            back *= 2

    async def _fetch(self, series: Series, start: datetime, now: datetime) -> list[Bar]:
        answers = await self._exact.fetch(series.panel.instruments, series.timeframe, start, now)
        bars: list[Bar] = []
        failures: list[SourceError] = []
        for name, answer in answers.items():
            if isinstance(answer, SourceError):
                failures.append(answer)
                series.panel.mark_missing([series.panel.row(name)])
                continue
            calendar = self._calendars[venue_of(name)]
            ends = ((bar, calendar.slot_end(bar.start, series.timeframe)) for bar in answer)
            bars += [bar for bar, end in ends if end <= now]
        if failures and len(failures) == len(answers):
            raise failures[0]
        return bars


class _Seen:
    """What the store knew of a series when the process started."""

    def __init__(self, judged_ms: int, bars: dict[InstrumentId, list[Bar]]) -> None:
        self.judged_ms = judged_ms
        self.bars = bars


def _stored(series: Series, depth: int) -> Callable[[Transaction], _Seen]:
    def read(tx: Transaction) -> _Seen:
        document = tx.documents.get(series.key)
        judged_ms = int(document["judged_ms"]) if document else 0
        for watch in series.watches:
            condition = watch.condition
            kept = tx.signals.states(condition.name, condition.version)
            watch.states = States.from_mapping(kept, series.panel.instruments)
        if not judged_ms:
            return _Seen(0, {})
        bars = {
            name: [
                bar
                for bar in tx.bars.last(name, series.timeframe, depth)
                if to_ms(bar.start) <= judged_ms
            ]
            for name in series.panel.instruments
        }
        return _Seen(judged_ms, bars)

    return read


def _by_slot(bars: list[Bar]) -> list[Slot]:
    by_start: dict[datetime, list[Bar]] = {}
    for bar in bars:
        by_start.setdefault(bar.start, []).append(bar)
    return [Slot(start, tuple(held), True) for start, held in sorted(by_start.items())]
