"""A typed /buy or /sell becomes a ticket for the desk, or a question with buttons."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import units
from bot.order_words import OrderWords, UnknownInstrument, read_order
from bot.render import typed_code
from bot.reply import DATA_LIMIT_BYTES, Reply, command_button
from engine.ticket import Ticket
from market.errors import UsageError
from market.orders import Side

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from market.messages import Button
    from market.types import Instrument

QUICK_QUANTITIES = (1, 10, 100)


async def enter_order(services: Services, call: Call, side: Side) -> Reply:
    """Propose what was typed; its card comes from the desk, so the reply is mostly empty."""
    try:
        words = read_order(call.args, services.directory)
    except UnknownInstrument as unknown:
        return _did_you_mean(services, call, side, unknown)
    held = await _held(services, words.instrument)
    if words.is_all:
        if side is Side.BUY:
            raise UsageError("usage.all_is_for_selling")
        if held <= 0:
            raise UsageError("usage.nothing_held", name=words.instrument.name)
        words = OrderWords(words.instrument, held, words.price)
    if words.quantity is None:
        return ask_quantity(services, call, side, words.instrument, held)
    await services.desk.propose(_ticket(services, call, side, words, words.quantity))
    return Reply()


def ask_quantity(
    services: Services, call: Call, side: Side, instrument: Instrument, held: Decimal
) -> Reply:
    """Ask how many, with the usual amounts as buttons."""
    texts, language = services.texts, call.language
    code = typed_code(instrument)
    buttons = [
        command_button(numbers.quantity(Decimal(count), language), f"/{side} {code} {count}")
        for count in QUICK_QUANTITIES
        if side is Side.BUY or count <= held
    ]
    if side is Side.SELL and held > 0:
        label = texts.plain("button.all", language, quantity=numbers.quantity(held, language))
        buttons.append(command_button(label, f"/{side} {code} all"))
    text = texts.get(
        f"order.how_many.{side}",
        language,
        name=instrument.name,
        code=instrument.code,
        price=last_price_text(services, call, instrument),
        held=numbers.quantity(held, language),
    )
    return Reply(text, (tuple(buttons),) if buttons else ())


def last_price_text(services: Services, call: Call, instrument: Instrument) -> str:
    """Return the newest price with its age, or that there is none yet."""
    tick = services.quotes.last(instrument.id)
    if tick is None:
        return services.texts.plain("price.unknown", call.language)
    return services.texts.plain(
        "price.aged",
        call.language,
        price=numbers.won(tick.price, call.language),
        age=numbers.span_between(tick.seen_at, services.market_clock.now(), call.language),
    )


async def _held(services: Services, instrument: Instrument) -> Decimal:
    position = await services.store.read(lambda tx: tx.orders.position(instrument.id))
    return Decimal(0) if position is None else position.quantity


def _ticket(
    services: Services, call: Call, side: Side, words: OrderWords, quantity: Decimal
) -> Ticket:
    confirm = services.config.settings.confirm
    return Ticket(
        key=call.key,
        instrument=words.instrument,
        side=side,
        quantity=quantity,
        size=None,
        price=words.price,
        price_rule=None,
        user_id=call.user.id,
        origin="command",
        within=timedelta(seconds=confirm.within_seconds),
        max_drift=confirm.max_drift,
    )


def _did_you_mean(services: Services, call: Call, side: Side, unknown: UnknownInstrument) -> Reply:
    texts, language = services.texts, call.language
    rows: list[tuple[Button, ...]] = []
    for instrument in unknown.near:
        line = f"/{side} {typed_code(instrument)} {unknown.tail}".strip()
        if units(line) > DATA_LIMIT_BYTES // 2:
            line = f"/{side} {typed_code(instrument)}"
        rows.append((command_button(f"{instrument.name} ({instrument.code})", line),))
    return Reply(texts.get(unknown.code, language, **unknown.facts), tuple(rows))
