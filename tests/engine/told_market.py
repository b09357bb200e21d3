"""A pretend market that tells lists, figures and flows of a day, counts the questions and fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from engine.fact_asking import Tellers
from engine.universes import Universes
from market.errors import SourceUnavailable
from market.facts import Flow, Fundamentals, Listing
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.universes import Progress
    from market.sessions import Calendar
    from market.store import Store
    from market.types import InstrumentId

MONDAY = date(2026, 11, 23)
CALENDARS: dict[Venue, Calendar] = {
    Venue.KRX: KrxCalendar({}),
    Venue.UPBIT: AlwaysOpen(),
    Venue.BINANCE: AlwaysOpen(),
}


def share(number: int, segment: str = "KOSPI", kind: Kind = Kind.STOCK) -> Instrument:
    """Return an invented share."""
    return Instrument(Venue.KRX, f"{number:06}", f"share {number}", segment, kind)


class Killed(BaseException):
    """The process died here."""


@dataclass
class ToldMarket:
    """Shares 1..count of KOSPI, worth 100 billion won times their number; share n was bought n % 7.

    `day` is the newest day that is told of. `asked` are the questions, in their order.
    """

    count: int = 20
    day: date = MONDAY
    extra: list[Listing] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    halted: set[InstrumentId] = field(default_factory=set)
    failing: set[InstrumentId] = field(default_factory=set)
    is_down: bool = False
    die_after: int = -1
    bought: Callable[[int], float] = field(default=lambda number: number % 7)

    def questions(self, kind: str) -> list[str]:
        """Return what was asked of a kind."""
        return [name for one, name in self.asked if one == kind]

    async def listing(self, segment: str) -> list[Listing]:
        """Return the list of a segment."""
        self._ask("listing", segment)
        lines = [
            Listing(share(number), 100.0 * number, number * 1e11, None, 1e3, number * 1e9, 0.01)
            for number in range(1, self.count + 1)
        ]
        return [one for one in [*lines, *self.extra] if one.instrument.segment == segment]

    async def fundamentals(self, instruments: Sequence[InstrumentId]) -> list[Fundamentals]:
        """Return figures of all that were asked for."""
        for name in instruments:
            self._ask("figures", name)
        return [Fundamentals(name, eps=10.0, bps=50.0, listed=1e6) for name in instruments]

    async def flows(self, instrument: InstrumentId, days: int) -> list[Flow]:
        """Return so many days of the same buying each."""
        self._ask("flows", instrument)
        if instrument in self.failing:
            raise SourceUnavailable("no answer")
        bought = self.bought(int(instrument.removeprefix("KRX:")))
        newest = self.day - timedelta(days=3) if instrument in self.halted else self.day
        return [
            Flow(newest - timedelta(days=back), bought, 2 * bought, -3 * bought)
            for back in reversed(range(days))
        ]

    def _ask(self, kind: str, name: str) -> None:
        if self.is_down:
            raise SourceUnavailable("the market is down")
        if len(self.asked) == self.die_after:
            raise Killed
        self.asked.append((kind, name))


def universes(
    store: Store, market: ToldMarket, note: Callable[[Progress], None] = lambda _: None
) -> Universes:
    """Return what computes universes of the pretend market."""
    tellers = {
        venue: Tellers(market, market, market) if venue is Venue.KRX else Tellers(market)
        for venue in Venue
    }
    return Universes(store, tellers, CALENDARS, dict.fromkeys(Venue, 3.0), note)
