"""When a protected position is to be sold, and how much of it: pure, from prices and time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from market.money import floor_to_lot

if TYPE_CHECKING:
    from datetime import datetime

    from market.orders import Position
    from market.protect import Protect
    from market.types import InstrumentId, Kind

ZERO = Decimal(0)


class Reason(StrEnum):
    """Why protection sells; the word stands behind `protection:` in an order's origin."""

    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TIME_STOP = "time_stop"
    TAKE_PROFIT = "take_profit"


@dataclass(frozen=True, slots=True)
class Protection:
    """A position's protection as it is kept.

    `bought` is all that was bought since it was opened (at market time `since`), of which the
    ladder's shares are counted; `high` the highest price since. `ended_by` is the stop that was
    reached: it stays so, wherever the price goes. `attempt` counts the exits.
    """

    instrument: InstrumentId
    protect: Protect
    user_id: int
    since: datetime
    bought: Decimal
    high: Decimal
    ended_by: Reason | None = None
    attempt: int = 0
    tried_at: datetime | None = None
    alarmed_at: datetime | None = None
    unseen_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """What is to be sold now."""

    reason: Reason
    quantity: Decimal


def reached(
    protection: Protection, position: Position, price: Decimal, now: datetime
) -> Reason | None:
    """Return the stop that has been reached, by now or before."""
    if protection.ended_by is not None:
        return protection.ended_by
    protect = protection.protect
    if protect.stop_loss is not None and price <= position.average_price * (1 - protect.stop_loss):
        return Reason.STOP_LOSS
    high = max(protection.high, price)
    if protect.trailing_stop is not None and price <= high * (1 - protect.trailing_stop):
        return Reason.TRAILING_STOP
    if protect.time_stop is not None and now >= protection.since + protect.time_stop:
        return Reason.TIME_STOP
    return None


def seen(protection: Protection, position: Position, price: Decimal, now: datetime) -> Protection:
    """Return a protection with one more price taken in: its high, and the stop that it reached."""
    ended_by = reached(protection, position, price, now)
    return replace(protection, high=max(protection.high, price), ended_by=ended_by)


def gone(protection: Protection, position: Position) -> Decimal:
    """Return the share of all that was bought which the rungs reached so far sell."""
    return sum(
        (
            rung.sell
            for rung in protection.protect.ladder
            if protection.high >= position.average_price * (1 + rung.at)
        ),
        start=ZERO,
    )


def due(protection: Protection, position: Position, sellable: Decimal, kind: Kind) -> Exit | None:
    """Return what is to be sold of what can be, after `high` and `ended_by` were brought up to now.

    A ladder sells what is above its share of all that was bought, so that sales by hand count.
    """
    if protection.ended_by is not None:
        return Exit(protection.ended_by, sellable) if sellable > 0 else None
    share = gone(protection, position)
    keep = protection.bought * max(ZERO, 1 - share)
    surplus = position.quantity - keep
    quantity = sellable if keep == 0 else min(floor_to_lot(max(ZERO, surplus), kind), sellable)
    return Exit(Reason.TAKE_PROFIT, quantity) if share > 0 and quantity > 0 else None
