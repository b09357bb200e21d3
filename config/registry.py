"""A table of plug-ins by name, filled by decorators on import."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")


class Registry(Generic[T]):
    """Plug-ins of one sort (`word`: source, broker, indicator, command) by their unique name."""

    def __init__(self, word: str) -> None:
        self.word = word
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters a plug-in; a name that is taken is a ValueError."""

        def enter(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.word} '{name}' is registered twice")
            self._entries[name] = entry
            return entry

        return enter

    def get(self, name: str) -> T:
        """Return the plug-in; an unknown name is a KeyError that suggests the nearest one."""
        if name not in self._entries:
            raise KeyError(self.unknown(name))
        return self._entries[name]

    def unknown(self, name: str) -> str:
        """Return the text that says that a name is unknown and suggests the nearest one."""
        return f"unknown {self.word} '{name}'{suggestion(name, self._entries)}"

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with the nearest of the known names, or all of a short list."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 12 else ""
