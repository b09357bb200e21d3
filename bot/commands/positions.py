"""/positions: what is held, what it is worth now, and the profit."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.reply import Reply, command_button
from market.currency import coin_of
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
    lines.append(_totals(services, language, held, known) if known else "")
    if not held:
        lines.insert(1, texts.get("positions.none", language))
    button = command_button(texts.plain("button.refresh", language), "/positions")
    text = "\n".join(line for line in lines if line)
    return Reply(text, ((button,),), card=call.card_for("positions"))


def _line(services: Services, language: str, position: Position) -> str:
    last = _last(services, position)
    price = position.average_price if last is None else last
    gain = (price - position.average_price) * position.quantity
    return services.texts.get(
        "positions.line" if last is not None else "positions.line_without_price",
        language,
        name=services.directory.name(position.instrument),
        quantity=numbers.quantity(position.quantity, language, coin_of(position.instrument)),
        average=numbers.won(position.average_price, language),
        last=numbers.won(price, language),
        gain=numbers.signed_won(gain, language),
        change=numbers.change(_ratio(gain, position.average_price * position.quantity)),
    )


def _totals(services: Services, language: str, held: list[Position], known: list[Position]) -> str:
    spent = sum((one.average_price * one.quantity for one in held), Decimal(0))
    worth = Decimal(0)
    for one in held:
        last = _last(services, one)
        worth += (one.average_price if last is None else last) * one.quantity
    realized = sum((one.realized for one in known), Decimal(0))
    return services.texts.get(
        "positions.totals",
        language,
        worth=numbers.won(numbers.whole(worth), language),
        gain=numbers.signed_won(worth - spent, language),
        change=numbers.change(_ratio(worth - spent, spent)),
        realized=numbers.signed_won(realized, language),
    )


def _last(services: Services, position: Position) -> Decimal | None:
    tick = services.quotes.last(position.instrument)
    return None if tick is None else to_decimal(tick.price)


def _ratio(gain: Decimal, spent: Decimal) -> Decimal:
    return gain / spent if spent else Decimal(0)
