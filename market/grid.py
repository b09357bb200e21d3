"""The steps of one instrument's orders, where its venue has some for each of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of prices and of quantities, and what an order must be worth at least."""

    tick: Decimal
    lot: Decimal
    least: Decimal = Decimal(0)


FINEST = Grid(Decimal("0.00000001"), Decimal("0.00000001"), Decimal(5))
"""What Binance surely does not take more finely than: eight decimals, 5 USDT. A symbol's own steps
are coarser (`exchangeInfo`); who knows them says so."""
