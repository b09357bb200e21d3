"""Writes a folder of configuration to edit, from the files that ship with ticktalk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.load import PACKAGED
from market.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_PATTERNS = ("settings.yaml", "instruments.yaml", "krx_calendar.yaml")
_FOLDERS = ("universes", "conditions")


def write_folder(target: Path) -> list[Path]:
    """Write a folder of configuration and return its files; an existing file is never overwritten.

    Raises UsageError, before anything is written, with code `init.exists` (fact `files`) where any
    of the files is there already, and with `init.unwritable` (facts `folder`, `reason`).
    """
    plan = _plan(target)
    existing = [path for path in plan if path.exists()]
    if existing:
        raise UsageError("init.exists", files=", ".join(str(path) for path in existing))
    try:
        for path, source in plan.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(path, source.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError("init.unwritable", folder=str(target), reason=reason) from error
    return list(plan)


def _plan(target: Path) -> dict[Path, Path]:
    """Return the packaged source of each file to write."""
    sources = [PACKAGED / name for name in _PATTERNS]
    for folder in _FOLDERS:
        sources += sorted((PACKAGED / folder).glob("*.yaml"))
    plan = {target / source.relative_to(PACKAGED): source for source in sources}
    return {**plan, target / ".env": PACKAGED / ".env.example"}


def _write_new(path: Path, content: bytes) -> None:
    if path.name == ".env":
        path.touch(mode=0o600, exist_ok=False)  # a token will be written into it
        path.write_bytes(content)
        return
    with path.open("xb") as file:
        file.write(content)
