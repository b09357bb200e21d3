"""A wish to trade, before it is sized and checked: from a typed command or a fired condition."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.trading import CONDITION
from market.currency import currency_of
from market.orders import Otherwise, PositionSide

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from conditions.compile import Condition
    from conditions.scalar import Scalar
    from config.condition_file import OrderSpec
    from market.orders import Side
    from market.protect import Protect
    from market.signals import Signal
    from market.types import Instrument
    from market.unfilled import Unfilled


@dataclass(frozen=True, slots=True)
class Ticket:
    """What somebody wants; `key` names its origin (`signal:ID`, `update:ID`) and is used once.

    Either `quantity` or `size` (money to spend) is set. `price` is a limit, `price_rule` computes
    one, neither means a market order. `user_id` is the one person who may confirm, `within` the
    time they have, `max_drift` the ratio by which the price may move meanwhile. An order worth less
    than `auto_below` is confirmed without a tap; `otherwise` tells what comes of no answer, and
    `unfilled` what comes of an order that does not fill; `protect` ends the position that it opens.
    `position` is what it opens or closes.
    """

    key: str
    instrument: Instrument
    side: Side
    quantity: Decimal | None
    size: Scalar | None
    price: Decimal | None
    price_rule: Scalar | None
    user_id: int
    origin: str
    within: timedelta
    max_drift: Decimal
    signal_id: str | None = None
    auto_below: Decimal | None = None
    otherwise: Otherwise = Otherwise.DROP
    unfilled: Unfilled | None = None
    protect: Protect | None = None
    position: PositionSide = PositionSide.LONG

    @property
    def is_entry(self) -> bool:
        """Tell whether it opens a position or adds to one."""
        return self.side is self.position.entry

    def __post_init__(self) -> None:
        if (self.quantity is None) == (self.size is None):
            raise ValueError(f"ticket {self.key}: give quantity or size, not both")
        if self.price is not None and self.price_rule is not None:
            raise ValueError(f"ticket {self.key}: give price or price_rule, not both")
        if not all(value.is_finite() for value in (self.quantity, self.price) if value is not None):
            raise ValueError(f"ticket {self.key}: quantity and price must be finite numbers")


def signal_ticket(
    condition: Condition, order: OrderSpec, signal: Signal, instrument: Instrument, user_id: int
) -> Ticket:
    """Return what a fired condition wants, for one person to confirm."""
    return Ticket(
        key=f"signal:{signal.id}",
        instrument=instrument,
        side=order.side,
        quantity=None,
        size=condition.size,
        price=None,
        price_rule=condition.price,
        user_id=user_id,
        origin=f"{CONDITION}{condition.name}",
        within=order.confirm.within,
        max_drift=order.confirm.max_drift,
        signal_id=signal.id,
        auto_below=_auto_below(order, instrument),
        otherwise=order.confirm.otherwise,
        unfilled=order.unfilled,
        protect=order.protect,
        position=order.position,
    )


def _auto_below(order: OrderSpec, instrument: Instrument) -> Decimal | None:
    """Return the bound where it is in the instrument's money: nothing is exchanged."""
    found = order.confirm.auto_below
    return None if found is None or found[1] != currency_of(instrument.id) else found[0]


def order_id(key: str) -> str:
    """Return the id of the order that a ticket's key leads to: always the same 12 characters."""
    digest = hashlib.sha256(key.encode()).digest()
    return base64.b32encode(digest).decode()[:12].lower()
