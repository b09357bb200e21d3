"""The words of an alert: what fired on what, at which price, and why."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.html_text import CAPTION_LIMIT, TEXT_LIMIT, length
from market.currency import currency_of
from market.sessions import KST
from market.types import Verdict, from_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.texts import Texts
    from config.condition_file import AlertSpec
    from market.signals import Leaf, Signal, Snapshot
    from market.types import Instrument

MARKS = {Verdict.TRUE: "✅", Verdict.UNKNOWN: "❔", Verdict.FALSE: "▫️"}
MANY = 10_000
"""From here on nobody reads digits behind the point."""
_MONEY: dict[str, Callable[[float, str, str], str]] = {
    "price": numbers.money,
    "value": numbers.turnover,
}
_SHOWN: dict[str, Callable[[float, str], str]] = {
    "ratio": numbers.short_percent,
    "volume": numbers.short_count,
    "time": numbers.minutes,
    "clock": lambda value, _: numbers.of_day(value),
}
SEVERITIES = {"low": "🔹", "normal": "🔔", "high": "🚨"}


def alert_text(
    texts: Texts,
    language: str,
    signal: Signal,
    instrument: Instrument,
    spec: AlertSpec,
    description: str,
) -> str:
    """Return an alert as HTML, short enough for a caption where it has a chart."""
    head = _head(texts, language, signal, instrument, spec, description)
    currency = currency_of(signal.instrument)
    leaves = [leaf_text(texts, language, leaf, currency) for leaf in signal.explanation.leaves]
    limit = CAPTION_LIMIT if spec.chart else TEXT_LIMIT
    return fitting(texts, language, head, leaves, limit)


def leaf_text(texts: Texts, language: str, leaf: Leaf, currency: str) -> str:
    """Return one comparison with the values of both sides, and when it held if not now."""
    key, time = "alert.leaf", ""
    if leaf.held_at is not None:
        key, time = "alert.leaf_then", numbers.minute(leaf.held_at)
    return texts.get(
        key,
        language,
        time=time,
        mark=MARKS[leaf.verdict],
        text=leaf.text,
        left=leaf_value(leaf.left, leaf.unit, language, currency),
        operator=leaf.operator,
        right=leaf_value(leaf.right, leaf.unit, language, currency),
    )


def leaf_value(value: float, unit: str, language: str, currency: str) -> str:
    """Return a side of a comparison in its unit, money in its currency; NaN is a dash."""
    if not math.isfinite(value):
        return "–"
    if unit in _MONEY:
        return _MONEY[unit](value, currency, language)
    if unit in _SHOWN:
        return _SHOWN[unit](value, language)
    return numbers.short_count(value, language) if abs(value) >= MANY else numbers.grouped(value, 2)


def fitting(texts: Texts, language: str, head: str, leaves: list[str], limit: int) -> str:
    """Return the head and as many leaves as fit, saying how many were left out."""
    for kept in range(len(leaves), -1, -1):
        lines = [head, *leaves[:kept]]
        if kept < len(leaves):
            lines.append(texts.get("alert.more", language, count=str(len(leaves) - kept)))
        text = "\n".join(lines)
        if length(text) <= limit:
            return text
    return head


def change_since(snapshot: Snapshot) -> tuple[str, float]:
    """Return against what the newest close is compared, as a text key's end, and the ratio.

    `day`: the last bar of an earlier Korean day in the snapshot; else `bars`: its first bar.
    """
    if len(snapshot.close) < 2:
        return "bars", math.nan
    today = from_ms(snapshot.starts[-1]).astimezone(KST).date()
    for start, close in zip(reversed(snapshot.starts), reversed(snapshot.close), strict=True):
        if start and from_ms(start).astimezone(KST).date() < today:
            return "day", _ratio(snapshot.close[-1], close)
    return "bars", _ratio(snapshot.close[-1], snapshot.close[0])


def _head(
    texts: Texts,
    language: str,
    signal: Signal,
    instrument: Instrument,
    spec: AlertSpec,
    description: str,
) -> str:
    against, ratio = change_since(signal.snapshot)
    lines = [
        texts.get(
            "alert.title",
            language,
            sign=SEVERITIES[spec.severity],
            name=instrument.name,
            code=instrument.code,
        ),
        texts.get(
            f"alert.price.{against}",
            language,
            price=numbers.money(signal.price, currency_of(signal.instrument), language),
            change=numbers.change(ratio),
            bars=str(len(signal.snapshot.close)),
        ),
        texts.get(
            "alert.when",
            language,
            condition=signal.condition,
            timeframe=signal.timeframe.value,
            time=numbers.minute(signal.fired_at),
        ),
    ]
    if description:
        lines.append(texts.get("alert.describe", language, describe=_shortened(description)))
    if signal.is_late:
        lines.insert(0, texts.get("alert.late", language))
    if signal.is_intrabar:
        lines.insert(0, texts.get("alert.intrabar", language))
    return "\n".join(lines)


def _shortened(description: str, most: int = 300) -> str:
    return description if len(description) <= most else description[: most - 1] + "…"


def _ratio(last: float, first: float) -> float:
    return last / first - 1 if first else math.nan
