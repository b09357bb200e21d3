"""Where an order meets a bar on paper, for prices of the past: pure, and sterner than ticks.

Within a bar nobody knows what came first, so that an order is only given what is certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from brokers.paper_match import cost_of_part, slipped_price
from brokers.paper_volume import room_in
from market.money import to_decimal
from market.orders import Side
from market.prices import round_price
from market.types import Kind

if TYPE_CHECKING:
    from decimal import Decimal

    from brokers.paper_match import Terms
    from brokers.paper_order import PaperOrder
    from market.types import Bar, Instrument


@dataclass(frozen=True, slots=True)
class Part:
    """What of an order a bar fills: `cost` is its fee and tax."""

    quantity: Decimal
    price: Decimal
    cost: Decimal


def meet_bar(
    order: PaperOrder, bar: Bar, instrument: Instrument, terms: Terms, spare: Decimal
) -> tuple[Part | None, Decimal]:
    """Return what a bar that begins after an order arrived fills of it, and the spare share.

    A market order takes the bar's open, some ticks worse. A limit takes the open where that is its
    limit or better, else its own limit, but only if the bar trades beyond it: at a price that was
    merely touched others were first. `spare` is what `room_in` left at the bar before.
    """
    room, spare = room_in(to_decimal(bar.volume), terms.share, spare, instrument.steps)
    price = _price(order, bar, instrument, terms.slippage_ticks)
    quantity = min(order.remaining, room)
    is_early = bar.start < order.accepted_at + terms.latency
    if price is None or not quantity or is_early:
        return None, spare
    cost = cost_of_part(order, quantity * price, instrument, terms.fee, bar.start)
    return Part(quantity, price, cost), spare


def _price(
    order: PaperOrder, bar: Bar, instrument: Instrument, slippage_ticks: int
) -> Decimal | None:
    opened = _orderable(to_decimal(bar.open), order.side, instrument.kind)
    if order.price is None:
        return slipped_price(opened, order.side, instrument.steps, slippage_ticks)
    if order.side is Side.BUY:
        is_better, is_passed = opened <= order.price, to_decimal(bar.low) < order.price
    else:
        is_better, is_passed = opened >= order.price, to_decimal(bar.high) > order.price
    if is_better:
        return opened
    return order.price if is_passed else None


def _orderable(price: Decimal, side: Side, kind: Kind) -> Decimal:
    """Return a price at KRX on its tick, against us: adjusted prices of the past are on none."""
    return price if kind is Kind.COIN else round_price(price, kind, up=side is Side.BUY)
