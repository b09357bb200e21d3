"""/positions: what is held, what it is worth now, and the profit."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.reply import Reply, command_button
from engine.exact import venue_of
from market.currency import coin_of, currency_of
from market.messages import Role
from market.money import to_decimal

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from market.orders import Position

MOST_SHOWN = 30


@command("positions", Role.VIEWER, is_private=True, examples=("",))
async def positions(services: Services, call: Call) -> Reply:
    """List holdings with average, last price and profit, and their totals."""
    texts, language = services.texts, call.language
    known = await services.store.read(lambda tx: tx.orders.positions())
    held = [position for position in known if position.quantity]
    lines = [texts.get("positions.title", language, count=str(len(held)))]
    lines += [_line(services, language, position) for position in held[:MOST_SHOWN]]
    if len(held) > MOST_SHOWN:
        lines.append(texts.get("list.more", language, count=str(len(held) - MOST_SHOWN)))
    lines += _totals(services, language, known)
    if not held:
        lines.insert(1, texts.get("positions.none", language))
    button = command_button(texts.plain("button.refresh", language), "/positions")
    text = "\n".join(line for line in lines if line)
    return Reply(text, ((button,),), card=call.card_for("positions"))


def _line(services: Services, language: str, position: Position) -> str:
    last = _last(services, position)
    price = position.average_price if last is None else last
    gain = (price - position.average_price) * position.quantity
    currency = currency_of(position.instrument)
    return services.texts.get(
        "positions.line" if last is not None else "positions.line_without_price",
        language,
        name=services.directory.name(position.instrument),
        quantity=_quantity(services, language, position),
        average=numbers.money(position.average_price, currency, language),
        last=numbers.money(price, currency, language),
        gain=numbers.signed_amount(gain, currency, language),
        change=numbers.change(_ratio(gain, position.average_price * abs(position.quantity))),
    )


def _quantity(services: Services, language: str, position: Position) -> str:
    """Return how much is held, or that so much was sold short."""
    coin = coin_of(position.instrument)
    shown = numbers.quantity(abs(position.quantity), language, coin)
    if position.quantity >= 0:
        return shown
    return services.texts.plain("positions.short", language, quantity=shown)


def _totals(services: Services, language: str, known: list[Position]) -> list[str]:
    """Return what all comes to at each broker in each currency: they are never added up."""
    brokers = services.desk.brokers
    purses: dict[tuple[str, str], list[Position]] = {}
    for one in known:
        seat = brokers.at(venue_of(one.instrument))
        key = ("" if seat is None else seat.name, currency_of(one.instrument))
        purses.setdefault(key, []).append(one)
    lines = []
    for (name, currency), positions in purses.items():
        words = _total(services, language, positions, currency)
        lines.append(words if len(purses) == 1 else f"\n<b>{name} {currency}</b>{words}")
    return lines


def _total(services: Services, language: str, known: list[Position], currency: str) -> str:
    """Return the total of positions that are paid in one currency."""
    held = [one for one in known if one.quantity]
    spent = sum((one.average_price * abs(one.quantity) for one in held), Decimal(0))
    worth = gain = Decimal(0)
    for one in held:
        last = _last(services, one)
        price = one.average_price if last is None else last
        worth += price * abs(one.quantity)
        gain += (price - one.average_price) * one.quantity
    realized = sum((one.realized for one in known), Decimal(0))
    return services.texts.get(
        "positions.totals",
        language,
        worth=numbers.amount(worth, currency, language),
        gain=numbers.signed_amount(gain, currency, language),
        change=numbers.change(_ratio(gain, spent)),
        realized=numbers.signed_amount(realized, currency, language),
    )


def _last(services: Services, position: Position) -> Decimal | None:
    tick = services.quotes.last(position.instrument)
    return None if tick is None else to_decimal(tick.price)


def _ratio(gain: Decimal, spent: Decimal) -> Decimal:
    return gain / spent if spent else Decimal(0)
