"""A fill taken into its order and position: within one transaction, once, whatever it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cash import note_moved
from engine.exact import venue_of
from engine.holdings import note_holding
from engine.positions import ZERO, average_price, take_fill
from engine.protect_book import note_bought
from market.orders import TRANSITIONS, OrderState, Side, advance
from market.types import Venue, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk_book import Page
    from market.orders import Fill, Order
    from market.store import Transaction

_FOREIGN = "desk/foreign/"


def last_fill_id(tx: Transaction, broker: str) -> str:
    """Return the greatest id of the fills that were taken from a broker, "" before the first."""
    prefix = f"{_FOREIGN}{broker}/"
    foreign = [key.removeprefix(prefix) for key, _ in tx.documents.items(prefix)]
    return max([tx.orders.last_fill_id(broker), *foreign[-1:]])


def record_fill(page: Page, fill: Fill, broker: str) -> bool:
    """Take a broker's fill into its order and position; False if it was taken before.

    A fill of an order that we do not know is kept apart and told to the owner.
    """
    order = page.tx.orders.get(fill.order_id)
    if order is None or fill.quantity <= 0:
        return _set_apart(page, fill, broker)
    if not page.tx.orders.add_fill(fill, broker):
        return False
    note_moved(page.tx, broker, fill)
    position = page.tx.orders.position(fill.instrument)
    page.tx.orders.put_position(take_fill(position, fill))
    note_holding(page.tx, position, fill, page.book.market_clock.now())
    note_bought(page.tx, order, fill, position)
    _advance(page, order, fill)
    return True


def _advance(page: Page, order: Order, fill: Fill) -> None:
    fills = page.tx.orders.fills(order.id)
    filled = sum((one.quantity for one in fills), start=ZERO)
    state = OrderState.FILLED if filled >= order.quantity else OrderState.PARTIALLY_FILLED
    is_legal = state in TRANSITIONS[order.state]
    if is_legal:
        page.put(
            advance(
                order,
                state,
                filled_quantity=filled,
                average_price=average_price(fills),
                cost=sum((one.cost for one in fills), start=ZERO),
                code="",
            )
        )
    if not is_legal or (filled > order.quantity and _is_overspent(order, fills)):
        _report(page, "notice.odd_fill", fill, state=order.state.value)


def _is_overspent(order: Order, fills: Sequence[Fill]) -> bool:
    """Tell whether more money went than the order was for.

    A market buy of coins is an amount of money, which may come to somewhat more coins than shown.
    """
    money = sum((one.quantity * one.price for one in fills), start=ZERO)
    price = order.reference_price if order.price is None else order.price
    is_share = venue_of(order.instrument) is Venue.KRX
    is_by_money = order.price is None and order.side is Side.BUY and not is_share
    return not is_by_money or money > order.quantity * price


def _set_apart(page: Page, fill: Fill, broker: str) -> bool:
    key = f"{_FOREIGN}{broker}/{fill.id}"
    if page.tx.documents.get(key) is not None:
        return False
    facts = {"order": fill.order_id, "instrument": fill.instrument, "side": fill.side.value}
    amounts = {"quantity": str(fill.quantity), "price": str(fill.price), "cost": str(fill.cost)}
    page.tx.documents.put(key, {**facts, **amounts, "at": to_ms(fill.at)})
    note_moved(page.tx, broker, fill)
    _report(page, "notice.foreign_fill", fill)
    return True


def _report(page: Page, code: str, fill: Fill, **more: str) -> None:
    facts = {
        "fill": fill.id,
        "order": fill.order_id,
        "instrument": fill.instrument,
        "side": fill.side.value,
        "quantity": str(fill.quantity),
        "price": str(fill.price),
        **more,
    }
    page.tell_owner(code, **facts)
    page.fail(code, **facts)
