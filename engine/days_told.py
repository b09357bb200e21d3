"""How far the daily bars in the store reach, and the reading of them for a look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.exact import venue_of
from market.types import EPOCH, Timeframe, Venue, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.panel import Panel
    from market.store import Transaction
    from market.types import InstrumentId


@dataclass(slots=True)
class Told:
    """How far daily bars of one venue are known: all of `whole` up to its newest stored bar.

    Those of `names` are told up to `until`, the start of the newest day that is over.
    """

    until: datetime = EPOCH
    names: set[InstrumentId] = field(default_factory=set)
    whole: set[InstrumentId] = field(default_factory=set)

    @classmethod
    def read(cls, tx: Transaction, venue: Venue, depth: int) -> Told:
        """Return what the store knows; of a smaller depth nothing."""
        kept = tx.documents.get(days_key(venue))
        if kept is None or kept["depth"] < depth:
            return cls()
        return cls(from_ms(kept["until_ms"]), set(kept["names"]), set(kept["whole"]))

    def document(self, depth: int, more: Sequence[InstrumentId] = ()) -> dict[str, Any]:
        """Return it as it is stored, with more instruments told."""
        return {
            "depth": depth,
            "until_ms": to_ms(self.until),
            "names": sorted(self.names.union(more)),
            "whole": sorted(self.whole.union(more)),
        }


def days_key(venue: Venue) -> str:
    """Return the name of the document that tells whose daily bars are stored."""
    return f"days/{venue}"


def read_days(tx: Transaction, panel: Panel, at: datetime | None = None) -> None:
    """Fill the daily panel beside another from the store, as of now or of a moment.

    What the chart has not told by the newest day that the store knows to be over is missing.
    """
    days = panel.larger.get(Timeframe.D1)
    if days is None or not days.instruments:
        return
    told = Told.read(tx, venue_of(days.instruments[0]), days.depth)
    for row, name in enumerate(days.instruments):
        newest = tx.bars.last(name, Timeframe.D1, days.depth)
        bars = newest if at is None else tx.bars.before(name, Timeframe.D1, at, days.depth)
        days.append(bars)
        is_told = name in told.names or (newest and bars and newest[-1].start > bars[-1].start)
        if not is_told:
            days.mark_missing([row])
