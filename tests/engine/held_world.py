"""A pipeline with a real desk and the paper venue: somebody buys, and taps Confirm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.paper import PaperBroker
from config.settings import Settings
from engine.brokers import only
from engine.desk import Desk
from engine.pipeline import Pipeline
from engine.quotes import Quotes
from engine.ticket import Ticket
from market.messages import Message
from market.orders import OrderState, Side
from tests.engine.pipeline_world import OWNER, World, WrittenCards
from tests.engine.traded_market import CALENDARS, SAMSUNG

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from conditions.compile import Condition
    from engine.outcome import Outcome
    from engine.ports import OrderView
    from market.messages import Person
    from market.orders import Order
    from market.store import Transaction
    from market.types import Instrument


class HeldCards(WrittenCards):
    """Cards that can be tapped."""

    def order(
        self, order: Order, instrument: Instrument, view: OrderView, person: Person
    ) -> Message:
        return Message(person.id, f"order {order.id} {order.state}", card=f"order/{order.id}")


class HeldWorld(World):
    """The pipeline's world with an owner who buys, and taps Confirm."""

    def __init__(self, path: Path, *conditions: Condition, start: datetime | None = None) -> None:
        super().__init__(path, *conditions, start=start)
        sections: Any = {"risk": {"duplicate_seconds": 0}, "broker": {"volume_share": 1}}
        self.settings = Settings(**sections)
        self.real: Desk

    def build(self) -> Pipeline:
        """Return the pipeline with a desk that trades on paper, not one that notes."""
        broker = PaperBroker(self.store, self.settings, self.clock, CALENDARS)
        quotes = Quotes(self.market, self.clock)
        self.real = Desk(
            store=self.store,
            brokers=only(broker),
            quotes=quotes,
            calendars=CALENDARS,
            settings=self.settings,
            market_clock=self.clock,
            wall_clock=self.clock,
            cards=HeldCards(),
            events=self.events,
        )
        self.desk = self.real  # type: ignore[assignment]  # the real one in its place
        parts = super().build()._parts
        return Pipeline(replace(parts, quotes=quotes, desk=self.real, paper=broker))

    async def buy(self, key: str, quantity: int = 10, of: Instrument = SAMSUNG) -> None:
        """Propose to buy at the market, and confirm; a key counts once."""
        order = await self.real.propose(
            Ticket(
                key=key,
                instrument=of,
                side=Side.BUY,
                quantity=Decimal(quantity),
                size=None,
                price=None,
                price_rule=None,
                user_id=OWNER.id,
                origin="command",
                within=timedelta(seconds=90),
                max_drift=Decimal("0.05"),
            )
        )
        await self.confirm(order)

    async def confirm(self, order: Order) -> Outcome:
        """Let the card arrive, and tap Confirm."""
        await self._deliver()
        card = await self.store.read(lambda tx: tx.outbox.card(OWNER.id, f"order/{order.id}"))
        message = None if card is None else card.message_id
        return await self.real.confirm(order.id, order.version, OWNER.id, message)

    async def proposed(self) -> list[Order]:
        """Return the orders that wait for a tap."""
        return await self.store.read(lambda tx: tx.orders.in_states({OrderState.PROPOSED}))

    async def orders(self) -> list[Order]:
        """Return all orders, oldest first."""
        return (await self.store.read(lambda tx: tx.orders.recent(100)))[::-1]

    async def _deliver(self) -> None:
        def send(tx: Transaction) -> None:
            for number, one in enumerate(tx.outbox.pending(self.clock.now()), 1):
                tx.outbox.claim(one.id, self.clock.now())
                tx.outbox.sent(one.id, 100 * one.id + number, is_photo=False, at=self.clock.now())

        await self.store.write(send)
