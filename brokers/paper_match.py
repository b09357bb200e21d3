"""Whether an order meets a tick on paper, and at what price: pure, and rather stern than kind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from market.money import to_decimal
from market.orders import Side
from market.prices import price_limits, round_price, step_price
from market.sessions import AUCTION_LENGTH, KST, PRINT_DELAY
from market.types import Kind

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from brokers.paper_book import PaperOrder
    from market.sessions import Calendar
    from market.types import Tick

SLACK = timedelta(minutes=5)
"""How long after the session's end its last print may still be shown to us."""


def day_end(at: datetime, kind: Kind, calendar: Calendar) -> datetime | None:
    """Return when an order accepted at `at` ends by itself: its session's end, never for coins."""
    if kind is Kind.COIN:
        return None
    opening = calendar.next_open(at)
    window = calendar.window(opening.astimezone(KST).date())
    return None if window is None else window.close + PRINT_DELAY


def is_over(order: PaperOrder, now: datetime) -> bool:
    """Tell whether an order's day has passed, with some time for its last print to arrive."""
    return order.ends_at is not None and now > order.ends_at + SLACK


def is_trading(tick: Tick, kind: Kind, calendar: Calendar) -> bool:
    """Tell whether orders can trade at a tick: in session, no halt, no unfinished auction."""
    if tick.halted:
        return False
    if kind is Kind.COIN:
        return True
    window = calendar.window(tick.at.astimezone(KST).date())
    if window is None or not window.open <= tick.at <= window.close + PRINT_DELAY:
        return False
    return not window.close - AUCTION_LENGTH <= tick.at < window.close


def fill_price(order: PaperOrder, tick: Tick, kind: Kind, slippage_ticks: int) -> Decimal | None:
    """Return the price at which an order trades at a tick, None if it does not.

    Only a tick that traded and was seen after the order was accepted counts. A limit order takes
    the tick's price where that is its limit or better; a market order slips, up to the day's limit.
    """
    if min(tick.at, tick.seen_at) <= order.accepted_at:
        return None
    if order.ends_at is not None and tick.at > order.ends_at:
        return None
    price = to_decimal(tick.price)
    limits = day_limits(tick, kind)
    if limits is not None and not limits[0] <= price <= limits[1]:
        return None
    if order.price is not None:
        is_better = price <= order.price if order.side is Side.BUY else price >= order.price
        return price if is_better else None
    return _slipped(price, order.side, kind, slippage_ticks, limits)


def _slipped(
    price: Decimal,
    side: Side,
    kind: Kind,
    ticks: int,
    limits: tuple[Decimal, Decimal] | None,
) -> Decimal:
    if ticks == 0:
        return price
    slipped = _stepped(price, side, kind, ticks)
    return slipped if limits is None else max(limits[0], min(limits[1], slipped))


def _stepped(price: Decimal, side: Side, kind: Kind, ticks: int) -> Decimal:
    try:
        return step_price(price, kind, ticks if side is Side.BUY else -ticks)
    except ValueError:  # fewer ticks are left below the price: the lowest price there is
        return round_price(price * 0, kind, up=True)


def day_limits(tick: Tick, kind: Kind) -> tuple[Decimal, Decimal] | None:
    """Return the lowest and highest price of the day, None where there are none (or no base)."""
    if kind is Kind.COIN or tick.previous_close is None or tick.previous_close <= 0:
        return None
    return price_limits(to_decimal(tick.previous_close), kind)
