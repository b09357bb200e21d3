"""/sell where: what is held and meets a condition is listed, then proposed card by card."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.render_where import Found, mistakes_text, preview_text
from bot.reply import Reply, command_button
from conditions.reference import Reference
from conditions.scalar import everything
from conditions.where import TIMEFRAME, asks_for_bars, compile_where
from engine.holdings import sellable
from engine.ticket import Ticket
from engine.where import Surroundings, ask_holdings
from market.errors import ConfigError, SourceError, UsageError
from market.known import recall
from market.orders import Side
from market.types import Verdict, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.command import Call
    from bot.services import Services
    from conditions.compile import Condition
    from market.orders import Position
    from market.store import Transaction
    from market.types import Instrument, InstrumentId, Tick

WORDS = frozenset({"where", "조건"})
MOST_LISTED = 20
MOST_ASKED = 10
"""Prices that nobody has seen yet and that are asked for at once."""
FRESH = timedelta(minutes=5)
"""How long a list may be proposed; after that it is made anew."""
KEPT = timedelta(days=1)

_LIST = "sell_where/"
_TAP = re.compile(r":(update:[0-9]{1,19})")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


def read_where(args: str) -> str | None:
    """Return what stands behind `where`, None for another way to sell."""
    word, _, rest = args.strip().partition(" ")
    if word.casefold() not in WORDS:
        return None
    return " ".join(unicodedata.normalize("NFKC", rest.translate(_QUOTES)).split())


async def sell_where(services: Services, call: Call, words: str) -> Reply:
    """List what would be sold, or propose what a list holds whose button was tapped."""
    tap = _TAP.fullmatch(words)
    if tap is None:
        return await _preview(services, call, words)
    return await _propose(services, call, tap[1])


async def _preview(services: Services, call: Call, expression: str) -> Reply:
    texts, language = services.texts, call.language
    if not expression:
        return Reply(texts.get("sell.where.how", language))
    known = await services.store.read(lambda tx: tx.orders.positions())
    held = {one.instrument: one for one in known if one.quantity > 0}
    if not held:
        return Reply(texts.get("sell.where.nothing_held", language))
    try:
        condition = await asyncio.to_thread(_compiled, services, expression, tuple(held))
    except ConfigError as error:
        return Reply(mistakes_text(texts, language, expression, error.problems))
    found = await _ask(services, condition, expression, held)
    matching = found.of(Verdict.TRUE)
    most = min(MOST_LISTED, services.config.settings.risk.max_orders_per_minute)
    text = preview_text(services, language, found, most)
    if not matching:
        return Reply(text, card=call.card_for("sell-where"))
    listed = [one.instrument for one in matching[:most]]
    await services.store.write(partial(_keep, services, call, expression, listed))
    label = texts.plain("button.sell_where", language, count=str(len(listed)))
    button = command_button(label, f"/sell where :{call.key}")
    return Reply(text, ((button,),), card=call.card_for("sell-where"))


def _compiled(services: Services, expression: str, held: Sequence[InstrumentId]) -> Condition:
    config = services.config
    shared = next((one.shared for one in (*config.conditions, *config.off)), ())
    reference = Reference(services.calendars, services.directory, config.universes)
    history = config.settings.crawl.history_bars
    return compile_where(expression, held, reference, shared=shared, history=history)


async def _ask(
    services: Services,
    condition: Condition,
    expression: str,
    held: Mapping[InstrumentId, Position],
) -> Found:
    prices, watched = await _prices(services, list(held)), _watched(services)
    around = Surroundings(
        services.calendars,
        watched,
        prices,
        services.config.settings.crawl.history_bars,
        services.market_clock.now(),
    )
    names = sorted(held, key=services.directory.name)
    answers = await services.store.read(lambda tx: ask_holdings(tx, condition, names, around))
    return Found(expression, tuple(answers), held, prices, watched, asks_for_bars(condition))


def _watched(services: Services) -> frozenset[InstrumentId]:
    """Return the instruments whose bars are stored as they close."""
    found: set[InstrumentId] = set()
    for condition in services.pipeline.conditions:
        if condition.timeframe is TIMEFRAME:
            found.update(condition.reference.members(condition.spec) or ())
            found.update(condition.instruments)
    return frozenset(found)


async def _prices(services: Services, names: Sequence[InstrumentId]) -> dict[InstrumentId, Tick]:
    """Return the newest prices; of a few that were never seen the source is asked."""
    quotes = services.quotes
    unseen = [name for name in names if quotes.last(name) is None][:MOST_ASKED]
    age = timedelta(seconds=services.config.settings.confirm.quote_age_seconds)

    async def ask(name: InstrumentId) -> None:
        try:
            await quotes.fresh(name, age)
        except SourceError:
            return

    await asyncio.gather(*(ask(name) for name in unseen))
    newest = {name: quotes.last(name) for name in names}
    return {name: tick for name, tick in newest.items() if tick is not None}


def _keep(
    services: Services,
    call: Call,
    expression: str,
    listed: Sequence[InstrumentId],
    tx: Transaction,
) -> None:
    """Keep a list for its button, and forget old ones."""
    now = services.wall_clock.now()
    for key, old in tx.documents.items(_LIST):
        if from_ms(int(old["at"])) < now - KEPT:
            tx.documents.delete(key)
    document = {
        "user": call.user.id,
        "at": to_ms(now),
        "expression": expression,
        "instruments": list(listed),
    }
    tx.documents.put(_LIST + call.key, document)


async def _propose(services: Services, call: Call, key: str) -> Reply:
    """Propose every sale of a list; a list that is too old is made anew instead."""
    kept = await services.store.read(lambda tx: tx.documents.get(_LIST + key))
    if kept is None or kept["user"] != call.user.id:
        raise UsageError("tap.forged")
    if services.wall_clock.now() - from_ms(int(kept["at"])) > FRESH:
        reply = await _preview(services, call, kept["expression"])
        notice = services.texts.plain("sell.where.old", call.language)
        return Reply(reply.text, reply.buttons, reply.card, notice)
    names: list[InstrumentId] = kept["instruments"]
    left = await services.store.read(
        lambda tx: [recall(tx, name) for name in names if sellable(tx, name)]
    )
    for instrument in left:
        await services.desk.propose(_ticket(services, call, key, instrument))
    return _proposed(services, call, kept["expression"], [one.id for one in left], names)


def _ticket(services: Services, call: Call, key: str, instrument: Instrument) -> Ticket:
    confirm = services.config.settings.confirm
    return Ticket(
        key=f"where:{key}:{instrument.id}",
        instrument=services.directory.get(instrument.id) or instrument,
        side=Side.SELL,
        quantity=None,
        size=everything(),
        price=None,
        price_rule=None,
        user_id=call.user.id,
        origin="command",
        within=timedelta(seconds=confirm.within_seconds),
        max_drift=confirm.max_drift,
    )


def _proposed(
    services: Services,
    call: Call,
    expression: str,
    left: Sequence[InstrumentId],
    names: Sequence[InstrumentId],
) -> Reply:
    texts, language = services.texts, call.language
    gone = [services.directory.name(name) for name in names if name not in left]
    text = texts.get("sell.where.proposed", language, expression=expression, count=str(len(left)))
    if gone:
        text += "\n" + texts.get("sell.where.gone", language, names=", ".join(gone))
    return Reply(text, card=call.card_for("sell-where"))
