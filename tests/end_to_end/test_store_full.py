"""A disk that is really full: a small file system of memory, where we may mount one."""

from __future__ import annotations

import asyncio
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest

from market.errors import StoreFull
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from market.store import Transaction


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount, umount = which("mount"), which("umount")
    if mount is None or umount is None:
        pytest.skip("needs mount and umount")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if not _succeeds(command):
        pytest.skip("needs the right to mount a file system")
    yield tmp_path
    assert _succeeds([umount, "--lazy", str(tmp_path)])


def _succeeds(command: list[str]) -> bool:
    # The command is ours, word by word.
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603


def pair(number: int) -> Callable[[Transaction], None]:
    def write(transaction: Transaction) -> None:
        transaction.documents.put(f"a/{number:06}", {"x": "y" * 20_000})
        transaction.documents.put(f"b/{number:06}", {"x": "y" * 20_000})

    return write


def numbers(store: Store, prefix: str) -> list[int]:
    def read(transaction: Transaction) -> list[int]:
        return [int(key[2:]) for key, _ in transaction.documents.items(prefix)]

    return asyncio.run(store.read(read))


def fill(store: Store) -> int:
    for number in range(1_000):
        try:
            asyncio.run(store.write(pair(number)))
        except StoreFull:
            return number
    pytest.fail("the small disk took everything")


def test_full_disk_keeps_what_was_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 300_000)
    store = Store.open(small_disk / "ticktalk.sqlite")
    kept = fill(store)
    assert numbers(store, "a/") == numbers(store, "b/") == list(range(kept))
    ballast.unlink()
    asyncio.run(store.write(pair(kept)))
    assert numbers(store, "a/") == numbers(store, "b/") == list(range(kept + 1))
    store.close()


def test_open_on_a_full_disk_says_so_and_works_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(b"x" * 2_000_000)
    path = small_disk / "ticktalk.sqlite"
    with pytest.raises(StoreFull, match="free space"):
        Store.open(path)
    ballast.unlink()
    Store.open(path).close()
