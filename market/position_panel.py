"""What is held of many instruments, as each moment knew it: quantity, average price, since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Stake:
    """What was held from a moment on (UTC ms), and at what average price without costs."""

    known_ms: int
    quantity: float
    price: float


@dataclass(frozen=True, slots=True)
class Holding:
    """The present position, or that nothing is held any more; what was before is not told.

    `stakes` are its changes since it was opened (or since all was sold), oldest first: buying more
    and selling a part. `known_ms` of each is when we learned of it, so that no bar knows earlier.
    `opened_ms` is when it was opened, 0 where nothing is held or that is not known.
    """

    opened_ms: int
    stakes: tuple[Stake, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The newest prices (NaN: none), which stand for the newest bars of all rows at a moment."""

    now_ms: int
    prices: Array


@dataclass(frozen=True, slots=True)
class Held:
    """What moments know of positions, each [rows, columns], NaN where it is unknown.

    Where nothing is held the quantity is 0, and there is no price and no opening.
    """

    quantity: Array
    price: Array
    opened_ms: Array


class PositionPanel:
    """The present positions of a panel's rows; nothing is known of rows that were not told.

    What was told is replaced as a whole, never changed, so that another thread may look at it.
    `marks` are set where one asks between two bars.
    """

    def __init__(self, instruments: Sequence[InstrumentId]) -> None:
        self.instruments = tuple(instruments)
        self.marks: Marks | None = None
        self._rows = {instrument: row for row, instrument in enumerate(self.instruments)}
        self._holdings: dict[int, Holding] = {}
        self._told: Array = np.zeros(len(self.instruments), dtype=bool)

    def tell(
        self,
        holdings: Mapping[InstrumentId, Holding],
        untold: Collection[InstrumentId] = (),
    ) -> None:
        """Take in all positions that there are or were, and of whom that is not known.

        Of other rows nothing was ever held.
        """
        known = ((self._rows.get(name), holding) for name, holding in holdings.items())
        self._holdings = {row: holding for row, holding in known if row is not None}
        self._told = np.array([name not in untold for name in self.instruments], dtype=bool)

    def is_told(self, row: int) -> bool:
        """Tell whether it is known what is held of a row."""
        return bool(self._told[row])

    def take_rows(self, rows: Array, source: PositionPanel, source_rows: Array) -> None:
        """Put what another panel knows of its rows into these."""
        places = dict(zip(source_rows.tolist(), rows.tolist(), strict=True))
        theirs, told = source._holdings, self._told.copy()
        kept = {row: one for row, one in self._holdings.items() if row not in set(places.values())}
        kept |= {here: theirs[there] for there, here in places.items() if there in theirs}
        told[rows] = source._told[source_rows]
        self._holdings, self._told = kept, told

    def as_of(self, rows: Array, moments: Array) -> Held:
        """Return what moments (UTC ms [rows, columns]) know: what was learned before each.

        What was before the present position, or before all was sold, is unknown.
        """
        holdings, told = self._holdings, self._told
        quantity = np.where(told[rows][:, None], np.zeros(moments.shape), np.nan)
        price, opened = np.full(moments.shape, np.nan), np.full(moments.shape, np.nan)
        for row, holding in holdings.items():
            for place in np.flatnonzero(rows == row):
                known = np.array([one.known_ms for one in holding.stakes], dtype=np.int64)
                newest = np.searchsorted(known, moments[place], side="left") - 1
                held = np.array([one.quantity for one in holding.stakes])[newest]
                paid = np.array([one.price for one in holding.stakes])[newest]
                is_held = (newest >= 0) & (held != 0)
                quantity[place] = np.where(newest >= 0, held, np.nan)
                price[place] = np.where(is_held, paid, np.nan)
                if holding.opened_ms:
                    opened[place] = np.where(is_held, holding.opened_ms, np.nan)
        return Held(quantity, price, opened)
