"""The desk's book: every change of an order and the edit of its card are one transaction."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from engine.arming import read_arming
from engine.brokers import paying
from engine.desk_risk import touched
from engine.desk_view import Surroundings, view_of
from engine.difference import differs
from engine.exact import venue_of
from engine.pauses import read_trading
from engine.positions import equity
from engine.trading import TradingState, held_back, is_venue_stop
from market.currency import currency_of
from market.known import recall
from market.money import to_decimal
from market.orders import OrderState
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from config.settings import Settings
    from engine.brokers import Brokers
    from engine.ports import Cards, Events
    from engine.quotes import Quotes
    from market.clock import Clock
    from market.orders import Account, Order
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import Instrument, InstrumentId, Venue

T = TypeVar("T")


class DeskBook:
    """What all parts of the desk share: the store, the clocks, the cards and the last accounts."""

    def __init__(  # noqa: PLR0913  everything outside comes in here, once
        self,
        *,
        store: Store,
        brokers: Brokers,
        quotes: Quotes,
        calendars: Mapping[Venue, Calendar],
        settings: Settings,
        market_clock: Clock,
        wall_clock: Clock,
        cards: Cards,
        events: Events,
    ) -> None:
        self.brokers = brokers
        self.store = store
        self.quotes = quotes
        self.calendars = calendars
        self.settings = settings
        self.market_clock = market_clock
        self.cards = cards
        self.events = events
        self.accounts: dict[str, tuple[Account, ...]] = {}
        self.waiting: set[str] = set()
        self.in_flight: Counter[str] = Counter()
        self._wall_clock = wall_clock

    def now(self) -> datetime:
        """Return the wall clock's time in whole milliseconds, as the store keeps it."""
        return from_ms(to_ms(self._wall_clock.now()))

    @property
    def quote_age(self) -> timedelta:
        """Return how old a quote may be when an order is sent."""
        return timedelta(seconds=self.settings.confirm.quote_age_seconds)

    @property
    def idle(self) -> timedelta:
        """Return how long a live broker stays armed without being used."""
        return timedelta(hours=self.settings.access.idle_hours)

    def last_price(self, instrument: InstrumentId) -> Decimal | None:
        """Return the newest price, None if there never was one."""
        tick = self.quotes.last(instrument)
        return None if tick is None else to_decimal(tick.price)

    def account_of(self, instrument: InstrumentId) -> Account:
        """Return the account that pays for an instrument, as it was told last; empty before."""
        seat = self.brokers.at(venue_of(instrument))
        return paying(() if seat is None else self.accounts.get(seat.name, ()), instrument)

    def are_paid_alike(self, one: InstrumentId, other: InstrumentId) -> bool:
        """Tell whether the same purse of the same broker pays for two instruments."""
        seats = [self.brokers.at(venue_of(each)) for each in (one, other)]
        mine, theirs = self.account_of(one), self.account_of(other)
        is_same = (mine.currency, mine.purse) == (theirs.currency, theirs.purse)
        return seats[0] is seats[1] and is_same

    def are_counted_alike(self, one: InstrumentId, other: InstrumentId) -> bool:
        """Tell whether the same bounds hold for two instruments together.

        What is paid in another currency is not counted, nor pretended money with real money.
        """
        is_live_for = self.brokers.is_live_for
        return currency_of(one) == currency_of(other) and is_live_for(one) is is_live_for(other)

    async def write(self, function: Callable[[Page], T]) -> T:
        """Run a function on one page (one transaction); its changes are announced once kept."""

        def run(tx: Transaction) -> tuple[T, Page]:
            page = Page(self, tx)
            return function(page), page

        result, page = await self.store.write(run)
        for order in page.changed:
            self._announce(order)
        for code, facts in page.failures:
            self.events.emit("error", code=code, **facts)
        return result

    async def read(self, function: Callable[[Page], T]) -> T:
        """Run a function on a page that only reads; it waits for no writer."""
        return await self.store.read(lambda tx: function(Page(self, tx)))

    async def order(self, order_id: str) -> Order | None:
        """Return an order as it stands."""
        return await self.store.read(lambda tx: tx.orders.get(order_id))

    def _announce(self, order: Order) -> None:
        if order.state is OrderState.PROPOSED:
            self.waiting.add(order.id)
        else:
            self.waiting.discard(order.id)
        self.events.emit(
            "order",
            id=order.id,
            state=order.state.value,
            instrument=order.instrument,
            side=order.side.value,
            quantity=str(order.quantity),
            price=None if order.price is None else str(order.price),
            filled_quantity=str(order.filled_quantity),
            average_price=str(order.average_price),
            cost=str(order.cost),
            code=order.code,
        )


class Page:
    """One transaction on the book."""

    def __init__(self, book: DeskBook, tx: Transaction) -> None:
        self.book = book
        self.tx = tx
        self.changed: list[Order] = []
        self.failures: list[tuple[str, dict[str, str]]] = []

    def put(self, order: Order) -> Order:
        """Keep an order in its next state and queue its card for the person who may act on it."""
        return self.draw(self.keep(order))

    def keep(self, order: Order) -> Order:
        """Keep an order whose card this page draws when it has come to its next state yet."""
        self.tx.orders.put(order)
        self.changed.append(order)
        return order

    def draw(self, order: Order) -> Order:
        """Queue an order's card, which may read differently though the order is the same.

        A stop at the venue has none before something of it has traded: nobody has to do anything.
        """
        if is_venue_stop(order) and not order.filled_quantity:
            return order
        person = self.tx.people.get(order.user_id)
        if person is not None:
            instrument = recall(self.tx, order.instrument)
            view = view_of(order, instrument, self._surroundings(order, instrument))
            card = self.book.cards.order(order, instrument, view, person)
            self.tx.outbox.enqueue(card, self.book.now())
        return order

    def states_of(self, order: Order) -> frozenset[TradingState]:
        """Return all that holds for an order now: pauses, a halt, a disarmed live broker."""
        states = read_trading(self.tx, self.book.market_clock.now()).states_of(order)
        if differs(self.tx, order.instrument):
            states |= {TradingState.DIFFERS}
        is_live = self.book.brokers.is_live_for(order.instrument)
        if not is_live or read_arming(self.tx, self.book.now(), self.book.idle):
            return states
        return states | {TradingState.DISARMED}

    def tell(self, user_ids: Iterable[int], code: str, **facts: str) -> None:
        """Queue a notice for some people, each once, and for the owner."""
        owner = self.tx.people.owner()
        people = [self.tx.people.get(one) for one in dict.fromkeys(user_ids)]
        readers = {one.id: one for one in (owner, *people) if one is not None}
        for message in self.book.cards.notice(code, list(readers.values()), **facts):
            self.tx.outbox.enqueue(message, self.book.now())

    def tell_owner(self, code: str, **facts: str) -> None:
        """Queue a notice for the owner, if there is one."""
        self.tell((), code, **facts)

    def fail(self, code: str, **facts: str) -> None:
        """Report something that must not happen, once this page is kept."""
        self.failures.append((code, facts))

    def equity(self, instrument: InstrumentId) -> Decimal:
        """Return what the purse that pays for an instrument is worth, with all that it has paid."""
        book = self.book
        held = self.tx.orders.positions()
        paid = [one for one in held if book.are_paid_alike(one.instrument, instrument)]
        return equity(book.account_of(instrument).cash, paid, book.last_price)

    def _surroundings(self, order: Order, instrument: Instrument) -> Surroundings:
        book = self.book
        return Surroundings(
            now=book.now(),
            market_now=book.market_clock.now(),
            quote=book.quotes.last(order.instrument),
            account=book.account_of(order.instrument),
            equity=self.equity(order.instrument),
            fee=book.settings.broker.fee_at(order.instrument),
            signal=None if order.signal_id is None else self.tx.signals.get(order.signal_id),
            hold=held_back(order, self.states_of(order)),
            touched=touched(self, order, instrument),
        )
