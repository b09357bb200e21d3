"""Looks for what is true at the beginning of every bar, where bars are judged while they form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.findings import Finding, Severity
from conditions.series import Field
from conditions.truths import Compared, Opposite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.compile import Condition
    from conditions.findings import Places
    from conditions.series import Series
    from conditions.truths import Truth

GROWING = {"volume", "value"}
"""Fields that begin at nothing with every bar."""
_LESS, _MORE = {"<", "<="}, {">", ">="}


def forming_findings(condition: Condition, places: Places) -> Iterator[Finding]:
    """Yield comparisons that ask for little of what has only begun to grow."""
    if not condition.spec.is_intrabar:
        return
    for leaf, name in _small(condition.when, is_denied=False):
        message = (
            f"'{leaf.text}' asks for little of what begins at nothing with every bar: with"
            f" 'intrabar: true' it says nothing early; write {name}[1] for the bar before"
        )
        yield Finding(Severity.WARNING, places.problem(leaf, message))


def _small(truth: Truth, *, is_denied: bool) -> Iterator[tuple[Truth, str]]:
    """Yield comparisons that hold while a growing side is small, and the name of that side."""
    if isinstance(truth, Opposite):
        yield from _small(truth.source, is_denied=not is_denied)
    elif isinstance(truth, Compared):
        less, more = (_MORE, _LESS) if is_denied else (_LESS, _MORE)
        small = {**dict.fromkeys(less, truth.left), **dict.fromkeys(more, truth.right)}
        side = small.get(truth.operator)
        if side is not None and _grows(side):
            yield truth, side.key
    else:
        for part in truth.parts:
            yield from _small(part, is_denied=is_denied)


def _grows(series: Series) -> bool:
    return isinstance(series, Field) and series.key in GROWING
