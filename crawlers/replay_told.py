"""What venues' charts told on recorded days, to be asked again as of any moment of them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from market.record_events import Failure, Told
from market.record_rows import from_us, to_us
from market.types import EPOCH, Bar, Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.types import InstrumentId

Span = tuple["datetime", "datetime"]

_FACTS = attrgetter("open", "high", "low", "close", "volume", "value", "is_complete")
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Found:
    """Bars that are known, oldest first, and stretches of what was asked that nobody told."""

    bars: list[Bar]
    untold: list[Span]


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer: a bar takes an eighth of its size as an object here, and there are millions."""

    at: datetime
    start: datetime
    end: datetime
    starts_us: np.ndarray[Any, np.dtype[np.int64]]
    facts: np.ndarray[Any, np.dtype[np.float64]]

    @classmethod
    def of(cls, told: Told) -> _Answer:
        starts = np.array([to_us(bar.start) for bar in told.bars], dtype=np.int64)
        facts = np.array([_FACTS(bar) for bar in told.bars], dtype=np.float64)
        return cls(told.at, told.start, told.end, starts, facts)

    def within(
        self, instrument: InstrumentId, timeframe: Timeframe, span: Span
    ) -> dict[datetime, Bar]:
        """Return the bars that start in a stretch."""
        first, last = np.searchsorted(self.starts_us, [to_us(span[0]), to_us(span[1])])
        found = {}
        for row in range(int(first), int(last)):
            start = from_us(int(self.starts_us[row]))
            opening, high, low, close, volume, value, is_complete = self.facts[row].tolist()
            prices = (opening, high, low, close)
            found[start] = Bar(
                instrument, timeframe, start, *prices, volume, value, bool(is_complete)
            )
        return found


@dataclass(slots=True)
class _Answers:
    """What was told of one instrument and timeframe, in order, and when asking failed."""

    told: list[_Answer] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


class ToldBars:
    """Answers of charts by instrument and timeframe."""

    def __init__(self) -> None:
        self._answers: dict[tuple[InstrumentId, Timeframe], _Answers] = {}

    def add(self, event: Told | Failure) -> None:
        """Take an answer or a failure; they come in the order of their recording."""
        if isinstance(event, Told):
            self._of(event.instrument, event.timeframe).told.append(_Answer.of(event))
        elif event.call in {"bars", "days"}:
            timeframe = Timeframe.M1 if event.call == "bars" else Timeframe.D1
            self._of(event.about, timeframe).failures.append(event)

    def failure(
        self, instrument: InstrumentId, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Failure | None:
        """Return why asking failed in [since, until), None where it did not, or worked as well."""
        answers = self._of(instrument, timeframe)
        if any(since <= one.at < until for one in answers.told):
            return None
        return next((one for one in answers.failures if since <= one.at < until), None)

    def find(
        self,
        instrument: InstrumentId,
        timeframe: Timeframe,
        asked: Span,
        now: datetime,
        until: datetime,
    ) -> Found:
        """Return what had been told before `until`; where that leaves a hole, what was told later.

        Of later answers only bars that were over by `now` count: a bar that is over stays as it is.
        """
        told = self._of(instrument, timeframe).told
        split = bisect_left(told, until, key=lambda one: one.at)
        known: dict[datetime, Bar] = {}
        untold = [asked]
        for one in told[:split]:
            until_told = min(one.end, one.at)
            span = _overlap((one.start, until_told), asked)
            if span is not None:
                known = {at: bar for at, bar in known.items() if not span[0] <= at < span[1]}
                known |= one.within(instrument, timeframe, span)
                # a bar that went on when it was told may be told better later
                untold = _without(untold, (one.start, min(until_told, _over(timeframe, one.at))))
        for one in told[split:]:
            known_until = _over(timeframe, now)
            for hole in tuple(untold):
                span = _overlap((one.start, min(one.end, one.at, known_until)), hole)
                if span is not None:
                    known |= one.within(instrument, timeframe, span)
                    untold = _without(untold, span)
        return Found([known[at] for at in sorted(known)], untold)

    def _of(self, instrument: InstrumentId, timeframe: Timeframe) -> _Answers:
        return self._answers.setdefault((instrument, timeframe), _Answers())


def _over(timeframe: Timeframe, now: datetime) -> datetime:
    """Return the moment before which every bar that starts there is over."""
    if timeframe is Timeframe.M1:
        return EPOCH + (now - EPOCH) // _MINUTE * _MINUTE
    return now - timeframe.length


def _overlap(one: Span, other: Span) -> Span | None:
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return (start, end) if start < end else None


def _without(spans: Sequence[Span], taken: Span) -> list[Span]:
    """Return stretches with one cut out of them."""
    left: list[Span] = []
    for start, end in spans:
        parts = ((start, min(end, taken[0])), (max(start, taken[1]), end))
        left += [part for part in parts if part[0] < part[1]]
    return left
