"""Whether a tap on an order's card counts: pure, and no by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.outcome import Outcome
from market.messages import Role
from market.orders import OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from market.messages import Person
    from market.orders import Order

EXPIRED = "order.expired"


@dataclass(frozen=True, slots=True)
class Tap:
    """A tapped button of an order's card: which version of the card, by whom, in which message."""

    order_id: str
    version: int
    user_id: int
    message: int | None


def card_key(order_id: str) -> str:
    """Return the key under which an order's card lives in a chat."""
    return f"order/{order_id}"


def objection(
    order: Order | None, tap: Tap, person: Person | None, card: str | None, now: datetime
) -> Outcome | None:
    """Return why a tap does not count, None if it does.

    `person` is who tapped, as we know them; `card` is the card that lives in the tapped message.
    A card that is past its time gives `order.expired` while the order still stands as proposed.
    """
    if order is None:
        return Outcome(None, "order.unknown")
    return _stranger(order, tap, person, card) or _too_late(order, tap, now)


def _stranger(order: Order, tap: Tap, person: Person | None, card: str | None) -> Outcome | None:
    if order.user_id != tap.user_id:
        return Outcome(None, "order.not_yours")
    if not may_trade(person):
        return Outcome(order, "order.not_allowed")
    if card != card_key(order.id):
        return Outcome(order, "order.forged")
    return None


def _too_late(order: Order, tap: Tap, now: datetime) -> Outcome | None:
    if order.state is OrderState.LAPSED and order.code == EXPIRED:
        return Outcome(order, EXPIRED)
    if order.state is not OrderState.PROPOSED:
        return Outcome(order, "order.already", {"state": order.state.value})
    if now >= order.expires_at:
        return Outcome(order, EXPIRED)
    if order.version != tap.version:
        return Outcome(order, "order.outdated")
    return None


def may_trade(person: Person | None) -> bool:
    """Tell whether somebody may send orders at all."""
    return person is not None and person.role.includes(Role.TRADER)
