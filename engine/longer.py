"""Bars of hours and other parts of a session, made of an instrument's own shorter bars."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from conditions.days import length_ms
from market.types import Bar, Timeframe, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from market.panel import Panel
    from market.sessions import Calendar
    from market.store import Transaction
    from market.types import InstrumentId


def lengthened(panel: Panel, calendar: Calendar, bars: Iterable[Bar]) -> list[Bar]:
    """Make the longer bars in which these bars lie anew; return those that are over by that.

    Days are not made of own bars: the venue's chart tells them. The newest longer bar may still
    grow; who looks at it sees it once its time is over. One of which a part could not be read has
    no numbers, one that began before the bars that are held is left out.
    """
    shorter = [(bar.instrument, bar.start) for bar in bars]
    over: list[Bar] = []
    for timeframe, larger in panel.larger.items():
        if timeframe is Timeframe.D1:
            continue
        slots = {(name, calendar.slot(start, timeframe)) for name, start in shorter}
        for name, slot in sorted((name, to_ms(slot)) for name, slot in slots if slot is not None):
            if panel.has(name):
                over += _remade(panel, larger, name, slot)
    return over


def fill(panel: Panel, calendar: Calendar, known: Iterable[Bar] = ()) -> list[Bar]:
    """Fill the longer panels with what is known and what all bars of a panel come to.

    Return the bars that are over and were not known.
    """
    held: dict[tuple[Timeframe, InstrumentId], dict[datetime, Bar]] = {}
    for bar in known:
        held.setdefault((bar.timeframe, bar.instrument), {})[bar.start] = bar
    over: list[Bar] = []
    for timeframe, larger in panel.larger.items():
        if timeframe is Timeframe.D1:
            continue
        for row, name in enumerate(panel.instruments):
            if larger.counts[row]:
                continue
            before = held.get((timeframe, name), {})
            made = {bar.start: bar for bar in _all_made(panel, calendar, timeframe, row)}
            whole = before | made
            starts = sorted(whole)
            larger.append([whole[start] for start in starts])
            over += [
                whole[start]
                for start in starts[:-1]
                if start not in before and not isnan(whole[start].close)
            ]
    return over


def _all_made(panel: Panel, calendar: Calendar, timeframe: Timeframe, row: int) -> Iterator[Bar]:
    starts = panel.starts[row, panel.depth - int(panel.counts[row]) :].tolist()
    slots = dict.fromkeys(calendar.slot(from_ms(start), timeframe) for start in starts)
    for slot in slots:
        made = None if slot is None else _made(panel, timeframe, row, to_ms(slot))[0]
        if made is not None:
            yield made


def read_longer(tx: Transaction, panel: Panel, at: datetime | None = None) -> list[Bar]:
    """Return the stored longer bars within sessions, with a moment only those begun before it."""
    found: list[Bar] = []
    for timeframe, larger in panel.larger.items():
        for name in panel.instruments if timeframe is not Timeframe.D1 else ():
            if at is None:
                found += tx.bars.last(name, timeframe, larger.depth)
            else:
                found += tx.bars.before(name, timeframe, at, larger.depth)
    return found


def _remade(panel: Panel, larger: Panel, name: InstrumentId, slot: int) -> Iterator[Bar]:
    """Yield what is over: the bar before a new one, and an older one that has changed."""
    row = panel.row(name)
    newest = int(larger.starts[row, -1])
    before = _held(larger, row, newest) if newest and slot > newest else None
    made, is_lost = _made(panel, larger.timeframe, row, slot)
    if made is None:
        return
    if not larger.revise(made):
        if is_lost:
            larger.mark_missing([row])
        larger.append([made])
    if before is not None and not isnan(before.close):
        yield before
    if slot < newest and not is_lost:
        yield made


def _made(panel: Panel, timeframe: Timeframe, row: int, slot: int) -> tuple[Bar | None, bool]:
    """Return the longer bar that starts then, and whether a part of it is lost."""
    starts = panel.starts[row]
    first, last = np.searchsorted(starts, [slot, slot + length_ms(timeframe)])
    if first == last or (_is_oldest(panel, row, first) and starts[first] != slot):
        return None, False
    part = slice(first, last)
    is_lost = bool(panel.gap[row, part].any())
    name, at = panel.instruments[row], from_ms(slot)
    if is_lost:
        return Bar(name, timeframe, at, nan, nan, nan, nan, nan, nan), True
    bar = Bar(
        name,
        timeframe,
        at,
        float(panel.open[row, first]),
        float(panel.high[row, part].max()),
        float(panel.low[row, part].min()),
        float(panel.close[row, last - 1]),
        float(panel.volume[row, part].sum()),
        float(panel.value[row, part].sum()),
    )
    return bar, False


def _is_oldest(panel: Panel, row: int, column: int) -> bool:
    return column == panel.depth - int(panel.counts[row])


def _held(panel: Panel, row: int, start: int) -> Bar:
    """Return the newest bar that a panel holds of a row."""
    open_, high, low, close, volume, value = (
        float(getattr(panel, name)[row, -1])
        for name in ("open", "high", "low", "close", "volume", "value")
    )
    name, at = panel.instruments[row], from_ms(start)
    return Bar(name, panel.timeframe, at, open_, high, low, close, volume, value)
