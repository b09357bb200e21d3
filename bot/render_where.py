"""The words of /sell where: what matches, what is not known, what comes nearest, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import TEXT_LIMIT
from bot.incoming import cut
from bot.render_alert import fitting, leaf_text
from conditions.where import WHERE
from market.currency import coin_of, currency_of
from market.money import to_decimal
from market.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.services import Services
    from bot.texts import Texts
    from engine.where import Answer
    from market.errors import Problem
    from market.orders import Position
    from market.types import InstrumentId, Tick

MARK = "👉"
MOST_MISTAKES = 3
MOST_LEAVES = 4
MOST_SHOWN = 400
AROUND = 60
"""Characters of a long expression that are shown before a mistake."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a question came to: the answers in order of instruments, and whether bars decided."""

    expression: str
    answers: tuple[Answer, ...]
    positions: Mapping[InstrumentId, Position]
    prices: Mapping[InstrumentId, Tick]
    watched: frozenset[InstrumentId]
    has_bars: bool

    def of(self, verdict: Verdict) -> list[Answer]:
        """Return the answers with a verdict."""
        return [one for one in self.answers if one.verdict is verdict]


def preview_text(services: Services, language: str, found: Found, most: int) -> str:
    """Return what would be proposed, at most so many, what is not known, or what is nearest."""
    texts = services.texts
    matching, unknown = found.of(Verdict.TRUE), found.of(Verdict.UNKNOWN)
    head = [
        texts.get(
            "sell.where.title",
            language,
            expression=cut(found.expression, MOST_SHOWN),
            count=str(len(matching)),
            held=str(len(found.answers)),
        )
    ]
    if found.has_bars:
        head.append(texts.get("sell.where.of_bars", language))
    if not matching:
        head.append(texts.get("sell.where.none", language))
        head += _nearest(services, language, found)
    entries = [_line(services, language, found, one) for one in matching[:most]]
    if len(matching) > most:
        left = str(len(matching) - most)
        entries.append(texts.get("sell.where.rest", language, count=left))
    entries += [_unknown(services, language, found, one) for one in unknown]
    return fitting(texts, language, "\n".join(head), entries, TEXT_LIMIT)


def mistakes_text(texts: Texts, language: str, expression: str, problems: Sequence[Problem]) -> str:
    """Return an expression with the place of each mistake marked, and what is wrong there."""
    shown = [_mistake(texts, language, expression, one) for one in problems[:MOST_MISTAKES]]
    return "\n".join([texts.get("sell.where.mistake", language), *shown])


def _mistake(texts: Texts, language: str, expression: str, problem: Problem) -> str:
    if problem.file != WHERE:
        marked = problem.place
    else:
        at = min(problem.column - 1, len(expression))
        before, after = expression[:at], expression[at:]
        begins = "…" if len(before) > AROUND else ""
        marked = f"{begins}{before[-AROUND:]}{MARK}{after[:AROUND]}"
        marked += "…" if len(after) > AROUND else ""
    return texts.get("sell.where.marked", language, marked=marked, message=problem.message)


def _line(services: Services, language: str, found: Found, one: Answer) -> str:
    name, position = one.instrument, found.positions[one.instrument]
    quantity = numbers.quantity(position.quantity, language, coin_of(name))
    return services.texts.get(
        "sell.where.line",
        language,
        name=services.directory.name(name),
        quantity=quantity,
        profit=_profit(found, one),
        price=_price(services, language, found, one),
    )


def _profit(found: Found, one: Answer) -> str:
    tick, paid = found.prices.get(one.instrument), found.positions[one.instrument].average_price
    if tick is None or not paid:
        return numbers.change(inf)
    return numbers.change(to_decimal(tick.price) / paid - 1)


def _price(services: Services, language: str, found: Found, one: Answer) -> str:
    tick = found.prices.get(one.instrument)
    if tick is None:
        return services.texts.plain("price.unknown", language)
    return services.texts.plain(
        "price.aged",
        language,
        price=numbers.money(tick.price, currency_of(one.instrument), language),
        age=numbers.span_between(tick.seen_at, services.market_clock.now(), language),
    )


def _unknown(services: Services, language: str, found: Found, one: Answer) -> str:
    if one.is_missing:
        key = "sell.where.unknown.missing"
    elif one.instrument not in found.prices:
        key = "sell.where.unknown.no_price"
    elif found.has_bars and one.instrument not in found.watched:
        key = "sell.where.unknown.not_watched"
    else:
        key = "sell.where.unknown.no_value"
    name = services.directory.name(one.instrument)
    return services.texts.get(key, language, name=name)


def _nearest(services: Services, language: str, found: Found) -> Iterator[str]:
    """Yield the instrument that lacks least, with its comparisons."""
    known = [one for one in found.of(Verdict.FALSE) if isfinite(one.distance)]
    if not known:
        return
    nearest = min(known, key=lambda one: one.distance)
    yield services.texts.get("sell.where.nearest", language)
    yield _line(services, language, found, nearest)
    currency = currency_of(nearest.instrument)
    for leaf in nearest.leaves[:MOST_LEAVES]:
        yield leaf_text(services.texts, language, leaf, currency)
