"""One line of a list about an order, together with all the orders that it has replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.render_order import order_line, quantity_text, side_text
from market.currency import currency_of

if TYPE_CHECKING:
    from bot.texts import Texts
    from engine.replacing import Chain
    from market.orders import Order

ARROW = " → "


def chain_line(texts: Texts, language: str, chain: Chain, name: str) -> str:
    """Return one line: what was confirmed, every price it has had, what has filled in all."""
    first, last = chain.first, chain.last
    if first is last:
        return order_line(texts, language, last, name)
    return texts.get(
        "orders.replaced",
        language,
        time=numbers.clock(first.proposed_at)[:5],
        side=side_text(texts, language, first.action),
        name=name,
        quantity=quantity_text(first, first.quantity, language),
        prices=ARROW.join(_price(texts, language, one) for one in chain.orders),
        state=texts.plain(f"state.{last.state}", language),
        filled=quantity_text(first, first.quantity - chain.left, language),
    )


def _price(texts: Texts, language: str, order: Order) -> str:
    if order.price is None:
        return texts.plain("price.market", language)
    return numbers.money(order.price, currency_of(order.instrument), language)
