"""Two sources over the same instruments: where they disagree twice, neither is believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.chain import SWEEP
from market.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.chain import Chain, Named
    from engine.sources import Sweep
    from market.clock import Clock
    from market.types import InstrumentId, Tick

AT_ONCE = 30
"""Instruments of one comparison: one request to KIS."""
FRESH = timedelta(seconds=20)
"""Prices seen further apart than this are not compared."""
PRICE_TOLERANCE = 0.01
"""Prices move between two answers, but hardly by this much."""
VOLUME_TOLERANCE = 0.1
FEW_SHARES = 10_000
"""Below so many shares a few trades are a large part of the count."""
MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two sources say of one instrument."""

    instrument: InstrumentId
    text: str


class Comparison:
    """Compares some instruments at a time, all in turn; what disagrees is looked at again first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = 0
        self._suspects: set[InstrumentId] = set()
        self._convicted: dict[InstrumentId, Disagreement] = {}
        self._refused: tuple[str, SourceError] | None = None

    async def step(self, chain: Chain, sweep: Sweep) -> tuple[InstrumentId, ...] | None:
        """Ask a source that did not answer the sweep; return what newly disagrees for sure.

        None where there is nobody to ask, or no answer: nothing was learnt.
        """
        other = self._other(chain, sweep)
        if other is None or self._clock.now() - sweep.asked_at > FRESH:
            return None
        mine = {tick.instrument: tick for tick in sweep.ticks}
        names = self._next(list(mine))
        try:
            ticks = await other.source.ticks(names)
        except SourceError as error:
            self._refused = other.name, error
            return None
        self._refused = None
        found = {}
        for tick in ticks:
            text = _difference(mine[tick.instrument], tick, sweep.by.name, other.name)
            if text:
                found[tick.instrument] = Disagreement(tick.instrument, text)
        twice = {name: one for name, one in found.items() if name in self._suspects}
        new = tuple(name for name in twice if name not in self._convicted)
        seen = {tick.instrument for tick in ticks}
        self._suspects = (self._suspects - seen) | set(found)
        kept = {name: one for name, one in self._convicted.items() if name not in seen}
        again = {name: found[name] for name in self._convicted if name in found}
        self._convicted = {**kept, **again, **twice}
        return new

    def facts(self, chain: Chain) -> Mapping[str, str] | None:
        """Return what disagrees at present, None where nothing does."""
        if not self._convicted:
            return None
        names = list(self._convicted)
        more = ["…"] if len(names) > MOST_NAMES else []
        wanted, other = chain.members[0].name, chain.members[1].name
        return {
            "wanted": wanted,
            "source": other,
            "names": ", ".join(names[:MOST_NAMES] + more),
            "error": next(iter(self._convicted.values())).text,
        }

    def alone(self, chain: Chain, sweep: Sweep) -> Mapping[str, str] | None:
        """Return who could not stand in when asked the last time, None where somebody could."""
        if self._refused is None or sweep.by.name != chain.members[0].name:
            return None
        name, error = self._refused
        return {"wanted": sweep.by.name, "source": name, "error": str(error)}

    def _other(self, chain: Chain, sweep: Sweep) -> Named | None:
        resting = {name for kind, name, _ in chain.resting(self._clock.now()) if kind == SWEEP}
        others = (one for one in chain.members if one.name not in {sweep.by.name, *resting})
        return next(others, None)

    def _next(self, names: list[InstrumentId]) -> list[InstrumentId]:
        """Return the suspects, and of the others those whose turn it is."""
        doubted = [*self._suspects, *self._convicted]
        first = [name for name in dict.fromkeys(doubted) if name in names][:AT_ONCE]
        room = AT_ONCE - len(first)
        start = self._turn % max(len(names), 1)
        turn = (names[start:] + names[:start])[:room]
        self._turn = start + room
        return list(dict.fromkeys(first + turn))


def _difference(mine: Tick, other: Tick, my_name: str, other_name: str) -> str:
    """Return in words how far two ticks are apart, "" where that may well be."""
    if abs(mine.price - other.price) > PRICE_TOLERANCE * mine.price:
        return f"{mine.instrument}: {my_name} {mine.price:,g}, {other_name} {other.price:,g}"
    one, two = mine.day_volume, other.day_volume
    if one is None or two is None or max(one, two) < FEW_SHARES:
        return ""
    if abs(one - two) > VOLUME_TOLERANCE * max(one, two):
        return f"{mine.instrument}: {my_name} {one:,g} shares today, {other_name} {two:,g}"
    return ""
