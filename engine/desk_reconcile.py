"""When the two books are compared: at the start, every minute, after every doubt, and on news."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from brokers.broker import Holdings, OpenOrders
from engine.desk_fills import last_fill_id
from engine.difference import facts_of, has_differences
from engine.exact import venue_of
from engine.outcome import Outcome
from engine.reconcile import adopt, adopt_cash, note_cash, note_orders, note_positions
from market.errors import OrderError
from market.orders import AT_BROKER, OrderState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.brokers import Seat
    from engine.desk_book import DeskBook, Page
    from engine.desk_settle import Settlement
    from market.orders import Account, Position
    from market.store import Transaction
    from market.types import InstrumentId

logger = logging.getLogger(__name__)

TRIES = 3
"""So often in one look positions are read again because fills came meanwhile."""


class Reconciler:
    """Compares our book with those of the brokers that tell their own."""

    def __init__(self, book: DeskBook, settlement: Settlement) -> None:
        self._book = book
        self._settlement = settlement
        self._doubted: set[str] = set()

    async def look(self) -> bool:
        """Compare cash, positions and open orders; False if a broker could not be compared with."""
        told = await self._book.brokers.each("look", self.look_at)
        return len(told) == len(self._book.brokers.seats) and all(told.values())

    async def after_settling(self, new_fills: int) -> None:
        """Look again where a doubt has ended, or where new fills may have ended a difference."""
        doubts, is_differing = await self._book.store.read(_doubts_and_differences)
        has_ended = bool(self._doubted - doubts)
        self._doubted = doubts
        if has_ended or (new_fills and is_differing):
            await self.look()

    async def adopt(self, instrument: InstrumentId, user_id: int) -> Outcome:
        """Take the broker's position as ours after one more look, if the owner wishes it."""
        seat = self._book.brokers.at(venue_of(instrument))
        if seat is not None and not await self.look_at(seat):
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

    async def adopt_cash(self, user_id: int) -> Outcome:
        """Take the brokers' money as agreed after one more look, if the owner wishes it."""
        if not await self.look():
            return Outcome(None, "adopt.untold")

        def write(page: Page) -> Outcome:
            owner = page.tx.people.owner()
            if owner is None or owner.id != user_id:
                return Outcome(None, "order.not_allowed")
            adopted = adopt_cash(page, user_id)
            if not adopted:
                return Outcome(None, "adopt.none_cash")
            return Outcome(None, "adopt.cash_done", {"count": str(len(adopted))})

        return await self._book.write(write)

    async def look_at(self, seat: Seat) -> bool:
        """Compare with one broker; False if it could not be compared with."""
        are_books_told = await self._look_at_books(seat)
        return await self._look_at_orders(seat) and are_books_told

    async def _look_at_books(self, seat: Seat) -> bool:
        for _ in range(TRIES):
            await self._settlement.take_fills(seat)
            before = await self._book.store.read(lambda tx: last_fill_id(tx, seat.name))
            accounts = await self._settlement.accounts(seat)
            try:
                theirs = await _positions(seat)
            except OrderError as error:
                logger.warning("the positions at %s could not be read: %s", seat.name, error)
                return False
            # What traded while the books were being read would look like a difference.
            await self._settlement.take_fills(seat)
            if await self._note(seat, accounts or (), theirs, before):
                return True
        logger.info("fills come too fast to compare the books; again at the next look")
        return False

    async def _note(
        self,
        seat: Seat,
        accounts: Sequence[Account],
        theirs: Sequence[Position] | None,
        before: str,
    ) -> bool:
        def note(page: Page) -> bool:
            if last_fill_id(page.tx, seat.name) != before:
                return False
            note_cash(page, seat, accounts)
            if theirs is not None:
                going = page.tx.orders.in_states(AT_BROKER)
                moving = frozenset(order.instrument for order in going)
                note_positions(page, seat.venues, theirs, moving)
            return True

        return await self._book.write(note)

    async def _look_at_orders(self, seat: Seat) -> bool:
        if not isinstance(seat.broker, OpenOrders):
            return True
        try:
            theirs = await seat.broker.open_orders()
        except OrderError as error:
            logger.warning("the open orders at %s could not be read: %s", seat.name, error)
            return False
        await self._book.write(lambda page: note_orders(page, seat, theirs))
        return True


async def _positions(seat: Seat) -> list[Position] | None:
    """Return what a broker says it holds; None where it does not tell."""
    return await seat.broker.positions() if isinstance(seat.broker, Holdings) else None


def _doubts_and_differences(tx: Transaction) -> tuple[set[str], bool]:
    doubts = {order.id for order in tx.orders.in_states({OrderState.IN_DOUBT})}
    return doubts, has_differences(tx)
