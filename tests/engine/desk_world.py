"""A desk with everything around it pretended: a market, a venue, a chat, and sudden death."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.paper import PaperBroker
from config.settings import Settings
from engine.brokers import Brokers, only
from engine.desk import Desk, Outcome
from engine.quotes import Quotes
from engine.ticket import Ticket
from market.clock import ManualClock
from market.orders import Order, Side
from tests.engine.pretend_market import (
    CALENDARS,
    HYNIX,
    NOON,
    OTHER,
    OWNER,
    SAMSUNG,
    TRADER,
    VIEWER,
    EventLog,
    PretendCards,
    PretendMarket,
)
from tests.engine.scripted_venue import OpenBroker, ScriptedBroker, ScriptedVenue
from tests.engine.sudden_death import Fate, MortalStore

if TYPE_CHECKING:
    from pathlib import Path

    from brokers.broker import Broker
    from engine.desk_adjust import Change
    from market.messages import Message, Person
    from market.store import Transaction
    from market.types import Instrument


class World:
    """A desk in front of a scripted venue (or the paper one), in a process that can be killed."""

    def __init__(self, path: Path, *, is_paper: bool = False, **sections: Any) -> None:
        self.path = path
        self.is_live = False
        self.is_open = False
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
        self.line = self.connect()
        self.broker: Broker = self.line
        if self.is_paper:
            self.broker = PaperBroker(self.store, self.settings, self.market_clock, CALENDARS)
        self.desk = Desk(
            store=self.store,
            brokers=self.brokers(),
            quotes=self.quotes,
            calendars=CALENDARS,
            settings=self.settings,
            market_clock=self.market_clock,
            wall_clock=self.wall_clock,
            cards=self.cards,
            events=self.events,
        )

    def brokers(self) -> Brokers:
        """Return who trades what."""
        return only(self.broker, is_live=self.is_live)

    def connect(self) -> ScriptedBroker:
        """Return a process's end of the line to the venue."""
        return (OpenBroker if self.is_open else ScriptedBroker)(self.venue, self.fate)

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

    async def adjust(self, change: Change, order: Order, **changes: Any) -> Outcome:
        """Tap a button that changes an order, on the card as the test holds it."""
        await self.deliver()
        tap = {
            "order_id": order.id,
            "version": order.version,
            "user_id": order.user_id,
            "message": await self.message_of(order),
        }
        return await self.desk.adjust(change, **{**tap, **changes})

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
