"""Stands where orders leave the bot, and looks whether each may: independent of the desk's code."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.trading import PROTECTION
from market.orders import OrderState, Otherwise, Side
from tests.simulation.guard import check_exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.settings import Settings
    from engine.ticket import Ticket
    from market.clock import Clock
    from market.orders import Order
    from market.store import Transaction
    from tests.simulation.fate import MortalStore
    from tests.simulation.prices import Prices

MINUTE = timedelta(minutes=1)
SLACK = timedelta(seconds=1)
"""What may pass between the desk's look at the time and the order's leaving."""

SOMEWHAT = Decimal("1.01")
"""A limit may lie a little above the price by which smallness is told here."""

WORKING = ("submitted", "accepted", "partially_filled", "in_doubt", "confirmed")


@dataclass(frozen=True, slots=True)
class LegalTap:
    """A tap on Confirm by the right person, in the right message, in time."""

    version: int
    at: datetime

    def is_for(self, order: Order) -> bool:
        """Tell whether it was a tap on the card as it stood, in its time."""
        return self.version == order.version and self.at < order.expires_at


class Sentry:
    """Sees every order that is about to be sent."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        prices: Prices,
        fail: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._prices = prices
        self._fail = fail
        self._left_at: list[datetime] = []
        self.left: Counter[str] = Counter()
        self.paused_since: datetime | None = None
        self.tickets: dict[str, Ticket] = {}
        self.taps: dict[str, list[LegalTap]] = defaultdict(list)

    def leaving(self, order: Order, store: MortalStore) -> None:
        """Look at an order on its way to the broker, and at what is committed about it."""
        self.left[order.id] += 1
        if self.left[order.id] > 1:
            self._fail("duplicated", f"order {order.id} was sent {self.left[order.id]} times")
        self._check_price(order)
        self._check_rate(order)
        store.look(lambda tx: self._check_book(tx, order))

    def answered(self, order: Order, store: MortalStore) -> None:
        """Look at an order whose sending has just gone well: nobody may have doubted it."""
        stored = store.look(lambda tx: tx.orders.get(order.id))
        if stored is not None and stored.state in {OrderState.IN_DOUBT, OrderState.NOT_SENT}:
            self._fail("early", f"order {order.id} is {stored.state} before its answer came")

    def _check_leave(self, tx: Transaction, order: Order) -> None:
        """An order leaves by a tap, because its ticket lets it, or in place of one that did."""
        if order.origin.startswith(PROTECTION):
            check_exit(tx, order, self._fail)
        elif order.replaces is not None:
            self._check_replacement(tx, order)
        elif order.is_automatic:
            ticket = self.tickets[order.id]
            worth = order.quantity * order.reference_price
            is_small = ticket.auto_below is not None and worth <= ticket.auto_below * SOMEWHAT
            if not is_small and ticket.otherwise is Otherwise.DROP:
                self._fail("unasked", f"order {order.id} was sent by itself")
        elif not any(one.is_for(order) for one in self.taps[order.id]):
            self._fail("unasked", f"order {order.id} v{order.version} was sent without a tap")

    def _check_replacement(self, tx: Transaction, order: Order) -> None:
        """What is replaced has ended, and no more leaves than was left of it."""
        replaced = tx.orders.get(order.replaces or "")
        if replaced is None or replaced.state is not OrderState.CANCELED:
            self._fail("replaced", f"order {order.id} replaces {replaced}")
        elif order.quantity > replaced.remaining:
            left = replaced.remaining
            self._fail("replaced", f"order {order.id} of {order.quantity} replaces {left}")

    def _check_price(self, order: Order) -> None:
        if order.replaces is not None or order.code == "order.otherwise":
            return  # a limit that was agreed to, or a price of this moment
        age = timedelta(seconds=self._settings.confirm.quote_age_seconds) + SLACK
        reference, drift = order.reference_price, order.max_drift
        if not self._prices.was_near(order.instrument, reference, drift, age):
            self._fail("drift", f"order {order.id} was sent far from its {reference}")

    def _check_rate(self, order: Order) -> None:
        now = self._clock.now()
        self._left_at.append(now)
        recent = sum(at > now - MINUTE + SLACK for at in self._left_at)
        if recent > self._settings.risk.max_orders_per_minute:
            self._fail("rate", f"order {order.id} is the {recent}. within a minute")

    def _check_book(self, tx: Transaction, order: Order) -> None:
        stored = tx.orders.get(order.id)
        if stored is None or stored.state != "submitted":
            state = "unknown" if stored is None else stored.state
            self._fail("journal", f"order {order.id} leaves while it is kept as {state}")
        written_at = tx.orders.events(order.id)[-1][2]
        is_paused = self.paused_since is not None and self.paused_since < written_at
        if is_paused and order.side is Side.BUY:
            self._fail("paused", f"order {order.id} leaves while paused")
        self._check_leave(tx, order)
        self._check_limits(tx, order)

    def _check_limits(self, tx: Transaction, order: Order) -> None:
        limits = self._settings.risk
        each = order.reference_price if order.price is None else order.price
        held = tx.orders.position(order.instrument)
        quantity = Decimal(0) if held is None else held.quantity
        working = [one for one in tx.orders.recent(200) if one.state in WORKING]
        same = [one for one in working if one.instrument == order.instrument]
        if order.side is Side.SELL:
            selling = sum(one.remaining for one in same if one.side is Side.SELL)
            if selling > quantity:
                self._fail("oversold", f"order {order.id} sells {selling} of {quantity}")
            return
        if order.quantity * each > limits.max_order:
            self._fail("limit", f"order {order.id} is worth more than {limits.max_order}")
        worth = quantity * order.reference_price
        for one in same:
            if one.side is Side.BUY:
                worth += one.remaining * (one.reference_price if one.price is None else one.price)
        if worth > limits.max_position:
            self._fail("limit", f"order {order.id} brings {order.instrument} to {worth}")
