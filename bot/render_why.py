"""The words of a why: a condition as a tree with its values, and what it waits for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import TEXT_LIMIT, length
from bot.render_alert import MARKS, leaf_value
from conditions.waits import WaitFor
from market.currency import currency_of
from market.signals import Phase
from market.types import Verdict, from_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.texts import Texts
    from conditions.tree import Branch, Operand
    from conditions.waits import Wait
    from conditions.why import Why
    from market.types import Instrument

INDENT = "  "
MOST_NUMBERS = 6
"""Numbers below one comparison; a phone shows no more at a glance."""


def why_text(texts: Texts, language: str, why: Why, instrument: Instrument) -> str:
    """Return a why as HTML; what the numbers are made of is left out where it would not fit."""
    words = _Words(texts, language, currency_of(instrument.id))
    for has_numbers in (True, False):
        lines = [
            *_head(words, why, instrument),
            *_tree(words, why.when, has_numbers=has_numbers),
            *_clear(words, why, has_numbers=has_numbers),
            *_waits(words, why),
        ]
        text = "\n".join(lines)
        if length(text) <= TEXT_LIMIT:
            break
    return text


class _Words:
    """The texts in one language, and money in one currency."""

    def __init__(self, texts: Texts, language: str, currency: str) -> None:
        self._texts = texts
        self._currency = currency
        self.language = language

    def __call__(self, key: str, **facts: str) -> str:
        return self._texts.get(key, self.language, **facts)

    def plain(self, key: str, **facts: str) -> str:
        return self._texts.plain(key, self.language, **facts)

    def value(self, number: float, unit: str) -> str:
        return leaf_value(number, unit, self.language, self._currency)


def _head(words: _Words, why: Why, instrument: Instrument) -> Iterator[str]:
    yield words("why.title", condition=why.condition, name=instrument.name, code=instrument.code)
    if why.bar_start is not None:
        yield words(
            "why.forming" if why.is_forming else "why.bar",
            timeframe=why.timeframe.value,
            time=numbers.minute(why.bar_start),
            price=words.value(why.close, "price"),
        )
    yield _says(words, why)
    if why.state.fired_ms and not why.fires:
        fired = numbers.minute(from_ms(why.state.fired_ms))
        yield words("why.last_fired", time=fired)
    yield ""


def _says(words: _Words, why: Why) -> str:
    if why.fires:
        return words("why.fires")
    if why.verdict is Verdict.UNKNOWN:
        return words("why.unknown")
    if why.verdict is Verdict.TRUE:
        key = "why.still" if why.state.phase is Phase.FIRING else "why.true"
        return words(key, bars=str(why.held))
    leaves = list(_leaves(why.when))
    holding = sum(leaf.verdict is Verdict.TRUE for leaf in leaves)
    return words("why.false", holding=str(holding), count=str(len(leaves)))


def _leaves(branch: Branch) -> Iterator[Branch]:
    if not branch.parts:
        yield branch
    for part in branch.parts:
        yield from _leaves(part)


def _tree(words: _Words, branch: Branch, depth: int = 0, *, has_numbers: bool) -> Iterator[str]:
    """Yield a node and what is below it, a step further in."""
    margin = INDENT * depth
    if not branch.parts:
        yield from _leaf(words, branch, margin, has_numbers=has_numbers)
        return
    held = {"held": str(branch.held), "needs": str(branch.needs)}
    line = words(f"why.{branch.word}", mark=MARKS[branch.verdict], text=branch.text, **held)
    yield margin + line + _added(words, branch)
    if branch.held_at is not None:
        time = numbers.minute(branch.held_at)
        yield margin + INDENT * 2 + words("why.held_at", time=time)
    if branch.word == "score":
        gap = _gap(words, branch)
        yield margin + INDENT * 2 + words("why.values", values=_values(words, branch), gap=gap)
    for part in branch.parts:
        yield from _tree(words, part, depth + 1, has_numbers=has_numbers)


def _leaf(words: _Words, leaf: Branch, margin: str, *, has_numbers: bool) -> Iterator[str]:
    line = words("why.leaf", mark=MARKS[leaf.verdict], text=leaf.text)
    yield margin + line + _added(words, leaf)
    margin += INDENT * 2
    if len(leaf.operands) == 2:
        yield margin + words("why.values", values=_values(words, leaf), gap=_gap(words, leaf))
    if leaf.before:
        left, right = (words.value(one, leaf.unit) for one in leaf.before)
        yield margin + words("why.before", left=left, right=right)
    shown = list(_numbers(leaf)) if has_numbers else []
    if shown:
        listed = ", ".join(f"{one.text} {words.value(one.value, one.unit)}" for one in shown)
        yield margin + words("why.numbers", numbers=listed)


def _added(words: _Words, branch: Branch) -> str:
    """Return what a part of a score adds to it."""
    if not math.isfinite(branch.adds):
        return ""
    return words("why.adds", points=numbers.price(branch.adds))


def _values(words: _Words, leaf: Branch) -> str:
    left, right = (words.value(one.value, leaf.unit) for one in leaf.operands)
    return f"{left} {leaf.operator} {right}"


def _gap(words: _Words, leaf: Branch) -> str:
    """Return by how much a comparison holds or fails, or how many bars it needs to be known."""
    if leaf.verdict is Verdict.UNKNOWN:
        needs = max((one.needs for one in leaf.operands if math.isnan(one.value)), default=0)
        return words.plain("why.needs", needs=str(needs)) if needs > 1 else ""
    if math.isnan(leaf.gap):
        return ""
    gap = words.value(abs(leaf.gap), leaf.unit)
    if leaf.unit == "ratio":
        gap += "p" if gap.endswith("%") else ""
    elif math.isfinite(leaf.gap_ratio):
        gap += f" ({numbers.short_percent(abs(leaf.gap_ratio), words.language)})"
    if leaf.gap > 0:
        return words.plain("why.lacks", gap=gap)
    if leaf.verdict is Verdict.TRUE:
        return words.plain("why.holds", gap=gap)
    return words.plain("why.already" if leaf.before else "why.level")


def _numbers(leaf: Branch) -> list[Operand]:
    """Return the numbers that the sides are made of, each once, innermost first."""
    sides = {operand.text for operand in leaf.operands}
    found: dict[str, Operand] = {}

    def gather(operand: Operand) -> None:
        for part in operand.parts:
            gather(part)
            if not part.is_written and part.text not in sides:
                found.setdefault(part.text, part)

    for operand in leaf.operands:
        gather(operand)
    return list(found.values())[:MOST_NUMBERS]


def _clear(words: _Words, why: Why, *, has_numbers: bool) -> Iterator[str]:
    if why.state.phase is Phase.FIRING and why.clear is not None:
        yield ""
        yield words("why.clear")
        yield from _tree(words, why.clear, has_numbers=has_numbers)


def _waits(words: _Words, why: Why) -> Iterator[str]:
    lines = [_wait(words, wait) for wait in why.waits if wait.reason is not WaitFor.FALSE]
    if lines:
        yield ""
    yield from lines


def _wait(words: _Words, wait: Wait) -> str:
    hours = "-".join(f"{at:%H:%M}" for at in wait.hours or ())
    return words(
        f"why.wait.{wait.reason}",
        has=str(wait.has),
        needs=str(wait.needs),
        time=numbers.minute(wait.at) if wait.at is not None else "",
        hours=hours,
        name=wait.name,
    )
