"""A transaction is whole, whatever happens to its function, its caller or the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from market.errors import StoreError, StoreFull
from market.store import Store
from market.types import EPOCH, Bar, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from market.store import Transaction

DEADLINE_SECONDS = 10
BAR = Bar("KRX:005930", Timeframe.M5, EPOCH, 100, 120, 90, 110, 1_000, 110_000)


def put(*keys: str) -> Callable[[Transaction], None]:
    def write(transaction: Transaction) -> None:
        for key in keys:
            transaction.documents.put(key, {"x": 1})

    return write


def keys(transaction: Transaction) -> list[str]:
    return [key for key, _ in transaction.documents.items("")]


def put_sized(key: str, size: int) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.documents.put(key, {"x": "y" * size})


def pragma(name: str) -> Callable[[Transaction], object]:
    def read(transaction: Transaction) -> object:
        connection = transaction.documents._connection
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    return read


def test_write_returns_what_its_function_returns(store: Store) -> None:
    assert asyncio.run(store.write(lambda transaction: 42)) == 42


def test_write_keeps_nothing_when_its_function_raises(store: Store) -> None:
    def half(transaction: Transaction) -> None:
        put("a")(transaction)
        raise LookupError("in the middle")

    with pytest.raises(LookupError):
        asyncio.run(store.write(half))
    assert asyncio.run(store.read(keys)) == []


def test_write_works_after_one_that_raised(store: Store) -> None:
    def broken(transaction: Transaction) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(store.write(broken))
    asyncio.run(store.write(put("a")))
    assert asyncio.run(store.read(keys)) == ["a"]


def test_write_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "kept ?#%41 한.sqlite"
    first = Store.open(path)
    asyncio.run(first.write(put("a")))
    first.close()
    second = Store.open(str(path))
    assert asyncio.run(second.read(keys)) == ["a"]
    second.close()
    assert path.exists()


def test_write_holds_the_lock_before_its_first_statement(store: Store) -> None:
    def look(transaction: Transaction) -> str:
        other = sqlite3.connect(store._path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return str(error)
        finally:
            other.close()
        return "nobody holds it"

    assert asyncio.run(store.write(look)) == "database is locked"


def test_writes_run_one_after_the_other(store: Store) -> None:
    def count(transaction: Transaction) -> None:
        seen = transaction.documents.get("count") or {"x": 0}
        transaction.documents.put("count", {"x": seen["x"] + 1})

    async def scenario() -> None:
        await asyncio.gather(*(store.write(count) for _ in range(50)))

    asyncio.run(scenario())
    assert asyncio.run(store.read(lambda t: t.documents.get("count"))) == {"x": 50}


def test_read_refuses_to_write(store: Store) -> None:
    with pytest.raises(StoreError, match="readonly"):
        asyncio.run(store.read(put("a")))


def test_read_sees_one_unchanging_view(store: Store) -> None:
    looked, written = threading.Event(), threading.Event()

    def look_twice(transaction: Transaction) -> tuple[list[str], list[str]]:
        before = keys(transaction)
        looked.set()
        assert written.wait(DEADLINE_SECONDS)
        return before, keys(transaction)

    async def scenario() -> tuple[list[str], list[str]]:
        reading = asyncio.create_task(store.read(look_twice))
        assert await asyncio.to_thread(looked.wait, DEADLINE_SECONDS)
        await store.write(put("a"))
        written.set()
        return await reading

    assert asyncio.run(scenario()) == ([], [])


def test_read_does_not_wait_for_a_write_and_sees_nothing_of_it(store: Store) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        put("a")(transaction)
        begun.set()
        assert release.wait(DEADLINE_SECONDS)

    async def scenario() -> tuple[list[str], list[str]]:
        writing = asyncio.create_task(store.write(slow))
        assert await asyncio.to_thread(begun.wait, DEADLINE_SECONDS)
        during = await store.read(keys)
        release.set()
        await writing
        return during, await store.read(keys)

    assert asyncio.run(scenario()) == ([], ["a"])


@pytest.mark.parametrize("is_failing", [False, True], ids=["commits", "rolls back"])
def test_cancelled_write_ends_whole_and_the_next_goes_on(store: Store, is_failing: bool) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        put("a")(transaction)
        begun.set()
        assert release.wait(DEADLINE_SECONDS)
        put("b")(transaction)
        if is_failing:
            raise LookupError

    async def scenario() -> None:
        writing = asyncio.create_task(store.write(slow))
        assert await asyncio.to_thread(begun.wait, DEADLINE_SECONDS)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        release.set()
        await store.write(put("next"))

    asyncio.run(scenario())
    whole = [] if is_failing else ["a", "b"]
    assert asyncio.run(store.read(keys)) == [*whole, "next"]


def test_write_cancelled_before_its_turn_does_nothing(store: Store) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        begun.set()
        assert release.wait(DEADLINE_SECONDS)

    async def scenario() -> None:
        first = asyncio.create_task(store.write(slow))
        assert await asyncio.to_thread(begun.wait, DEADLINE_SECONDS)
        second = asyncio.create_task(store.write(put("second")))
        await asyncio.wait([second], timeout=0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        release.set()
        await first

    asyncio.run(scenario())
    assert asyncio.run(store.read(keys)) == []


def test_write_that_finds_the_disk_full_keeps_nothing(store: Store) -> None:
    def fill(transaction: Transaction) -> None:
        put("half")(transaction)
        put_sized("rest", 1_000_000)(transaction)

    pages = asyncio.run(store.write(pragma("page_count")))
    asyncio.run(store.write(pragma(f"max_page_count={pages}")))
    with pytest.raises(StoreFull, match="free space"):
        asyncio.run(store.write(fill))
    assert asyncio.run(store.read(keys)) == []
    asyncio.run(store.write(pragma("max_page_count=1000000")))
    asyncio.run(store.write(fill))
    assert asyncio.run(store.read(keys)) == ["half", "rest"]


@pytest.mark.parametrize("is_going_on", [False, True])
def test_error_that_a_function_swallows_still_undoes_all(store: Store, is_going_on: bool) -> None:
    def stubborn(transaction: Transaction) -> None:
        put("before")(transaction)
        try:
            put_sized("big", 1_000_000)(transaction)
        except Exception:  # noqa: BLE001  # a function that swallows what it does not know
            if is_going_on:
                transaction.bars.put([BAR])

    pages = asyncio.run(store.write(pragma("page_count")))
    asyncio.run(store.write(pragma(f"max_page_count={pages}")))
    with pytest.raises(StoreFull):
        asyncio.run(store.write(stubborn))
    assert asyncio.run(store.read(keys)) == []
    assert asyncio.run(store.read(lambda t: t.bars.count(Timeframe.M5))) == 0
    asyncio.run(store.write(put("next")))
    assert asyncio.run(store.read(keys)) == ["next"]


@pytest.mark.parametrize(
    ("name", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_writer_is_set_for_safety(store: Store, name: str, value: object) -> None:
    assert asyncio.run(store.write(pragma(name))) == value


def test_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="was closed"):
        asyncio.run(store.write(put("a")))


def test_close_finishes_a_write_that_was_begun(tmp_path: Path) -> None:
    opened = Store.open(tmp_path / "ticktalk.sqlite")
    begun, release = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        begun.set()
        assert release.wait(DEADLINE_SECONDS)
        put("a")(transaction)

    async def scenario() -> None:
        writing = asyncio.create_task(opened.write(slow))
        assert await asyncio.to_thread(begun.wait, DEADLINE_SECONDS)
        closing = asyncio.create_task(asyncio.to_thread(opened.close))
        release.set()
        await asyncio.gather(writing, closing)

    asyncio.run(scenario())
    again = Store.open(tmp_path / "ticktalk.sqlite")
    assert asyncio.run(again.read(keys)) == ["a"]
    again.close()
