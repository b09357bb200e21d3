"""Protected positions between two looks: what every single price has made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.protect import gone, seen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from engine.protect import Protection
    from market.orders import Position
    from market.types import InstrumentId


@dataclass(frozen=True, slots=True)
class Guarded:
    """A protection, with the position whose average price its levels count from."""

    protection: Protection
    position: Position

    def goes_with(self, protection: Protection, position: Position) -> bool:
        """Tell whether levels that were touched here are those of these two."""
        is_same = (self.protection.since, self.protection.side) == (
            protection.since,
            protection.side,
        )
        is_wish = self.protection.protect == protection.protect
        return is_same and is_wish and self.position.average_price == position.average_price


class PriceWatch:
    """Judges every price in memory; looks take what it has found, and give it what they kept.

    What it knows is lost in a kill: at most the best price of the second since the last look.
    Looks ask from the store's thread, prices come on the loop: entries are replaced, never changed.
    """

    def __init__(self) -> None:
        self._guarded: dict[InstrumentId, Guarded] = {}

    def on_price(self, instrument: InstrumentId, price: Decimal, now: datetime) -> bool:
        """Take a price; return whether it was the first to touch a stop or a rung."""
        one = self._guarded.get(instrument)
        if one is None:
            return False
        before = one.protection
        after = seen(before, one.position, price, now)
        if after != before:
            self._guarded[instrument] = replace(one, protection=after)
        is_rung = gone(after, one.position) != gone(before, one.position)
        return is_rung or after.ended_by is not before.ended_by

    def brought(self, kept: Protection, position: Position) -> Protection:
        """Return a kept protection with what prices have made of it since."""
        one = self._guarded.get(kept.instrument)
        if one is None or not one.goes_with(kept, position):
            return kept
        best = kept.better(one.protection.best)
        return replace(kept, best=best, ended_by=kept.ended_by or one.protection.ended_by)

    def renew(self, guarded: Iterable[Guarded]) -> None:
        """Watch these, as a look has kept them, and no others."""
        # prices may have come while the look was being kept
        self._guarded = {
            one.position.instrument: replace(
                one, protection=self.brought(one.protection, one.position)
            )
            for one in guarded
        }

    def __contains__(self, instrument: InstrumentId) -> bool:
        """Tell whether prices of an instrument are judged."""
        return instrument in self._guarded
