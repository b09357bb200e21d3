"""The crossing between floats of the market and Decimals of orders, and what a trade costs."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from market.currency import WON
from market.grid import Grid
from market.orders import Side
from market.prices import sell_tax
from market.sessions import KST
from market.types import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from market.types import Instrument, Steps

_LOTS = {Kind.COIN: Decimal("0.00000001")}


def to_decimal(price: float) -> Decimal:
    """Return a price as the shortest Decimal that means the same float (71000.0 is 71000)."""
    exact = Decimal(repr(float(price)))
    whole = exact.to_integral_value()
    return whole if whole == exact else exact


def whole_won(amount: Decimal) -> Decimal:
    """Return an amount rounded down to whole won."""
    return amount.to_integral_value(rounding=ROUND_DOWN)


def fee_of(notional: Decimal, ratio: Decimal, cent: Decimal = WON) -> Decimal:
    """Return the broker's fee, in whole won if no smaller `cent` of the currency is given."""
    return (notional * ratio / cent).to_integral_value(rounding=ROUND_DOWN) * cent


def tax_of(notional: Decimal, side: Side, instrument: Instrument, at: datetime) -> Decimal:
    """Return the tax on a sale in whole won, by the year in Korea; a purchase has none."""
    if side is Side.BUY:
        return Decimal(0)
    return whole_won(notional * sell_tax(instrument.kind, at.astimezone(KST).year))


def lot_of(kind: Steps) -> Decimal:
    """Return the smallest step of a quantity: one share, or the eighth decimal of a coin."""
    if isinstance(kind, Grid):
        return kind.lot
    return _LOTS.get(kind, Decimal(1))


def floor_to_lot(quantity: Decimal, kind: Steps) -> Decimal:
    """Return the largest tradable quantity that is not above `quantity`."""
    lot = lot_of(kind)
    return (quantity / lot).to_integral_value(rounding=ROUND_DOWN) * lot
