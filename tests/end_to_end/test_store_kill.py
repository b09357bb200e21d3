"""A process that is killed leaves whole transactions and no lock."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from market.errors import StoreLocked
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from market.store import Transaction

WRITES_IN_A_LOOP = """
import asyncio, sys
from market.store import Store

async def main():
    store = Store.open(sys.argv[1])
    number = int(sys.argv[2])
    while True:
        def write(transaction):
            transaction.documents.put(f"a/{number:06}", {"x": "y" * 5000})
            transaction.documents.put(f"b/{number:06}", {"x": "y" * 5000})
        await store.write(write)
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
        number += 1

asyncio.run(main())
"""

STOPS_IN_THE_MIDDLE = """
import asyncio, sys
from market.store import Store

def write(transaction):
    transaction.documents.put("a/0", {"x": 1})
    sys.stdout.write("in the middle\\n")
    sys.stdout.flush()
    sys.stdin.read()

asyncio.run(Store.open(sys.argv[1]).write(write))
"""


@contextmanager
def child(script: str, *arguments: str) -> Iterator[IO[str]]:
    """Run a script and yield its output; it is killed, not asked, at the end."""
    process = subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


def numbers(store: Store) -> tuple[list[int], list[int]]:
    def read(transaction: Transaction) -> tuple[list[int], list[int]]:
        return _numbers(transaction, "a/"), _numbers(transaction, "b/")

    return asyncio.run(store.read(read))


def _numbers(transaction: Transaction, prefix: str) -> list[int]:
    return [int(key[2:]) for key, _ in transaction.documents.items(prefix)]


def test_killed_writer_leaves_whole_transactions(tmp_path: Path) -> None:
    path = tmp_path / "ticktalk.sqlite"
    begin = 0
    for lines in (1, 7, 30):
        with child(WRITES_IN_A_LOOP, str(path), str(begin)) as output:
            told = [int(output.readline()) for _ in range(lines)][-1]
        store = Store.open(path)
        firsts, seconds = numbers(store)
        store.close()
        assert firsts == seconds == list(range(len(firsts)))
        assert firsts[-1] >= told
        begin = len(firsts)


def test_writer_killed_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ticktalk.sqlite"
    with child(STOPS_IN_THE_MIDDLE, str(path)) as output:
        assert output.readline() == "in the middle\n"
    store = Store.open(path)
    assert numbers(store) == ([], [])
    store.close()


def test_second_process_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "ticktalk.sqlite"
    with child(STOPS_IN_THE_MIDDLE, str(path)) as output:
        output.readline()
        with pytest.raises(StoreLocked, match="stop it first"):
            Store.open(path)
    Store.open(path).close()
