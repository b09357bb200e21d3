"""How the bars of a day compare with what the venue's own chart says when the day is over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from market.signals import Signal
    from market.store import Transaction
    from market.types import Bar, InstrumentId, Venue

FIELDS = ("open", "high", "low", "close", "volume")
CLOSING = ("close", "volume")
"""What polling can tell exactly; a bar's first price and its range are as they were seen."""
MOST_WORST = 10
"""Differences that are kept of a day, the greatest first."""
MOST_HIDDEN = 20
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one bar that was not the venue's; `share` is the difference by the figure."""

    instrument: InstrumentId
    start_ms: int
    field: str
    live: float
    exact: float

    @property
    def share(self) -> float:
        """Return the difference in relation to what the venue says."""
        return abs(self.live - self.exact) / max(abs(self.exact), 1e-300)

    @property
    def start(self) -> datetime:
        """Return when the bar began."""
        return from_ms(self.start_ms)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A condition that held on the venue's bar but not on ours: it may have had to fire."""

    condition: str
    instrument: InstrumentId
    start_ms: int

    @property
    def start(self) -> datetime:
        """Return when the bar began."""
        return from_ms(self.start_ms)


@dataclass(frozen=True, slots=True)
class DayReport:
    """What a day's repair has found in one series so far.

    Of `bars` (ours and the venue's) so many were `equal` in everything, so many in `close` and
    volume; `lacking` were the venue's alone and `invented` ours alone. Of `fired` signals the bars
    of `fired_equal` were the venue's; `early` ones stood on bars that still formed and are not
    compared. `done` are the instruments that were compared, `unread` those whose chart could not be
    had; `is_over` once nothing is left.
    """

    bars: int = 0
    equal: int = 0
    close: int = 0
    lacking: int = 0
    invented: int = 0
    fired: int = 0
    fired_equal: int = 0
    early: int = 0
    hidden_count: int = 0
    worst: tuple[Difference, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    done: tuple[InstrumentId, ...] = ()
    unread: tuple[InstrumentId, ...] = ()
    is_over: bool = False

    @property
    def share_equal(self) -> float:
        """Return the share of bars that were the venue's; 1 where there were none."""
        return self.equal / self.bars if self.bars else 1.0

    @property
    def share_close(self) -> float:
        """Return the share of bars that were the venue's in close and volume."""
        return self.close / self.bars if self.bars else 1.0

    @property
    def is_flawless(self) -> bool:
        """Tell whether every alert stood on the venue's bar and none was hidden."""
        return self.fired == self.fired_equal and not self.hidden_count and not self.unread

    def compared(self, name: InstrumentId, live: Sequence[Bar], exact: Sequence[Bar]) -> DayReport:
        """Return the report with an instrument's bars of the day added."""
        ours = {bar.start: bar for bar in live}
        theirs = {bar.start: bar for bar in exact}
        both = ours.keys() & theirs.keys()
        found = [one for start in sorted(both) for one in differences(ours[start], theirs[start])]
        unequal = {one.start_ms for one in found}
        off = {one.start_ms for one in found if one.field in CLOSING}
        worst = sorted([*self.worst, *found], key=lambda one: -one.share)[:MOST_WORST]
        return replace(
            self,
            bars=self.bars + len(ours.keys() | theirs.keys()),
            equal=self.equal + len(both) - len(unequal),
            close=self.close + len(both) - len(off),
            lacking=self.lacking + len(theirs.keys() - ours.keys()),
            invented=self.invented + len(ours.keys() - theirs.keys()),
            worst=tuple(worst),
            done=(*self.done, name),
        )

    def judged(self, signal: Signal, exact: Sequence[Bar]) -> DayReport:
        """Return the report with a signal of the day compared with the bar it stood on.

        One that stood on a bar while it was forming is only counted: the chart has no such bar.
        """
        if signal.is_intrabar:
            return replace(self, early=self.early + 1)
        bar = next((one for one in exact if one.start == signal.bar_start), None)
        is_equal = bar is not None and _is_same(signal, bar)
        return replace(self, fired=self.fired + 1, fired_equal=self.fired_equal + is_equal)

    def hiding(self, found: Sequence[Hidden]) -> DayReport:
        """Return the report with conditions that held on the venue's bars only."""
        kept = (*self.hidden, *found)[:MOST_HIDDEN]
        return replace(self, hidden=kept, hidden_count=self.hidden_count + len(found))


def differences(live: Bar, exact: Bar) -> list[Difference]:
    """Return the figures in which a bar is not the venue's."""
    pairs = ((name, getattr(live, name), getattr(exact, name)) for name in FIELDS)
    return [
        Difference(live.instrument, to_ms(live.start), name, one, other)
        for name, one, other in pairs
        if not _is_close(one, other)
    ]


def report_key(series_key: str, day: date) -> str:
    """Return the name of the document that keeps a day's report of a series."""
    return f"report/{day.isoformat()}/{series_key}"


def write_report(tx: Transaction, series_key: str, day: date, report: DayReport) -> None:
    """Keep a report in place of the one before."""
    tx.documents.put(report_key(series_key, day), asdict(report))


def read_report(tx: Transaction, series_key: str, day: date) -> DayReport | None:
    """Return a day's report of a series."""
    document = tx.documents.get(report_key(series_key, day))
    return None if document is None else _report(document)


def reports_of(tx: Transaction, day: date) -> dict[str, DayReport]:
    """Return the reports of a day by the name of their series."""
    prefix = f"report/{day.isoformat()}/"
    found = tx.documents.items(prefix)
    return {key.removeprefix(prefix): _report(document) for key, document in found}


def newest_day(tx: Transaction, venue: Venue) -> str:
    """Return the newest day of which there is a report of a venue, as YYYY-MM-DD, or "" ."""
    keys = (key.split("/") for key, _ in tx.documents.items("report/"))
    return max((key[1] for key in keys if key[3] == venue), default="")


def _report(document: Mapping[str, Any]) -> DayReport:
    return DayReport(
        **{
            **document,
            "worst": tuple(Difference(**one) for one in document["worst"]),
            "hidden": tuple(Hidden(**one) for one in document["hidden"]),
            "done": tuple(document["done"]),
            "unread": tuple(document["unread"]),
        }
    )


def _is_same(signal: Signal, bar: Bar) -> bool:
    shown = signal.snapshot
    if not shown.starts or shown.starts[-1] != to_ms(bar.start):
        return False
    return all(_is_close(getattr(shown, name)[-1], getattr(bar, name)) for name in FIELDS)


def _is_close(one: float, other: float) -> bool:
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))
