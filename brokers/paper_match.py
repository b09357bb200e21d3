"""Whether an order meets a tick on paper, and at what price: pure, and rather stern than kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from market.currency import cent_of, currency_of
from market.leverage import leverage_of
from market.money import fee_of, tax_of, to_decimal
from market.orders import OrderState, Side
from market.prices import price_limits, round_price, step_price
from market.sessions import AUCTION_LENGTH, KST, PRINT_DELAY
from market.types import Kind, Steps

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from brokers.paper_order import PaperOrder
    from config.settings import BrokerSettings
    from market.sessions import Calendar
    from market.types import Instrument, InstrumentId, Tick

SLACK = timedelta(minutes=5)
"""How long after the session's end its last print may still be shown to us."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How paper trades an instrument: `fee` and `share` (of the volume) are ratios."""

    fee: Decimal
    share: Decimal
    slippage_ticks: int
    latency: timedelta


def terms_of(settings: BrokerSettings, instrument: InstrumentId) -> Terms:
    """Return the terms at which paper trades an instrument."""
    return Terms(
        settings.fee_at(instrument),
        settings.volume_share,
        settings.slippage_ticks,
        latency_of(settings),
    )


def latency_of(settings: BrokerSettings) -> timedelta:
    """Return how long an order or a cancel is on its way."""
    return timedelta(milliseconds=settings.latency_ms)


def day_end(at: datetime, kind: Kind, calendar: Calendar) -> datetime | None:
    """Return when an order accepted at `at` ends by itself: its session's end, never for coins."""
    if kind is Kind.COIN:
        return None
    opening = calendar.next_open(at)
    window = calendar.window(opening.astimezone(KST).date())
    return None if window is None else window.close + PRINT_DELAY


def end_of(order: PaperOrder, now: datetime) -> OrderState | None:
    """Return what an order has come to by itself: its cancel has arrived, or its day has passed.

    The day's last print is given some time to be shown to us.
    """
    if order.cancels_at is not None and now >= order.cancels_at:
        return OrderState.CANCELED
    is_over = order.ends_at is not None and now > order.ends_at + SLACK
    return OrderState.EXPIRED if is_over else None


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


def is_there(order: PaperOrder, tick: Tick, latency: timedelta, calendar: Calendar) -> bool:
    """Tell whether an order lay at the venue when a tick traded.

    It arrives `latency` after it was accepted. One that was given after a session's close is for
    the next: it takes no part in the auction whose print is still to come. Its cancel beats a
    trade only if it arrives before.
    """
    if min(tick.at, tick.seen_at) <= order.accepted_at + latency:
        return False
    if tick.at < calendar.next_open(order.accepted_at):
        return False
    if order.cancels_at is not None and tick.at >= order.cancels_at:
        return False
    return order.ends_at is None or tick.at <= order.ends_at


def fill_price(
    order: PaperOrder, tick: Tick, instrument: Instrument, slippage_ticks: int
) -> Decimal | None:
    """Return the price at which an order trades at a tick, None if it does not.

    A limit order takes the tick's price where that is its limit or better; a market order slips,
    up to the day's limit. A price outside the day's limits is none.
    """
    price = to_decimal(tick.price)
    limits = day_limits(tick, instrument)
    if limits is not None and not limits[0] <= price <= limits[1]:
        return None
    if order.price is not None:
        is_better = price <= order.price if order.side is Side.BUY else price >= order.price
        return price if is_better else None
    slipped = slipped_price(price, order.side, instrument.steps, slippage_ticks)
    return slipped if limits is None else max(limits[0], min(limits[1], slipped))


def slipped_price(price: Decimal, side: Side, steps: Steps, ticks: int) -> Decimal:
    """Return a price so many ticks worse, as far as there are that many."""
    if ticks == 0:
        return price
    try:
        return step_price(price, steps, ticks if side is Side.BUY else -ticks)
    except ValueError:  # fewer ticks are left below the price: the lowest price there is
        return round_price(price * 0, steps, up=True)


def day_limits(tick: Tick, instrument: Instrument) -> tuple[Decimal, Decimal] | None:
    """Return the lowest and highest price of the day, None where there are none (or no base)."""
    if instrument.kind is Kind.COIN or tick.previous_close is None or tick.previous_close <= 0:
        return None
    base = to_decimal(tick.previous_close)
    return price_limits(base, instrument.steps, leverage_of(instrument))


def cost_of_part(
    order: PaperOrder, money: Decimal, instrument: Instrument, fee: Decimal, at: datetime
) -> Decimal:
    """Return fee and tax of a further part of an order that traded for `money`.

    All parts of an order come to what the whole would have cost, however small they are.
    """
    total = order.traded + money
    cent = cent_of(currency_of(order.instrument))
    return fee_of(total, fee, cent) + tax_of(total, order.side, instrument, at) - order.paid
