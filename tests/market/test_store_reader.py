"""A reader needs no lock: it sees what is committed, beside the store that writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from market.errors import StoreError, StoreFromFuture
from market.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from market.store import Transaction


def keys(transaction: Transaction) -> list[str]:
    return [key for key, _ in transaction.documents.items("")]


def test_a_reader_follows_the_store_that_writes(store: Store, tmp_path: Path) -> None:
    with Store.read_only(tmp_path / "ticktalk.sqlite") as reader:
        assert reader.read(keys) == []
        asyncio.run(store.write(lambda tx: tx.documents.put("a", {"x": 1})))
        assert reader.read(keys) == ["a"]


def test_a_reader_sees_one_view_while_it_reads(store: Store, tmp_path: Path) -> None:
    def read(transaction: Transaction) -> tuple[list[str], list[str]]:
        before = keys(transaction)
        asyncio.run(store.write(lambda tx: tx.documents.put("a", {"x": 1})))
        return before, keys(transaction)

    with Store.read_only(tmp_path / "ticktalk.sqlite") as reader:
        assert reader.read(read) == ([], [])


def test_a_reader_cannot_write(store: Store, tmp_path: Path) -> None:
    with Store.read_only(tmp_path / "ticktalk.sqlite") as reader:
        with pytest.raises(StoreError, match="readonly"):
            reader.read(lambda tx: tx.documents.put("a", {"x": 1}))
        assert reader.read(keys) == []


def test_a_reader_lets_a_store_be_opened_beside_it_and_leaves_no_files(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    Store.open(path).close()
    with Store.read_only(path) as reader:
        store = Store.open(path)
        asyncio.run(store.write(lambda tx: tx.documents.put("a", {"x": 1})))
        assert reader.read(keys) == ["a"]
        store.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x.sqlite", "x.sqlite.lock"]


@pytest.mark.parametrize("content", [None, b""])
def test_a_reader_makes_no_database(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match="ticktalk run"):
        Store.read_only(path)
    assert path.exists() is (content is not None)


def test_a_reader_refuses_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database at all\n" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be read as a database"):
        Store.read_only(tmp_path / "text")
    path = tmp_path / "x.sqlite"
    store = Store.open(path)
    asyncio.run(store.write(newer))
    store.close()
    with pytest.raises(StoreFromFuture):
        Store.read_only(path)


def newer(transaction: Transaction) -> None:
    transaction.documents._connection.exec_driver_sql("PRAGMA user_version=9999")
