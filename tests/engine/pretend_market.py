"""A pretended market and chat around the desk, and the people in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from market.errors import SourceUnavailable
from market.messages import Message, Person, Role
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Instrument, Tick, Venue
from tests.engine.sudden_death import Hook, nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.condition_file import AlertSpec
    from engine.doubt import Doubt
    from engine.ports import OrderView
    from market.clock import ManualClock
    from market.orders import Order
    from market.sessions import Calendar
    from market.signals import Signal
    from market.types import Bar, InstrumentId

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 12:00 in Seoul, a Tuesday
SAMSUNG = Instrument(Venue.KRX, "005930", "Samsung Electronics", "KOSPI")
HYNIX = Instrument(Venue.KRX, "000660", "SK hynix", "KOSPI")
CALENDARS: dict[Venue, Calendar] = {
    Venue.KRX: KrxCalendar({}),
    Venue.UPBIT: AlwaysOpen(),
    Venue.BINANCE: AlwaysOpen(),
}
TRADER = Person(7, Role.TRADER, "en", "Kim")
OTHER = Person(8, Role.TRADER, "en", "Lee")
VIEWER = Person(9, Role.VIEWER, "en", "Park")
OWNER = Person(10, Role.OWNER, "en", "Choi")


class PretendMarket:
    """A source whose prices the test sets; `error` makes it fail."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.prices = {SAMSUNG.id: 70_000.0, HYNIX.id: 200_000.0}
        self.is_halted = False
        self.error: Exception | None = None
        self.asked = 0
        self.before_answer: Hook = nothing
        self.after_answer: Hook = nothing

    def tick(self, instrument: InstrumentId) -> Tick:
        now = self.clock.now()
        return Tick(
            instrument,
            now,
            now,
            self.prices[instrument],
            volume=1_000_000.0,  # enough that paper orders fill whole
            previous_close=70_000.0 if instrument == SAMSUNG.id else 200_000.0,
            halted=self.is_halted,
        )

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        self.asked += 1
        await self.before_answer()
        if self.error is not None:
            raise self.error
        found = [self.tick(one) for one in instruments if one in self.prices]
        await self.after_answer()
        return found

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        raise SourceUnavailable(f"no bars of {instrument} from {start} to {end} in this test")


class PretendCards:
    """Cards whose text is what they are about."""

    def __init__(self) -> None:
        self.views: dict[str, OrderView] = {}

    def alert(
        self,
        signal: Signal,
        instrument: Instrument,
        spec: AlertSpec,
        readers: Sequence[Person],
        channel: int | None,
    ) -> tuple[Message, ...]:
        return tuple(Message(reader.id, signal.id) for reader in readers)

    def order(
        self, order: Order, instrument: Instrument, view: OrderView, person: Person
    ) -> Message:
        self.views[order.id] = view
        words = (instrument.name, order.state, f"v{order.version}", order.code, view.hold)
        text = " ".join(word for word in words if word)
        return Message(person.id, text, card=f"order/{order.id}")

    def doubt(self, doubt: Doubt, order: Order, instrument: Instrument, person: Person) -> Message:
        said = "" if doubt.said is None else f" said '{doubt.said}'"
        text = f"which v{doubt.version} of {len(doubt.candidates)} {order.state}{said}"
        return Message(person.id, text, card=f"doubt/{order.id}")

    def notice(self, code: str, readers: Sequence[Person], **facts: str) -> tuple[Message, ...]:
        return tuple(Message(reader.id, f"{code} {facts}") for reader in readers)


class EventLog:
    """Keeps what was emitted."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def emit(self, kind: str, **facts: object) -> None:
        self.events.append((kind, facts))

    def states(self, order: Order) -> list[object]:
        return [
            facts["state"]
            for kind, facts in self.events
            if kind == "order" and facts["id"] == order.id
        ]
