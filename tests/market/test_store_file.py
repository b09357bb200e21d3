"""Whose file it is, of which version, and who may open it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from market.errors import StoreError, StoreFromFuture, StoreLocked
from market.store import Store
from market.tables import SCHEMA_VERSION


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def files(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.suffix != ".lock"}


def made(folder: Path) -> Path:
    path = folder / "ticktalk.sqlite"
    Store.open(path).close()
    return path


def test_open_makes_a_database_with_its_version(tmp_path: Path) -> None:
    path = made(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT program, version FROM schema").fetchall()
        user_version = connection.execute("PRAGMA user_version").fetchone()
    assert row == [("ticktalk", SCHEMA_VERSION)]
    assert user_version == (SCHEMA_VERSION,)


def test_open_takes_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    path.touch()
    Store.open(path).close()
    assert path.stat().st_size > 0


def test_open_refuses_a_database_from_the_future_and_leaves_it(tmp_path: Path) -> None:
    path = made(tmp_path)
    execute(path, "UPDATE schema SET version = 99", "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreFromFuture) as caught:
        Store.open(path)
    text = str(caught.value)
    assert str(path) in text
    assert "schema 99" in text
    assert f"knows {SCHEMA_VERSION}" in text
    assert "upgrade ticktalk" in text
    assert path.read_bytes() == before


def test_open_takes_a_dump_that_lost_its_user_version(tmp_path: Path) -> None:
    path = made(tmp_path)
    restored = tmp_path / "restored.sqlite"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(restored)) as target:
        target.executescript("\n".join(source.iterdump()))
    Store.open(restored).close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE notes (text)",
        "CREATE TABLE schema (name)",
        "CREATE TABLE schema (program, version)",
    ],
)
@pytest.mark.parametrize("version", [0, SCHEMA_VERSION, 99])
def test_open_refuses_the_database_of_another_program(
    tmp_path: Path, statement: str, version: int
) -> None:
    path = tmp_path / "foreign.sqlite"
    execute(path, statement, f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"another program: set store\.path"):
        Store.open(path)
    assert path.read_bytes() == before


def test_open_refuses_what_is_no_database_and_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        Store.open(path)
    assert path.read_bytes() == before


def test_open_refuses_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot be read as a database"):
        Store.open(tmp_path / "folder")


def test_open_names_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write .*No such file.* or set store\.path"):
        Store.open(tmp_path / "nowhere" / "ticktalk.sqlite")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder nobody can write")
def test_open_names_a_folder_it_cannot_write() -> None:
    with pytest.raises(StoreError, match=r"cannot write /proc/self/.* let ticktalk write there"):
        Store.open("/proc/self/ticktalk.sqlite")


def test_open_refuses_the_same_process_twice(tmp_path: Path) -> None:
    path = tmp_path / "ticktalk.sqlite"
    first = Store.open(path)
    with pytest.raises(StoreLocked, match="another ticktalk is using"):
        Store.open(path)
    first.close()
    Store.open(path).close()


def test_open_lets_go_of_what_it_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.sqlite"
    execute(path, "CREATE TABLE notes (text)")
    with pytest.raises(StoreError, match="another program"):
        Store.open(path)
    execute(path, "DROP TABLE notes")
    Store.open(path).close()


def test_damaged_database_is_a_store_error(tmp_path: Path) -> None:
    path = made(tmp_path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreError, match=r"malformed|not a database"):
        asyncio.run(_read_everything(path))


async def _read_everything(path: Path) -> None:
    store = Store.open(path)
    try:
        await store.read(lambda transaction: transaction.documents.items(""))
    finally:
        store.close()
