"""The database file: who may open it, whether it is ours, and how it is connected."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event
from sqlmodel import SQLModel

from market.errors import StoreError, StoreFromFuture, StoreFull, StoreLocked
from market.store_migrations import MIGRATIONS
from market.tables import SCHEMA_VERSION, table

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import ExceptionContext
    from sqlalchemy.exc import SQLAlchemyError

_BUSY_MILLISECONDS = 10_000
_FAILED = "failed"
_ROOM_BYTES = 1_000_000
_SCHEMA = {"program": "ticktalk", "version": SCHEMA_VERSION}


def lock(path: Path) -> int:
    """Take `<path>.lock` for this process and return its descriptor; StoreLocked if it is taken.

    The operating system lets go of it when the descriptor is closed or the process ends.
    """
    name = f"{path}.lock"
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(path) from error
        raise StoreError(
            f"cannot write {name} ({error.strerror}): make its folder and let ticktalk write there,"
            " or set store.path to another place"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreLocked(
            f"another ticktalk is using {path}: stop it first, or set store.path to another file"
        ) from error
    return descriptor


def inspect(path: Path) -> int:
    """Return the version of our tables in the file, 0 where there are none yet.

    Reads only: a file that is not ours, or newer than we are, is left as it was and a StoreError.
    """
    if not path.exists() or path.stat().st_size == 0:
        return 0
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            return _inspect(path, connection)
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} cannot be read as a database ({error}): set store.path to another file,"
            " or put back a copy of it"
        ) from error


def connect(path: Path, *, begin: str) -> Engine:
    """Return an engine with one connection whose transactions start with `begin`."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver must not begin transactions of its own: it would do so only at the first
        # INSERT, after the reads that decided it.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={_BUSY_MILLISECONDS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"query_only={'OFF' if begin == 'BEGIN IMMEDIATE' else 'ON'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.info.pop(_FAILED, None)
        connection.exec_driver_sql(begin)

    # After some errors SQLite has already undone the transaction, and what follows would be kept
    # on its own: so the first error dooms it, also where a function swallows it.
    @event.listens_for(engine, "handle_error")
    def doom(context: ExceptionContext) -> None:
        if context.connection is not None:
            context.connection.info.setdefault(_FAILED, context.sqlalchemy_exception)

    @event.listens_for(engine, "before_cursor_execute")
    def refuse(connection: Connection, *_: Any) -> None:
        check(connection)

    return engine


def check(connection: Connection) -> None:
    """Raise the error, if any, that has doomed the transaction."""
    failed: SQLAlchemyError | None = connection.info.get(_FAILED)
    if failed is not None:
        raise failed


def create(engine: Engine) -> None:
    """Make our tables, all or none."""
    with engine.begin() as connection:
        SQLModel.metadata.create_all(connection)
        connection.execute(table("schema").insert(), _SCHEMA)
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


def upgrade(engine: Engine, version: int) -> None:
    """Bring the tables of an older version up to ours, all or none; what they hold is kept."""
    with engine.begin() as connection:
        for older in range(version, SCHEMA_VERSION):
            for statement in MIGRATIONS[older]:
                connection.exec_driver_sql(statement)
        connection.execute(table("schema").update().values(version=SCHEMA_VERSION))
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


def explain(error: SQLAlchemyError, path: Path) -> StoreError:
    """Return what a database error means to the caller."""
    cause = getattr(error, "orig", None)
    return _full(path) if _is_full(cause, path) else StoreError(f"{path}: {cause or error}")


def _inspect(path: Path, connection: sqlite3.Connection) -> int:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables:
        return 0
    version = _version(connection) if "schema" in tables else None
    if not version:
        raise StoreError(f"{path} is a database of another program: set store.path to another file")
    if version > SCHEMA_VERSION:
        raise StoreFromFuture(
            f"{path} was written by a newer ticktalk (schema {version}, this one knows"
            f" {SCHEMA_VERSION}): upgrade ticktalk, or set store.path to another file"
        )
    return version


def _version(connection: sqlite3.Connection) -> int | None:
    # The row tells that the file is ours and survives a dump, which user_version does not.
    columns = {row[1] for row in connection.execute("PRAGMA table_info(schema)")}
    if not columns >= _SCHEMA.keys():
        return None
    query = "SELECT version FROM schema WHERE program = ?"
    row = connection.execute(query, (_SCHEMA["program"],)).fetchone()
    (user_version,) = connection.execute("PRAGMA user_version").fetchone()
    return None if row is None else max(row[0], user_version)


def _full(path: Path) -> StoreFull:
    return StoreFull(
        f"no room left for {path}: nothing of this transaction was kept;"
        " free space on its disk, ticktalk goes on by itself"
    )


def _is_full(cause: BaseException | None, path: Path) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:
        return False
    # Where the file cannot grow SQLite sometimes says I/O error instead of full.
    is_io_error = code & 0xFF == sqlite3.SQLITE_IOERR
    return code == sqlite3.SQLITE_FULL or (
        is_io_error and shutil.disk_usage(path.parent).free < _ROOM_BYTES
    )
