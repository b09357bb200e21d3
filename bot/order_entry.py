"""A typed order (/buy, /sell, /short, /cover) becomes a ticket, or a question with buttons."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import units
from bot.order_words import OrderWords, UnknownInstrument, read_order
from bot.render import typed_code
from bot.reply import DATA_LIMIT_BYTES, Reply, command_button
from conditions.scalar import ALL, compile_sold
from config.strict_yaml import Located
from engine.risk_market import currency_denial
from engine.ticket import Ticket
from market.currency import KRW, USDT, coin_of, currency_of
from market.errors import UsageError
from market.money import floor_to_lot, to_decimal
from market.orders import Action, PositionSide
from market.segments import may_be_short

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from conditions.scalar import Scalar
    from market.messages import Button
    from market.types import Instrument

QUICK_QUANTITIES = (Decimal(1), Decimal(10), Decimal(100))
QUICK_AMOUNTS = {KRW: (10_000, 100_000, 1_000_000), USDT: (10, 100, 1_000)}
"""Of coins people think in money."""
COIN_DIGITS = 3


async def enter_order(services: Services, call: Call, action: Action) -> Reply:
    """Propose what was typed; its card comes from the desk, so the reply is mostly empty."""
    try:
        words = read_order(call.args, services.directory)
    except UnknownInstrument as unknown:
        return _did_you_mean(services, call, action, unknown)
    if action.position is PositionSide.SHORT and not may_be_short(words.instrument.id):
        raise UsageError("usage.not_short", name=words.instrument.name)
    if currency_denial(words.instrument) is not None:
        currency = currency_of(words.instrument.id)
        raise UsageError("usage.not_in_won", name=words.instrument.name, currency=currency)
    held = await _held(services, words.instrument) * action.position.sign
    if words.is_all:
        if action.is_entry:
            raise UsageError("usage.all_is_for_selling")
        if held <= 0:
            is_short = action is Action.COVER
            code = "usage.nothing_short" if is_short else "usage.nothing_held"
            raise UsageError(code, name=words.instrument.name)
        words = OrderWords(words.instrument, held, words.price)
    if words.quantity is None and not words.is_sized:
        return ask_quantity(services, call, action, words.instrument, held)
    await services.desk.propose(_ticket(services, call, action, words))
    return Reply()


def ask_quantity(
    services: Services, call: Call, action: Action, instrument: Instrument, held: Decimal
) -> Reply:
    """Ask how many, with the usual amounts as buttons; `held` is what there is of that side."""
    texts, language = services.texts, call.language
    code, coin = typed_code(instrument), coin_of(instrument.id)
    quick = _quick_quantities(services, instrument)
    buttons = [
        command_button(numbers.quantity(count, language, coin), f"/{action} {code} {count:f}")
        for count in quick
        if action.is_entry or count <= held
    ]
    shown = numbers.quantity(held, language, coin)
    if not action.is_entry and held > 0:
        label = texts.plain("button.all", language, quantity=shown)
        buttons.append(command_button(label, f"/{action} {code} all"))
    key = f"order.how_many.coin.{action}" if coin else f"order.how_many.{action}"
    facts = {"typed": code, "example": f"{quick[0]:f}" if quick else "0.01"} if coin else {}
    text = texts.get(
        key,
        language,
        name=instrument.name,
        code=instrument.code,
        price=last_price_text(services, call, instrument),
        held=shown,
        **facts,
    )
    return Reply(text, (tuple(buttons),) if buttons else ())


def _quick_quantities(services: Services, instrument: Instrument) -> tuple[Decimal, ...]:
    """Return the usual numbers of shares; of a coin what usual amounts of money buy, if known."""
    if not coin_of(instrument.id):
        return QUICK_QUANTITIES
    tick = services.quotes.last(instrument.id)
    if tick is None:
        return ()
    price = to_decimal(tick.price)
    amounts = QUICK_AMOUNTS.get(currency_of(instrument.id), ())
    return tuple(_short(amount / price, instrument) for amount in amounts)


def _short(quantity: Decimal, instrument: Instrument) -> Decimal:
    """Return a quantity rounded up to few digits, so that an amount stays above the least."""
    unit = Decimal(1).scaleb(quantity.adjusted() - COIN_DIGITS + 1)
    return floor_to_lot((quantity / unit).to_integral_value(ROUND_CEILING) * unit, instrument.steps)


def last_price_text(services: Services, call: Call, instrument: Instrument) -> str:
    """Return the newest price with its age, or that there is none yet."""
    tick = services.quotes.last(instrument.id)
    if tick is None:
        return services.texts.plain("price.unknown", call.language)
    return services.texts.plain(
        "price.aged",
        call.language,
        price=numbers.money(tick.price, currency_of(instrument.id), call.language),
        age=numbers.span_between(tick.seen_at, services.market_clock.now(), call.language),
    )


async def _held(services: Services, instrument: Instrument) -> Decimal:
    position = await services.store.read(lambda tx: tx.orders.position(instrument.id))
    return Decimal(0) if position is None else position.quantity


def _ticket(services: Services, call: Call, action: Action, words: OrderWords) -> Ticket:
    confirm = services.config.settings.confirm
    return Ticket(
        key=call.key,
        instrument=words.instrument,
        side=action.side,
        quantity=words.quantity,
        size=_size(words, action) if words.is_sized else None,
        price=words.price,
        price_rule=None,
        user_id=call.user.id,
        origin="command",
        within=timedelta(seconds=confirm.within_seconds),
        max_drift=confirm.max_drift,
        position=action.position,
    )


def _size(words: OrderWords, action: Action) -> Scalar:
    """Return the size in the language of conditions, so that both are sized in one place."""
    if words.amount is not None:
        paid = currency_of(words.instrument.id)
        return compile_sold(Located(f"{words.amount:f} {paid}", "chat", 1, 1))
    whole = "buying_power" if action.is_entry else ALL
    return compile_sold(Located(f"{words.percent or 0:f}% * {whole}", "chat", 1, 1))


def _did_you_mean(
    services: Services, call: Call, action: Action, unknown: UnknownInstrument
) -> Reply:
    texts, language = services.texts, call.language
    rows: list[tuple[Button, ...]] = []
    for instrument in unknown.near:
        line = f"/{action} {typed_code(instrument)} {unknown.tail}".strip()
        if units(line) > DATA_LIMIT_BYTES // 2:
            line = f"/{action} {typed_code(instrument)}"
        rows.append((command_button(f"{instrument.name} ({instrument.code})", line),))
    return Reply(texts.get(unknown.code, language, **unknown.facts), tuple(rows))
