"""A desk with everything around it pretended: a market, a venue, a chat, and sudden death."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from brokers.broker import BrokerOrder
from brokers.paper import PaperBroker
from config.settings import Settings
from engine.desk import Desk, Outcome
from engine.quotes import Quotes
from engine.ticket import Ticket
from market.clock import ManualClock
from market.errors import OrderRejected, OutcomeUnknown, SourceUnavailable
from market.messages import Message, Person, Role
from market.orders import Account, Fill, Order, OrderState, Side
from market.sessions import KrxCalendar
from market.store import Store, Transaction
from market.types import Instrument, Tick, Venue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from brokers.broker import Broker
    from config.condition_file import AlertSpec
    from engine.ports import OrderView
    from market.signals import Signal
    from market.types import Bar, InstrumentId

T = TypeVar("T")
Hook: TypeAlias = "Callable[[], Awaitable[None]]"

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 12:00 in Seoul, a Tuesday
SAMSUNG = Instrument(Venue.KRX, "005930", "Samsung Electronics", "KOSPI")
HYNIX = Instrument(Venue.KRX, "000660", "SK hynix", "KOSPI")
CALENDARS = {Venue.KRX: KrxCalendar({})}
TRADER = Person(7, Role.TRADER, "en", "Kim")
OTHER = Person(8, Role.TRADER, "en", "Lee")
VIEWER = Person(9, Role.VIEWER, "en", "Park")
OWNER = Person(10, Role.OWNER, "en", "Choi")


class Killed(Exception):
    """The process died here; nothing that it would have done afterwards happens."""


class Fate:
    """Counts the points at which a process can die, and lets it die at one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at = kill_at
        self.points = 0
        self.is_dead = False

    def pass_point(self) -> None:
        self.check()
        self.points += 1
        if self.points == self.kill_at:
            self.is_dead = True
            raise Killed(f"at point {self.points}")

    def check(self) -> None:
        if self.is_dead:
            raise Killed("dead already")


async def nothing() -> None:
    """Do nothing: what the hooks of the pretended things do until a test sets them."""


class MortalStore(Store):
    """The real store of a process that can die before and after every write."""

    fate = Fate()
    before_write: Hook = staticmethod(nothing)

    async def write(self, function: Callable[[Transaction], T]) -> T:
        await self.before_write()
        self.fate.pass_point()
        result = await super().write(function)
        self.fate.pass_point()
        return result

    async def read(self, function: Callable[[Transaction], T]) -> T:
        self.fate.check()
        return await super().read(function)


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
            day_volume=1.0,
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


class ScriptedVenue:
    """A venue outside our process that does what the test says: it outlives every kill.

    `script` says what happens to the next requests: `accept`, `refuse CODE`, `lose request`,
    `lose answer`; without a word it accepts.
    """

    def __init__(self) -> None:
        self.script: deque[str] = deque()
        self.posts: list[str] = []
        self.cancels: list[str] = []
        self.asked: list[str] = []
        self.orders: dict[str, BrokerOrder] = {}
        self.placed: dict[str, Order] = {}
        self.trades: list[Fill] = []
        self.cash = Decimal(10_000_000)
        self.is_silent = False

    def post(self, order: Order) -> str:
        self.posts.append(order.client_order_id)
        word = self.script.popleft() if self.script else "accept"
        if word == "lose request":
            raise OutcomeUnknown("timeout", "no answer")
        if word.startswith("refuse"):
            raise OrderRejected(word.removeprefix("refuse "), "refused")
        number = f"V{len(self.posts)}"
        self.placed[order.id] = order
        self.orders[order.client_order_id] = BrokerOrder(
            number, OrderState.ACCEPTED, Decimal(0), Decimal(0)
        )
        if word == "lose answer":
            raise OutcomeUnknown("timeout", "no answer")
        return number

    def cancel(self, order: Order) -> None:
        self.cancels.append(order.client_order_id)
        word = self.script.popleft() if self.script else "accept"
        if word == "lose request":
            raise OutcomeUnknown("timeout", "no answer")
        held = self.orders.get(order.client_order_id)
        if held is None or held.state not in {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}:
            raise OrderRejected("closed", "nothing left to cancel")
        if word.startswith("refuse"):
            raise OrderRejected(word.removeprefix("refuse "), "refused")
        self.end(order, OrderState.CANCELED)
        if word == "lose answer":
            raise OutcomeUnknown("timeout", "no answer")

    def end(self, order: Order, state: OrderState) -> None:
        key = order.client_order_id
        self.orders[key] = replace(self.orders[key], state=state)

    def fill(self, order: Order, quantity: int, price: int = 70_000, cost: int = 100) -> Fill:
        fill = Fill(
            id=f"{len(self.trades) + 1:06d}",
            order_id=order.id,
            instrument=order.instrument,
            side=order.side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            cost=Decimal(cost),
            at=NOON,
        )
        self.trades.append(fill)
        held = self.orders.get(order.client_order_id)
        if held is not None:
            filled = held.filled_quantity + quantity
            is_whole = filled >= order.quantity
            state = OrderState.FILLED if is_whole else OrderState.PARTIALLY_FILLED
            state = held.state if held.state is OrderState.CANCELED and not is_whole else state
            self.orders[order.client_order_id] = replace(held, state=state, filled_quantity=filled)
        return fill


class ScriptedBroker:
    """Our end of the line to the scripted venue; dies with its process around every request."""

    def __init__(self, venue: ScriptedVenue, fate: Fate) -> None:
        self._venue = venue
        self._fate = fate
        self.before_post: Hook = nothing
        self.after_post: Hook = nothing

    async def place(self, order: Order) -> str:
        await self.before_post()
        self._fate.pass_point()
        number = self._venue.post(order)
        self._fate.pass_point()
        await self.after_post()
        return number

    async def cancel(self, order: Order) -> None:
        self._fate.pass_point()
        self._venue.cancel(order)
        self._fate.pass_point()

    async def find(self, order: Order) -> BrokerOrder | None:
        self._fate.check()
        self._listen()
        self._venue.asked.append(order.id)
        return self._venue.orders.get(order.client_order_id)

    async def fills(self, after: str) -> list[Fill]:
        self._fate.check()
        self._listen()
        return [fill for fill in self._venue.trades if fill.id > after]

    async def account(self) -> Account:
        self._fate.check()
        self._listen()
        return Account(self._venue.cash, self._venue.cash)

    def _listen(self) -> None:
        if self._venue.is_silent:
            raise OutcomeUnknown("timeout", "the venue does not answer")


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
        text = f"{instrument.name} {order.state} v{order.version} {order.code}".strip()
        return Message(person.id, text, card=f"order/{order.id}")

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


class World:
    """A desk in front of a scripted venue (or the paper one), in a process that can be killed."""

    def __init__(self, path: Path, *, is_paper: bool = False, **sections: Any) -> None:
        self.path = path
        self.is_paper = is_paper
        self.settings = Settings(**sections)
        self.market_clock = ManualClock(NOON)
        self.wall_clock = ManualClock(NOON)
        self.market = PretendMarket(self.market_clock)
        self.venue = ScriptedVenue()
        self.cards = PretendCards()
        self.events = EventLog()
        self.keys = 0
        self.messages = 100
        self.chat: list[Message] = []
        self.open()

    def open(self, kill_at: int | None = None) -> None:
        """Start a process on what the last one left."""
        self.fate = Fate(kill_at)
        store = MortalStore.open(self.path, self.wall_clock)
        assert isinstance(store, MortalStore)
        store.fate = self.fate
        self.store = store
        self.quotes = Quotes(self.market, self.market_clock)
        self.line = ScriptedBroker(self.venue, self.fate)
        self.broker: Broker = self.line
        if self.is_paper:
            self.broker = PaperBroker(self.store, self.settings, self.market_clock, CALENDARS)
        self.desk = Desk(
            store=self.store,
            broker=self.broker,
            quotes=self.quotes,
            calendars=CALENDARS,
            settings=self.settings,
            market_clock=self.market_clock,
            wall_clock=self.wall_clock,
            cards=self.cards,
            events=self.events,
        )

    async def settle_in(self) -> None:
        """Let the people in."""
        for person in (TRADER, OTHER, VIEWER, OWNER):
            await self.let_in(person)

    async def let_in(self, person: Person) -> None:
        """Let somebody in, in the given role."""
        await self.store.write(lambda tx: tx.people.put(person, NOON))

    async def restart(self) -> None:
        """Kill the process, if it is not dead, start another and let it recover."""
        self.store.close()
        self.open()
        await self.desk.recover()

    def pass_time(self, seconds: float) -> None:
        self.wall_clock.advance(timedelta(seconds=seconds))
        self.market_clock.advance(timedelta(seconds=seconds))

    def ticket(self, **changes: Any) -> Ticket:
        self.keys += 1
        made = Ticket(
            key=f"update:{self.keys}",
            instrument=SAMSUNG,
            side=Side.BUY,
            quantity=Decimal(10),
            size=None,
            price=Decimal(70_000),
            price_rule=None,
            user_id=TRADER.id,
            origin="command",
            within=timedelta(seconds=90),
            max_drift=Decimal("0.003"),
        )
        return replace(made, **changes)

    async def propose(self, **changes: Any) -> Order:
        """Propose an order and let its card arrive."""
        order = await self.desk.propose(self.ticket(**changes))
        await self.deliver()
        return order

    async def deliver(self) -> None:
        """Let everything that is queued arrive in the chats."""

        def send(tx: Transaction) -> list[Message]:
            arrived = []
            for outgoing in tx.outbox.pending(self.wall_clock.now()):
                message = outgoing.message
                key = message.card
                is_edit = key is not None and tx.outbox.card(message.chat_id, key) is not None
                self.messages += 0 if is_edit else 1
                tx.outbox.claim(outgoing.id, NOON)
                number = None if is_edit else self.messages
                tx.outbox.sent(outgoing.id, number, is_photo=False, at=NOON)
                arrived.append(message)
            return arrived

        while arrived := await self.store.write(send):
            self.chat += arrived

    async def message_of(self, order: Order) -> int:
        """Return the number of the message in which an order's card lives."""
        card = await self.store.read(lambda tx: tx.outbox.card(order.user_id, f"order/{order.id}"))
        assert card is not None
        return card.message_id

    async def confirm(self, order: Order, **changes: Any) -> Outcome:
        """Tap Confirm on the card of an order as the test holds it."""
        tap = {
            "order_id": order.id,
            "version": order.version,
            "user_id": order.user_id,
            "message": await self.message_of(order),
        }
        return await self.desk.confirm(**{**tap, **changes})

    async def decline(self, order: Order) -> Outcome:
        """Tap Decline on the card of an order."""
        message = await self.message_of(order)
        return await self.desk.decline(order.id, order.version, order.user_id, message)

    async def sent(self, **changes: Any) -> Order:
        """Propose and confirm an order; return it as it stands then."""
        order = await self.propose(**changes)
        await self.confirm(order)
        return await self.order(order)

    async def order(self, order: Order) -> Order:
        """Return an order as it is stored."""
        found = await self.store.read(lambda tx: tx.orders.get(order.id))
        assert found is not None
        return found

    async def position(self, instrument: Instrument = SAMSUNG) -> Decimal:
        """Return the quantity held, as we keep it."""
        held = await self.store.read(lambda tx: tx.orders.position(instrument.id))
        return Decimal(0) if held is None else held.quantity

    async def card(self, order: Order) -> str:
        """Return what an order's card says, once everything has arrived."""
        await self.deliver()
        texts = [one.text for one in self.chat if one.card == f"order/{order.id}"]
        return texts[-1] if texts else ""

    async def sweep(self, price: float | None = None) -> int:
        """Let ten seconds pass and a tick come in, as the pipeline does it."""
        if price is not None:
            self.market.prices[SAMSUNG.id] = price
        self.pass_time(10)
        ticks = [self.market.tick(SAMSUNG.id), self.market.tick(HYNIX.id)]
        self.quotes.note(ticks)
        if isinstance(self.broker, PaperBroker):
            await self.broker.observe(ticks)
        return await self.desk.settle()
