"""What surrounds a protected position, what stands in the way of its exit, and its ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.desk_tap import may_trade
from engine.difference import differs, read_difference
from engine.holdings import closable
from engine.pauses import read_trading
from engine.ticket import Ticket
from engine.trading import (
    PROTECTION,
    OrderKind,
    Permit,
    TradingState,
    is_venue_stop,
    permit,
)
from engine.venue_stops import stops_going
from market.known import recall
from market.money import floor_to_lot, to_decimal
from market.orders import OPEN, OrderState, PositionSide
from market.phases import Phase, phase_at
from market.prices import crossing_price, round_price

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import Page
    from engine.protect import Exit, Protection
    from market.orders import Order, Position
    from market.types import Instrument, InstrumentId, Tick

NO_PRICE = "no_price"
CROSSED_TICKS = 5
"""An exit in the closing auction, which takes no market orders, goes so many ticks across."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a protected position stands: `quote` only where it is of the last sweeps.

    `position` is None where nothing of the protected side is there; `exit_order` is the exit that
    has not ended, `stop_order` a stop at the venue that has not.
    """

    now: datetime
    instrument: Instrument
    phase: Phase
    quote: Tick | None
    position: Position | None
    closable: Decimal
    exit_order: Order | None
    stop_order: Order | None


def standing_of(page: Page, one: Protection) -> Standing:
    """Return what is known of a protected position within this transaction."""
    book, tx = page.book, page.tx
    now, instrument = book.market_clock.now(), recall(tx, one.instrument)
    position = tx.orders.position(one.instrument)
    exits = [
        order
        for order in tx.orders.in_states(OPEN)
        if order.instrument == one.instrument
        and order.origin.startswith(PROTECTION)
        and not is_venue_stop(order)
    ]
    return Standing(
        now=now,
        instrument=instrument,
        phase=phase_at(instrument.venue, book.calendars[instrument.venue], now),
        quote=_seen(page, one.instrument),
        position=position if _is_protected(one, position) else None,
        closable=floor_to_lot(least_closable(page, one), instrument.steps),
        exit_order=exits[0] if exits else None,
        stop_order=next(iter(stops_going(tx, one.instrument)), None),
    )


def obstacle(page: Page, one: Protection, around: Standing) -> str:
    """Return what keeps an exit from being sent now, "" if nothing does."""
    states = {TradingState.ACTIVE}
    if read_trading(page.tx, around.now).halt is not None:
        states.add(TradingState.HALTED)
    if permit(OrderKind.PROTECTION, states)[0] is not Permit.YES:
        return "held_back"
    if around.quote is not None and around.quote.halted:
        return "venue_halted"
    doubts = page.tx.orders.in_states({OrderState.IN_DOUBT})
    return "in_doubt" if any(each.instrument == one.instrument for each in doubts) else ""


def key_of(one: Protection) -> str:
    """Return the key of a position's present exit, from which its order's id comes."""
    return f"protect:{one.instrument}:{one.attempt}"


def exit_ticket(page: Page, one: Protection, wanted: Exit, around: Standing) -> Ticket:
    """Return the ticket of an exit: at the market, in an auction at a limit that crosses."""
    settings = page.book.settings.confirm
    return Ticket(
        key=key_of(one),
        instrument=around.instrument,
        side=one.side.exit,
        quantity=wanted.quantity,
        size=None,
        price=_limit(around, one.side),
        price_rule=None,
        user_id=exit_person(page, one),
        origin=f"{PROTECTION}{wanted.reason}",
        within=timedelta(seconds=settings.within_seconds),
        max_drift=Decimal(1),  # it closes at whatever the price is
        auto_below=None if settings.ask_exits else Decimal("Infinity"),
        position=one.side,
    )


def exit_person(page: Page, one: Protection) -> int:
    """Return for whom exits are: who bought, or the owner where that one may trade no more."""
    owner = page.tx.people.owner()
    may = may_trade(page.tx.people.get(one.user_id))
    return one.user_id if may or owner is None else owner.id


def least_closable(page: Page, one: Protection) -> Decimal:
    """Return what an exit may close: where the books differ, no more than the lesser of them."""
    found = closable(page.tx, one.instrument, one.side)
    difference = read_difference(page.tx, one.instrument)
    if difference is None or not differs(page.tx, one.instrument):
        return found
    surplus = (difference.ours - difference.theirs) * one.side.sign
    return max(Decimal(0), found - max(Decimal(0), surplus))


def _limit(around: Standing, side: PositionSide) -> Decimal | None:
    if not around.phase.is_auction or around.quote is None:
        return None
    kind = around.instrument.steps
    price = round_price(to_decimal(around.quote.price), kind, up=side is PositionSide.SHORT)
    try:
        return crossing_price(price, kind, -CROSSED_TICKS * side.sign)
    except ValueError:  # it costs less than that
        return price


def _seen(page: Page, instrument: InstrumentId) -> Tick | None:
    quote = page.book.quotes.last(instrument)
    sweeps = timedelta(seconds=2 * page.book.settings.crawl.every_seconds)
    age = max(page.book.quote_age, sweeps)
    if quote is None or page.book.market_clock.now() - quote.seen_at > age:
        return None
    return quote


def _is_protected(one: Protection, position: Position | None) -> bool:
    return position is not None and position.quantity * one.side.sign > 0
