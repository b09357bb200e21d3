"""The instruments that orders were made for, kept so that a restart knows them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.grid import Grid
from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from market.store import Transaction
    from market.types import InstrumentId


def remember(tx: Transaction, instrument: Instrument) -> None:
    """Keep what an instrument is; steps of its own stay kept where they are not told anew."""
    value: dict[str, Any] = {
        "venue": instrument.venue.value,
        "code": instrument.code,
        "name": instrument.name,
        "segment": instrument.segment,
        "kind": instrument.kind.value,
    }
    key = _key(instrument.id)
    kept = tx.documents.get(key)
    grid = instrument.grid
    if grid is not None:
        value["grid"] = [str(grid.tick), str(grid.lot), str(grid.least)]
    elif kept is not None and "grid" in kept:
        value["grid"] = kept["grid"]
    if kept != value:
        tx.documents.put(key, value)


def recall(tx: Transaction, instrument: InstrumentId) -> Instrument:
    """Return a kept instrument; one that never was is told by its id (a stock, or a coin)."""
    value = tx.documents.get(_key(instrument))
    if value is not None:
        return Instrument(
            venue=Venue(value["venue"]),
            code=str(value["code"]),
            name=str(value["name"]),
            segment=str(value["segment"]),
            kind=Kind(value["kind"]),
            grid=Grid(*map(Decimal, value["grid"])) if "grid" in value else None,
        )
    venue, _, code = instrument.partition(":")
    kind = Kind.STOCK if venue == Venue.KRX else Kind.COIN
    return Instrument(venue=Venue(venue), code=code, name=code, kind=kind)


def _key(instrument: InstrumentId) -> str:
    return f"instrument/{instrument}"
