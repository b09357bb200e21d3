"""The version of ticktalk, as installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("ticktalk")
except PackageNotFoundError:
    VERSION = "0 (not installed)"
