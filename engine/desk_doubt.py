"""Orders that only a person can tell apart: asked, written down, and told to the broker once.

Nothing is sent to the venue: the broker learns which of its orders is ours, and saying it twice
does no more than once. While nobody has said anything the instrument stays blocked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.broker import Doubtful
from engine.desk_send import reason_of
from engine.desk_tap import may_trade
from engine.doubt import Doubt, forget_doubt, put_doubt, read_doubt, read_doubts
from engine.outcome import Outcome
from market.errors import OrderError, OrderRejected
from market.known import recall
from market.messages import Role
from market.orders import OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from brokers.broker import OpenOrder
    from engine.desk_book import DeskBook, Page
    from engine.desk_settle import Settlement
    from market.messages import Person
    from market.orders import Order
    from market.store import Transaction

logger = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=20)
"""How long after a list of candidates was read it is read again."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A tapped button of a doubt's card: a candidate's place, None for "none of them"."""

    order_id: str
    version: int
    number: int | None
    user_id: int
    message: int | None


def doubt_key(order_id: str) -> str:
    """Return the key under which the question about an order lives in a chat."""
    return f"doubt/{order_id}"


def may_settle(order: Order, person: Person) -> bool:
    """Tell whether somebody may say which order it is: whose it is, while trading, or the owner."""
    return person.role is Role.OWNER or (may_trade(person) and order.user_id == person.id)


class DoubtDesk:
    """Asks which order it is, and takes the answer of a person who may give it."""

    def __init__(self, book: DeskBook, settlement: Settlement) -> None:
        self._book = book
        self._settlement = settlement
        self._looked_at: dict[str, datetime] = {}
        self._saying: set[str] = set()

    async def follow_up(self) -> None:
        """Ask about new doubts, say again what the broker has not heard, end what is settled."""
        if not any(isinstance(seat.broker, Doubtful) for seat in self._book.brokers.seats):
            return
        doubted, kept = await self._book.store.read(_open_questions)
        for doubt in kept:
            order = doubted.get(doubt.order_id)
            if order is None:
                await self._end(doubt)
            elif doubt.said is not None:
                await self._say(order, doubt)
        told = {doubt.order_id for doubt in kept if doubt.said is not None}
        for order_id in self._settlement.ambiguous & (doubted.keys() - told):
            await self._ask(doubted[order_id])

    async def answer(self, choice: Choice) -> Outcome:
        """Take a person's word for which order it is, if the tap counts; it counts once."""
        found = await self._book.write(lambda page: _note(page, choice))
        if isinstance(found, Outcome):
            return found
        order, doubt = found
        return await self._say(order, doubt)

    async def _ask(self, order: Order) -> None:
        looked_at, now = self._looked_at.get(order.id), self._book.now()
        if looked_at is not None and now - looked_at < LOOK_AGAIN:
            return
        self._looked_at[order.id] = now
        try:
            found = await self._doubtful(order).candidates(order)
        except OrderError as error:
            logger.warning("candidates for order %s could not be read: %s", order.id, error)
            return
        await self._book.write(lambda page: _put(page, order.id, tuple(found)))

    async def _say(self, order: Order, doubt: Doubt) -> Outcome:
        """Tell the broker what a person said; what it did not hear is said again later."""
        if order.id in self._saying:
            return Outcome(order, "doubt.later")
        self._saying.add(order.id)
        try:
            await self._doubtful(order).settle(order, doubt.said or None)
        except OrderRejected as error:
            logger.warning("the broker does not take what was said of %s: %s", order.id, error)
            await self._book.write(lambda page: _take_back(page, doubt))
            return Outcome(order, "doubt.refused", {"reason": reason_of(error)})
        except OrderError as error:
            logger.warning("the broker could not be told of %s: %s", order.id, error)
            return Outcome(order, "doubt.later")
        finally:
            self._saying.discard(order.id)
        return await self._settled(order, doubt)

    async def _settled(self, order: Order, doubt: Doubt) -> Outcome:
        await self._settlement.take_fills(self._book.brokers.of(order.instrument))
        await self._settlement.ask([order])
        after = await self._book.order(order.id)
        if after is None or after.state is OrderState.IN_DOUBT:
            return Outcome(after, "doubt.later")
        await self._end(doubt)
        return Outcome(after, "doubt.done", {"state": after.state.value})

    async def _end(self, doubt: Doubt) -> None:
        self._looked_at.pop(doubt.order_id, None)

        def end(page: Page) -> None:
            if read_doubt(page.tx, doubt.order_id) is not None:
                forget_doubt(page.tx, doubt, page.book.now())
                _draw(page, doubt)

        await self._book.write(end)

    def _doubtful(self, order: Order) -> Doubtful:
        broker = self._book.brokers.of(order.instrument).broker
        if not isinstance(broker, Doubtful):
            raise OrderRejected("unknown_order", "this broker is never in doubt for a person")
        return broker


def _open_questions(tx: Transaction) -> tuple[dict[str, Order], list[Doubt]]:
    doubted = tx.orders.in_states({OrderState.IN_DOUBT})
    return {order.id: order for order in doubted}, read_doubts(tx)


def _put(page: Page, order_id: str, candidates: tuple[OpenOrder, ...]) -> None:
    """Keep the candidates and ask, or ask anew where they are others than before."""
    order, known = page.tx.orders.get(order_id), read_doubt(page.tx, order_id)
    if order is None or order.state is not OrderState.IN_DOUBT:
        return
    if known is not None and (known.said is not None or known.candidates == candidates):
        return
    version = 1 if known is None else known.version + int(not known.is_about(candidates))
    doubt = Doubt(order_id, version, candidates)
    put_doubt(page.tx, doubt)
    _draw(page, doubt)


def _note(page: Page, choice: Choice) -> Outcome | tuple[Order, Doubt]:
    """Write down what a person says; or why it does not count."""
    order = page.tx.orders.get(choice.order_id)
    person = page.tx.people.get(choice.user_id)
    if order is None:
        return Outcome(None, "order.unknown")
    refused = _stranger(page.tx, order, person, choice)
    if refused is not None:
        return refused
    doubt = read_doubt(page.tx, order.id)
    if doubt is None or order.state is not OrderState.IN_DOUBT:
        return Outcome(order, "order.already", {"state": order.state.value})
    if doubt.said is not None:
        return Outcome(order, "doubt.said")
    said = doubt.choice(choice.number)
    if doubt.version != choice.version or said is None:
        return Outcome(order, "order.outdated")
    doubt = replace(doubt, said=said, user_id=choice.user_id)
    put_doubt(page.tx, doubt)
    _draw(page, doubt)
    return order, doubt


def _stranger(
    tx: Transaction, order: Order, person: Person | None, choice: Choice
) -> Outcome | None:
    """Return why this person or this message may not say it: the order's own, or the owner."""
    if person is None or not may_trade(person):
        return Outcome(order, "order.not_allowed")
    if not may_settle(order, person):
        return Outcome(None, "order.not_yours")
    lives = None if choice.message is None else tx.outbox.card_at(person.id, choice.message)
    key = doubt_key(order.id)
    if lives is None or not (lives == key or lives.startswith(f"{key}/")):
        return Outcome(order, "order.forged")
    return None


def _take_back(page: Page, doubt: Doubt) -> None:
    """Ask again: what was said cannot be, and other candidates may have come."""
    if read_doubt(page.tx, doubt.order_id) is not None:
        asked = replace(doubt, version=doubt.version + 1, said=None, user_id=0)
        put_doubt(page.tx, asked)
        _draw(page, asked)


def _draw(page: Page, doubt: Doubt) -> None:
    """Queue the question for the order's person, or the owner where that one may not trade."""
    order = page.tx.orders.get(doubt.order_id)
    if order is None:
        return
    person = page.tx.people.get(order.user_id)
    reader = person if may_trade(person) else page.tx.people.owner()
    if reader is not None:
        instrument = recall(page.tx, order.instrument)
        card = page.book.cards.doubt(doubt, order, instrument, reader)
        page.tx.outbox.enqueue(card, page.book.now())


__all__ = ["Choice", "DoubtDesk", "doubt_key", "may_settle"]
