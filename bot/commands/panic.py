"""/panic: pause everything, cancel all orders and close all positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.reply import Reply, command_button
from engine.panic import exit_price, read_panic, to_cancel, to_close
from market.currency import coin_of, currency_of
from market.errors import UsageError
from market.messages import Role
from market.orders import PositionSide, side_of

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from market.orders import Position

MOST_SHOWN = 20


@command(
    "panic", Role.OWNER, is_private=True, is_secret=True, examples=("", "rehearse", "now", "stop")
)
async def panic(services: Services, call: Call) -> Reply:
    """Do it with `now` (or the second factor, where one is needed), else list what it would do."""
    texts, language = services.texts, call.language
    word = call.args.strip().lower()
    if word in {"", "rehearse"}:
        return await _rehearse(services, call)
    if word == "stop":
        had_begun = await services.desk.stop_panic()
        return Reply(texts.get("panic.stopped" if had_begun else "panic.none", language))
    if await _needs_factor(services):
        proof = await services.second_factor.prove(call.args, services.wall_clock.now())
        if not proof.is_given:
            raise UsageError(proof.code, **proof.facts)
    elif word != "now":
        raise UsageError("panic.usage")
    has_begun = await services.desk.panic(call.user.id)
    return Reply(texts.get("panic.begun" if has_begun else "panic.halted", language))


async def _needs_factor(services: Services) -> bool:
    return services.desk.is_live and await services.second_factor.is_set()


async def _rehearse(services: Services, call: Call) -> Reply:
    """List what would be done; nothing is."""
    texts, language = services.texts, call.language
    goes_on, orders, held = await services.store.read(
        lambda tx: (read_panic(tx), to_cancel(tx), to_close(tx))
    )
    lines = [texts.get("panic.title", language)]
    if goes_on is not None:
        lines.append(texts.get("panic.goes_on", language))
    lines.append(texts.get("panic.orders", language, count=str(len(orders))))
    lines += [_line(services, language, one) for one in held[:MOST_SHOWN]]
    if len(held) > MOST_SHOWN:
        lines.append(texts.get("list.more", language, count=str(len(held) - MOST_SHOWN)))
    if not held:
        lines.append(texts.get("panic.nothing_held", language))
    if await _needs_factor(services):
        return Reply("\n".join([*lines, texts.get("panic.with_code", language)]))
    label = texts.plain("button.panic", language)
    return Reply("\n".join(lines), ((command_button(label, "/panic now"),),))


def _line(services: Services, language: str, position: Position) -> str:
    instrument = services.directory.get(position.instrument)
    quote = services.quotes.last(position.instrument)
    price, side = "?", side_of(position.quantity)
    if instrument is not None and quote is not None:
        most = services.config.settings.risk.max_away
        price = numbers.money(
            exit_price(quote, instrument, most, side), currency_of(position.instrument), language
        )
    return services.texts.get(
        "panic.sell" if side is PositionSide.LONG else "panic.buy",
        language,
        name=services.directory.name(position.instrument),
        quantity=numbers.quantity(abs(position.quantity), language, coin_of(position.instrument)),
        price=price,
    )
