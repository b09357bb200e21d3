"""What keeps positions on one side: shorts only where they are wished, and exits never turn one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.risk_case import ZERO, Denial, same_instrument, shown
from market.orders import PositionSide
from market.segments import may_be_short

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.risk_case import Case


def short(case: Case) -> Denial | None:
    """Deny sales that open a short position, but for futures where the settings want them."""
    if case.order.position is PositionSide.LONG or not case.order.is_entry:
        return None
    if not may_be_short(case.instrument.id):
        return Denial("risk.short_venue")
    return None if case.view.limits.shorts else Denial("risk.shorts")


def opposite(case: Case) -> Denial | None:
    """Deny what would open the other side of what is held, or of what is being opened."""
    order, held = case.order, case.view.held
    if not order.is_entry:
        return None
    is_coming = any(
        other.is_entry and other.position is not order.position
        for other in same_instrument(order, case.view.others)
    )
    is_there = held * order.position.sign < 0
    return Denial("risk.opposite") if is_there or is_coming else None


def reduces(case: Case) -> Denial | None:
    """Deny exits of more than is held, or owed, and not being closed already."""
    order, side = case.order, case.order.position
    if order.is_entry:
        return None
    there = max(ZERO, case.view.held * side.sign)
    most = max(ZERO, there - _closing(case))
    if order.quantity <= most:
        return None
    return Denial(_NOT_THERE[side, there > 0], shown(most), shown(order.quantity))


def _closing(case: Case) -> Decimal:
    """Return how much of the position other orders are closing."""
    others = same_instrument(case.order, case.view.others)
    side = case.order.position
    exits = (one.remaining for one in others if one.position is side and not one.is_entry)
    return sum(exits, ZERO)


_NOT_THERE = {
    (PositionSide.LONG, False): "risk.short_sale",
    (PositionSide.LONG, True): "risk.no_position",
    (PositionSide.SHORT, False): "risk.no_short",
    (PositionSide.SHORT, True): "risk.no_short",
}
"""Why an exit is denied, by its side and whether there is anything to close."""
