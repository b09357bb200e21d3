"""The words of a ranking by nearness, and of what became of a signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import TEXT_LIMIT
from bot.render_alert import MARKS, fitting, leaf_text
from market.currency import currency_of

if TYPE_CHECKING:
    from bot.texts import Texts
    from conditions.compile import Condition
    from conditions.near import Near, Ranking
    from market.directory import Directory

FARTHEST = 9_999
"""Beyond so many spreads one distance is as good as another."""


def near_text(
    texts: Texts, language: str, condition: Condition, ranking: Ranking, directory: Directory
) -> str:
    """Return a ranking as HTML, the nearest first, each with the leaf that keeps it."""
    title = texts.get(
        "near.title", language, condition=condition.name, timeframe=condition.timeframe.value
    )
    counts = texts.get(
        "near.counts",
        language,
        ranked=str(ranking.ranked),
        unknown=str(ranking.unknown),
        unmeasured=str(ranking.unmeasured),
    )
    entries = [
        _entry(texts, language, rank, one, directory) for rank, one in enumerate(ranking.nearest, 1)
    ]
    head = "\n".join([title, counts, texts.get("near.scale", language)])
    return fitting(texts, language, head, entries, TEXT_LIMIT)


def _entry(texts: Texts, language: str, rank: int, one: Near, directory: Directory) -> str:
    name, code = directory.name(one.instrument), one.instrument.partition(":")[2]
    currency = currency_of(one.instrument)
    line = texts.get(
        "near.line",
        language,
        rank=str(rank),
        mark=MARKS[one.verdict],
        name=name,
        code=code,
        distance=distance_text(one.distance),
    )
    return line if one.leaf is None else f"{line}\n{leaf_text(texts, language, one.leaf, currency)}"


def distance_text(distance: float) -> str:
    """Return a distance in spreads; what holds beyond measure is just that."""
    if not math.isfinite(distance):
        return "–"
    if distance > FARTHEST:
        return f">{numbers.grouped(FARTHEST)}σ"
    return f"{numbers.grouped(distance, 2 if abs(distance) < 100 else 0)}σ"
