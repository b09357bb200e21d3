"""Stops that rest at KIS: stop-limit orders of the day (division 22), the only kind that it takes.

Once the price reaches CNDT_PRIC the order becomes a limit at ORD_UNPR. KRX takes such orders since
2025-03-04, in the regular session, for that session. What is known of them is a line of the
documents (KIS Developers, order-cash, 2026-07) and a column of the day's list (stpm_cndt_pric).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from market.known import recall
from market.orders import Side
from market.prices import round_price

if TYPE_CHECKING:
    from market.orders import Order
    from market.store import Transaction

STOP_LIMIT = "22"

CROSSED = Decimal("0.02")
"""How far beyond its trigger a stop may trade; further, its limit rests, and we take it away."""


def stop_prices(tx: Transaction, order: Order, trigger: Decimal) -> tuple[Decimal, Decimal]:
    """Return the trigger on the tick that is further from the price, and the limit beyond it."""
    kind, is_buy = recall(tx, order.instrument).kind, order.side is Side.BUY
    level = round_price(trigger, kind, up=is_buy)
    beyond = level * (1 + CROSSED if is_buy else 1 - CROSSED)
    return level, round_price(beyond, kind, up=is_buy)
