"""What a broker tells about orders before they are sent: when it takes them, and how much."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from brokers.broker import Grids, Possible, Sessions
from engine.exact import venue_of
from engine.outcome import Outcome
from engine.risk_case import shown
from engine.trading import PROTECTION
from market.errors import OrderError
from market.phases import REGULAR

if TYPE_CHECKING:
    from engine.brokers import Brokers
    from market.orders import Order
    from market.phases import Phase
    from market.types import Instrument, Venue

logger = logging.getLogger(__name__)


def phases_at(brokers: Brokers, venue: Venue) -> frozenset[Phase]:
    """Return when who trades at a venue takes orders: in the regular phases if it says nothing."""
    seat = brokers.at(venue)
    if seat is None or not isinstance(seat.broker, Sessions):
        return REGULAR
    return seat.broker.phases


async def on_its_grid(brokers: Brokers, instrument: Instrument) -> Instrument:
    """Return an instrument with the steps that its venue tells, as it is where it tells none now.

    What was told before stays kept with it; without any the broker refuses what is off its steps.
    """
    seat = brokers.at(instrument.venue)
    if seat is None or not isinstance(seat.broker, Grids):
        return instrument
    try:
        return replace(instrument, grid=await seat.broker.grid(instrument.id))
    except OrderError as error:
        logger.warning("the steps of %s are not known: %s", instrument.id, error)
        return instrument


async def too_much(brokers: Brokers, order: Order) -> Outcome | None:
    """Return why an order is not sent of which the broker would not take all; None if it may go.

    Where the broker cannot say, it may: then it refuses for certain what it does not take. Nobody
    waits for such an answer where a position is protected.
    """
    seat = brokers.at(venue_of(order.instrument))
    if seat is None or not isinstance(seat.broker, Possible):
        return None
    if order.origin.startswith(PROTECTION):
        return None
    try:
        most = await seat.broker.possible(order)
    except OrderError as error:
        logger.info("what could be ordered for %s is not known: %s", order.id, error)
        return None
    if most is None or order.quantity <= most:
        return None
    facts = {"limit": shown(most), "asked": shown(order.quantity)}
    return Outcome(order, "order.possible", facts)
