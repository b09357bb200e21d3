"""Holds the hours of a condition against those of the session."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from conditions.findings import Finding, Severity, key_problem
from conditions.reference import venue_of
from market.sessions import KST, KrxCalendar
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.condition_file import ConditionSpec
    from market.types import InstrumentId, Timeframe

ORDINARY_DAY = date(2026, 1, 5)


def hours_findings(spec: ConditionSpec, members: Iterable[InstrumentId]) -> Iterator[Finding]:
    """Yield what is wrong with `between`, and with a cooldown beside it.

    Nothing where any of the members trades around the clock.
    """
    if spec.between is None or any(venue_of(name) != Venue.KRX for name in members):
        return
    first, last = spec.between
    ends = bar_ends(spec.timeframe)
    shown = f"{first:%H:%M}-{last:%H:%M}"
    if not any(first <= end <= last for end in ends):
        message = f"no {spec.timeframe} bar ends between {shown}: they end {_span(ends)}"
        yield Finding(Severity.ERROR, key_problem(spec, "between", f"never true: {message}"))
        return
    length = _since_midnight(last) - _since_midnight(first)
    if spec.cooldown > length:
        message = f"the cooldown is longer than {shown}: one signal a day at most on an instrument"
        yield Finding(Severity.NOTE, key_problem(spec, "cooldown", message))


def bar_ends(timeframe: Timeframe) -> list[time]:
    """Return when the bars of an ordinary day of the Korea Exchange end, Korean time."""
    midnight = datetime.combine(ORDINARY_DAY, time(), KST)
    starts = KrxCalendar({}).slots(midnight, midnight + timedelta(days=1), timeframe)
    return [(start.astimezone(KST) + timeframe.length).time() for start in starts]


def _span(ends: list[time]) -> str:
    if len(ends) == 1:
        return f"at {ends[0]:%H:%M}"
    return f"from {ends[0]:%H:%M} to {ends[-1]:%H:%M}"


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
