"""What computes universes, joined from the sources that a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.fact_asking import Tellers
from engine.universes import Universes
from market.errors import SourceUnavailable
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.load import Config
    from engine.sources import Sources
    from engine.universes import Progress
    from market.store import Store


def build_universes(
    config: Config,
    store: Store,
    sources: Sources,
    note: Callable[[Progress], None] = lambda _: None,
) -> Universes:
    """Return what computes universes; nothing is asked yet."""
    settings = config.settings
    paces = {
        Venue.KRX: settings.naver.requests_per_second,
        Venue.UPBIT: settings.upbit.requests_per_second,
        Venue.BINANCE: settings.binance.requests_per_second,
    }
    tellers = {venue: _tellers(sources, venue) for venue in Venue}
    return Universes(store, tellers, config.calendars, paces, note)


def _tellers(sources: Sources, venue: Venue) -> Tellers:
    try:
        chain = sources.chain(venue)
    except SourceUnavailable:
        return Tellers()
    return Tellers.of(one.source for one in chain.members)
