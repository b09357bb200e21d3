"""When the two books are compared: at the start, every minute, after every doubt, and on news."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from brokers.broker import Holdings, OpenOrders
from engine.desk_fills import last_fill_id
from engine.difference import facts_of, has_differences
from engine.outcome import Outcome
from engine.reconcile import adopt, note_orders, note_positions
from market.errors import OrderError
from market.orders import AT_BROKER, OrderState

if TYPE_CHECKING:
    from brokers.broker import Broker
    from engine.desk_book import DeskBook, Page
    from engine.desk_settle import Settlement
    from market.orders import Position
    from market.store import Transaction
    from market.types import InstrumentId

logger = logging.getLogger(__name__)

TRIES = 3
"""So often in one look positions are read again because fills came meanwhile."""


class Reconciler:
    """Compares our book with that of a broker that tells its own."""

    def __init__(self, book: DeskBook, broker: Broker, settlement: Settlement) -> None:
        self._book = book
        self._broker = broker
        self._settlement = settlement
        self._doubted: set[str] = set()

    async def look(self) -> bool:
        """Compare positions and open orders once; False if the broker could not be compared with.

        Cash is the broker's own number everywhere, so there is nothing of ours to compare it with.
        """
        await self._settlement.account()
        are_positions_told = await self._look_at_positions()
        return await self._look_at_orders() and are_positions_told

    async def after_settling(self, new_fills: int) -> None:
        """Look again where a doubt has ended, or where new fills may have ended a difference."""
        doubts, is_differing = await self._book.store.read(_doubts_and_differences)
        has_ended = bool(self._doubted - doubts)
        self._doubted = doubts
        if has_ended or (new_fills and is_differing):
            await self.look()

    async def adopt(self, instrument: InstrumentId, user_id: int) -> Outcome:
        """Take the broker's position as ours after one more look, if the owner wishes it."""
        if not await self.look():
            return Outcome(None, "adopt.untold")

        def write(page: Page) -> Outcome:
            owner = page.tx.people.owner()
            if owner is None or owner.id != user_id:
                return Outcome(None, "order.not_allowed")
            adopted = adopt(page, instrument, user_id)
            if adopted is None:
                return Outcome(None, "adopt.none")
            return Outcome(None, "adopt.done", facts_of(adopted))

        return await self._book.write(write)

    async def _look_at_positions(self) -> bool:
        if not isinstance(self._broker, Holdings):
            return True
        for _ in range(TRIES):
            await self._settlement.take_fills()
            before = await self._book.store.read(last_fill_id)
            try:
                theirs = await self._broker.positions()
            except OrderError as error:
                logger.warning("the broker's positions could not be read: %s", error)
                return False
            # What traded while positions were being read would look like a difference.
            await self._settlement.take_fills()
            if await self._note(theirs, before):
                return True
        logger.info("fills come too fast to compare positions; again at the next look")
        return False

    async def _note(self, theirs: list[Position], before: str) -> bool:
        def note(page: Page) -> bool:
            if last_fill_id(page.tx) != before:
                return False
            going = page.tx.orders.in_states(AT_BROKER)
            note_positions(page, theirs, frozenset(order.instrument for order in going))
            return True

        return await self._book.write(note)

    async def _look_at_orders(self) -> bool:
        if not isinstance(self._broker, OpenOrders):
            return True
        try:
            theirs = await self._broker.open_orders()
        except OrderError as error:
            logger.warning("the broker's open orders could not be read: %s", error)
            return False
        await self._book.write(lambda page: note_orders(page, theirs))
        return True


def _doubts_and_differences(tx: Transaction) -> tuple[set[str], bool]:
    doubts = {order.id for order in tx.orders.in_states({OrderState.IN_DOUBT})}
    return doubts, has_differences(tx)
