"""The start, which is also the restart: load what is stored, fetch what was missed, in order."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import States
from engine.longer import fill, read_longer
from engine.series import Slot, Want
from market.bars import aggregate
from market.errors import SourceError
from market.types import Timeframe, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from engine.exact import ExactBars
    from engine.series import Series
    from market.store import Store, Transaction
    from market.types import Bar, InstrumentId

logger = logging.getLogger(__name__)

_CHART_DAYS = 5
"""Sessions, this one among them, that minute charts surely reach back."""
_REACH = timedelta(days=21)


@dataclass(slots=True)
class _Seen:
    """What the store knows of a series: `frontier_ms` is where judging goes on, by instrument.

    `bars` are those before it, for instruments whose whole history is stored; `longer` are those
    of longer timeframes.
    """

    judged_ms: int
    frontier_ms: dict[InstrumentId, int]
    bars: dict[InstrumentId, list[Bar]] = field(default_factory=dict)
    longer: list[Bar] = field(default_factory=list)


class History:
    """Fills a series up to the present; slots after the last judged one come back to be judged."""

    def __init__(self, store: Store, exact: ExactBars, depth: int) -> None:
        self._store = store
        self._exact = exact
        self._depth = depth

    async def load(self, series: Series, now: datetime, *, is_needed: bool = True) -> list[Slot]:
        """Fill the panel; return the slots missed since the last run, oldest first.

        A first start judges nothing of the past. An instrument that the series did not watch when
        it ran last gets its whole history. When no instrument answered this raises SourceError,
        or holds all of them back where other venues must not wait for this one.
        """
        seen = await self._store.read(_stored(series, self._depth))
        slots = closed_slots(series, self._depth, now)
        if not slots:
            return []
        if not seen.judged_ms:
            seen = _first(series, to_ms(slots[-1]))
        starts = {name: _start(seen, name, slots) for name in series.panel.instruments}
        fetched = await self._fetch(series, starts, now, is_needed=is_needed)
        series.judged_ms = seen.judged_ms
        await asyncio.to_thread(_fill, series, seen, fetched, slots[0])
        await self._lengthen(series, seen, slots[0], now)
        for name in series.panel.instruments:
            if name not in fetched:
                self._hold_back(series, name, starts[name], from_ms(seen.frontier_ms[name]))
        missed = [
            bar
            for name, bars in fetched.items()
            for bar in bars
            if to_ms(bar.start) >= seen.frontier_ms[name]
        ]
        await self._store.write(self._record(series, seen, fetched))
        return _by_slot(missed)

    async def _lengthen(self, series: Series, seen: _Seen, oldest: datetime, now: datetime) -> None:
        """Fill the panels of longer bars: what is stored, the minute chart's reach, own bars."""
        longer = [one for one in series.larger if one is not Timeframe.D1]
        if not longer:
            return
        days = series.calendar.slots(now - _REACH, now, Timeframe.D1)[-_CHART_DAYS:]
        new = [name for name in series.panel.instruments if name not in seen.bars]
        known = []
        if new and days and days[0] < oldest:
            starts = dict.fromkeys(new, days[0])
            answers = await self._exact.fetch(starts, min(longer, key=_length), now)
            told = [one[1:] for one in answers.values() if not isinstance(one, SourceError)]
            for timeframe in longer:  # the first bar of an answer may lack its beginning
                known += [
                    bar for one in told for bar in aggregate(one, timeframe, series.calendar)[1:]
                ]
        known += seen.longer
        series.lengthened += await asyncio.to_thread(fill, series.panel, series.calendar, known)

    async def _fetch(
        self,
        series: Series,
        starts: Mapping[InstrumentId, datetime],
        now: datetime,
        *,
        is_needed: bool,
    ) -> dict[InstrumentId, list[Bar]]:
        answers = await self._exact.fetch(starts, series.timeframe, now)
        failures = [one for one in answers.values() if isinstance(one, SourceError)]
        if is_needed and failures and len(failures) == len(answers):
            raise failures[0]
        end = series.calendar.slot_end
        return {
            name: [bar for bar in answer if end(bar.start, series.timeframe) <= now]
            for name, answer in answers.items()
            if not isinstance(answer, SourceError)
        }

    def _hold_back(
        self, series: Series, name: InstrumentId, start: datetime, judge_from: datetime
    ) -> None:
        series.panel.mark_missing([series.panel.row(name)])
        series.wants[name] = Want(min(start, judge_from), judge_from, judge_from)

    def _record(
        self, series: Series, seen: _Seen, fetched: Mapping[InstrumentId, list[Bar]]
    ) -> Callable[[Transaction], None]:
        whole = sorted({*seen.bars, *fetched} & set(series.panel.instruments))
        before = [
            bar
            for name, bars in fetched.items()
            for bar in bars
            if name not in seen.bars and to_ms(bar.start) < seen.frontier_ms[name]
        ]

        def write(tx: Transaction) -> None:
            tx.bars.put(before)
            tx.documents.put(series.key, series.position(series.judged_ms, ()))
            tx.documents.put(whole_key(series), {"depth": self._depth, "instruments": whole})

        return write


def _length(timeframe: Timeframe) -> timedelta:
    return timeframe.length


def closed_slots(series: Series, depth: int, now: datetime) -> list[datetime]:
    """Return the newest `depth` slots that have closed by `now`."""
    calendar = series.calendar
    back = timedelta(days=3)
    while True:
        slots = calendar.slots(now - back, now, series.timeframe)
        closed = [one for one in slots if calendar.slot_end(one, series.timeframe) <= now]
        if len(closed) >= depth or back > timedelta(days=2 * depth + 60):
            return closed[-depth:]
        back *= 2


def keep_whole(tx: Transaction, series: Series, names: Collection[InstrumentId]) -> None:
    """Note that of no others than these the whole history is stored."""
    document = tx.documents.get(whole_key(series))
    if document is not None:
        kept = [name for name in document["instruments"] if name in names]
        tx.documents.put(whole_key(series), {**document, "instruments": kept})


def whole_key(series: Series) -> str:
    """Return the name of the document that tells whose whole history is stored."""
    return f"history/{series.venue}/{series.timeframe}"


def _stored(series: Series, depth: int) -> Callable[[Transaction], _Seen]:
    def read(tx: Transaction) -> _Seen:
        for watch in series.watches:
            condition = watch.condition
            kept = tx.signals.states(condition.name, condition.version)
            watch.states = States.from_mapping(kept, series.panel.instruments)
        position = tx.documents.get(series.key) or {"judged_ms": 0, "behind": {}}
        judged_ms = int(position["judged_ms"])
        frontier = dict.fromkeys(series.panel.instruments, judged_ms + 1)
        frontier |= {name: at for name, at in position["behind"].items() if name in frontier}
        seen = _Seen(judged_ms, frontier)
        seen.longer = read_longer(tx, series.panel)
        for name in _whole(tx, series, depth) if judged_ms else ():
            kept_bars = tx.bars.last(name, series.timeframe, depth)
            seen.bars[name] = [bar for bar in kept_bars if to_ms(bar.start) < frontier[name]]
        return seen

    return read


def _whole(tx: Transaction, series: Series, depth: int) -> list[InstrumentId]:
    document = tx.documents.get(whole_key(series))
    if document is None or document["depth"] < depth:
        return []
    return [name for name in document["instruments"] if series.panel.has(name)]


def _first(series: Series, judged_ms: int) -> _Seen:
    return _Seen(judged_ms, dict.fromkeys(series.panel.instruments, judged_ms + 1))


def _start(seen: _Seen, name: InstrumentId, slots: Sequence[datetime]) -> datetime:
    """Return from where an instrument's bars are to be fetched."""
    return max(slots[0], from_ms(seen.frontier_ms[name])) if name in seen.bars else slots[0]


def _fill(
    series: Series,
    seen: _Seen,
    fetched: Mapping[InstrumentId, list[Bar]],
    oldest: datetime,
) -> None:
    """Put what was judged into the panel, and note that it is not to be judged again."""
    panel = series.panel
    for name in panel.instruments:
        frontier_ms = seen.frontier_ms[name]
        known = {bar.start: bar for bar in fetched.get(name, ()) if to_ms(bar.start) < frontier_ms}
        known |= {bar.start: bar for bar in seen.bars.get(name, ())}
        panel.append([known[start] for start in sorted(known)])
        if name in seen.bars and frontier_ms < to_ms(oldest):
            panel.mark_missing([panel.row(name)])  # we were away for longer than is fetched
    frontier = np.array([seen.frontier_ms[name] for name in panel.instruments], dtype=np.int64)
    for watch in series.watches:
        # the store keeps a state when it changes, not with every bar that was judged
        judged = np.maximum(watch.states.bar_ms, frontier - 1)
        watch.states = replace(watch.states, bar_ms=judged)


def _by_slot(bars: Sequence[Bar]) -> list[Slot]:
    by_start: dict[datetime, list[Bar]] = {}
    for bar in bars:
        by_start.setdefault(bar.start, []).append(bar)
    return [
        Slot(start, tuple(held), frozenset(bar.instrument for bar in held))
        for start, held in sorted(by_start.items())
    ]
