"""Orders, fills and positions, and the one table of what an order may become."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from market.errors import IllegalTransition

if TYPE_CHECKING:
    from datetime import datetime

    from market.types import InstrumentId
    from market.unfilled import Unfilled


class Side(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"


class PositionSide(StrEnum):
    """What an order opens or closes: what is held, or what is owed (sold short)."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """Return the sign of the quantity of such a position."""
        return 1 if self is PositionSide.LONG else -1

    @property
    def entry(self) -> Side:
        """Return how one is opened."""
        return Side.BUY if self is PositionSide.LONG else Side.SELL

    @property
    def exit(self) -> Side:
        """Return how one is closed."""
        return Side.SELL if self is PositionSide.LONG else Side.BUY


class Action(StrEnum):
    """What an order does, in the word that people write; `short` opens what `cover` closes."""

    BUY = "buy"
    SELL = "sell"
    SHORT = "short"
    COVER = "cover"

    @property
    def position(self) -> PositionSide:
        """Return which side it opens or closes."""
        is_long = self in {Action.BUY, Action.SELL}
        return PositionSide.LONG if is_long else PositionSide.SHORT

    @property
    def is_entry(self) -> bool:
        """Tell whether it opens a position or adds to one."""
        return self in {Action.BUY, Action.SHORT}

    @property
    def side(self) -> Side:
        """Return what is done at the venue."""
        return self.position.entry if self.is_entry else self.position.exit


def action_of(side: Side, position: PositionSide) -> Action:
    """Return the word for what an order does."""
    return next(one for one in Action if (one.side, one.position) == (side, position))


class Otherwise(StrEnum):
    """What becomes of a card that nobody answers: nothing, or a resting limit at its price."""

    DROP = "drop"
    LIMIT = "limit"


class OrderState(StrEnum):
    """Where an order is on its way."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LAPSED = "lapsed"
    DENIED = "denied"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"
    NOT_SENT = "not_sent"


_S = OrderState
TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _S.PROPOSED: frozenset({_S.PROPOSED, _S.CONFIRMED, _S.DECLINED, _S.LAPSED, _S.DENIED}),
    _S.CONFIRMED: frozenset({_S.SUBMITTED, _S.DENIED, _S.LAPSED}),
    _S.SUBMITTED: frozenset(
        {
            _S.ACCEPTED,
            _S.PARTIALLY_FILLED,
            _S.FILLED,
            _S.CANCELED,
            _S.REJECTED,
            _S.EXPIRED,
            _S.IN_DOUBT,
        }
    ),
    _S.ACCEPTED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.IN_DOUBT}
    ),
    _S.PARTIALLY_FILLED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.IN_DOUBT}
    ),
    _S.IN_DOUBT: frozenset(
        {
            _S.ACCEPTED,
            _S.PARTIALLY_FILLED,
            _S.FILLED,
            _S.CANCELED,
            _S.REJECTED,
            _S.EXPIRED,
            _S.NOT_SENT,
        }
    ),
    _S.CANCELED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.EXPIRED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.DECLINED: frozenset(),
    _S.LAPSED: frozenset(),
    _S.DENIED: frozenset(),
    _S.FILLED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.NOT_SENT: frozenset(),
}
"""The literal transition table; a late fill after CANCELED or EXPIRED is legal."""

AT_BROKER = frozenset({_S.SUBMITTED, _S.ACCEPTED, _S.PARTIALLY_FILLED, _S.IN_DOUBT})
"""States in which the broker may hold the order."""

GOING = AT_BROKER | {_S.CONFIRMED}
"""States of orders that are at the broker or about to be."""

OPEN = AT_BROKER | {_S.PROPOSED, _S.CONFIRMED}
"""States that are not an end."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order from proposal to its end; money and quantities are Decimal, times wall clock.

    `id` is ours and unique; `client_order_id` comes from it and goes to brokers that take one.
    `price` None means a market order. `origin` is `command`, `condition:NAME` or
    `foreign` (made elsewhere, and adopted). `user_id` is the
    one person who may confirm. `reference_price` is the quote shown on the card, `max_drift` how
    far (ratio) a fresh quote may lie from it. `code` keys the reason of a denial, a lapse or a
    rejection, `facts` are the texts that go with it. `is_automatic` orders were confirmed by
    nobody's tap. `otherwise` tells what comes after `expires_at`, `unfilled` what comes some time
    after the order was sent. `replaces` is the order of which this one takes what was left.
    `position` is what it opens or closes: a short one is opened by a sale.
    """

    id: str
    version: int
    instrument: InstrumentId
    side: Side
    quantity: Decimal
    price: Decimal | None
    state: OrderState
    user_id: int
    origin: str
    proposed_at: datetime
    expires_at: datetime
    reference_price: Decimal
    reference_at: datetime
    max_drift: Decimal
    signal_id: str | None = None
    broker_order_id: str | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    code: str = ""
    is_cancel_requested: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    is_automatic: bool = False
    otherwise: Otherwise = Otherwise.DROP
    unfilled: Unfilled | None = None
    replaces: str | None = None
    position: PositionSide = PositionSide.LONG

    @property
    def is_entry(self) -> bool:
        """Tell whether it opens a position or adds to one; an exit only reduces one."""
        return self.side is self.position.entry

    @property
    def action(self) -> Action:
        """Return the word for what it does."""
        return action_of(self.side, self.position)

    @property
    def client_order_id(self) -> str:
        """Return the id under which a broker can be asked for this very order."""
        return f"tt-{self.id}"

    @property
    def remaining(self) -> Decimal:
        """Return the quantity that has not been filled."""
        return self.quantity - self.filled_quantity


def advance(order: Order, state: OrderState, **changes: Any) -> Order:
    """Return the order in its next state; raises IllegalTransition where the table has no way."""
    if state not in TRANSITIONS[order.state]:
        raise IllegalTransition(f"order {order.id}: {order.state} cannot become {state}")
    return replace(order, state=state, **changes)


@dataclass(frozen=True, slots=True)
class Fill:
    """A part of an order that traded; `id` is the broker's and unique, `cost` is fee plus tax."""

    id: str
    order_id: str
    instrument: InstrumentId
    side: Side
    quantity: Decimal
    price: Decimal
    cost: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of an instrument, below 0 where it is owed (a short position).

    The average price is without costs, `realized` after them.
    """

    instrument: InstrumentId
    quantity: Decimal
    average_price: Decimal
    realized: Decimal = Decimal(0)


def side_of(quantity: Decimal) -> PositionSide:
    """Return which side a position is of, short ones having a quantity below 0."""
    return PositionSide.SHORT if quantity < 0 else PositionSide.LONG


@dataclass(frozen=True, slots=True)
class Account:
    """Money of one currency at a broker: `buying_power` is cash less what open orders reserve.

    Purses of a broker do not pay for each other; "" is that of a broker which has only one.
    """

    cash: Decimal
    buying_power: Decimal
    currency: str = "KRW"
    purse: str = ""
