"""The conditions in force: everybody who looks at them sees an exchange at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from conditions.compile import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Watched(Mapping[str, Condition]):
    """Conditions by name, in the order of their files; exchanged as a whole."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._by_name = _by_name(conditions)

    def exchange(self, conditions: Iterable[Condition]) -> None:
        """Have these conditions in force instead."""
        self._by_name = _by_name(conditions)

    def describe(self, name: str) -> str:
        """Return the own words of a condition, none for one that is not in force any more."""
        found = self._by_name.get(name)
        return "" if found is None else found.spec.describe

    def __getitem__(self, name: str) -> Condition:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def _by_name(conditions: Iterable[Condition]) -> dict[str, Condition]:
    return {condition.name: condition for condition in conditions}
