"""The words of an order card: what would be sent, what it costs, and how it went."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.render_alert import leaf_text
from bot.reply import command_button
from engine.desk_adjust import Change
from engine.desk_foreign import ORIGIN as FOREIGN
from engine.desk_send import TOLD
from engine.trading import is_venue_stop
from market.currency import KRW, coin_of, currency_of
from market.messages import Button
from market.orders import OrderState, Otherwise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.texts import Texts
    from engine.ports import OrderView
    from market.orders import Action, Order, Side
    from market.signals import Signal
    from market.types import Instrument
    from market.unfilled import Unfilled

CANCELLABLE = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})
"""States in which a card offers to cancel."""

WITH_REASON = frozenset(
    {OrderState.DENIED, OrderState.LAPSED, OrderState.REJECTED, OrderState.CANCELED}
)
"""States that say why."""

MOST_LEAVES = 4


def order_text(
    texts: Texts, language: str, order: Order, instrument: Instrument, view: OrderView
) -> str:
    """Return the card of an order in its present state as HTML."""
    lines = [_title(texts, language, order), _what(texts, language, order, instrument)]
    if order.state in {OrderState.PROPOSED, OrderState.DENIED} and view.price > 0:
        lines += _proposal(texts, language, order, view)
    if view.signal is not None:
        lines += _why(texts, language, order, view.signal)
    lines += _standing(texts, language, order, view)
    lines.append(texts.get("card.id", language, id=order.id))
    return "\n".join(lines)


def order_buttons(
    texts: Texts, language: str, order: Order, signal: Signal | None = None
) -> tuple[tuple[Button, ...], ...]:
    """Return what can be done: confirm, decline and change a proposal, cancel what rests."""
    if order.state is OrderState.PROPOSED:
        return _proposal_buttons(texts, language, order, signal)
    if order.state in CANCELLABLE and not order.is_cancel_requested:
        return ((Button(label=texts.plain("button.cancel", language), data=f"ox:{order.id}"),),)
    return ()


def order_line(texts: Texts, language: str, order: Order, name: str) -> str:
    """Return one line about an order for a list."""
    return texts.get(
        "orders.line",
        language,
        time=numbers.clock(order.proposed_at)[:5],
        side=side_text(texts, language, order.action),
        name=name,
        quantity=quantity_text(order, order.quantity, language),
        price=price_text(texts, language, order),
        state=texts.plain(f"state.{order.state}", language),
    )


def side_text(texts: Texts, language: str, side: Side | Action) -> str:
    """Return what is bought or sold, and what for, with its colour."""
    return texts.plain(f"side.{side}", language)


def price_text(texts: Texts, language: str, order: Order) -> str:
    """Return the limit price, from which price on a stop trades, or that it is a market order."""
    currency, level = currency_of(order.instrument), dict(order.facts).get("stop")
    if is_venue_stop(order) and level is not None:
        shown = numbers.money(Decimal(level), currency, language)
        return texts.plain("price.stop", language, price=shown)
    if order.price is None:
        return texts.plain("price.market", language)
    shown = numbers.money(order.price, currency, language)
    return texts.plain("price.limit", language, price=shown)


def quantity_text(order: Order, number: Decimal, language: str) -> str:
    """Return a number of what an order is about."""
    return numbers.quantity(number, language, coin_of(order.instrument))


def reason_text(
    texts: Texts, language: str, codes: str, facts: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the words for one or several reason codes; an unknown code is shown as it is."""
    told = {"limit": "–", "asked": "–", **facts}
    known = [
        texts.plain(code, language, **told)
        if texts.has(code)
        else texts.plain("reason.other", language, code=code)
        for code in codes.replace(",", " ").split()
    ]
    return " · ".join(known)


def denial_text(
    texts: Texts, language: str, code: str, facts: Mapping[str, str], currency: str = KRW
) -> str:
    """Return why an order was denied, with its limit and what was asked for where there are any."""
    words, key = reason_text(texts, language, code, facts), f"detail.{code}"
    if not facts.get("limit") or not texts.has(key):
        return words
    unit = numbers.unit_of(currency, language)
    detail = texts.plain(key, language, **{"asked": "–", "unit": unit, **facts})
    return f"{words} {detail}"


def _proposal_buttons(
    texts: Texts, language: str, order: Order, signal: Signal | None
) -> tuple[tuple[Button, ...], ...]:
    key = f"{order.id}:{order.version}"

    def button(name: str, data: str) -> Button:
        return Button(label=texts.plain(f"button.{name}", language), data=f"{data}:{key}")

    def change(one: Change) -> Button:
        return button(one.value, f"oa:{one}")

    is_market = order.price is None
    last = [] if is_market else [change(Change.DOWN), change(Change.UP)]
    if signal is not None:
        why = texts.plain("button.why", language)
        last.append(command_button(why, f"/why #{signal.reference}"))
    rows = (
        (button("confirm", "oc"), button("decline", "od")),
        (
            change(Change.HALF),
            change(Change.DOUBLE),
            change(Change.LIMIT if is_market else Change.MARKET),
        ),
        tuple(last),
    )
    return tuple(row for row in rows if row)


def _by_itself(texts: Texts, language: str, order: Order) -> list[str]:
    """Say where an order came from that nobody tapped, and what the program does without a tap."""
    if order.origin == FOREIGN:
        return [texts.get("card.foreign", language)]
    if order.replaces is not None:
        return [texts.get("card.replaces", language, id=order.replaces)]
    if order.is_automatic:
        return [texts.get("card.automatic", language)]
    if order.state is not OrderState.PROPOSED:
        return []
    lines = []
    if order.otherwise is Otherwise.LIMIT:
        lines.append(texts.get("card.otherwise", language))
    if order.unfilled is not None:
        lines.append(unfilled_text(texts, language, order.unfilled))
    return lines


def unfilled_text(texts: Texts, language: str, unfilled: Unfilled) -> str:
    """Return what becomes of an order some time after it was sent."""
    return texts.get(
        f"card.unfilled.{unfilled.then}",
        language,
        after=numbers.span(unfilled.after.total_seconds(), language),
        times=str(unfilled.times),
    )


def _title(texts: Texts, language: str, order: Order) -> str:
    side = side_text(texts, language, order.action)
    return texts.get(f"card.title.{order.state}", language, side=side)


def _what(texts: Texts, language: str, order: Order, instrument: Instrument) -> str:
    return texts.get(
        "card.what",
        language,
        name=instrument.name,
        code=instrument.code,
        quantity=quantity_text(order, order.quantity, language),
        price=price_text(texts, language, order),
    )


def _proposal(texts: Texts, language: str, order: Order, view: OrderView) -> list[str]:
    share = view.cost / view.equity if view.equity > 0 else None
    currency = currency_of(order.instrument)
    now = texts.get(
        "card.now",
        language,
        price=numbers.money(view.price, currency, language),
        age=numbers.span(view.price_age_seconds, language),
    )
    lines = [
        now,
        texts.get(
            f"card.cost.{order.action}",
            language,
            cost=numbers.amount(view.cost, currency, language),
            fee=numbers.amount(view.fee, currency, language),
            tax=numbers.amount(view.tax, currency, language),
        ),
        texts.get(
            "card.share",
            language,
            share="–" if share is None else numbers.percent(share, 1),
            left=numbers.amount(view.buying_power_after, currency, language),
        ),
    ]
    return [*_asked_anew(texts, language, order), *lines]


def _asked_anew(texts: Texts, language: str, order: Order) -> list[str]:
    """Say why a card asks again: somebody has changed it, or the price has moved."""
    if order.state is not OrderState.PROPOSED or order.version == 1:
        return []
    if not order.code:
        return [texts.get("card.again", language)]
    changed = texts.get(order.code, language, **dict(order.facts))
    return [texts.get("card.changed", language, change=changed)]


def _why(texts: Texts, language: str, order: Order, signal: Signal) -> list[str]:
    lines = [texts.get("card.why", language, condition=signal.condition)]
    if order.state is OrderState.PROPOSED:
        currency = currency_of(order.instrument)
        leaves = signal.explanation.leaves[:MOST_LEAVES]
        lines += [leaf_text(texts, language, leaf, currency) for leaf in leaves]
    return lines


def _standing(texts: Texts, language: str, order: Order, view: OrderView) -> list[str]:
    currency = currency_of(order.instrument)
    lines = [
        texts.get(
            f"card.state.{order.state}",
            language,
            expires=numbers.clock(order.expires_at),
            seconds=str(max(0, view.seconds_left)),
            filled=quantity_text(order, order.filled_quantity, language),
            quantity=quantity_text(order, order.quantity, language),
            average=numbers.money(order.average_price, currency, language),
            amount=numbers.amount(order.average_price * order.filled_quantity, currency, language),
            cost=numbers.amount(order.cost, currency, language),
        )
    ]
    if order.state in WITH_REASON and order.code:
        facts = dict(order.facts)
        reason = denial_text(texts, language, order.code, facts, currency)
        lines.append(texts.get("card.reason", language, reason=reason))
        if order.state is OrderState.REJECTED and TOLD in facts:
            lines.append(texts.get("card.told", language, told=facts[TOLD]))
    lines += _by_itself(texts, language, order)
    if view.hold:
        lines.append(texts.get("card.hold", language, reason=texts.plain(view.hold, language)))
    lines += [
        texts.get(
            "card.hold",
            language,
            reason=denial_text(texts, language, one.code, one.facts, currency),
        )
        for one in view.touched
    ]
    if order.is_cancel_requested and order.state in CANCELLABLE:
        lines.append(texts.get("card.cancel_requested", language))
    if order.state in {OrderState.CANCELED, OrderState.EXPIRED} and order.filled_quantity:
        lines.append(
            texts.get(
                "card.part_filled",
                language,
                filled=quantity_text(order, order.filled_quantity, language),
                average=numbers.money(order.average_price, currency, language),
            )
        )
    return lines
