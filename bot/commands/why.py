"""/why: why a condition fires on an instrument or does not, now or when a signal was given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.asking import UnknownCondition, UnknownName, read_question
from bot.command import command
from bot.commands.orders import start_of_day
from bot.question_reply import (
    condition_names,
    did_you_mean,
    fitting_buttons,
    in_pairs,
    instruments_like,
    near_reply,
    which,
)
from bot.render import typed_code
from bot.render_signal import signal_text
from bot.render_why import why_text
from bot.reply import Reply
from config.load import members
from market.errors import UsageError
from market.messages import Role

if TYPE_CHECKING:
    from bot.asking import Question
    from bot.command import Call
    from bot.services import Services
    from market.signals import Signal
    from market.store import Transaction
    from market.types import Bar, Instrument

MARK = "#"
"""What the short reference of a signal begins with."""
RECENT = 6


@command(
    "why",
    Role.VIEWER,
    is_private=False,
    examples=("", "volume-breakout 005930", "volume-breakout 삼성전자", "volume-breakout"),
)
async def why(services: Services, call: Call) -> Reply:
    """Explain a condition on an instrument, or a signal by its reference."""
    args = call.args.strip()
    if args.startswith(MARK):
        return await _signal_reply(services, call, args.removeprefix(MARK).strip().lower())
    names = condition_names(services)
    try:
        question = read_question(args, names, services.directory)
    except UnknownCondition as unknown:
        return did_you_mean(services, call, unknown, "why")
    except UnknownName as unknown:
        return instruments_like(services, call, unknown)
    return await _answer(services, call, question)


async def _answer(services: Services, call: Call, question: Question) -> Reply:
    if question.instrument is None:
        if question.condition:
            return await near_reply(services, call, question.condition)
        return await _recent_reply(services, call)
    if question.condition:
        return await _why_reply(services, call, question.condition, question.instrument)
    names = _watching(services, question.instrument)
    if len(names) == 1:
        return await _why_reply(services, call, names[0], question.instrument)
    return which(services, call, "why", names, typed_code(question.instrument))


def _watching(services: Services, instrument: Instrument) -> list[str]:
    """Return the conditions that watch an instrument; UsageError where none does."""
    config = services.config
    names = [
        one.name
        for one in services.pipeline.conditions
        if instrument.id in members(config, one.spec)
    ]
    if not names:
        raise UsageError("why.unwatched", name=instrument.name)
    return names


async def _why_reply(services: Services, call: Call, name: str, instrument: Instrument) -> Reply:
    """Explain what the condition does on the instrument's newest bar."""
    texts, now = services.texts, services.market_clock.now()
    looks = await services.pipeline.looks(name, instrument.id)
    if not looks:
        raise UsageError("why.not_watched", condition=name, name=instrument.name)
    today = start_of_day(now)
    fired = await services.store.read(lambda tx: tx.signals.count_since(name, today))
    found = await asyncio.to_thread(looks[0].why, instrument.id, now, fired)
    refresh = texts.plain("button.refresh", call.language)
    near = texts.plain("button.near", call.language)
    line = f"/why {name} {typed_code(instrument)}"
    buttons = fitting_buttons([(refresh, line), (near, f"/near {name}")])
    text = why_text(texts, call.language, found, instrument)
    return Reply(text, in_pairs(buttons), card=call.card_for("why"))


async def _signal_reply(services: Services, call: Call, reference: str) -> Reply:
    """Explain a signal with the values it was given on, and tell what came of it."""

    def read(tx: Transaction) -> tuple[Signal, list[Bar]] | None:
        signal = tx.signals.referred(reference)
        if signal is None:
            return None
        start = signal.bar_start + signal.timeframe.length
        end = services.market_clock.now()
        return signal, tx.bars.between(signal.instrument, signal.timeframe, start, end)

    known = await services.store.read(read)
    if known is None:
        raise UsageError("why.no_signal")
    signal, later = known
    instrument = services.directory.get(signal.instrument)
    if instrument is None:
        raise UsageError("instrument.unknown", name=signal.instrument)
    texts, code = services.texts, typed_code(instrument)
    now = texts.plain("button.why_now", call.language)
    buttons = fitting_buttons([(now, f"/why {signal.condition} {code}")])
    return Reply(signal_text(texts, call.language, signal, instrument, later), in_pairs(buttons))


async def _recent_reply(services: Services, call: Call) -> Reply:
    """Offer the newest signals, and say how to ask about anything else."""
    signals = await services.store.read(lambda tx: tx.signals.recent(RECENT))
    lines = [(_label(services, one), f"/why {MARK}{one.reference}") for one in signals]
    key = "why.which" if signals else "why.none"
    rows = tuple((button,) for button in fitting_buttons(lines))
    return Reply(services.texts.get(key, call.language), rows)


def _label(services: Services, signal: Signal) -> str:
    name = services.directory.name(signal.instrument)
    return f"{numbers.minute(signal.fired_at)} {name} · {signal.condition}"
