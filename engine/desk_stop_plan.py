"""What is to be done about an instrument's stop at the venue: read, decided, and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.difference import differs, read_difference
from engine.pauses import read_trading
from engine.protect_book import read_protection, read_protections
from engine.protect_case import exit_person, least_closable
from engine.replacing import wished_replacements
from engine.trading import OrderKind, Permit, TradingState, permit
from engine.venue_stops import (
    VenueStop,
    Wish,
    put_stop,
    read_stop,
    stop_order,
    unseen_ends,
    wished_stop,
)
from market.known import recall
from market.money import to_decimal
from market.orders import GOING, Order, OrderState, advance
from market.phases import Phase, phase_at

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.desk_book import Page
    from engine.protect import Protection
    from market.store import Transaction
    from market.types import InstrumentId

SOON = timedelta(seconds=30)
"""So long after a refusal that may pass, or after an end that nobody wished for, is waited."""
LATER = timedelta(minutes=10)
"""So long after any other refusal, and after somebody has cancelled a stop."""
PASSING = frozenset({"rejected.busy", "rejected.unavailable", "rejected.clock"})
MOST_WAITS = 6
"""A stop that is refused again and again is tried once an hour in the end."""
MOST_QUIET = 3
"""So many refusals of those that may pass are told to nobody."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look makes of an instrument: `before` is kept now, `after` is to be.

    `ended` is a stop whose end is to be seen to, `cancel` one to take away; `is_to_place` tells
    that another one is to be placed.
    """

    instrument: InstrumentId
    before: VenueStop
    after: VenueStop
    ended: Order | None = None
    cancel: Order | None = None
    is_to_place: bool = False

    @property
    def is_news(self) -> bool:
        """Tell whether there is something to be kept."""
        return self.after != self.before or self.ended is not None


def planned_instruments(tx: Transaction) -> list[InstrumentId]:
    """Return the instruments that are protected, or have a stop whose end was not seen to."""
    protected = [one.instrument for one in read_protections(tx)]
    return sorted({*protected, *unseen_ends(tx)})


def plan_of(page: Page, instrument: InstrumentId, *, is_taken: bool) -> Plan:
    """Return what is to be done, and change nothing; `is_taken` where the venue takes stops."""
    tx, now = page.tx, page.book.now()
    before = read_stop(tx, instrument)
    one = read_protection(tx, instrument)
    wish = _wish(page, one) if is_taken and one is not None else None
    after = before.wishing(wish, now)
    order = None if before.is_over else tx.orders.get(before.order_id)
    if order is not None and order.state not in GOING:
        return Plan(instrument, before, after, ended=order)
    if order is None:
        return Plan(instrument, before, after, is_to_place=_may_place(page, after, wish))
    is_wrong = wish != before.placed and after.is_settled(now)
    is_ended = one is not None and one.ended_by is not None  # then its exit takes it away
    is_whole = order.state is OrderState.ACCEPTED and not order.filled_quantity
    if is_whole and not is_ended and (is_wrong or order.is_cancel_requested):
        return Plan(instrument, before, after, cancel=order)
    return Plan(instrument, before, after)


def see_to(page: Page, plan: Plan) -> None:
    """Keep what a plan has changed, and what the end of a stop means for the next one."""
    after = plan.after
    if plan.ended is not None:
        after = _after_end(page, after, plan.ended)
    if after != plan.before:
        put_stop(page.tx, after)


def submitted_stop(
    page: Page, instrument: InstrumentId, count: int, *, is_taken: bool
) -> tuple[Order, Decimal] | None:
    """Write the next stop down as being sent; None where it is not to be, after all."""
    plan = plan_of(page, instrument, is_taken=is_taken)
    wish, one = plan.after.wished, read_protection(page.tx, instrument)
    if not plan.is_to_place or wish is None or one is None or plan.before.count != count:
        return None
    quote = page.book.quotes.last(instrument)
    price = wish.level if quote is None else to_decimal(quote.price)
    person, now = exit_person(page, one), page.book.now()
    order = stop_order(plan.before, wish, one.side, person, price, now)
    page.tx.orders.put(order)  # without a card: nobody is asked
    order = advance(order, OrderState.CONFIRMED)
    page.tx.orders.put(order)
    order = page.put(advance(order, OrderState.SUBMITTED))
    fresh = replace(plan.after, count=count + 1, placed=wish, since=one.since)
    put_stop(page.tx, replace(fresh, is_freed=False, is_over=False))
    return order, wish.level


def _wish(page: Page, one: Protection) -> Wish | None:
    """Return the stop that should rest; where the books differ, of no more than the lesser."""
    position = page.tx.orders.position(one.instrument)
    if position is None or position.quantity * one.side.sign <= 0:
        return None
    kind = recall(page.tx, one.instrument).steps
    return wished_stop(one, position, least_closable(page, one), kind)


def _may_place(page: Page, stop: VenueStop, wish: Wish | None) -> bool:
    """Tell whether a stop may be sent now: nothing else is being closed, and all is known."""
    tx, instrument = page.tx, recall(page.tx, stop.instrument)
    if wish is None or not stop.may_be_placed(page.book.now()):
        return False
    market_now = page.book.market_clock.now()
    states = {TradingState.ACTIVE}
    if read_trading(tx, market_now).halt is not None:
        states.add(TradingState.HALTED)
    calendar = page.book.calendars[instrument.venue]
    is_open = phase_at(instrument.venue, calendar, market_now) is Phase.CONTINUOUS
    is_allowed = permit(OrderKind.PROTECTION, states)[0] is Permit.YES
    return is_open and is_allowed and not _is_busy(tx, stop.instrument)


def _is_busy(tx: Transaction, instrument: InstrumentId) -> bool:
    """Tell whether something of an instrument is being closed or replaced, or is in doubt."""
    known = read_difference(tx, instrument)
    if known is not None and not differs(tx, instrument):
        return True  # a first suspicion: the next look at the books tells
    going = [one for one in tx.orders.in_states(GOING) if one.instrument == instrument]
    wished = [tx.orders.get(order_id) for order_id in wished_replacements(tx)]
    is_replaced = any(one is not None and one.instrument == instrument for one in wished)
    return is_replaced or any(not one.is_entry or one.state is OrderState.IN_DOUBT for one in going)


def _after_end(page: Page, stop: VenueStop, order: Order) -> VenueStop:
    """Return what the end of a stop means: told, where nobody wished for it, and what follows."""
    now, name, over = page.book.now(), stop.instrument, replace(stop, is_over=True)
    if order.filled_quantity > 0:
        quantity = f"{order.filled_quantity.normalize():f}"
        price = f"{order.average_price.normalize():f}"
        facts = {"instrument": name, "quantity": quantity, "price": price}
        page.tell((order.user_id,), "notice.stop_sold", **facts)
        return replace(over, refusals=0)
    if stop.is_freed or order.state is OrderState.EXPIRED:
        return over
    if order.state is OrderState.NOT_SENT:
        return replace(over, not_before=now + SOON)
    if order.state is OrderState.REJECTED and order.broker_order_id is None:
        return _after_refusal(page, over, order)
    if not order.is_cancel_requested:
        page.tell((order.user_id,), "notice.stop_gone", instrument=name)
    return replace(over, not_before=now + LATER)


def _after_refusal(page: Page, stop: VenueStop, order: Order) -> VenueStop:
    now, refusals = page.book.now(), stop.refusals + 1
    is_passing = order.code in PASSING
    wait = SOON if is_passing else LATER * min(refusals, MOST_WAITS)
    after = replace(stop, refusals=refusals, not_before=now + wait)
    is_told = stop.told_at is not None and now - stop.told_at < LATER
    if is_told or (is_passing and refusals <= MOST_QUIET):
        return after
    facts = {"instrument": stop.instrument, "reason": order.code}
    page.tell((order.user_id,), "notice.stop_refused", **facts)
    page.fail("notice.stop_refused", **facts)
    return replace(after, told_at=now)
