"""The folder of the raw record: a folder a day, numbered files in it."""

from __future__ import annotations

import fcntl
import os
import re
from datetime import date
from typing import TYPE_CHECKING

from market.record_blocks import Block, unpack
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILE = re.compile(r"(\d{4,})\.rec")


def day_of(at: datetime) -> date:
    """Return the day, in Korea, under which an event is kept."""
    return at.astimezone(KST).date()


def days_in(folder: Path) -> list[date]:
    """Return the days that are recorded in a folder, oldest first."""
    if not folder.is_dir():
        return []
    named = [one for one in folder.iterdir() if _DAY.fullmatch(one.name) and files_in(one)]
    return sorted(date.fromisoformat(one.name) for one in named)


def files_in(day: Path) -> list[Path]:
    """Return the files of a day, in order."""
    if not day.is_dir():
        return []
    found = [one for one in day.iterdir() if _FILE.fullmatch(one.name)]
    return sorted(found, key=_number)


def size_of(day: Path) -> int:
    """Return the bytes of a day's files."""
    return sum(one.stat().st_size for one in files_in(day))


def remove_day(folder: Path, day: date) -> None:
    """Remove the files of a day, and its folder where nothing else lies in it."""
    place = folder / day.isoformat()
    for path in files_in(place):
        path.unlink()
    if not any(place.iterdir()):
        place.rmdir()


def lock(folder: Path) -> int:
    """Take a folder for this process and return the lock's descriptor; OSError if it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class RecordFile:
    """The file that is being written: it goes on behind the last good block of what is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        is_new = not path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.length, self.number, self.cut = 0, 0, 0
        try:
            self._find_end()
            if is_new:
                _sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def append(self, block: bytes) -> None:
        """Write a block and see it onto the disk; an OSError leaves the file as it was."""
        try:
            written = os.pwrite(self._descriptor, block, self.length)
            while written < len(block):  # what fits is written first, then comes the error
                written += os.pwrite(self._descriptor, block[written:], self.length + written)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.length)
            raise
        self.length += len(block)
        self.number += 1

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _find_end(self) -> None:
        """Cut off what lies behind the last good block: a kill tore it."""
        data = self.path.read_bytes()
        blocks = [one for one in unpack(data) if isinstance(one, Block)]
        if blocks:
            self.length = blocks[-1].offset + blocks[-1].length
            self.number = blocks[-1].number
        self.cut = len(data) - self.length
        if self.cut:
            os.ftruncate(self._descriptor, self.length)
            os.fsync(self._descriptor)


def newest_file(day: Path) -> Path:
    """Return the day's last file, or where its first is to be."""
    files = files_in(day)
    return files[-1] if files else day / "0001.rec"


def next_file(path: Path) -> Path:
    """Return the file that follows another of its day."""
    return path.with_name(f"{_number(path) + 1:04d}.rec")


def _number(path: Path) -> int:
    return int(path.stem)


def _sync_folder(folder: Path) -> None:
    """See a new name onto the disk: a file that is whole but not in its folder is lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
