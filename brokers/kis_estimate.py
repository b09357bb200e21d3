"""Fills told by the holdings alone, for the virtual server, whose list of orders may stay empty.

KIS then still counts how much of an instrument was bought and sold today. What no fill explains is
given to our open orders as the exchange would: the better price first, then the older. It is a
guess about prices, which are taken to be the limits, and it takes all that traded to be ours; it
is exact in quantity where nobody trades the account besides. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from market.orders import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brokers.kis_book import Sent
    from brokers.kis_rows import Held

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Guess:
    """How much more an order seems to have traded, and at what price."""

    sent: Sent
    quantity: Decimal
    price: Decimal


def guesses(
    open_orders: Iterable[Sent], all_today: Sequence[Sent], holdings: Sequence[Held]
) -> list[Guess]:
    """Return what the holdings say has traded beyond the fills of all orders of the day."""
    found: list[Guess] = []
    left: dict[tuple[str, Side], Decimal] = {}
    for sent in sorted(open_orders, key=_precedence):
        key = sent.instrument, sent.side
        if key not in left:
            left[key] = _unexplained(sent, all_today, holdings)
        quantity = min(sent.remaining, left[key])
        if quantity > 0:
            left[key] -= quantity
            found.append(Guess(sent, quantity, _price(sent, holdings)))
    return found


def _unexplained(sent: Sent, all_today: Sequence[Sent], holdings: Sequence[Held]) -> Decimal:
    rows = [held for held in holdings if held.position.instrument == sent.instrument]
    traded = sum((row.bought if sent.side is Side.BUY else row.sold for row in rows), ZERO)
    told = (
        one.told_quantity
        for one in all_today
        if (one.instrument, one.side) == (sent.instrument, sent.side)
    )
    return traded - sum(told, ZERO)


def _price(sent: Sent, holdings: Sequence[Held]) -> Decimal:
    """Return a limit; for a market order the price shown now."""
    if sent.price is not None:
        return sent.price
    rows = (held for held in holdings if held.position.instrument == sent.instrument)
    return next((row.price for row in rows), ZERO)


def _precedence(sent: Sent) -> tuple[bool, Decimal, float]:
    price = ZERO if sent.price is None else sent.price
    better = -price if sent.side is Side.BUY else price
    return sent.price is not None, better, sent.sent_at.timestamp()
