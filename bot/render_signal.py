"""The words of a signal that somebody asks about later: why it fired, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import TEXT_LIMIT
from bot.render_alert import fitting, leaf_text
from market.currency import currency_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.texts import Texts
    from market.signals import Signal
    from market.types import Bar, Instrument

_EARLY = {None: "why.early.open", True: "why.early.held", False: "why.early.gone"}


def signal_text(
    texts: Texts, language: str, signal: Signal, instrument: Instrument, later: Sequence[Bar]
) -> str:
    """Return the stored reasons of a signal as HTML, and what the bars after its own have done."""
    currency = currency_of(signal.instrument)
    head = [
        texts.get(
            "why.title",
            language,
            condition=signal.condition,
            name=instrument.name,
            code=instrument.code,
        ),
        texts.get(
            "why.signal",
            language,
            timeframe=signal.timeframe.value,
            time=numbers.minute(signal.bar_start),
            price=numbers.money(signal.price, currency, language),
        ),
        *([early_text(texts, language, signal)] if signal.is_intrabar else ()),
        since_text(texts, language, signal, later),
        "",
    ]
    leaves = [leaf_text(texts, language, leaf, currency) for leaf in signal.explanation.leaves]
    return fitting(texts, language, "\n".join(head), leaves, TEXT_LIMIT)


def early_text(texts: Texts, language: str, signal: Signal) -> str:
    """Return what the close has made of a signal that was given while its bar was forming."""
    return texts.get(_EARLY[signal.has_held], language)


def since_text(texts: Texts, language: str, signal: Signal, later: Sequence[Bar]) -> str:
    """Return how far the price has gone since a signal, up and down."""
    if not later:
        return texts.get("why.since_none", language)
    high, low = max(bar.high for bar in later), min(bar.low for bar in later)
    currency = currency_of(signal.instrument)
    return texts.get(
        "why.since",
        language,
        bars=str(len(later)),
        price=numbers.money(later[-1].close, currency, language),
        change=numbers.change(later[-1].close / signal.price - 1),
        high=numbers.money(high, currency, language),
        rise=numbers.change(high / signal.price - 1),
        low=numbers.money(low, currency, language),
        fall=numbers.change(low / signal.price - 1),
    )
