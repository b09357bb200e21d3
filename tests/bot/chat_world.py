"""A chat without a network: a real store, clocks that stand still, a desk that notes its calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from bot.access import Access
from bot.command import load_commands
from bot.dispatch import Dispatcher, Incoming
from bot.second_factor import SecondFactor
from bot.services import Services, VenueHealth
from bot.texts import Texts
from conditions.compile import compile_all
from conditions.reference import Reference
from config.load import Config, members
from engine.arming import Arming
from engine.brokers import Brokers, Seat
from engine.health import SourceState
from engine.look import live_looks
from engine.outcome import Outcome
from engine.pauses import BUYS, EVERYTHING, Halt, Pause, Scope, Trading
from engine.quotes import Quotes
from engine.series import build_series
from market.clock import ManualClock
from market.messages import Message, Person, Role
from market.orders import Account
from market.store import Store
from market.types import Bar, InstrumentId, Tick, Venue
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from brokers.broker import Broker
    from conditions.compile import Condition
    from engine.desk import Desk
    from engine.desk_adjust import Change
    from engine.health import Trouble
    from engine.look import Look
    from engine.series import Series
    from engine.ticket import Ticket
    from market.store import Transaction
    from market.store_chat import Outgoing

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
"""A Tuesday, 10:30 in Korea."""

OWNER = Person(1001, Role.OWNER, "ko", "주인")
TRADER = Person(1002, Role.TRADER, "en", "Trader")
VIEWER = Person(1003, Role.VIEWER, "en", "Viewer")
STRANGER_ID = 9999
PEOPLE = (OWNER, TRADER, VIEWER)


class NotingForeign:
    """The part of the noting desk that is about orders made elsewhere."""

    def __init__(self, calls: list[tuple[object, ...]]) -> None:
        self._calls = calls

    async def adopt(self, key: str, user_id: int) -> Outcome:
        """Note an adoption."""
        self._calls.append(("foreign.adopt", key, user_id))
        return Outcome(None, "foreign.gone")

    async def cancel(self, key: str, user_id: int) -> Outcome:
        """Note a cancel."""
        self._calls.append(("foreign.cancel", key, user_id))
        return Outcome(None, "foreign.cancelled")


def seated(*seats: tuple[str, Venue]) -> Brokers:
    """Return brokers of which only names and venues are asked; all but paper are live."""
    nobody = cast("Broker", None)
    found: dict[str, set[Venue]] = {}
    for name, venue in seats:
        found.setdefault(name, set()).add(venue)
    return Brokers(
        Seat(name, nobody, frozenset(venues), name != "paper") for name, venues in found.items()
    )


ON_PAPER = (("paper", Venue.KRX), ("paper", Venue.UPBIT))
LIVE_AT_KRX = (("kis", Venue.KRX), ("paper", Venue.UPBIT))


class NotingDesk:
    """A desk that trades nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.calls: list[tuple[object, ...]] = []
        self.foreign = NotingForeign(self.calls)
        self.outcome = Outcome(None, "order.confirmed")
        self.error: Exception | None = None
        self.held_back = Trading()
        self.brokers = seated(*ON_PAPER)
        self.armed: Arming | None = None
        self.money: dict[str, tuple[Account, ...] | None] = {
            "paper": (Account(Decimal(10_000_000), Decimal(9_000_000)),)
        }

    @property
    def is_live(self) -> bool:
        """Tell whether any order costs real money."""
        return self.brokers.is_live

    async def accounts(self) -> dict[str, tuple[Account, ...] | None]:
        """Return the money, or None for a broker that cannot say."""
        return self.money

    async def propose(self, ticket: Ticket) -> None:
        """Note a ticket, or fail as told."""
        if self.error is not None:
            raise self.error
        self.tickets.append(ticket)

    async def confirm(
        self, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Note a confirmation."""
        self.calls.append(("confirm", order_id, version, user_id, message))
        return self.outcome

    async def decline(
        self, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Note a refusal."""
        self.calls.append(("decline", order_id, version, user_id, message))
        return self.outcome

    async def adjust(
        self, change: Change, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Note a change."""
        self.calls.append(("adjust", change, order_id, version, user_id, message))
        return self.outcome

    async def cancel(self, order_id: str, user_id: int) -> Outcome:
        """Note a cancel."""
        self.calls.append(("cancel", order_id, user_id))
        return self.outcome

    async def panic(self, user_id: int) -> bool:
        """Note a panic."""
        self.calls.append(("panic", user_id))
        return True

    async def stop_panic(self) -> bool:
        """Note its end."""
        self.calls.append(("stop_panic",))
        return False

    async def adopt(self, instrument: InstrumentId, user_id: int) -> Outcome:
        """Note an adoption."""
        self.calls.append(("adopt", instrument, user_id))
        return Outcome(None, "adopt.none")

    async def adopt_cash(self, user_id: int) -> Outcome:
        """Note that money was agreed."""
        self.calls.append(("adopt_cash", user_id))
        return Outcome(None, "adopt.none_cash")

    async def pause(
        self, user_id: int, scope: Scope = BUYS, until: datetime | None = None
    ) -> Trading:
        """Pause."""
        self.calls.append(("pause", user_id, scope, until))
        self.held_back = self.held_back.paused(Pause(scope, user_id, NOW, until))
        return self.held_back

    async def resume(self, user_id: int, scope: Scope = EVERYTHING) -> Trading:
        """Resume; the owner also ends a halt."""
        self.calls.append(("resume", user_id, scope))
        halt = None if user_id == OWNER.id else self.held_back.halt
        self.held_back = replace(self.held_back.resumed(scope), halt=halt)
        return self.held_back

    async def halt(self, user_id: int) -> Trading:
        """Halt."""
        self.calls.append(("halt", user_id))
        self.held_back = replace(self.held_back, halt=Halt(user_id, NOW))
        return self.held_back

    async def trading(self) -> Trading:
        """Return what holds orders back."""
        return self.held_back

    async def arm(self, user_id: int) -> Arming:
        """Arm."""
        self.calls.append(("arm", user_id))
        self.armed = Arming(user_id, NOW, NOW)
        return self.armed

    async def disarm(self, user_id: int) -> bool:
        """Disarm."""
        self.calls.append(("disarm", user_id))
        was_armed, self.armed = self.armed is not None, None
        return was_armed

    async def arming(self) -> Arming | None:
        """Return whether it is armed."""
        return self.armed


class QuietSource:
    """A source that shows one price of everything."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return a tick of each instrument at 71,500."""
        return [tick(instrument, self._clock.now()) for instrument in instruments]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return no bars."""
        return []


class StillWatch:
    """A pipeline that has just crawled, and whose series are as a test leaves them."""

    def __init__(self, crawled_at: datetime, series: Sequence[Series] = ()) -> None:
        self._crawled_at = crawled_at
        self.series = series
        self.troubles: tuple[Trouble, ...] = ()

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return those of the series."""
        return [watch.condition for one in self.series for watch in one.watches]

    async def looks(self, condition: str, instrument: InstrumentId | None = None) -> Sequence[Look]:
        """Return what the series hold."""
        return live_looks(self.series, condition, instrument)

    def health(self) -> Sequence[VenueHealth]:
        """Return a venue in good health, but for its troubles."""
        state = SourceState.OK
        krx = Venue.KRX
        return [VenueHealth(krx, state, "naver", self._crawled_at, "", 2, 0, 0, self.troubles)]


class NotedEvents:
    """Keeps events in order."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, object]]] = []

    def emit(self, kind: str, **facts: object) -> None:
        """Keep an event."""
        self.kept.append((kind, facts))

    def count(self, kind: str) -> int:
        """Return how many events of a kind there were."""
        return sum(1 for known, _ in self.kept if known == kind)


@dataclass
class World:
    """Everything around a dispatcher."""

    config: Config
    store: Store
    desk: NotingDesk
    wall: ManualClock
    market: ManualClock
    events: NotedEvents
    services: Services
    dispatcher: Dispatcher
    watch: StillWatch
    next_update: int = 1

    async def say(self, text: str, person: Person = TRADER, **changes: Any) -> list[Message]:
        """Send a text and return the new messages it led to."""
        _, messages = await self.receive(self.incoming(text, person, **changes))
        return messages

    async def tap(self, data: str, person: Person = TRADER, **changes: Any) -> str | None:
        """Tap a button and return the notice."""
        notice, _ = await self.receive(self.incoming(data, person, kind="tap", **changes))
        return notice

    async def receive(self, incoming: Incoming) -> tuple[str | None, list[Message]]:
        """Hand an update over; return the notice and the new messages."""
        before = {(one.id, one.message.text) for one in await self._pending()}
        notice = await self.dispatcher.handle(incoming)
        after = await self._pending()
        return notice, [one.message for one in after if (one.id, one.message.text) not in before]

    async def _pending(self) -> list[Outgoing]:
        return await self.store.read(lambda tx: tx.outbox.pending(NOW + timedelta(days=9)))

    def incoming(self, text: str, person: Person = TRADER, **changes: Any) -> Incoming:
        """Return an update of a person in their private chat."""
        self.next_update += 1
        values: dict[str, Any] = {
            "update_id": self.next_update,
            "kind": "text",
            "user_id": person.id,
            "user_name": person.name,
            "chat_id": person.id,
            "chat_type": "private",
            "text": text,
            "callback_id": None,
            "message_id": 500,
            "language": person.language,
            "sent_at": self.wall.now(),
            "is_edited": False,
        }
        return Incoming(**{**values, **changes})


def tick(instrument: InstrumentId, at: datetime, price: float = 71_500.0) -> Tick:
    """Return a tick as the polling shows it."""
    return Tick(instrument, at, at, price, day_volume=1000.0, previous_close=70_000.0)


def build_world(folder: Path) -> World:
    """Return a world with an owner, a trader and a viewer; close its store when done."""
    load_commands()
    config = packaged_config()
    wall, market = ManualClock(NOW), ManualClock(NOW)
    store = Store.open(folder / "chat.sqlite", wall)
    desk, events = NotingDesk(), NotedEvents()
    quotes = Quotes(QuietSource(market), market)
    reference = Reference(config.calendars, config.directory, config.universes)
    compiled = compile_all(config.conditions, reference=reference)
    universes = [(one, members(config, one.spec)) for one in compiled]
    watch = StillWatch(NOW - timedelta(seconds=8), build_series(universes, config.calendars, 400))
    services = Services(
        in_force=lambda: config,
        store=store,
        desk=cast("Desk", desk),
        quotes=quotes,
        directory=config.directory,
        calendars=config.calendars,
        market_clock=market,
        wall_clock=wall,
        texts=Texts.load(),
        pipeline=watch,
        access=Access(store),
        second_factor=SecondFactor(store, None),
        events=events,
    )
    dispatcher = Dispatcher(services)
    return World(config, store, desk, wall, market, events, services, dispatcher, watch)


async def settle_people(world: World, *people: Person) -> None:
    """Let people in."""

    def put(tx: Transaction) -> None:
        for person in people:
            tx.people.put(person, NOW)

    await world.store.write(put)
