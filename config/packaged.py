"""The files that ship with ticktalk, and a copy of them for a user to edit."""

from __future__ import annotations

from pathlib import Path

from market.errors import ConfigError, Problem

PACKAGED = Path(__file__).parent
"""The folder of the files that ship with ticktalk."""

_FILES = ("settings.yaml", "instruments.yaml", "krx_calendar.yaml")
_FOLDERS = ("universes/*.yaml", "conditions/*.yaml", "schema/*.json")


def write_folder(target: Path) -> list[Path]:
    """Write a folder of configuration and return its files; an existing file is never overwritten.

    Raises ConfigError, before anything is written, where files of it are there already, and where
    the folder cannot be written.
    """
    plan = _plan(target)
    message = "is there already; nothing was written: choose another folder or move it away"
    existing = tuple(Problem.about(str(path), message) for path in plan if path.exists())
    if existing:
        raise ConfigError(existing)
    try:
        for path, source in plan.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(path, source.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problem = Problem.about(str(error.filename or target), f"cannot be written: {reason}")
        raise ConfigError((problem,)) from error
    return list(plan)


def _plan(target: Path) -> dict[Path, Path]:
    """Return the packaged source of each file to write."""
    sources = [PACKAGED / name for name in _FILES]
    for pattern in _FOLDERS:
        sources += sorted(PACKAGED.glob(pattern))
    plan = {target / source.relative_to(PACKAGED): source for source in sources}
    return {**plan, target / ".env": PACKAGED / ".env.example"}


def _write_new(path: Path, content: bytes) -> None:
    if path.name == ".env":
        path.touch(mode=0o600, exist_ok=False)  # a token will be written into it
        path.write_bytes(content)
        return
    with path.open("xb") as file:
        file.write(content)
