"""Positions from fills, and what an account is worth: pure arithmetic on Decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from market.orders import Position, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from market.orders import Fill
    from market.types import InstrumentId

ZERO = Decimal(0)


def take_fill(position: Position | None, fill: Fill) -> Position:
    """Return the position after a fill; costs never enter the average, they lower `realized`."""
    held = position or Position(fill.instrument, ZERO, ZERO)
    signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
    quantity = held.quantity + signed
    realized = held.realized - fill.cost
    if held.quantity * signed >= 0:
        worth = held.average_price * abs(held.quantity) + fill.price * fill.quantity
        return Position(fill.instrument, quantity, worth / abs(quantity), realized)
    closed = min(abs(held.quantity), fill.quantity)
    gain = (fill.price - held.average_price) * closed
    realized += gain if held.quantity > 0 else -gain
    return Position(fill.instrument, quantity, _average(held, quantity, fill), realized)


def _average(held: Position, quantity: Decimal, fill: Fill) -> Decimal:
    if quantity == 0:
        return ZERO
    is_turned = (quantity > 0) != (held.quantity > 0)
    return fill.price if is_turned else held.average_price


def average_price(fills: Iterable[Fill]) -> Decimal:
    """Return the mean price of fills, weighted by quantity; 0 without any."""
    quantity, worth = ZERO, ZERO
    for fill in fills:
        quantity += fill.quantity
        worth += fill.price * fill.quantity
    return worth / quantity if quantity else ZERO


def equity(
    cash: Decimal,
    positions: Iterable[Position],
    last_price: Callable[[InstrumentId], Decimal | None],
) -> Decimal:
    """Return cash plus positions at last prices (at their average where no price is known)."""
    total = cash
    for position in positions:
        price = last_price(position.instrument)
        total += position.quantity * (position.average_price if price is None else price)
    return total
