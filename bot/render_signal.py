"""The words of a signal that somebody asks about later: why it fired, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import TEXT_LIMIT
from bot.render_alert import fitting, leaf_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.texts import Texts
    from market.signals import Signal
    from market.types import Bar, Instrument


def signal_text(
    texts: Texts, language: str, signal: Signal, instrument: Instrument, later: Sequence[Bar]
) -> str:
    """Return the stored reasons of a signal as HTML, and what the bars after its own have done."""
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
            price=numbers.won(signal.price, language),
        ),
        since_text(texts, language, signal, later),
        "",
    ]
    leaves = [leaf_text(texts, language, leaf) for leaf in signal.explanation.leaves]
    return fitting(texts, language, "\n".join(head), leaves, TEXT_LIMIT)


def since_text(texts: Texts, language: str, signal: Signal, later: Sequence[Bar]) -> str:
    """Return how far the price has gone since a signal, up and down."""
    if not later:
        return texts.get("why.since_none", language)
    high, low = max(bar.high for bar in later), min(bar.low for bar in later)
    return texts.get(
        "why.since",
        language,
        bars=str(len(later)),
        price=numbers.won(later[-1].close, language),
        change=numbers.change(later[-1].close / signal.price - 1),
        high=numbers.won(high, language),
        rise=numbers.change(high / signal.price - 1),
        low=numbers.won(low, language),
        fall=numbers.change(low / signal.price - 1),
    )
