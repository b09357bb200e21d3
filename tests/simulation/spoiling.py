"""Put another text in the place of one module of the running program: only ever in a forked child.

Whatever was made of the module's honest text, directly or by way of other modules, is loaded anew.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

OURS = ("brokers", "conditions", "config", "crawlers", "engine", "market", "sandbox", "venues")
HARNESS = "tests.simulation"
_IMPORT = re.compile(r"^(?:from ([\w.]+) import (\([^)]*\)|.*)|import ([\w.]+))", re.MULTILINE)
"""An import that is done when a module is loaded: those for types are indented."""


class _Text(InspectLoader):
    """Loads a module from a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, fullname: str) -> str:
        return self._text

    def is_package(self, fullname: str) -> bool:
        return False


class _Instead(MetaPathFinder):
    """Finds the text of one module."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, _Text(self._text), origin=fullname)


def spoil(name: str, text: str) -> None:
    """Let a module be made of this text from now on, and forget all that used the honest one."""
    stale = users_of(name)
    _unregister(stale)
    for one in stale:
        del sys.modules[one]
        package, _, word = one.rpartition(".")
        vars(sys.modules[package]).pop(word, None) if package in sys.modules else None
    sys.meta_path.insert(0, _Instead(name, text))


def users_of(name: str) -> set[str]:
    """Return a loaded module with all modules that are made of it, however indirectly."""
    found, newest = {name} & set(sys.modules), {name}
    while newest:
        newest = {one for one in _loaded() if _imports(one) & newest} - found
        found |= newest
    return found


def _loaded() -> list[str]:
    return [
        name
        for name, module in sys.modules.items()
        if (name.partition(".")[0] in OURS or name.startswith(HARNESS))
        and getattr(module, "__file__", None)
    ]


@cache
def _imports(name: str) -> frozenset[str]:
    """Return what a module imports of ours: modules, and names that may be modules."""
    text = Path(str(sys.modules[name].__file__)).read_text(encoding="utf-8")
    found: set[str] = set()
    for package, names, whole in _IMPORT.findall(text):
        found.add(package or whole)
        found |= {f"{package}.{one.strip()}" for one in names.strip("()").split(",")}
    return frozenset(found)


def _unregister(modules: Iterable[str]) -> None:
    """Let plug-ins that are loaded anew register again."""
    for module in [sys.modules[name] for name in _loaded()]:
        for value in vars(module).values():
            if isinstance(value, Registry):
                for word in list(value):
                    plugged = value.get(word)
                    if getattr(plugged, "make", plugged).__module__ in modules:
                        del value._entries[word]
