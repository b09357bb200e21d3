"""Looks for what a condition asks beside its bars: facts and instruments that no test tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.cross import Breadth
from conditions.days import session_bars
from conditions.fact_fields import FactField, fact_fields_in
from conditions.findings import Finding, Severity, key_problem
from conditions.larger import LongerBars
from conditions.leaves import leaves
from conditions.lens import Seen
from conditions.nodes import to_text
from conditions.position_fields import positions_in
from conditions.seen_truths import SeenEvent, SeenLasting
from config.bar_series import Absence
from market.fact_panel import DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.compile import Condition
    from conditions.findings import Places
    from conditions.lens import Lens
    from conditions.series import Series
    from conditions.truths import Truth
    from config.condition_tests import Trial
    from config.trial_facts import TrialFacts
    from market.types import InstrumentId, Timeframe

KEPT_DAYS = DEPTH - 1
"""Days of facts that are surely there: in the evening the newest kept one is not over."""


def told_findings(condition: Condition, places: Places) -> Iterator[Finding]:
    """Yield facts of more days than are kept, and what is asked for and no test tells."""
    rules = (condition.when,) if condition.clear is None else (condition.when, condition.clear)
    for leaf in (leaf for rule in rules for leaf in leaves(rule)):
        days = fact_days(leaf, condition.timeframe)
        if days > KEPT_DAYS:
            message = f"'{leaf.text}' needs the facts of {days} days, {KEPT_DAYS} are kept"
            yield Finding(Severity.ERROR, places.problem(leaf, f"never known: {message}"))
    if condition.spec.tests:
        yield from _untold(condition, rules, places)


def fact_days(truth: Truth, timeframe: Timeframe) -> int:
    """Return how many days of facts a verdict needs, 0 where it asks for none."""
    if isinstance(truth, SeenEvent | SeenLasting):
        return fact_days(truth.inner, _timeframe(truth.lens, timeframe))
    found = [_days(one, timeframe) for one in truth.operands]
    found += [fact_days(one, timeframe) for one in truth.parts]
    below = [*(one.bars for one in truth.operands), *(one.bars for one in truth.parts)]
    return _grown(max(found, default=0), truth.bars - max(below, default=truth.bars), timeframe)


def _days(series: Series, timeframe: Timeframe) -> int:
    match series:
        case FactField():
            return 1
        case Breadth(source=truth):
            return fact_days(truth, timeframe)
        case Seen(lens=lens, source=source):
            return _days(source, _timeframe(lens, timeframe))
    found = max((_days(one, timeframe) for one in series.parts), default=0)
    below = max((one.bars for one in series.parts), default=series.bars)
    return _grown(found, series.bars - below, timeframe)


def _grown(days: int, bars: int, timeframe: Timeframe) -> int:
    """Return the days with those that so many more bars reach back, at most."""
    return days + -(-max(0, bars) // session_bars(timeframe)) if days else 0


def _timeframe(lens: Lens, own: Timeframe) -> Timeframe:
    return lens.timeframe if isinstance(lens, LongerBars) else own


def _untold(condition: Condition, rules: tuple[Truth, ...], places: Places) -> Iterator[Finding]:
    spec = condition.spec
    for name in condition.instruments:
        if not any(one.id == name for trial in spec.tests for one in trial.others):
            yield _note(condition, f"no test gives bars of '{name}': others: {{{name}: ...}}")
    fields = {one.key: one for rule in rules for one in fact_fields_in(rule.node)}
    for key, field in fields.items():
        if not any(_is_told(trial, field) for trial in spec.tests):
            message = f"no test tells '{key}': facts: {{{field.name}: ...}}"
            yield _told(condition, places, key, message)
    if condition.asks_what_is_held and not any(trial.position for trial in spec.tests):
        held = next(one for rule in rules for one in positions_in(rule.node))
        message = "no test tells what is held: position: {price: ...}"
        yield _told(condition, places, to_text(held), message)


def _told(condition: Condition, places: Places, words: str, message: str) -> Finding:
    problem = places.of_words(words, message)
    return _note(condition, message) if problem is None else Finding(Severity.NOTE, problem)


def _note(condition: Condition, message: str) -> Finding:
    return Finding(Severity.NOTE, key_problem(condition.spec, "name", message))


def _is_told(trial: Trial, field: FactField) -> bool:
    told: list[tuple[InstrumentId, TrialFacts | None]] = [("", trial.facts)]
    told += [(one.id, one.facts) for one in trial.others]
    return any(
        line.name == field.name and any(not isinstance(fact, Absence) for fact, _ in line.days)
        for name, facts in told
        if facts is not None and field.instrument in {"", name}
        for line in facts.lines
    )
