"""The sources that a configuration names, by venue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crawlers.source import SOURCES
from engine.chain import Chain, Named
from engine.sources import Sources
from market.record import RawRecord
from market.types import Venue

if TYPE_CHECKING:
    import httpx

    from config.load import Config
    from config.settings import RecordSettings
    from crawlers.source import Source
    from engine.ports import Recorder
    from market.clock import Clock

COINS = {Venue.UPBIT: "upbit", Venue.BINANCE: "binance"}
"""Coins are asked for where they trade."""
KIS = "kis"
"""The source that follows what is held at KRX, whichever is asked, where there is a key for it."""
REPLAY = "replay"
"""The source that stands for every venue: what was recorded, with `-live` for coins."""


def build_sources(
    config: Config, http: httpx.AsyncClient, market: Clock, recorder: Recorder | None = None
) -> Sources:
    """Return every venue's sources, the wanted one first; nothing is asked yet.

    `recorder` keeps what they tell.

    Raises LookupError where a name is not registered.
    """
    crawl = config.settings.crawl
    made: dict[str, Source] = {}

    def named(name: str) -> Named:
        if name not in made:
            made[name] = SOURCES.get(name)(http, config.settings, market, config.calendars)
        return Named(name, made[name])

    if crawl.source == REPLAY:
        live = {venue: f"{REPLAY}-live" if venue in COINS else REPLAY for venue in Venue}
        return Sources({venue: Chain([named(name)]) for venue, name in live.items()}, market)
    names = {venue: [name] for venue, name in COINS.items() if name in SOURCES}
    names[Venue.KRX] = [crawl.source, *filter(None, [crawl.second])]
    chains = {venue: Chain([named(one) for one in members]) for venue, members in names.items()}
    has_keys = config.settings.kis.app_key is not None and KIS in SOURCES
    beside = [named(KIS)] if has_keys and KIS not in names[Venue.KRX] else []
    return Sources(chains, market, recorder, beside)


def open_record(settings: RecordSettings, market: Clock) -> RawRecord | None:
    """Return the raw record that settings ask for, None where nothing is to be recorded."""
    if not settings.max_megabytes:
        return None
    return RawRecord(Path(settings.path), market, settings.max_megabytes)
