"""What an edit of condition files comes to, from one set of conditions to the next."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from conditions.nodes import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.compile import Condition
    from engine.series import Members
    from market.types import InstrumentId


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of conditions by what has become of them, each once.

    Those changed in `meaning` begin anew. The others go on where they stand: with other `deeds`
    (order, alert, limit), on other `instruments`, or only with other `words`.
    """

    added: tuple[str, ...] = field(default=())
    meaning: tuple[str, ...] = field(default=())
    deeds: tuple[str, ...] = field(default=())
    instruments: tuple[str, ...] = field(default=())
    words: tuple[str, ...] = field(default=())
    removed: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


def changes(old: Sequence[Members], new: Sequence[Members]) -> Changes:
    """Return what has changed between two sets of conditions with their instruments."""
    before = {condition.name: (condition, members) for condition, members in old}
    after = {condition.name: (condition, members) for condition, members in new}
    kinds = {name: _kind(before[name], one) for name, one in after.items() if name in before}
    return Changes(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        **_by_kind(kinds),
    )


def _by_kind(kinds: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        kind: tuple(name for name, found in kinds.items() if found == kind)
        for kind in ("meaning", "deeds", "instruments", "words")
    }


def _kind(before: Members, after: Members) -> str:
    (old, old_members), (new, new_members) = before, after
    if old.version != new.version:
        return "meaning"
    if _deeds(old) != _deeds(new):
        return "deeds"
    if _watched(old, old_members) != _watched(new, new_members):
        return "instruments"
    return "words" if old.spec != new.spec else ""


def _deeds(condition: Condition) -> tuple[Any, ...]:
    """Return what a condition does when it fires, wherever in the file that stands."""
    spec, order = condition.spec, condition.spec.order
    asked = None if order is None else (order.action, order.confirm)
    rules = (condition.size, condition.price)
    texts = tuple(None if rule is None else to_text(rule.node) for rule in rules)
    return (spec.alert, spec.limit_per_day, asked, texts)


def _watched(
    condition: Condition, members: Sequence[InstrumentId]
) -> tuple[frozenset[InstrumentId], frozenset[InstrumentId]]:
    return frozenset(members), frozenset(condition.instruments)
