"""Taps and time on a proposed order: confirmed, declined, lapsed, asked again, or denied."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.arming import read_kept_arming, write_arming
from engine.desk_risk import note_sending, risk_view
from engine.desk_tap import EXPIRED, may_trade, objection
from engine.outcome import Outcome
from engine.risk import check
from engine.risk_case import notional, shown
from engine.trading import held_back, is_venue_stop, may_go_by_itself
from engine.venue_stops import stops_going
from market.known import recall
from market.money import to_decimal
from market.orders import Order, OrderState, Otherwise, Side, advance
from market.prices import round_price

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal
    from typing import Any

    from engine.desk_book import Page
    from engine.desk_tap import Tap
    from market.orders import Account
    from market.types import Tick

IN_WAY = "order.stop_in_way"
"""A stop at the venue may still sell what an order is to sell."""

GRACE = timedelta(seconds=60)
"""How long after its time a card may still turn into a resting limit: a restart can lie between."""


def refusal(page: Page, tap: Tap) -> Outcome | None:
    """Return why a tap does not count, None if it does; changes nothing."""
    order = page.tx.orders.get(tap.order_id)
    person = page.tx.people.get(tap.user_id)
    # A private chat has the id of its person: a card in any other chat is not this one.
    card = None if tap.message is None else page.tx.outbox.card_at(tap.user_id, tap.message)
    return objection(order, tap, person, card, page.book.now())


def refuse(page: Page, tap: Tap) -> Outcome | None:
    """Return why a tap does not count; a card found past its time lapses at once."""
    outcome = refusal(page, tap)
    if outcome is None or outcome.order is None or outcome.code != EXPIRED:
        return outcome
    if outcome.order.otherwise is Otherwise.LIMIT:  # what comes now is not this tap's business
        return outcome
    return Outcome(lapse(page, outcome.order), EXPIRED)


def lapse(page: Page, order: Order) -> Order:
    """Let a proposal lapse; an order that is not proposed any more stays as it is."""
    if order.state is not OrderState.PROPOSED:
        return order
    return page.put(advance(order, OrderState.LAPSED, code=EXPIRED))


def goes_on(order: Order, now: datetime) -> bool:
    """Tell whether a card past its time turns into a resting limit instead of lapsing."""
    return order.otherwise is Otherwise.LIMIT and now <= order.expires_at + GRACE


def decline(page: Page, tap: Tap) -> Outcome:
    """Decline a proposal, unless the tap does not count."""
    refused = refuse(page, tap)
    if refused is not None:
        return refused
    order = page.put(advance(_stored(page, tap.order_id), OrderState.DECLINED))
    return Outcome(order, "order.declined")


def claim(page: Page, tap: Tap, quote: Tick, account: Account) -> Outcome | None:
    """Confirm a proposal, or ask again at a new price, or deny it; None means: send it now.

    Its card is left to `submit`, as in all that confirms.
    """
    refused = refuse(page, tap)
    if refused is not None:
        return refused
    order = _stored(page, tap.order_id)
    return _asked_again(page, order, quote) or _decide(page, order, quote, account)


def claim_by_itself(
    page: Page, order_id: str, below: Decimal, quote: Tick, account: Account
) -> Outcome | None:
    """Confirm a proposal without a tap, as its condition asks for; None means: send it now.

    Where it is not small enough, where trading is not free, or where the price has moved, its
    card waits for a person instead.
    """
    order = _stored(page, order_id)
    is_small = notional(order) < below
    if not (_is_waiting(page, order) and is_small and _may_go_by_itself(page, order)):
        return Outcome(order, "order.waits")
    changes = {"code": "order.automatic", "is_automatic": True}
    return _asked_again(page, order, quote) or _decide(page, order, quote, account, **changes)


def claim_otherwise(page: Page, order_id: str, quote: Tick, account: Account) -> Outcome | None:
    """Turn a card that nobody answered into a limit at its price; None means: send it now.

    It lapses where the program may not send by itself.
    """
    order, now = _stored(page, order_id), page.book.now()
    if order.state is not OrderState.PROPOSED or now < order.expires_at:
        return Outcome(order, "order.waits")
    if not (goes_on(order, now) and _may_go_by_itself(page, order)):
        return Outcome(lapse(page, order), EXPIRED)
    kind = recall(page.tx, order.instrument).steps
    price = order.price
    if price is None:
        price = round_price(order.reference_price, kind, up=order.side is Side.SELL)
    changes = {"code": "order.otherwise", "is_automatic": True, "price": price}
    return _decide(page, order, quote, account, **changes)


def stop_in_way(page: Page, order: Order) -> str:
    """Return the code for an exit from what a stop at the venue may still close, "" for others."""
    is_exit = not (order.is_entry or is_venue_stop(order))
    return IN_WAY if is_exit and stops_going(page.tx, order.instrument) else ""


def submit(page: Page, order_id: str) -> Order:
    """Write down that a confirmed order is being sent, before it is; a halt still stops it."""
    order = _stored(page, order_id)
    if order.state is not OrderState.CONFIRMED:
        return order
    reason = held_back(order, page.states_of(order)) or stop_in_way(page, order)
    if reason:
        return page.put(advance(order, OrderState.DENIED, code=reason))
    note_sending(page)
    _note_use(page, order)
    return page.put(advance(order, OrderState.SUBMITTED))


def _decide(
    page: Page, order: Order, quote: Tick, account: Account, **changes: Any
) -> Outcome | None:
    """Confirm an order as it will be after the changes, or deny it."""
    if _is_old(page, quote):
        return Outcome(order, "order.no_price")  # the source was too slow: not a reason to deny
    confirmed = advance(order, OrderState.CONFIRMED, **changes)
    instrument = recall(page.tx, order.instrument)
    view = risk_view(page, confirmed, instrument, quote, page.book.quote_age, account)
    denials = check(confirmed, instrument, view)
    if denials:
        code, facts = denials[0].code, denials[0].told
        denied = page.put(advance(order, OrderState.DENIED, code=code, facts=facts))
        return Outcome(denied, code, denials[0].facts)
    page.keep(confirmed)
    return None


def _asked_again(page: Page, order: Order, quote: Tick) -> Outcome | None:
    """Propose an order again where the price has moved: same limit, as much time as before."""
    now, price = page.book.now(), to_decimal(quote.price)
    has_moved = abs(price - order.reference_price) > order.max_drift * order.reference_price
    if _is_old(page, quote) or not has_moved:
        return None
    asked = page.put(
        advance(
            order,
            OrderState.PROPOSED,
            version=order.version + 1,
            reference_price=price,
            reference_at=now,
            expires_at=now + (order.expires_at - order.reference_at),
            code="",
            facts=(),
        )
    )
    facts = {"old": shown(order.reference_price), "new": shown(price)}
    return Outcome(asked, "order.requoted", facts)


def _is_old(page: Page, quote: Tick) -> bool:
    return page.book.market_clock.now() - quote.seen_at > page.book.quote_age


def _is_waiting(page: Page, order: Order) -> bool:
    return order.state is OrderState.PROPOSED and page.book.now() < order.expires_at


def _may_go_by_itself(page: Page, order: Order) -> bool:
    is_free = may_go_by_itself(order, page.states_of(order))
    return is_free and may_trade(page.tx.people.get(order.user_id))


def _note_use(page: Page, order: Order) -> None:
    """Keep a live broker armed while a person uses it; what goes by itself does not count."""
    arming = read_kept_arming(page.tx)
    if arming is not None and not order.is_automatic:
        write_arming(page.tx, replace(arming, used_at=page.book.now()))


def _stored(page: Page, order_id: str) -> Order:
    order = page.tx.orders.get(order_id)
    if order is None:
        raise LookupError(f"order {order_id} is not in the store")
    return order
