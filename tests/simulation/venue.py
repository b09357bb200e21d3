"""The port of simulated venues: what the harness asks of each broker's pretend venue."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from decimal import Decimal
    from pathlib import Path
    from random import Random
    from typing import Any

    import httpx

    from brokers.broker import Broker, BrokerParts
    from market.clock import Clock
    from market.orders import OrderState, Side
    from market.sessions import Calendar
    from market.types import Instrument, InstrumentId, Venue
    from tests.simulation.fate import Fate, MortalStore
    from tests.simulation.prices import Prices


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue knows it; `client_id` is "" at venues that take none."""

    number: str
    client_id: str
    instrument: InstrumentId
    side: Side
    quantity: Decimal
    price: Decimal | None
    state: OrderState
    filled: Decimal


@dataclass(frozen=True, slots=True)
class VenueFill:
    """A trade as the venue knows it; `number` is its order's."""

    number: str
    quantity: Decimal
    price: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Truth:
    """All that the venue holds in the end."""

    orders: tuple[VenueOrder, ...]
    fills: tuple[VenueFill, ...]
    cash: Decimal
    held: Mapping[InstrumentId, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a venue stands on: the seed's random generator, the time and the market's prices."""

    random: Random
    clock: Clock
    prices: Prices
    fault_chance: float


class SimulatedVenue(Protocol):
    """Port. Promises a venue that outlives every kill, and tells the whole truth when asked."""

    cash: Decimal
    transport: httpx.AsyncBaseTransport

    def connect(self, parts: BrokerParts, fate: Fate) -> Broker:
        """Return the broker of a new process; `parts.http` is a client without a network."""
        ...

    async def trade(self) -> None:
        """Let what rests meet the newest prices."""
        ...

    def heal(self) -> int:
        """Misbehave no more; return how many faults there were."""
        ...

    async def truth(self, store: MortalStore) -> Truth:
        """Return what the venue holds."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A broker's world: what trades there, when it begins, and the settings that it needs.

    `sections` are those settings, for a folder that is the seed's own.

    Some seeds begin in the `evening`, if there is one, and go on until orders of the day are over;
    `late_share` is how many. As many begin in the `morning`, if there is one, before the open.
    """

    open: Callable[[Ground], SimulatedVenue]
    instruments: tuple[Instrument, ...]
    base_prices: tuple[int, ...]
    calendars: Mapping[Venue, Calendar]
    start: datetime
    sections: Callable[[Path], Mapping[str, Any]]
    longest_quantity: int
    lot: Decimal
    has_venue_stops: bool = False
    evening: datetime | None = None
    night: datetime | None = None
    morning: datetime | None = None
    late_share: float = 0.06

    def hours(self, random: Random) -> tuple[datetime, datetime | None]:
        """Return when a seed begins, and until when it goes on at least, if that matters."""
        if self.evening is None:
            return self.start, None
        drawn = random.random()
        if drawn < self.late_share:
            return self.evening, self.night
        is_early = self.morning is not None and drawn < 2 * self.late_share
        return self.morning if self.morning and is_early else self.start, None


def stage_of(broker: str) -> Stage:
    """Return the stage of a broker; its module in `tests.simulation.venues` names it STAGE."""
    return cast("Stage", import_module(f"tests.simulation.venues.{broker}").STAGE)
