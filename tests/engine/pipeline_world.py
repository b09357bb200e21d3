"""A pipeline with a market of single trades, a chat that is written down, and restarts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from engine.fire import Fire
from engine.parts import Parts
from engine.pipeline import Pipeline
from engine.quotes import Quotes
from engine.series import build_series
from engine.sources import Sources
from engine.watched import Watched
from market.clock import ManualClock
from market.directory import Directory
from market.errors import StoreFull
from market.messages import Message, Person, Role
from market.sessions import KST
from market.store import Store, Transaction
from market.types import Timeframe
from tests.engine.traded_market import CALENDARS, DAY, HYNIX, NAVER, SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from conditions.compile import Condition
    from config.condition_file import AlertSpec
    from engine.doubt import Doubt
    from engine.ports import OrderView
    from engine.ticket import Ticket
    from market.orders import Order
    from market.sessions import Calendar
    from market.signals import Signal
    from market.types import Instrument, InstrumentId, Venue

OWNER = Person(10, Role.OWNER, "en", "Choi")
VIEWER = Person(9, Role.VIEWER, "en", "Park")
CHANNEL = -100
SWEEP = timedelta(seconds=10)


def condition(
    when: str = "close > 110", *lines: str, name: str = "high", universe: str = ""
) -> Condition:
    """Return a compiled condition; further keys are lines of its file."""
    universe = universe or f"[{SAMSUNG.id}, {HYNIX.id}]"
    text = [f"name: {name}", f"universe: {universe}", "timeframe: 5m", f"when: '{when}'"]
    if not any(line.startswith("cooldown") for line in lines):
        text.append("cooldown: 0 minutes")
    return compile_condition(parse_condition("\n".join([*text, *lines]) + "\n", f"{name}.yaml"))


ORDER = ("order:", "  side: buy", "  size: 500_000 KRW", "  confirm: {within: 90s, max_drift: 1%}")


class WrittenCards:
    """Cards whose text is a plain word."""

    def alert(
        self,
        signal: Signal,
        instrument: Instrument,
        spec: AlertSpec,
        readers: Sequence[Person],
        channel: int | None,
    ) -> tuple[Message, ...]:
        late = "late " if signal.is_late else ""
        chats = [one.id for one in readers] + ([channel] if channel is not None else [])
        return tuple(Message(chat, f"{late}alert {signal.id}") for chat in chats)

    def order(
        self, order: Order, instrument: Instrument, view: OrderView, person: Person
    ) -> Message:
        return Message(person.id, f"order {order.id}")

    def doubt(self, doubt: Doubt, order: Order, instrument: Instrument, person: Person) -> Message:
        return Message(person.id, f"doubt {order.id}")

    def notice(self, code: str, readers: Sequence[Person], **facts: str) -> tuple[Message, ...]:
        return tuple(Message(one.id, f"notice {code}") for one in readers)


class NotedEvents:
    """Events that are written down."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.noted: list[dict[str, object]] = []

    def emit(self, kind: str, **facts: object) -> None:
        self.kinds.append(kind)
        self.noted.append(facts)

    def facts(self, kind: str) -> list[dict[str, object]]:
        return [facts for one, facts in zip(self.kinds, self.noted, strict=True) if one == kind]


class NotedDesk:
    """A desk that notes tickets; like the real one it takes a key once, over restarts too.

    `before` runs before a ticket is taken, and may raise.
    """

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.before: Callable[[], None] = lambda: None
        self.settled = 0

    async def propose(self, ticket: Ticket) -> None:
        self.before()
        self.tickets.setdefault(ticket.key, ticket)

    async def settle(self) -> int:
        self.settled += 1
        return 0


Live: TypeAlias = "Callable[..., None]"
"""Runs a scenario in a world with these conditions."""


class Killed(Exception):
    """The process died here."""


class FillingStore(Store):
    """A store whose disk is full for the writes that `is_full` says so of, counted from 0.

    `kill_after` is the write after which the process dies: it is kept, nobody hears of it.
    """

    writes = 0
    kill_after = -1
    is_full: Callable[[int], bool] = staticmethod(lambda number: False)

    async def write(self, function: Any) -> Any:
        number, self.writes = self.writes, self.writes + 1
        result = await super().write(self._filling(function) if self.is_full(number) else function)
        if number == self.kill_after:
            raise Killed
        return result

    def _filling(self, function: Any) -> Any:
        def fail(tx: Transaction) -> None:
            function(tx)
            raise StoreFull("the disk is full")

        return fail


def filling_store(path: Path, clock: ManualClock) -> FillingStore:
    """Open a store whose disk can be filled."""
    store = FillingStore.open(path, clock)
    assert isinstance(store, FillingStore)
    return store


class World:
    """Everything around a pipeline; `boot` starts it, again after a death."""

    def __init__(self, path: Path, *conditions: Condition, start: datetime | None = None) -> None:
        self.path = path
        self.clock = ManualClock(start or kst("08:30"))
        self.market: Any = TradedMarket(self.clock)
        self.conditions = conditions or (condition(),)
        self.directory = Directory([SAMSUNG, HYNIX, NAVER])
        self.desk = NotedDesk()
        self.events = NotedEvents()
        self.calendars: Mapping[Venue, Calendar] = CALENDARS
        self.depth = 400
        self.is_claimed = True
        self.store: FillingStore
        self.pipeline: Pipeline
        self._is_open = False

    async def boot(self) -> None:
        """Open the store and start the pipeline, as a new process would."""
        self.close()
        self.store = filling_store(self.path, self.clock)
        self._is_open = True
        if self.is_claimed:
            await self.store.write(lambda tx: tx.people.put(OWNER, self.clock.now()))
        self.pipeline = self.build()
        await self.pipeline.start()

    def build(self) -> Pipeline:
        members = self.members()
        watched = self.watched = Watched(self.conditions)
        self.fire = Fire(
            store=self.store,
            desk=self.desk,  # type: ignore[arg-type]  # a desk is a class, this one only notes
            cards=WrittenCards(),
            events=self.events,
            directory=self.directory,
            channel=CHANNEL,
            conditions=watched,
            wall_clock=self.clock,
        )
        return Pipeline(
            Parts(
                sources=self.sources(),
                store=self.store,
                watched=watched,
                series=build_series(members, self.calendars, self.depth),
                calendars=self.calendars,
                clock=self.clock,
                quotes=Quotes(self.market, self.clock),
                desk=self.desk,  # type: ignore[arg-type]  # as above
                fire=self.fire,
                events=self.events,
                depth=self.depth,
            )
        )

    def sources(self) -> Sources:
        """Return what the pipeline asks: one source for everything."""
        return Sources.of(self.market, self.clock)

    def members(self) -> list[tuple[Condition, tuple[InstrumentId, ...]]]:
        """Return the conditions with their universes."""
        return [(one, self._universe(one)) for one in self.conditions]

    async def exchange(self, *conditions: Condition) -> None:
        """Watch other conditions from now on; a reboot watches them too."""
        self.conditions = conditions
        await self.pipeline.exchange(self.members())

    def _universe(self, one: Condition) -> tuple[InstrumentId, ...]:
        assert isinstance(one.spec.universe, tuple)
        return one.spec.universe

    def close(self) -> None:
        """Let the process die: only the file stays."""
        if self._is_open:
            self.store.close()
            self._is_open = False

    async def sweep(self, text: str, day: date = DAY) -> None:
        """Move to a time of day and crawl once."""
        self.clock.move_to(kst(text, day))
        await self.pipeline.crawl()

    async def sweeps(self, start: str, end: str, day: date = DAY) -> None:
        """Crawl every ten seconds of a stretch, both ends included."""
        for at in moments(kst(start, day), kst(end, day)):
            self.clock.move_to(at)
            await self.pipeline.crawl()

    async def signals(self) -> list[Signal]:
        """Return what fired, oldest first."""
        return (await self.store.read(lambda tx: tx.signals.recent(1000)))[::-1]

    async def fired(self) -> list[str]:
        """Return instrument code and Korean start of the bars that fired, in order."""
        return [told(one) for one in await self.signals()]

    async def texts(self, chat: int = OWNER.id) -> list[str]:
        """Return what was enqueued for a chat."""
        pending = await self.store.read(lambda tx: tx.outbox.pending(self.clock.now()))
        return [one.message.text for one in pending if one.message.chat_id == chat]

    async def bars(self, of: Instrument = SAMSUNG) -> list[tuple[str, float, float]]:
        """Return the stored 5-minute bars: Korean start, close, volume."""
        kept = await self.store.read(lambda tx: tx.bars.last(of.id, Timeframe.M5, 1000))
        return [(_clock(bar.start), bar.close, bar.volume) for bar in kept]


def told(signal: Signal) -> str:
    """Return a signal in short: `005930 10:00`, with `late` where it is."""
    late = " late" if signal.is_late else ""
    return f"{signal.instrument.split(':')[1]} {_clock(signal.bar_start)}{late}"


def moments(start: datetime, end: datetime) -> Iterator[datetime]:
    """Return every ten seconds from start to end."""
    at = start
    while at <= end:
        yield at
        at += SWEEP


def _clock(at: datetime) -> str:
    return at.astimezone(KST).strftime("%H:%M")


def quiet_morning(world: World, until: str = "15:19", price: float = 100.0) -> None:
    """Let both trade once a minute, well away from the minutes' ends."""
    at = kst("09:00:30")
    while at <= kst(until):
        for instrument in (SAMSUNG, HYNIX):
            world.market.trade(at, price, of=instrument)
        at += timedelta(minutes=1)
