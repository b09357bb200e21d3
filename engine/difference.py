"""What the broker holds of an instrument against what we hold, kept until both agree.

Meanwhile the table of engine/trading.py holds back what trades the instrument.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from market.store import Transaction
    from market.types import InstrumentId

_DIFFERENCE = "reconcile/difference/"


@dataclass(frozen=True, slots=True)
class Difference:
    """What we hold of an instrument, and what the broker says, at its average price.

    It is a suspicion as long as an order of ours in the instrument is on its way: a fill of it may
    have moved one book before the other. `since` is wall clock.
    """

    instrument: InstrumentId
    ours: Decimal
    theirs: Decimal
    average_price: Decimal
    since: datetime
    is_suspicion: bool = False
    is_told: bool = False

    def agrees_with(self, other: Difference | None) -> bool:
        """Tell whether another has the same two numbers."""
        return other is not None and (self.ours, self.theirs) == (other.ours, other.theirs)


def read_difference(tx: Transaction, instrument: InstrumentId) -> Difference | None:
    """Return the difference of an instrument, a suspicion too."""
    value = tx.documents.get(_DIFFERENCE + instrument)
    return None if value is None else _difference(instrument, value)


def read_differences(tx: Transaction) -> list[Difference]:
    """Return all differences, those that are only suspicions left out."""
    return [one for one in all_differences(tx) if not one.is_suspicion]


def has_differences(tx: Transaction) -> bool:
    """Tell whether there is any, or a suspicion of one."""
    return bool(tx.documents.items(_DIFFERENCE))


def differs(tx: Transaction, instrument: InstrumentId) -> bool:
    """Tell whether our book and the broker's differ in an instrument."""
    found = read_difference(tx, instrument)
    return found is not None and not found.is_suspicion


def forget_difference(tx: Transaction, instrument: InstrumentId) -> None:
    """Forget a difference, known or not."""
    tx.documents.delete(_DIFFERENCE + instrument)


def all_differences(tx: Transaction) -> list[Difference]:
    """Return all differences and suspicions, by instrument."""
    kept = tx.documents.items(_DIFFERENCE)
    return [_difference(key.removeprefix(_DIFFERENCE), value) for key, value in kept]


def facts_of(one: Difference) -> dict[str, str]:
    """Return both numbers for people."""
    return {
        "instrument": one.instrument,
        "ours": f"{one.ours.normalize():f}",
        "theirs": f"{one.theirs.normalize():f}",
    }


def put_difference(tx: Transaction, one: Difference) -> None:
    """Keep a difference in place of the one before."""
    tx.documents.put(
        _DIFFERENCE + one.instrument,
        {
            "ours": str(one.ours),
            "theirs": str(one.theirs),
            "average_price": str(one.average_price),
            "since": to_ms(one.since),
            "is_suspicion": one.is_suspicion,
            "is_told": one.is_told,
        },
    )


def _difference(instrument: InstrumentId, value: Mapping[str, Any]) -> Difference:
    return Difference(
        instrument=instrument,
        ours=Decimal(value["ours"]),
        theirs=Decimal(value["theirs"]),
        average_price=Decimal(value["average_price"]),
        since=from_ms(int(value["since"])),
        is_suspicion=bool(value["is_suspicion"]),
        is_told=bool(value["is_told"]),
    )
