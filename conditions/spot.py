"""One bar from which a condition is read: what its numbers and verdicts are there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.days import newest_starts
from conditions.nodes import Scoped, to_text
from conditions.seen_truths import SeenEvent, SeenLasting
from market.types import Verdict, from_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from conditions.lens import Lens
    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.truths import Happened, Lasting, Truth
    from conditions.view import View

WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Spot:
    """A bar of the first row of a view, `ago` bars before its newest one.

    `is_missing` tells that what follows it could not be read, so that every verdict is unknown.
    `lenses` are those through which it is seen, the outermost first: they belong to every text.
    """

    view: View
    ago: int = 0
    is_missing: bool = False
    lenses: tuple[Lens, ...] = ()

    def number(self, series: Series, before: int = 0) -> float:
        """Return the value, or what it was some bars before; NaN is unknown."""
        place = self.ago + before
        return float(series.values(self.view, place + 1)[0, -1 - place])

    def verdict(self, truth: Truth) -> Verdict:
        """Return the verdict."""
        if self.is_missing:
            return Verdict.UNKNOWN
        return Verdict(int(truth.verdicts(self.view, self.ago + 1)[0, -1 - self.ago]))

    def key(self, node: Node) -> str:
        """Return the text of a meaning, with what stands in front of it."""
        for lens in reversed(self.lenses):
            node = Scoped(lens.scope, node)
        return to_text(node)

    def text(self, truth: Truth) -> str:
        """Return the text of a verdict: as it was written, unless it is seen through a lens."""
        return self.key(truth.node) if self.lenses else truth.text

    def start(self) -> datetime | None:
        """Return when the bar began, None where there is none."""
        starts = newest_starts(self.view, self.ago + 1)
        start = int(starts[0, -1 - self.ago])
        return from_ms(start) if start else None

    def before(self, event: Happened) -> tuple[float, ...]:
        """Return what explains an event as it was one bar before, of the bars that it looks at."""
        if not isinstance(event, SeenEvent):
            return tuple(self.number(one, 1) for one in event.operands)
        seen = self.through(event.lens)
        return (np.nan, np.nan) if seen is None else seen.before(event.inner)

    def lasted(self, lasting: Lasting) -> list[int]:
        """Return the verdicts over which something lasts, oldest first; none where none is seen."""
        if isinstance(lasting, SeenLasting):
            seen = self.through(lasting.lens)
            return [] if seen is None else seen.lasted(lasting.inner)
        wanted = self.ago + lasting.length
        verdicts: Sequence[int] = lasting.source.verdicts(self.view, wanted)[0, -wanted:].tolist()
        return list(verdicts[: lasting.length])

    def inside(self, lasting: Lasting) -> tuple[Truth, Spot]:
        """Return what lasts and from where to read it: of `within` the last bar on which it held.

        Where that is the newest bar, or none, it is read from here.
        """
        verdicts = self.lasted(lasting)[::-1]
        is_here = Verdict.TRUE not in verdicts or verdicts[0] == Verdict.TRUE
        if self.is_missing or is_here or lasting.word != WITHIN:
            return lasting.source, self
        if isinstance(lasting, SeenLasting):
            seen = self.through(lasting.lens)
            return (lasting.source, self) if seen is None else seen.inside(lasting.inner)
        return lasting.source, replace(self, ago=self.ago + verdicts.index(Verdict.TRUE))

    def through(self, lens: Lens) -> Spot | None:
        """Return the bar that is seen, None where none is."""
        glance = lens.glance(self.view, self.ago + 1)
        if glance is None or not glance.is_known[0, -1 - self.ago]:
            return None
        ago = glance.width - 1 - int(glance.places[0, -1 - self.ago])
        return Spot(glance.view, ago, lenses=(*self.lenses, lens))
