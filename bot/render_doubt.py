"""The question which of the venue's orders is ours: its words, and a button for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.render_order import price_text, quantity_text, side_text
from engine.doubt import NONE_OF_THEM
from market.currency import coin_of, currency_of
from market.messages import Button
from market.orders import OrderState

if TYPE_CHECKING:
    from bot.texts import Texts
    from brokers.broker import OpenOrder
    from engine.doubt import Doubt
    from market.orders import Order
    from market.types import Instrument

MOST_SHOWN = 20


def doubt_text(
    texts: Texts, language: str, doubt: Doubt, order: Order, instrument: Instrument
) -> str:
    """Return the question, or what somebody has answered, as HTML."""
    lines = [
        texts.get("doubt.title", language, side=side_text(texts, language, order.action)),
        texts.get(
            "card.what",
            language,
            name=instrument.name,
            code=instrument.code,
            quantity=quantity_text(order, order.quantity, language),
            price=price_text(texts, language, order),
        ),
    ]
    if order.state is not OrderState.IN_DOUBT:
        state = texts.plain(f"state.{order.state}", language)
        lines.append(texts.get("doubt.over", language, state=state))
    elif doubt.said is not None:
        lines.append(texts.get("doubt.told", language, said=_said(texts, language, doubt)))
    else:
        lines.append(texts.get("doubt.ask" if doubt.candidates else "doubt.ask_none", language))
    lines.append(texts.get("card.id", language, id=order.id))
    return "\n".join(lines)


def doubt_buttons(
    texts: Texts, language: str, doubt: Doubt, order: Order
) -> tuple[tuple[Button, ...], ...]:
    """Return a button for each candidate and one for none of them, until somebody has answered."""
    if order.state is not OrderState.IN_DOUBT or doubt.said is not None:
        return ()
    key = f"os:{order.id}:{doubt.version}"
    rows = [
        (Button(label=candidate_text(texts, language, one), data=f"{key}:{number}"),)
        for number, one in enumerate(doubt.candidates[:MOST_SHOWN])
    ]
    none = Button(label=texts.plain("button.doubt_none", language), data=f"{key}:none")
    return (*rows, (none,))


def candidate_text(texts: Texts, language: str, one: OpenOrder) -> str:
    """Return one line about an order at the venue: when, what, at which price, how far."""
    coin = coin_of(one.instrument)
    price = texts.plain("price.market", language)
    if one.price is not None:
        price = numbers.money(one.price, currency_of(one.instrument), language)
    return texts.plain(
        "doubt.candidate",
        language,
        time=numbers.clock(one.at),
        side=side_text(texts, language, one.side),
        quantity=numbers.quantity(one.quantity, language, coin),
        price=price,
        filled=numbers.quantity(one.filled_quantity, language, coin),
    )


def _said(texts: Texts, language: str, doubt: Doubt) -> str:
    named = [one for one in doubt.candidates if one.broker_order_id == doubt.said]
    if doubt.said == NONE_OF_THEM or not named:
        return texts.plain("button.doubt_none", language)
    return candidate_text(texts, language, named[0])
