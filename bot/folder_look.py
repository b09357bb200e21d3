"""What files hold, looked at again and again: read only where something seems to have changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

Stamps = dict["Path", tuple[int, int, int]]
"""When a file was changed (ns), its size and its number, by path."""


class FolderLook:
    """Looks at those of the files that are there; `files` names them anew for every look."""

    def __init__(self, files: Callable[[], Iterable[Path]]) -> None:
        self._files = files
        self._stamps: Stamps = {}
        self._contents: dict[Path, str] = {}

    def contents(self) -> Mapping[Path, str]:
        """Return a digest of the content of every file, by path."""
        stamps = self._look()
        if stamps != self._stamps:
            known = {path for path, stamp in stamps.items() if self._stamps.get(path) == stamp}
            self._contents = {
                path: self._contents[path] if path in known else _digest(path) for path in stamps
            }
            self._stamps = stamps
        return self._contents

    def _look(self) -> Stamps:
        stamps: Stamps = {}
        for path in self._files():
            try:
                found = path.stat()
            except OSError:  # gone since the folder was listed, or never there
                continue
            stamps[path] = (found.st_mtime_ns, found.st_size, found.st_ino)
        return stamps


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:  # whoever loads it tells the person
        return f"cannot be read: {error.strerror}"
