"""The instruments that orders were made for, kept so that a restart knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from market.store import Transaction
    from market.types import InstrumentId


def remember(tx: Transaction, instrument: Instrument) -> None:
    """Keep what an instrument is, unless it is kept already."""
    value = {
        "venue": instrument.venue.value,
        "code": instrument.code,
        "name": instrument.name,
        "segment": instrument.segment,
        "kind": instrument.kind.value,
    }
    key = _key(instrument.id)
    if tx.documents.get(key) != value:
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
        )
    venue, _, code = instrument.partition(":")
    kind = Kind.STOCK if venue == Venue.KRX else Kind.COIN
    return Instrument(venue=Venue(venue), code=code, name=code, kind=kind)


def _key(instrument: InstrumentId) -> str:
    return f"instrument/{instrument}"
