"""A series of bars that questions are asked about: calm, and then a jump of one instrument."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import evaluate
from conditions.lifecycle import step
from market.types import Bar, Timeframe, to_ms
from tests.bot.chat_world import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from engine.series import Series
    from market.types import InstrumentId

SAMSUNG = "KRX:005930"
HYNIX = "KRX:000660"
LENGTH = timedelta(minutes=5)
CLOSE, VOLUME = 71_000.0, 1_000.0


def newest_slots(series: Series, count: int, until: datetime = NOW) -> list[datetime]:
    """Return the newest slots that have closed."""
    found = series.calendar.slots(until - timedelta(days=10), until, series.timeframe)
    closed = [one for one in found if series.calendar.slot_end(one, series.timeframe) <= until]
    return closed[-count:]


def bar(instrument: InstrumentId, start: datetime, close: float, volume: float) -> Bar:
    """Return a five-minute bar at one price."""
    prices = (close,) * 4
    return Bar(instrument, Timeframe.M5, start, *prices, volume, close * volume)


def wave(
    instrument: InstrumentId, slots: list[datetime], jump: float = 1.0, burst: float = 1.0
) -> list[Bar]:
    """Return bars that go up and down a little; the last one jumps."""
    closes = [CLOSE + 100 * (place % 5) for place in range(len(slots))]
    volumes = [VOLUME + 50 * (place % 7) for place in range(len(slots))]
    closes[-1] *= jump
    volumes[-1] *= burst
    together = zip(slots, closes, volumes, strict=True)
    return [bar(instrument, *one) for one in together]


def fill(
    series: Series,
    bars: int = 100,
    jump: float = 1.0,
    burst: float = 1.0,
    until: datetime = NOW,
) -> list[Bar]:
    """Give two instruments bars up to now and judge them; the first one's last bar jumps."""
    slots = newest_slots(series, bars, until)
    told = [*wave(SAMSUNG, slots, jump, burst), *wave(HYNIX, slots)]
    for start in slots:
        rows = series.panel.append([one for one in told if one.start == start])
        begin = np.full(len(rows), to_ms(start))
        for watch in series.watches:
            verdicts = evaluate(watch.condition, series.panel, rows)
            ends = begin + to_ms(start + LENGTH) - to_ms(start)
            found = step(watch.condition, watch.states, rows, verdicts, begin, ends)
            watch.states = found.states
    series.judged_ms = to_ms(slots[-1])
    return told
