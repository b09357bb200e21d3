"""From what sources answer to the facts of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.facts import DailyFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from market.facts import Flow, Fundamentals
    from market.types import InstrumentId

SPANS = (1, 5, 20)
"""Over how many days net buying is summed."""


def is_of_day(flows: Sequence[Flow], day: date) -> bool:
    """Tell whether a day is among those that were told."""
    return any(flow.day == day for flow in flows)


def flow_facts(instrument: InstrumentId, day: date, flows: Sequence[Flow]) -> DailyFacts:
    """Return the net buying of the days up to this one, unknown where they were not all told.

    `flows` are oldest first. Who was not told of on the day itself (a halt) is unknown.
    """
    told = [flow for flow in flows if flow.day <= day]
    if not told or told[-1].day != day:
        return DailyFacts(instrument, day)
    sums: dict[str, float | None] = {}
    for span in SPANS:
        last = told[-span:] if len(told) >= span else []
        sums[f"institutions_{span}"] = _sum(flow.institutions for flow in last)
        sums[f"foreigners_{span}"] = _sum(flow.foreigners for flow in last)
        sums[f"individuals_{span}"] = _sum(flow.individuals for flow in last)
    return DailyFacts(instrument, day, **sums)


def figures_of(
    instrument: InstrumentId, day: date, figures: Fundamentals | None, price: float | None
) -> DailyFacts:
    """Return the figures of a company at a day's price.

    A company that lost money has no ratio of price to earnings, nor one that owes more than it has
    one to book value: such a ratio would rank the worst as the cheapest.
    """
    if figures is None:
        return DailyFacts(instrument, day)
    return DailyFacts(
        instrument,
        day,
        listed_shares=figures.listed,
        per=_ratio(price, figures.eps),
        pbr=_ratio(price, figures.bps),
        eps=figures.eps,
        high_52w=figures.high_52w,
        low_52w=figures.low_52w,
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum, None where there is nothing or something is unknown."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    return float(sum(value for value in known if value is not None))


def _ratio(price: float | None, each: float | None) -> float | None:
    return None if price is None or each is None or each <= 0 else price / each
