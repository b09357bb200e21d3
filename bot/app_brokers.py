"""The brokers that a configuration names, by venue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.broker_news import BrokerNews
from brokers.broker import BROKERS, Closing, Live, MarketFed
from engine.brokers import PAPER, Brokers, Seat
from market.types import Venue

if TYPE_CHECKING:
    from brokers.broker import BrokerParts
    from config.settings import BrokerSettings


def broker_names(settings: BrokerSettings) -> dict[Venue, str]:
    """Return who trades at each venue; nobody where the broker for all does not trade.

    Raises LookupError where a name is not registered.
    """
    names = {}
    for venue in Venue:
        name = settings.named_for(venue) or settings.name
        if venue in BROKERS.get(name).venues:
            names[venue] = name
    return names


def build_brokers(parts: BrokerParts) -> Brokers:
    """Return every broker that trades somewhere, made once; nothing is asked yet.

    Raises ConfigError where a broker has no keys.
    """
    by_venue = broker_names(parts.settings.broker)
    seats = []
    for name in dict.fromkeys(by_venue.values()):
        venues = frozenset(venue for venue, one in by_venue.items() if one == name)
        seats.append(Seat(name, BROKERS.get(name)(parts), venues, is_live=name != PAPER))
    return Brokers(seats)


def fed_by_the_market(brokers: Brokers) -> MarketFed | None:
    """Return the broker that trades at the prices we see, None where every broker is real."""
    fed = (seat.broker for seat in brokers.seats if isinstance(seat.broker, MarketFed))
    return next(fed, None)


def broker_news(brokers: Brokers) -> list[BrokerNews]:
    """Return one listener for each broker that hears of trades as they happen."""
    return [
        BrokerNews(seat.name, seat.broker)
        for seat in brokers.seats
        if isinstance(seat.broker, Live)
    ]


async def close_brokers(brokers: Brokers) -> None:
    """Let every broker let go of its connections, one after the other."""
    await brokers.close()
    for seat in brokers.seats:
        if isinstance(seat.broker, Closing):
            await seat.broker.close()
