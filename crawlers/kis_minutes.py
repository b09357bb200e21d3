"""Reading KIS's minute charts, today's (FHKST03010200) and past ones (FHKST03010230).

Both tell a minute's prices and volume beside the value that the day has come to by then. The
newest row of today's chart shows the volume of the minute before it until something trades (KIS
Developers, 2026-07), and a minute without a trade may stand there with the last price: in both
the day's value has not grown, so neither makes a bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crawlers.kis_rows import moment, number, odd, optional, rows
from market.sessions import KST
from market.types import Bar, Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from market.sessions import Calendar, Window
    from market.types import InstrumentId

Row = dict[str, Any]

MINUTE = timedelta(minutes=1)
_WHAT = "minute chart"


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """One row: the minute from `at`, and the value that the day has come to (None: not told)."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    total: float | None


def parse_minutes(answer: Row, day: date, newest: datetime) -> list[MinuteRow]:
    """Return the rows of a day up to `newest`, in the order of the answer (newest first).

    Charts go on into the day before, and repeat the last price for minutes still to come.
    """
    found = [_row(row) for row in rows(answer, "output2", _WHAT) if any(row.values())]
    return [row for row in found if row.at <= newest and row.at.astimezone(KST).date() == day]


def newest_label(window: Window, end: datetime, now: datetime) -> datetime:
    """Return the label of the last minute to ask for, so that all bars before `end` are there.

    The closing auction belongs to the day's last bar and is labelled with the close itself.
    """
    last = window.close if end > window.close - MINUTE else end - timedelta.resolution
    return _whole(min(last, now))


def minute_bars(
    found: Iterable[MinuteRow], instrument: InstrumentId, calendar: Calendar, seen_at: datetime
) -> list[Bar]:
    """Return the bars of one day's rows, oldest first; `found` begins with the oldest.

    The value of a bar is what the day's grew by, or close x volume where that cannot be (before
    the open shares also change hands at the last close). A minute that was not over at `seen_at`
    is not complete.
    """
    bars: dict[datetime, Bar] = {}
    before: float | None = 0.0
    for row in found:
        grown = None if row.total is None or before is None else row.total - before
        before = row.total
        start = calendar.slot(row.at, Timeframe.M1)
        if start is None or row.volume == 0 or grown == 0:
            continue
        is_over = calendar.slot_end(start, Timeframe.M1) <= seen_at
        if grown is None and not is_over:
            continue  # nobody can tell whether its volume is its own
        bar = _bar(row, grown, instrument, start, is_over=is_over)
        bars[start] = _joined(bars[start], bar) if start in bars else bar
    return list(bars.values())


def _row(row: Row) -> MinuteRow:
    at = moment(row, "stck_bsop_date", "stck_cntg_hour", _WHAT)
    names = ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr", "cntg_vol")
    opening, high, low, close, volume = (number(row, name, _WHAT) for name in names)
    if volume < 0 or (volume > 0 and min(opening, high, low, close) <= 0):
        odd(row, "stck_prpr", "above zero, as all prices of a minute with trades", _WHAT)
    return MinuteRow(
        _whole(at), opening, high, low, close, volume, optional(row, "acml_tr_pbmn", _WHAT)
    )


def _bar(
    row: MinuteRow, grown: float | None, instrument: InstrumentId, start: datetime, *, is_over: bool
) -> Bar:
    is_plausible = grown is not None and row.low * row.volume <= grown <= row.high * row.volume
    return Bar(
        instrument=instrument,
        timeframe=Timeframe.M1,
        start=start,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        value=grown if grown is not None and is_plausible else row.close * row.volume,
        is_complete=is_over,
    )


def _joined(first: Bar, second: Bar) -> Bar:
    """Return two rows of one slot as one bar."""
    return Bar(
        instrument=first.instrument,
        timeframe=first.timeframe,
        start=first.start,
        open=first.open,
        high=max(first.high, second.high),
        low=min(first.low, second.low),
        close=second.close,
        volume=first.volume + second.volume,
        value=first.value + second.value,
        is_complete=second.is_complete,
    )


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
