"""A store of an earlier version is brought up to date and keeps what it holds."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import pytest

from market.errors import StoreError
from market.facts import DailyFacts
from market.signals import LifecycleState, Phase
from market.store import Store, StoreReader
from market.fact_groups import FactGroup
from market.store_migrations import MIGRATIONS
from market.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST_LIFECYCLE = """
CREATE TABLE lifecycle (
    condition VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    instrument VARCHAR NOT NULL,
    phase INTEGER NOT NULL,
    held INTEGER NOT NULL,
    fired_ms BIGINT NOT NULL,
    bar_ms BIGINT NOT NULL,
    PRIMARY KEY (condition, version, instrument)
)
"""
"""The table as version 1 wrote it."""

SINCE_SECOND = ("listing", "daily_facts", "universes", "universe_members")
"""Tables that version 2 did not have."""


def second_version(path: Path) -> Path:
    """Return a store of version 2 that holds a document."""
    store = Store.open(path)
    asyncio.run(store.write(lambda tx: tx.documents.put("kept", {"is": True})))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in SINCE_SECOND:
            connection.execute(f"DROP TABLE {name}")
        connection.execute("UPDATE schema SET version = 2")
        connection.execute("PRAGMA user_version = 2")
    return path


def first_version(path: Path) -> Path:
    """Return a store of version 1 in which one condition fires."""
    Store.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE lifecycle")
        connection.execute(FIRST_LIFECYCLE)
        connection.execute("INSERT INTO lifecycle VALUES ('a', 'v', 'KRX:005930', 2, 3, 40, 50)")
        for name in SINCE_SECOND:
            connection.execute(f"DROP TABLE {name}")
        connection.execute("UPDATE schema SET version = 1")
        connection.execute("PRAGMA user_version = 1")
    return path


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f"PRAGMA table_info({name})").fetchall() for (name,) in names
        }


def test_states_of_version_1_are_kept(tmp_path: Path) -> None:
    store = Store.open(first_version(tmp_path / "a.sqlite"))
    states = asyncio.run(store.read(lambda tx: tx.signals.states("a", "v")))
    store.close()
    assert states == {"KRX:005930": LifecycleState(Phase.FIRING, 3, 40, 50)}


def test_a_store_of_version_2_keeps_what_it_holds_and_learns_facts(tmp_path: Path) -> None:
    store = Store.open(second_version(tmp_path / "a.sqlite"))
    facts = DailyFacts("KRX:005930", date(2026, 11, 20), per=9.5)
    asyncio.run(store.write(lambda tx: tx.facts.put([facts], FactGroup.FIGURES)))
    assert asyncio.run(store.read(lambda tx: tx.documents.get("kept"))) == {"is": True}
    assert asyncio.run(store.read(lambda tx: tx.facts.of_day(facts.day))) == {"KRX:005930": facts}
    store.close()


@pytest.mark.parametrize("version", [first_version, second_version])
def test_an_upgraded_store_equals_a_new_one(
    tmp_path: Path, version: Callable[[Path], Path]
) -> None:
    old, new = version(tmp_path / "old.sqlite"), tmp_path / "new.sqlite"
    for path in (old, new):
        Store.open(path).close()
    assert columns(old) == columns(new)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT version FROM schema").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    Store.open(old).close()


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = first_version(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE lifecycle ADD COLUMN unknown INTEGER")
    with pytest.raises(StoreError, match="duplicate column"):
        Store.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version FROM schema").fetchone() == (1,)
        names = [row[1] for row in connection.execute("PRAGMA table_info(lifecycle)")]
    assert "clear_ms" not in names


def test_a_reader_waits_for_the_upgrade(tmp_path: Path) -> None:
    path = first_version(tmp_path / "a.sqlite")
    with pytest.raises(StoreError, match="older ticktalk: `ticktalk run` brings it up to date"):
        StoreReader(path)
    Store.open(path).close()
    StoreReader(path).close()


def test_every_version_can_be_upgraded() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))
