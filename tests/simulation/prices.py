"""A pretend market whose prices walk at random, and the source that shows them to the bot."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from market.errors import SourceUnavailable
from market.prices import step_price
from market.types import Tick

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from market.clock import Clock
    from market.types import Bar, Instrument, InstrumentId


BURSTS = (0, 0, 0, 0, 3, 8, 20, 60)
"""How many shares trade between two steps."""


HALT_CHANCE = 0.008
"""How likely something is halted with a step."""


class Prices:
    """One price an instrument; `step` moves them, `shown` is what the bot has been told when.

    What trades, and what is halted for a while if `has_halts`, goes by a dice of its own.
    """

    def __init__(
        self, random: Random, clock: Clock, instruments: Sequence[Instrument], base: Sequence[int]
    ) -> None:
        self._random = random
        self._clock = clock
        self._kinds = {one.id: one.kind for one in instruments}
        self._base = {one.id: Decimal(price) for one, price in zip(instruments, base, strict=True)}
        self.now = dict(self._base)
        self.is_fair = False
        self.has_halts = False
        self._dice = Random(repr(random.getstate()))  # noqa: S311  a simulation, no secrets
        self._counts = dict.fromkeys(self._base, 0)
        self._halts: dict[InstrumentId, int] = {}
        self.shown: dict[InstrumentId, list[tuple[datetime, Decimal]]] = defaultdict(list)

    def step(self) -> None:
        """Move every price by a few ticks, seldom by many, never far from where it began."""
        self.flow()
        for name, price in self.now.items():
            if name in self._halts:
                continue
            most = 40 if self._random.random() < 0.04 else 2
            base = self._base[name]
            steps = self._random.randint(-most, most)
            moved = step_price(price, self._kinds[name], steps)
            if abs(moved - base) < base / 10:
                self.now[name] = moved

    def flow(self) -> None:
        """Let shares trade, and halts begin and end."""
        for name in self.now:
            if self._halts.get(name, 0) > 0:
                self._halts[name] -= 1
                continue
            self._halts.pop(name, None)
            self._counts[name] += 1000 if self.is_fair else self._dice.choice(BURSTS)
            if self.has_halts and not self.is_fair and self._dice.random() < HALT_CHANCE:
                self._halts[name] = self._dice.randint(3, 20)

    def tick(self, instrument: InstrumentId) -> Tick:
        """Return what the bot is shown now."""
        now, price = self._clock.now(), self.now[instrument]
        self.shown[instrument].append((now, price))
        base = float(self._base[instrument])
        return Tick(
            instrument,
            now,
            now,
            float(price),
            day_volume=float(self._counts[instrument]),
            previous_close=base,
            halted=instrument in self._halts,
        )

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Answer as a source does: soon, late, or not at all."""
        drawn = 1.0 if self.is_fair else self._random.random()
        if drawn < 0.05:
            raise SourceUnavailable("the source has no answer")
        if drawn < 0.3:
            await asyncio.sleep(30 if drawn < 0.07 else 10 * drawn)
        found = [self.tick(one) for one in instruments]
        if drawn < 0.15:
            await asyncio.sleep(20 * drawn)
        return found

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return nothing: the desk asks for no bars."""
        raise SourceUnavailable(f"no bars of {instrument} from {start} to {end} here")

    def was_near(
        self, instrument: InstrumentId, price: Decimal, drift: Decimal, since: timedelta
    ) -> bool:
        """Tell whether the bot was shown a price within `drift` (ratio) of one lately."""
        earliest = self._clock.now() - since
        return any(
            at >= earliest and abs(seen - price) <= drift * price
            for at, seen in reversed(self.shown[instrument])
        )
