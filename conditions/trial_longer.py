"""The longer bars beside those of a test: days before it, and what its own bars come to."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from math import nan
from typing import TYPE_CHECKING

from config.bar_series import Absence
from market.bars import aggregate
from market.sessions import KrxCalendar
from market.types import Bar, Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from config.trial_bars import Slot
    from market.panel import Panel

_DAY = timedelta(days=1)


def add_days(panel: Panel, row: int, days: Sequence[Slot], before: datetime) -> None:
    """Put these sessions of a row into the daily panel, the last one the newest before a moment."""
    daily = panel.larger.get(Timeframe.D1)
    if daily is None or not days:
        return
    starts = krx().slots(before - (len(days) + 10) * 2 * _DAY, before, Timeframe.D1)
    for start, day in zip(starts[-len(days) :], days, strict=True):
        if day is Absence.MISSING:
            daily.mark_missing([row])
        elif not isinstance(day, Absence):
            prices = (day.open, day.high, day.low, day.close)
            bar = Bar(panel.instruments[row], Timeframe.D1, start, *prices, day.volume, day.value)
            daily.append([bar])


def add_longer(
    panel: Panel, row: int, bars: Sequence[Bar], lost: Sequence[datetime], now: datetime
) -> None:
    """Make anew the longer bars of a row that the slot which starts now lies in.

    `bars` are those of the test up to it, `lost` the slots that could not be read: a longer bar
    with one of them has no numbers.
    """
    calendar = krx()
    for timeframe, longer in panel.larger.items():
        slot = calendar.slot(now, timeframe)
        parts = [one for one in bars if calendar.slot(one.start, timeframe) == slot]
        made = aggregate(parts, timeframe, calendar)
        if any(calendar.slot(one, timeframe) == slot for one in lost):
            made = [_without_numbers(one) for one in made]
            if not made:
                longer.mark_missing([row])
        longer.append(made)


@cache
def krx() -> KrxCalendar:
    """Return the sessions in which tests play."""
    return KrxCalendar({})


def _without_numbers(bar: Bar) -> Bar:
    return Bar(bar.instrument, bar.timeframe, bar.start, nan, nan, nan, nan, nan, nan)
