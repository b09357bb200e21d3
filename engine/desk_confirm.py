"""Decisions about a tapped card, each within one transaction, so that two taps make one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.desk_risk import note_sending, risk_view
from engine.desk_tap import EXPIRED, objection
from engine.outcome import Outcome
from engine.risk import check, shown
from engine.trading import TradingState, read_trading
from market.known import recall
from market.money import to_decimal
from market.orders import Order, OrderState, Side, advance

if TYPE_CHECKING:
    from engine.desk_book import Page
    from engine.desk_tap import Tap
    from market.orders import Account
    from market.types import Tick


def refuse(page: Page, tap: Tap) -> Outcome | None:
    """Return why a tap does not count; a card found past its time lapses at once."""
    order = page.tx.orders.get(tap.order_id)
    person = page.tx.people.get(tap.user_id)
    # A private chat has the id of its person: a card in any other chat is not this one.
    card = None if tap.message is None else page.tx.outbox.card_at(tap.user_id, tap.message)
    outcome = objection(order, tap, person, card, page.book.now())
    if outcome is None or outcome.order is None or outcome.code != EXPIRED:
        return outcome
    return Outcome(lapse(page, outcome.order), EXPIRED)


def lapse(page: Page, order: Order) -> Order:
    """Let a proposal lapse; an order that is not proposed any more stays as it is."""
    if order.state is not OrderState.PROPOSED:
        return order
    return page.put(advance(order, OrderState.LAPSED, code=EXPIRED))


def decline(page: Page, tap: Tap) -> Outcome:
    """Decline a proposal, unless the tap does not count."""
    refused = refuse(page, tap)
    if refused is not None:
        return refused
    order = page.put(advance(_stored(page, tap.order_id), OrderState.DECLINED))
    return Outcome(order, "order.declined")


def claim(page: Page, tap: Tap, quote: Tick, account: Account) -> Outcome | None:
    """Confirm a proposal, or ask again at a new price, or deny it; None means: send it now."""
    refused = refuse(page, tap)
    if refused is not None:
        return refused
    order = _stored(page, tap.order_id)
    if page.book.market_clock.now() - quote.seen_at > page.book.quote_age:
        return Outcome(order, "order.no_price")  # the source was too slow: not a reason to deny
    price = to_decimal(quote.price)
    if abs(price - order.reference_price) > order.max_drift * order.reference_price:
        return _ask_again(page, order, quote)
    instrument = recall(page.tx, order.instrument)
    view = risk_view(page, order, instrument, quote, page.book.quote_age, account)
    denials = check(order, instrument, view)
    if denials:
        denied = page.put(advance(order, OrderState.DENIED, code=denials[0].code))
        return Outcome(denied, denials[0].code, denials[0].facts)
    page.put(advance(order, OrderState.CONFIRMED))
    return None


def submit(page: Page, order_id: str) -> Order:
    """Write down that a confirmed order is being sent, before it is; pausing still stops a buy."""
    order = _stored(page, order_id)
    if order.state is not OrderState.CONFIRMED:
        return order
    if order.side is Side.BUY and read_trading(page.tx) is TradingState.PAUSED:
        return page.put(advance(order, OrderState.DENIED, code="risk.paused"))
    note_sending(page)
    return page.put(advance(order, OrderState.SUBMITTED))


def _ask_again(page: Page, order: Order, quote: Tick) -> Outcome:
    """Propose the order again at the new price: same limit, as much time as the first time."""
    now, price = page.book.now(), to_decimal(quote.price)
    asked = page.put(
        advance(
            order,
            OrderState.PROPOSED,
            version=order.version + 1,
            reference_price=price,
            reference_at=now,
            expires_at=now + (order.expires_at - order.reference_at),
        )
    )
    facts = {"old": shown(order.reference_price), "new": shown(price)}
    return Outcome(asked, "order.requoted", facts)


def _stored(page: Page, order_id: str) -> Order:
    order = page.tx.orders.get(order_id)
    if order is None:
        raise LookupError(f"order {order_id} is not in the store")
    return order
