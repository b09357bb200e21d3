"""When a protected position is to be closed, and how much of it: pure, from prices and time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from market.money import floor_to_lot
from market.orders import PositionSide

if TYPE_CHECKING:
    from datetime import datetime

    from market.orders import Position
    from market.protect import Protect
    from market.types import InstrumentId, Steps

ZERO = Decimal(0)


class Reason(StrEnum):
    """Why protection closes; the word stands behind `protection:` in an order's origin."""

    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TIME_STOP = "time_stop"
    TAKE_PROFIT = "take_profit"


@dataclass(frozen=True, slots=True)
class Protection:
    """A position's protection as it is kept.

    `bought` is all that was opened (bought, or sold short) since market time `since`, of which the
    ladder's shares are counted; `best` the highest price since, of a short position the lowest.
    `ended_by` is the stop that was reached: it stays so, wherever the price goes. `attempt` counts
    the exits.
    """

    instrument: InstrumentId
    protect: Protect
    user_id: int
    since: datetime
    bought: Decimal
    best: Decimal
    ended_by: Reason | None = None
    attempt: int = 0
    tried_at: datetime | None = None
    alarmed_at: datetime | None = None
    unseen_since: datetime | None = None
    side: PositionSide = PositionSide.LONG

    def better(self, price: Decimal) -> Decimal:
        """Return the better of a price and the best before it."""
        sign = self.side.sign
        return max(self.best * sign, price * sign) * sign


@dataclass(frozen=True, slots=True)
class Exit:
    """What is to be closed now."""

    reason: Reason
    quantity: Decimal


def reached(
    protection: Protection, position: Position, price: Decimal, now: datetime
) -> Reason | None:
    """Return the stop that has been reached, by now or before."""
    if protection.ended_by is not None:
        return protection.ended_by
    protect, sign = protection.protect, protection.side.sign
    if _is_against(price, position.average_price, protect.stop_loss, sign):
        return Reason.STOP_LOSS
    if _is_against(price, protection.better(price), protect.trailing_stop, sign):
        return Reason.TRAILING_STOP
    if protect.time_stop is not None and now >= protection.since + protect.time_stop:
        return Reason.TIME_STOP
    return None


def seen(protection: Protection, position: Position, price: Decimal, now: datetime) -> Protection:
    """Return a protection with one more price taken in: its best, and the stop that it reached."""
    ended_by = reached(protection, position, price, now)
    return replace(protection, best=protection.better(price), ended_by=ended_by)


def gone(protection: Protection, position: Position) -> Decimal:
    """Return the share of all that was opened which the rungs reached so far close."""
    average, sign = position.average_price, protection.side.sign
    return sum(
        (
            rung.sell
            for rung in protection.protect.ladder
            if sign * (protection.best - average) >= average * rung.at
        ),
        start=ZERO,
    )


def due(protection: Protection, position: Position, closable: Decimal, kind: Steps) -> Exit | None:
    """Return what is to be closed of what can be, after `best` and `ended_by` are up to now.

    A ladder closes what is above its share of all that was opened, so that exits by hand count.
    """
    if protection.ended_by is not None:
        return Exit(protection.ended_by, closable) if closable > 0 else None
    share = gone(protection, position)
    keep = protection.bought * max(ZERO, 1 - share)
    surplus = abs(position.quantity) - keep
    quantity = closable if keep == 0 else min(floor_to_lot(max(ZERO, surplus), kind), closable)
    return Exit(Reason.TAKE_PROFIT, quantity) if share > 0 and quantity > 0 else None


def _is_against(price: Decimal, base: Decimal, ratio: Decimal | None, sign: int) -> bool:
    """Tell whether a price has moved against a position by a ratio of the base."""
    return ratio is not None and sign * (base - price) >= base * ratio
