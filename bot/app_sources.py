"""The sources that a configuration names, by venue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlers.source import SOURCES
from engine.chain import Chain, Named
from engine.sources import Sources
from market.types import Venue

if TYPE_CHECKING:
    import httpx

    from config.load import Config
    from crawlers.source import Source
    from market.clock import Clock

COINS = {Venue.UPBIT: "upbit", Venue.BINANCE: "binance"}
"""Coins are asked for where they trade."""
REPLAY = "replay"
"""The source that stands for every venue: what was recorded."""


def build_sources(config: Config, http: httpx.AsyncClient, market: Clock) -> Sources:
    """Return every venue's sources, the wanted one first; nothing is asked yet.

    Raises LookupError where a name is not registered.
    """
    crawl = config.settings.crawl
    made: dict[str, Source] = {}

    def named(name: str) -> Named:
        if name not in made:
            made[name] = SOURCES.get(name)(http, config.settings, market, config.calendars)
        return Named(name, made[name])

    if crawl.source == REPLAY:
        return Sources({venue: Chain([named(REPLAY)]) for venue in Venue}, market)
    names = {venue: [name] for venue, name in COINS.items() if name in SOURCES}
    names[Venue.KRX] = [crawl.source, *filter(None, [crawl.second])]
    chains = {venue: Chain([named(one) for one in members]) for venue, members in names.items()}
    return Sources(chains, market)
