"""What came of a tap or a cancel, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.render_order import reason_text
from market.currency import KRW, currency_of

if TYPE_CHECKING:
    from bot.texts import Texts
    from engine.desk import Outcome


def outcome_text(texts: Texts, language: str, outcome: Outcome) -> str:
    """Return the words of an outcome as HTML; numbers of a refused order are given if known."""
    facts = dict(outcome.facts)
    if "reason" in facts:
        facts["reason"] = reason_text(texts, language, facts["reason"])
    if "state" in facts:
        facts["state"] = texts.plain(f"state.{facts['state']}", language)
    currency = KRW if outcome.order is None else currency_of(outcome.order.instrument)
    facts["unit"] = numbers.unit_of(currency, language)
    words = texts.get(outcome.code, language, **facts)
    if facts.get("limit") and texts.has(f"detail.{outcome.code}"):
        detail = texts.get(f"detail.{outcome.code}", language, **facts)
        return f"{words} {detail}"
    return words
