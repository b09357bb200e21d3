"""The configuration that comes with the program, read once for all tests of a process."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from config.load import PACKAGED, load
from market.directory import Directory

if TYPE_CHECKING:
    from config.load import Config


def packaged_config() -> Config:
    """Return it with a directory of its own, the only part that grows."""
    read = _read()
    return replace(read, directory=Directory(read.directory))


@cache
def _read() -> Config:
    return load(PACKAGED / "settings.yaml", {})
