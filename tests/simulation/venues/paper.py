"""The paper broker's stage: its venue is in our own store, the way to it is made unsafe here."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.paper import PaperBroker
from brokers.paper_book import PaperBook
from market.sessions import KrxCalendar
from market.types import Instrument, Venue
from tests.simulation.line import FaultyLine, Trouble
from tests.simulation.venue import Ground, Stage, Truth, VenueFill, VenueOrder
from tests.simulation.wire import NoNetwork

if TYPE_CHECKING:
    import httpx

    from brokers.broker import Broker, BrokerParts
    from brokers.paper_order import PaperOrder
    from market.store import Transaction
    from tests.simulation.fate import Fate, MortalStore

CASH = Decimal(6_000_000)
TERMS = {"cash": CASH, "latency_ms": 400, "volume_share": Decimal("0.04")}
"""Many orders trade in parts, and a cancel sometimes loses."""


class PaperStage:
    """The paper venue; its book is in the file that outlives every process."""

    def __init__(self, ground: Ground) -> None:
        self.cash = CASH
        self.transport: httpx.AsyncBaseTransport = NoNetwork()
        self._ground = ground
        ground.prices.has_halts = True
        self._trouble = Trouble(ground.random, ground.fault_chance, is_far=False)

    def connect(self, parts: BrokerParts, fate: Fate) -> Broker:
        """Return the broker behind a line that fails."""
        broker = PaperBroker(parts.store, parts.settings, parts.market_clock, parts.calendars)
        FaultyLine(fate, self._trouble).lead_to(broker)
        return broker

    async def trade(self) -> None:
        """Let something trade: paper goes by the ticks that the bot is shown."""
        self._ground.prices.flow()

    def heal(self) -> int:
        """Let the line be good."""
        return self._trouble.heal()

    async def truth(self, store: MortalStore) -> Truth:
        """Read the paper book out of the store."""
        return store.look(_read)


def _read(tx: Transaction) -> Truth:
    book = PaperBook(tx, CASH)
    ids = [key.removeprefix("paper/order/") for key, _ in tx.documents.items("paper/order/")]
    orders = [order for one in ids if (order := book.order(one)) is not None]
    numbers = {order.order_id: order.broker_id for order in orders}
    fills = tuple(
        VenueFill(numbers[one.order_id], one.quantity, one.price, one.cost)
        for one in book.fills("")
    )
    held = {one.instrument: book.held(one.instrument) for one in orders}
    return Truth(tuple(_order(one) for one in orders), fills, book.cash(), held)


def _order(one: PaperOrder) -> VenueOrder:
    return VenueOrder(
        one.broker_id,
        one.client_id,
        one.instrument,
        one.side,
        one.quantity,
        one.price,
        one.state,
        one.filled_quantity,
    )


STAGE = Stage(
    open=PaperStage,
    instruments=(
        Instrument(Venue.KRX, "005930", "Samsung Electronics", "KOSPI"),
        Instrument(Venue.KRX, "000660", "SK hynix", "KOSPI"),
    ),
    base_prices=(70_000, 200_000),
    calendars={Venue.KRX: KrxCalendar({})},
    start=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    sections=lambda _: {"broker": TERMS},
    longest_quantity=12,
    lot=Decimal(1),
    morning=datetime(2026, 11, 23, 23, 59, tzinfo=UTC),
    late_share=0.12,
    evening=datetime(2026, 11, 24, 6, 16, tzinfo=UTC),
    night=datetime(2026, 11, 24, 6, 37, tzinfo=UTC),
)
