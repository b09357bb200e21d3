"""The store: one SQLite file, one writer thread, whole transactions only."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from market import store_file
from market.clock import SystemClock
from market.errors import StoreError
from market.store_bars import BarTable
from market.store_chat import OutboxTable
from market.store_documents import DocumentTable
from market.store_facts import FactTable
from market.store_orders import OrderTable
from market.store_people import InboxTable, PeopleTable
from market.store_signals import SignalTable
from market.store_universes import UniverseTable
from market.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from market.clock import Clock

T = TypeVar("T")


class Transaction:
    """The tables, seen within one transaction; of no use after its function has returned."""

    __slots__ = (
        "bars",
        "documents",
        "facts",
        "inbox",
        "orders",
        "outbox",
        "people",
        "signals",
        "universes",
    )

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.bars = BarTable(connection)
        self.orders = OrderTable(connection, clock)
        self.outbox = OutboxTable(connection)
        self.inbox = InboxTable(connection)
        self.signals = SignalTable(connection)
        self.people = PeopleTable(connection)
        self.documents = DocumentTable(connection)
        self.facts = FactTable(connection)
        self.universes = UniverseTable(connection)


class Store:
    """Everything that must survive a restart; made by `open`, ended by `close`."""

    def __init__(self, path: Path, lock: int, clock: Clock) -> None:
        self._path = path
        self._lock = lock
        self._clock = clock
        self._writer = store_file.connect(path, begin="BEGIN IMMEDIATE")
        self._reader = store_file.connect(path, begin="BEGIN")
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._read_thread = ThreadPoolExecutor(1, thread_name_prefix="store-read")

    @classmethod
    def open(cls, path: Path | str, clock: Clock | None = None) -> Store:
        """Open the database, making it where there is none and bringing an older one up to date.

        `clock` (the machine's where none is given) stamps the record of order events. StoreError
        says how to mend; StoreLocked is for a second user of the file, StoreFromFuture for a file
        of a newer ticktalk.
        """
        path = Path(path).absolute()
        lock = store_file.lock(path)
        try:
            version = store_file.inspect(path)
            store = cls(path, lock, SystemClock() if clock is None else clock)
            if version < SCHEMA_VERSION:
                store._prepare(version)
        except BaseException:
            os.close(lock)
            raise
        return store

    @classmethod
    def read_only(cls, path: Path | str) -> StoreReader:
        """Open a database that exists to read it, also beside the ticktalk that is using it.

        Raises StoreError where there is none, and StoreFromFuture.
        """
        return StoreReader(Path(path).absolute())

    async def write(self, function: Callable[[Transaction], T]) -> T:
        """Run a function in one transaction on the writer thread and return what it returns.

        Whatever it raises undoes the transaction. A caller that is cancelled meanwhile does not
        tear it: it is kept or undone as a whole. Raises StoreFull when the disk is full.
        """
        return await self._run(self._write_thread, self._writer, function)

    async def read(self, function: Callable[[Transaction], T]) -> T:
        """Run a function that only reads, on one unchanging view of what is committed."""
        return await self._run(self._read_thread, self._reader, function)

    def close(self) -> None:
        """Finish what was begun, close the file and let others open it."""
        if self._lock < 0:
            return
        lock, self._lock = self._lock, -1
        self._write_thread.shutdown(wait=True)
        self._read_thread.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()
        os.close(lock)

    async def _run(
        self, thread: ThreadPoolExecutor, engine: Engine, function: Callable[[Transaction], T]
    ) -> T:
        if self._lock < 0:
            raise StoreError(f"{self._path} was closed")
        return await asyncio.wrap_future(thread.submit(self._transact, engine, function))

    def _transact(self, engine: Engine, function: Callable[[Transaction], T]) -> T:
        return _transact(engine, self._path, self._clock, function)

    def _prepare(self, version: int) -> None:
        try:
            if version:
                store_file.upgrade(self._writer, version)
            else:
                store_file.create(self._writer)
        except SQLAlchemyError as error:
            self._writer.dispose()
            raise store_file.explain(error, self._path) from error


class StoreReader:
    """A database opened only to read it; it takes no lock and waits for nobody."""

    def __init__(self, path: Path) -> None:
        version = store_file.inspect(path)
        if not version:
            raise StoreError(f"{path} holds nothing yet: it is written by `ticktalk run`")
        if version < SCHEMA_VERSION:
            raise StoreError(f"{path} is of an older ticktalk: `ticktalk run` brings it up to date")
        self._path = path
        self._clock = SystemClock()
        self._reader = store_file.connect(path, begin="BEGIN")

    def read(self, function: Callable[[Transaction], T]) -> T:
        """Run a function that only reads, on one unchanging view of what is committed."""
        return _transact(self._reader, self._path, self._clock, function)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _transact(engine: Engine, path: Path, clock: Clock, function: Callable[[Transaction], T]) -> T:
    try:
        with engine.begin() as connection:
            result = function(Transaction(connection, clock))
            store_file.check(connection)
            return result
    except SQLAlchemyError as error:
        raise store_file.explain(error, path) from error
